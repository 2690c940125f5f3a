package keeper

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/advisor/store"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// withText adds a server whose digest has a text of a revision.
func withText(s *snapshot.Snapshot, server, fingerprint string, rev uint64) {
	s.Server(server).Digests = &snapshot.Digests{
		Meta: snapshot.Meta{Taken: s.Taken, Epoch: "e"}, Rev: rev,
		Rows:  []snapshot.Digest{{Fingerprint: fingerprint}},
		Texts: []snapshot.DigestText{{Fingerprint: fingerprint, Text: "SELECT ?", Rev: rev}},
	}
}

func TestAServerTakenOutOfTheConfigurationIsGone(t *testing.T) {
	now := noon
	k, a := open(t, &now), &fakeAgent{snapshot: agentSnapshot("agent-00000001", noon, "e", 1)}
	a.snapshot.Server("db2").Schema = &snapshot.Schema{Meta: snapshot.Meta{Taken: noon}}
	targets := []store.Target{target(t, a)}
	k.Fetch(t.Context(), targets)
	if got := k.Agents()[0].Latest.Servers["db2"]; got == nil {
		t.Fatal("db2 was not seen")
	}
	delete(a.snapshot.Servers, "db2")
	a.rev++
	k.Fetch(t.Context(), targets)
	if got := k.Agents()[0].Latest.Servers; got["db2"] != nil || got["db1"] == nil {
		t.Errorf("servers = %v, want db1 alone", got)
	}
}

func TestTextsOfAServerThatCameLaterAreFetched(t *testing.T) {
	now := noon
	k, a := open(t, &now), &fakeAgent{snapshot: agentSnapshot("agent-00000001", noon, "e", 1)}
	withText(a.snapshot, "db1", "fp1:a", 500)
	targets := []store.Target{target(t, a)}
	k.Fetch(t.Context(), targets)
	withText(a.snapshot, "db2", "fp1:b", 1) // counts from the start
	a.rev++
	k.Fetch(t.Context(), targets)
	for name, server := range k.Agents()[0].Latest.Servers {
		if n := len(server.Digests.Texts); n != 1 {
			t.Errorf("%s: %d texts, want one", name, n)
		}
	}
}

func TestKnownTextsDoNotTravelAgain(t *testing.T) {
	now := noon
	k, a := open(t, &now), &fakeAgent{snapshot: agentSnapshot("agent-00000001", noon, "e", 1)}
	withText(a.snapshot, "db1", "fp1:a", 500)
	var asked []string
	targets := []store.Target{target(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/digests") {
			asked = append(asked, r.URL.RawQuery)
		}
		a.ServeHTTP(w, r)
	}))}
	k.Fetch(t.Context(), targets)
	a.rev++
	k.Fetch(t.Context(), targets)
	if want := []string{"", "after=500"}; !cmp.Equal(want, asked) {
		t.Errorf("digests were asked for with %q, want %q", asked, want)
	}
	if got := k.Agents()[0].Latest.Servers["db1"].Digests.Texts; len(got) != 1 {
		t.Errorf("texts = %v, want the one that is known", got)
	}
}

func TestASectionThatCannotBeReadCostsAGap(t *testing.T) {
	now := noon
	k, a := open(t, &now), &fakeAgent{snapshot: agentSnapshot("agent-00000001", noon, "e", 1)}
	a.snapshot.Server("db1").Schema = &snapshot.Schema{Meta: snapshot.Meta{Taken: noon}}
	k.Fetch(t.Context(), []store.Target{target(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/digests") {
			http.Error(w, "BUG: too much", http.StatusInternalServerError)
			return
		}
		a.ServeHTTP(w, r)
	}))})
	got := k.Agents()[0]
	if got.Err != nil || got.Latest.Servers["db1"].Schema == nil {
		t.Fatalf("agent = %+v, want the other sections", got)
	}
	if g := got.Latest.Gaps; len(g) != 1 || !strings.Contains(g[0].Reason, "section digests could not be fetched") {
		t.Errorf("gaps = %+v, want one about digests", g)
	}
}

func TestOneAgentUnderTwoTargetsCountsOnce(t *testing.T) {
	now := noon
	k, a := open(t, &now), &fakeAgent{snapshot: agentSnapshot("agent-00000001", noon, "e", 1)}
	targets := []store.Target{target(t, a), target(t, a)}
	for range 2 {
		k.Fetch(t.Context(), targets)
		var well, told int
		for _, got := range k.Agents() {
			switch {
			case got.Err == nil:
				well++
			case got.Latest == nil && strings.Contains(got.Err.Error(), "answer as one agent"):
				told++
			}
		}
		if well != 1 || told != 1 {
			t.Errorf("agents = %+v, want one, and the other told of", k.Agents())
		}
	}
}

