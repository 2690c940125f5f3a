package ledger

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plimsoll/rules"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func finding() rules.Finding {
	about := rules.Subject{Cluster: "shop", Kind: rules.OfServer, Name: "db2"}
	return rules.Found(rules.Rule{ID: "mysql/replica-lag"}, about, rules.Evidence{})
}

func found(f ...rules.Finding) rules.Result { return rules.Result{Findings: f} }

func open(t *testing.T, path string) *Ledger {
	t.Helper()
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAFindingKeepsItsFirstDayOverARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.json")
	l := open(t, path)
	l.Record(noon, found(finding()), nil)
	if err := l.Save(); err != nil {
		t.Fatal(err)
	}
	got := open(t, path).Record(noon.Add(time.Hour), found(finding()), nil)
	if len(got) != 1 || !got[0].FirstSeen.Equal(noon) || !got[0].LastSeen.Equal(noon.Add(time.Hour)) {
		t.Errorf("after a restart = %+v, want first seen at noon", got)
	}
}

func TestAFindingIsGoneAfterThreeRoundsWithoutIt(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.json"))
	l.Record(noon, found(finding()), nil)
	for round := 1; round <= GoneAfter; round++ {
		got := l.Record(noon.Add(time.Duration(round)*time.Minute), found(), nil)
		if gone := got[0].Status == StatusGone; gone != (round == GoneAfter) {
			t.Errorf("after %d rounds without it, status = %s", round, got[0].Status)
		}
	}
	if got := l.Record(noon.Add(time.Hour), found(finding()), nil); got[0].Status != StatusOpen || !got[0].FirstSeen.Equal(noon) {
		t.Errorf("when it returns = %+v, want open with its first day", got[0])
	}
}

func TestAFindingIsNotGoneWhileItsRuleCannotJudge(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.json"))
	f := finding()
	l.Record(noon, found(f), nil)
	blind := rules.Result{NotReady: []rules.NotReady{{Rule: f.Rule, Subject: f.Subject}}}
	for round := range 2 * GoneAfter {
		if got := l.Record(noon.Add(time.Duration(round)*time.Minute), blind, nil); got[0].Status != StatusOpen {
			t.Fatalf("after %d blind rounds = %s, want open", round+1, got[0].Status)
		}
	}
}

func TestAnAcknowledgementEndsWithItsDay(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.json"))
	f := finding()
	acks := []Ack{{Fingerprint: f.Fingerprint, Who: "ada", Why: "moving", Until: NewDate(noon)}}
	if got := l.Record(noon, found(f), acks); got[0].Status != StatusAcknowledged || got[0].Ack.Who != "ada" {
		t.Errorf("on its last day = %+v, want acknowledged by ada", got[0])
	}
	if got := l.Record(noon.Add(12*time.Hour), found(f), acks); got[0].Status != StatusOpen {
		t.Errorf("at midnight after = %s, want open", got[0].Status)
	}
}

func TestADamagedLedgerIsPutAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.json")
	if err := os.WriteFile(path, []byte(`[{"rule":`), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(path)
	if err == nil || l == nil {
		t.Fatalf("Open of a damaged ledger = %v, %v, want an empty ledger and an error", l, err)
	}
	if _, err := os.Stat(path + ".corrupt"); err != nil {
		t.Errorf("the damaged ledger was not kept: %v", err)
	}
}

func TestAcknowledgementsAreReadBackAsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "acks.yml")
	until := NewDate(noon.AddDate(0, 0, 7))
	for _, why := range []string{"first", "second"} {
		if err := AddAck(path, Ack{Fingerprint: "f1", Who: "ada", Why: why, Until: until}, noon); err != nil {
			t.Fatal(err)
		}
	}
	acks, err := ReadAcks(path)
	if err != nil || len(acks) != 1 || acks[0].Why != "second" || !acks[0].Until.Equal(until.Time) {
		t.Errorf("acknowledgements = %+v, %v, want the second one alone", acks, err)
	}
}

func TestTheServiceReadsWhatAnybodyAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "acks.yml")
	if err := AddAck(path, Ack{Fingerprint: "f1", Who: "ada", Why: "x", Until: NewDate(noon)}, noon); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), os.FileMode(0o644); got != want {
		t.Errorf("mode of %s = %o, want %o", path, got, want)
	}
}

func TestAnAcknowledgementNeedsAReasonAndAnEnd(t *testing.T) {
	for text, want := range map[string]string{
		"- {fingerprint: f1, who: ada, until: 2026-12-24}":        "why is missing",
		"- {fingerprint: f1, who: ada, why: x}":                   "until is missing",
		"- {fingerprint: f1, who: ada, why: x, until: soon}":      `"soon" is not a date`,
		"- {fingerprint: f1, who: ada, why: x, ends: 2026-12-24}": "field ends not found",
		"- {who: ada, why: x, until: 2026-12-24}":                 "fingerprint is missing",
	} {
		path := filepath.Join(t.TempDir(), "acks.yml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadAcks(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadAcks(%s) = %v, want %q", text, err, want)
		}
	}
	far := Ack{Fingerprint: "f1", Who: "ada", Why: "x", Until: NewDate(noon.AddDate(2, 0, 0))}
	if err := AddAck(filepath.Join(t.TempDir(), "acks.yml"), far, noon); err == nil {
		t.Error("an acknowledgement of two years was accepted")
	}
}

func TestAnEntryThatIsNullIsLeftOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.json")
	if err := os.WriteFile(path, []byte("[null]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := open(t, path).Record(noon, found(finding()), nil); len(got) != 1 {
		t.Errorf("entries = %d, want the one that was found", len(got))
	}
}
