package advisor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"plimsoll/advisor/keeper"
	"plimsoll/advisor/observe"
	"plimsoll/advisor/store"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules"
	"plimsoll/rules/fleet"
)

// stories is the folder of recorded fleets, one a folder.
const stories = "../fixtures/fleets"

// expected is what a story's want.json says of one finding.
type expected struct {
	Rule     rules.ID       `json:"rule"`
	Subject  string         `json:"subject"`
	Severity rules.Severity `json:"severity"`
}

// TestStories goes the way of the advisor, from recorded copies of snapshots and
// recorded series to findings, and compares with what is expected: those and no
// others.
func TestStories(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(stories, "*", "want.json"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("stories in %s = %d (%v), want some", stories, len(folders), err)
	}
	for _, path := range folders {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			t.Parallel()
			var want []expected
			decode(t, readFile(t, path), &want)
			result := judgeStory(t, filepath.Dir(path))
			var got []expected
			for _, f := range result.Findings {
				got = append(got, expected{f.Rule, f.Subject.String(), f.Severity})
				logFinding(t, f)
			}
			if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			for _, n := range result.NotReady {
				t.Logf("%s is not ready for %s: %s", n.Rule, n.Subject, n.Reason)
			}
		})
	}
}

func TestAFindingAboutAStatementNamesTheRequestsThatWaitForIt(t *testing.T) {
	result := judgeStory(t, filepath.Join(stories, "chatty-pages"))
	i := slices.IndexFunc(result.Findings, func(f rules.Finding) bool { return f.Rule == "mysql/missing-index" })
	if i < 0 {
		t.Fatal("the missing index is not found")
	}
	waiters := result.Findings[i].Waiters
	if len(waiters) != 1 || waiters[0].SecondsPerSecond <= 0 {
		t.Fatalf("waiters = %+v, want one kind of request that waits", waiters)
	}
	waiters[0].SecondsPerSecond, waiters[0].Margin = 0, nil
	want := rules.Waiter{Pool: "shop", Method: "GET", Route: "/account", Code: "account_page in app/pages/customer.php"}
	if diff := cmp.Diff(want, waiters[0]); diff != "" {
		t.Errorf("waiter (-want +got):\n%s", diff)
	}
}

func TestWithoutAProbeEachRuleThatNeedsOneSaysSo(t *testing.T) {
	result := judgeStory(t, filepath.Join(stories, "unseen-workers"))
	for _, rule := range rules.All() {
		if !slices.Contains(rule.Needs, "phpfpm/profile") {
			continue
		}
		said := slices.ContainsFunc(result.NotReady, func(n rules.NotReady) bool {
			return n.Rule == rule.ID && strings.Contains(n.Remedy, "install the package plimsoll-probe")
		})
		if !said {
			t.Errorf("%s does not say that it needs plimsoll-probe", rule.ID)
		}
	}
}

// logFinding shows with -v what a page of docs/rules gives as its example.
func logFinding(t *testing.T, f rules.Finding) {
	t.Helper()
	t.Logf("%s (confidence %s): %s", f.Rule, f.Confidence.Level(), f.Summary)
	for _, e := range f.Evidence {
		value := rules.Words(e.Value, e.Unit)
		if e.Unit == rules.Text {
			value = e.Words
		}
		t.Logf("  %s: %s", e.What, value)
	}
	for _, w := range f.Waiters {
		t.Logf("  waits for it: %s %s of %s in %s: %s", w.Method, w.Route, w.Pool, w.Code, rules.Words(w.SecondsPerSecond, rules.Count))
	}
	if f.Gain.WorkerSeconds != nil {
		t.Logf("  frees %s to %s of a worker", rules.Words(f.Gain.WorkerSeconds.Lo, rules.Count), rules.Words(f.Gain.WorkerSeconds.Hi, rules.Count))
	}
	for _, s := range f.Remedy {
		t.Logf("  do on %q: %s", s.Target, s.Text)
	}
}

func sorted(all []expected) []expected {
	return slices.SortedFunc(slices.Values(all), func(a, b expected) int {
		return strings.Compare(string(a.Rule)+a.Subject, string(b.Rule)+b.Subject)
	})
}

func judgeStory(t *testing.T, dir string) rules.Result {
	t.Helper()
	copies := readCopies(t, dir)
	var agents []keeper.Agent
	var now time.Time
	for _, id := range slices.Sorted(maps.Keys(copies)) {
		latest := copies[id][len(copies[id])-1]
		agents = append(agents, keeper.Agent{Target: "unix:" + latest.Host, Latest: latest, Seen: latest.Taken})
		if latest.Taken.After(now) {
			now = latest.Taken
		}
	}
	f := observe.Build(t.Context(), observe.Inputs{
		Now: now, Window: 24 * time.Hour, Agents: agents, Querier: openSeries(t, dir, now).Querier(),
		Lag: observe.NewLagBook().Read(observe.Sights(agents), now),
		Copies: func(latest *snapshot.Snapshot, w fleet.Window) ([]*snapshot.Snapshot, error) {
			return slices.DeleteFunc(slices.Clone(copies[latest.AgentID]), func(s *snapshot.Snapshot) bool { return s.Taken.Before(w.From) }), nil
		},
	})
	for _, g := range f.Gaps {
		t.Errorf("gap of the advisor: %s", g.Reason)
	}
	return rules.Judge(f, rules.All())
}

// readCopies reads the copies of each agent, oldest first.
func readCopies(t *testing.T, dir string) map[string][]*snapshot.Snapshot {
	t.Helper()
	hosts, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(hosts) == 0 {
		t.Fatalf("hosts of %s = %d (%v), want some", dir, len(hosts), err)
	}
	copies := map[string][]*snapshot.Snapshot{}
	for _, path := range hosts {
		text := readFile(t, path)
		if len(text) > 200_000 {
			t.Errorf("%s has %d bytes, at most 200,000 are wanted", path, len(text))
		}
		for line := range bytes.Lines(text) {
			var s snapshot.Snapshot
			decode(t, line, &s)
			if name := strings.TrimSuffix(filepath.Base(path), ".jsonl"); s.Host != name {
				t.Errorf("%s is of host %s", path, s.Host)
			}
			copies[s.AgentID] = append(copies[s.AgentID], &s)
		}
	}
	return copies
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// decode refuses what the type does not know: a field that was renamed would be
// lost without a word.
func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// openSeries opens an embedded store with what series.prom holds, if there is
// one.
func openSeries(t *testing.T, dir string, now time.Time) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "series.prom")
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return s
	}
	if err := s.Append(t.Context(), samplesOf(t, readFile(t, path))); err != nil {
		t.Fatal(err)
	}
	return s
}

// samplesOf reads OpenMetrics text in which every sample has its time.
func samplesOf(t *testing.T, text []byte) []store.Sample {
	t.Helper()
	var out []store.Sample
	p := textparse.NewOpenMetricsParser(text, labels.NewSymbolTable())
	for {
		switch entry, err := p.Next(); {
		case errors.Is(err, io.EOF):
			return out
		case err != nil:
			t.Fatal(err)
		case entry == textparse.EntrySeries:
			var l labels.Labels
			p.Labels(&l)
			_, at, value := p.Series()
			if at == nil {
				t.Fatalf("%s has no time", l)
			}
			sample := store.Sample{Name: l.Get("__name__"), Labels: l.Map(), Time: time.UnixMilli(*at), Value: value}
			delete(sample.Labels, "__name__")
			out = append(out, sample)
		}
	}
}