func TestHostileJSONEndsNothing(t *testing.T) {
	now := noon
	for name, body := range map[string]string{
		"a server is null":         `{"agent_id":"agent-00000001","servers":{"db1":null}}`,
		"parts are null":           `{"agent_id":"agent-00000001","servers":{"db1":{"digests":null}}}`,
		"rows are null":            `{"agent_id":"agent-00000001","servers":{"db1":{"digests":{"rows":[null],"texts":[null]}}}}`,
		"another agent's":          `{"agent_id":"agent-00000002","servers":{}}`,
		"a name that leads out":    `{"agent_id":"../../../../etc"}`,
		"time before all time":     `{"agent_id":"agent-00000001","taken":"0001-01-01T00:00:00Z"}`,
		"time after all time":      `{"agent_id":"agent-00000001","taken":"9999-01-01T00:00:00Z"}`,
		"control characters":       `{"agent_id":"agent-00000001","host":"\u0000\u202e","cluster":"\ud800"}`,
		"a number beyond its type": `{"agent_id":"agent-00000001","schema":1e400}`,
		"an array":                 `[]`,
		"nested without end":       strings.Repeat(`{"servers":`, 20_000),
	} {
		t.Run(name, func(t *testing.T) {
			k := open(t, &now)
			hostile := target(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v1/snapshot" {
					fmt.Fprint(w, `{"schema":1,"agent_id":"agent-00000001","sections":[{"name":"digests","etag":""},{"name":"digests","etag":"x"},{"name":"/../","etag":"y"}]}`)
					return
				}
				fmt.Fprint(w, body)
			}))
			good := target(t, &fakeAgent{snapshot: agentSnapshot("agent-00000009", noon, "e", 1)})
			for range 2 {
				k.Fetch(t.Context(), []store.Target{hostile, good})
			}
			for _, a := range k.Agents() {
				if a.Latest == nil {
					t.Errorf("%s: %v, want what can be read of it", a.Target, a.Err)
				}
			}
			entries, err := os.ReadDir(k.dir)
			if err != nil || len(entries) > 2 {
				t.Errorf("folders of copies = %v, %v, want those of the two agents", entries, err)
			}
		})
	}
}

func TestCopiesGoOnWhenAClockThatWasAheadIsSetRight(t *testing.T) {
	now := noon
	k := open(t, &now)
	for _, taken := range []time.Time{noon.Add(30 * 24 * time.Hour), noon, noon.Add(time.Minute), noon.Add(2 * time.Hour)} {
		now = taken
		if taken.After(noon.Add(24 * time.Hour)) {
			now = noon
		}
		if err := k.keep(agentSnapshot("agent-00000001", taken, "e", 1)); err != nil {
			t.Fatal(err)
		}
	}
	times, err := k.kept("agent-00000001")
	if err != nil || len(times) != 2 || !times[0].Equal(noon) || !times[1].Equal(noon.Add(2*time.Hour)) {
		t.Errorf("copies = %v, %v, want those of noon and of two o'clock", times, err)
	}
}

func TestWhatOutlivedItsAgentIsRemoved(t *testing.T) {
	now := noon
	k := open(t, &now)
	if err := k.keep(agentSnapshot("agent-00000001", noon, "e", 1)); err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(k.dir, "agent-00000001", "new-123")
	if err := os.WriteFile(torn, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(k.dir, "NOTES")
	if err := os.MkdirAll(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	now = noon.Add(daily + 2*time.Hour)
	k.Fetch(t.Context(), nil) // removes the files ...
	now = now.Add(2 * time.Hour)
	k.Fetch(t.Context(), nil) // ... and then the folder
	entries, err := os.ReadDir(k.dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "NOTES" {
		t.Errorf("left are %v, %v, want what is not ours", entries, err)
	}
}

func TestOfTheOldestCopyOnlyTotalsAreKeptInMemory(t *testing.T) {
	now := noon
	k := open(t, &now)
	first := agentSnapshot("agent-00000001", noon, "e", 1)
	withText(first, "db1", "fp1:a", 1)
	first.Server("db1").Schema = &snapshot.Schema{Meta: snapshot.Meta{Taken: noon, Epoch: "e"}, Tables: []snapshot.Table{{Name: "orders"}}}
	if err := k.keep(first); err != nil {
		t.Fatal(err)
	}
	last := first.Clone()
	last.Taken = noon.Add(time.Minute)
	got, err := k.Copies(last, fleet.Window{From: noon.Add(-time.Hour), To: last.Taken})
	if err != nil || len(got) != 2 {
		t.Fatalf("copies = %v, %v, want both", got, err)
	}
	digests := *first.Servers["db1"].Digests
	digests.Texts = nil
	if diff := cmp.Diff(&snapshot.Server{Digests: &digests}, got[0].Servers["db1"]); diff != "" {
		t.Errorf("the oldest copy's server (-want +got):\n%s", diff)
	}
}

func TestACopyThatReplacesOneOfTheSameSecondBoundsTheWindow(t *testing.T) {
	now := noon
	k := open(t, &now)
	at := func(after time.Duration, calls uint64) *snapshot.Snapshot {
		s := agentSnapshot("agent-00000001", noon.Add(after), "e", calls)
		s.Server("db1").Status = &snapshot.Status{Meta: snapshot.Meta{Taken: s.Taken, Epoch: "s"}}
		return s
	}
	first := at(0, 0)
	first.Servers["db1"].Digests = nil // not read yet
	var got []*snapshot.Snapshot
	for _, s := range []*snapshot.Snapshot{first, at(time.Second/4, 1), at(time.Second/2, 2), at(time.Minute, 3)} {
		var err error
		if got, err = k.Copies(s, fleet.Window{From: noon.Add(-time.Hour), To: noon.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if err := k.keep(s); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 2 || got[0].Servers["db1"].Digests == nil {
		t.Errorf("copies = %+v, want the second one of noon, with digests, and the latest", got)
	}
}
