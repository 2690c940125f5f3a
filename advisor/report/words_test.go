package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/advisor/ledger"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules"
	"plimsoll/rules/fleet"
)

func TestAStatementThatCannotBeShownIsNotToBeCopied(t *testing.T) {
	got := steps([]rules.Step{
		{Kind: rules.SQL, Text: "DROP INDEX `a\u202eb` ON t;"},
		{Kind: rules.Config, Text: "[mysqld]\r\n\tx = 1\n"},
	})
	want := []step{
		{Kind: "sql", Lines: []string{"DROP INDEX `a�b` ON t;"}, Note: "Do not copy this as it is: a character of it cannot be shown."},
		{Kind: "config", Lines: []string{"[mysqld]", " x = 1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSQLIsWrappedOnlyWhereThatChangesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		want []string
	}{
		"fits":            {"SELECT 1;", []string{"SELECT 1;"}},
		"at spaces":       {"ALTER TABLE `t` ADD INDEX `i` (`a`)", []string{"ALTER TABLE `t` ADD", "  INDEX `i` (`a`)"}},
		"not in a string": {"SET GLOBAL x = 'a b c d e f g h'", []string{"SET GLOBAL x =", "  'a b c d e f g h'"}},
		"not a name":      {"DROP TABLE `a name with spaces`", []string{"DROP TABLE", "  `a name with spaces`"}},
		"not a comment":   {"DROP TABLE t; -- it is not used", []string{"DROP TABLE t; -- it is not used"}},
		"not a backslash": {`SELECT 'a\' b', 'c d e f g h'`, []string{`SELECT 'a\' b', 'c d e f g h'`}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, wrapSQL(c.line, 20)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEstimatesSayThatTheyAre(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{1.2, 1.8, "an estimated 1.2 to 1.8"},
		{0, 0.5, "up to an estimated 0.5"},
		{2, 2.0001, "an estimated 2"},
	} {
		if got := estimate(c.lo, c.hi, rules.Count); got != c.want {
			t.Errorf("estimate(%v, %v) = %q, want %q", c.lo, c.hi, got, c.want)
		}
	}
}

func TestVerdictIsHonest(t *testing.T) {
	unreachable := nothingYet()
	unreachable.Hosts, unreachable.Servers = nil, nil
	unreachable.Unreachable = []Unreachable{{Target: "web1", Reason: "refused"}}
	acknowledged := healthy()
	acknowledged.Findings = []Entry{{
		Finding: missingIndex(), Status: ledger.StatusAcknowledged, Ack: &ledger.Ack{Who: "ann", Until: ledger.NewDate(now())},
	}}
	half := healthy()
	half.Hosts[0].SeenRatio = 0.5
	half.Hosts = append(half.Hosts, Host{Cluster: "default", Name: "db2"})
	for name, c := range map[string]struct {
		report *Report
		want   verdict
	}{
		"healthy": {healthy(), verdict{Tone: toneOK, Headline: "Nothing to change was found: 1 rule judged 24 h of 1 host and 1 database server."}},
		"seen in part": {half, verdict{
			Tone: toneOK, Headline: "Nothing to change was found: 1 rule judged 24 h of 2 hosts and 1 database server.",
			Caveats: []string{
				"Of db2 nothing was seen in the window.",
				"Of db1 (50 %) too little of the window was seen to know every hour.",
			},
		}},
		"acknowledged": {acknowledged, verdict{
			Tone: toneOK, Headline: "Nothing new to change was found: 1 rule judged 24 h of 1 host and 1 database server.",
			Counts: "0 open findings; 1 acknowledged.",
		}},
		"nothing seen yet": {nothingYet(), verdict{
			Tone: toneUnknown, Headline: "Nothing can be said yet: no host was seen twice. The first rule is ready at 2026-03-04 10:25 UTC.",
			Caveats: []string{"1 judgement could not be made; the reasons stand under what could not be seen."},
		}},
		"no agent answers": {unreachable, verdict{
			Tone: toneUnknown, Headline: "Nothing can be said: no agent could be read.",
			Caveats: []string{
				"1 agent could not be read; nothing is known of what runs there.",
				"1 judgement could not be made; the reasons stand under what could not be seen.",
			},
		}},
		"no agent": {&Report{}, verdict{Tone: toneUnknown, Headline: "Nothing can be said: no agent is known."}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, look(c.report).Verdict); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGapsOfOneReasonStandTogether(t *testing.T) {
	gap := func(host, server, job string) Gap {
		return Gap{Host: host, Gap: snapshot.Gap{Job: job, Subject: server, Reason: "r", Remedy: "GRANT x"}}
	}
	got := lookAtUnseen(&Report{Gaps: []Gap{
		{Gap: snapshot.Gap{Job: "store", Reason: "no remedy"}},
		gap("db2", "db2", "mysql/locks"), gap("db1", "shop", "mysql/locks"), gap("db1", "shop", "mysql/digests"), gap("db1", "shop", "mysql/locks"),
	}}).Gaps
	want := []blindSpot{
		{Reason: "r", Remedy: "GRANT x", What: []string{"mysql/digests", "mysql/locks"}, Where: []string{"db1/shop", "db2"}},
		{Reason: "no remedy", What: []string{"store"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBarsAddUpToTheLoadWithWhatIsHidden(t *testing.T) {
	for _, b := range look(shop()).Load.Bars {
		last := b.Segments[len(b.Segments)-1]
		if end := last.From + last.Ratio; end < b.Ratio-1e-9 || end > b.Ratio+1e-9 {
			t.Errorf("the segments of %s end at %v, want %v", b.Server, end, b.Ratio)
		}
	}
}

func TestTheSameReportIsAlwaysWrittenAlike(t *testing.T) {
	for name, r := range stories() {
		first := r.Text(TextOptions{})
		for range 20 {
			if again := r.Text(TextOptions{}); string(again) != string(first) {
				t.Errorf("%s differs from itself:\n%s", name, cmp.Diff(string(first), string(again)))
			}
		}
	}
}

func TestWindowsAreWrittenByLengthAndEnd(t *testing.T) {
	for want, w := range map[string]fleet.Window{
		"as it stands now":               {},
		"at 2026-03-04 10:15 UTC":        {From: now(), To: now()},
		"60 s to 2026-03-04 10:15 UTC":   {From: now().Add(-time.Minute), To: now()},
		"7 days to 2026-03-04 10:15 UTC": {From: now().AddDate(0, 0, -7), To: now()},
	} {
		if got := span(w); got != want {
			t.Errorf("span(%v) = %q, want %q", w, got, want)
		}
	}
}

func TestNamesAreQualifiedWhereThereAreSeveralClusters(t *testing.T) {
	r := shop()
	r.Hosts = append(r.Hosts, Host{Cluster: "blog", Name: "db1", SeenRatio: 1})
	r.Servers = append(r.Servers, Server{Cluster: "blog", Host: "db1", Name: "db1", Role: fleet.Standalone})
	v := look(r)
	var servers, sources []string
	for _, s := range v.Servers {
		servers, sources = append(servers, s.Name), append(sources, s.Source)
	}
	if diff := cmp.Diff([]string{"shop:db1", "shop:db2", "shop:db3/reporting", "blog:db1"}, servers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"", "shop:db1", "shop:db1", ""}, sources); diff != "" {
		t.Error(diff)
	}
	if got, want := v.Findings[1].Subject, "shop:shop.orders (customer_id, created_at)"; got != want {
		t.Errorf("Subject = %q, want %q", got, want)
	}
	if got, want := v.Site, "blog and shop"; got != want {
		t.Errorf("Site = %q, want %q", got, want)
	}
	if diff := cmp.Diff(shop().Findings, r.Findings); diff != "" {
		t.Errorf("the report was changed: %s", diff)
	}
}
