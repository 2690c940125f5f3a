package advisor

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plimsoll/advisor/keeper"
	"plimsoll/advisor/ledger"
	"plimsoll/advisor/report"
	"plimsoll/advisor/store"
)

// faultyStore panics when it is asked, as a bug of ours would.
type faultyStore struct{ store.Querier }

// newAdvisor returns an advisor of no agents, and what it logs.
func newAdvisor(t *testing.T, change func(*Options)) (*Advisor, *bytes.Buffer) {
	t.Helper()
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	kept, err := keeper.Open(filepath.Join(t.TempDir(), "snapshots"), log, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := ledger.Open(filepath.Join(t.TempDir(), "ledger.json"))
	if err != nil {
		t.Fatal(err)
	}
	series, err := store.Open(t.Context(), store.Options{Dir: filepath.Join(t.TempDir(), "series")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := series.Close(); err != nil {
			t.Error(err)
		}
	})
	o := Options{
		Version: "test", Targets: func() []store.Target { return nil }, Keeper: kept, Querier: series.Querier(), Append: series.Append,
		Ledger: findings, Reports: filepath.Join(t.TempDir(), "reports"), Window: time.Hour, Log: log, Now: time.Now,
	}
	if change != nil {
		change(&o)
	}
	return New(o), &said
}

func TestAFailedRoundKeepsTheLastReportAndTheNextOneComes(t *testing.T) {
	a, said := newAdvisor(t, nil)
	sound, ctx := a.Querier, t.Context()
	if r, err := a.Judge(ctx); r == nil || err != nil {
		t.Fatalf("a sound round = %v, %v", r, err)
	}
	path := filepath.Join(a.Reports, "latest.json")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a.Querier = faultyStore{}
	r, err := a.Judge(ctx)
	if r != nil || err == nil || !strings.Contains(err.Error(), "BUG: ") {
		t.Errorf("a round that panics = %v, %v, want an error", r, err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("latest.json changed (%v)", err)
	}
	if len(a.Own()) == 0 {
		t.Error("the series of the last report are gone")
	}
	for range 3 {
		a.tell(judging, err)
	}
	a.Querier = sound
	r, err = a.Judge(ctx)
	if r == nil || err != nil {
		t.Errorf("the next round = %v, %v", r, err)
	}
	a.tell(judging, err)
	if n := strings.Count(said.String(), "a round is incomplete"); n != 1 || !strings.Contains(said.String(), "rounds are complete again") {
		t.Errorf("the log says, %d times:\n%s\nwant once when it began, and once that it is over", n, said)
	}
}

func TestRunGoesOnAfterAFailedRound(t *testing.T) {
	a, _ := newAdvisor(t, nil)
	sound := a.Querier
	a.Querier = faultyStore{}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var rounds []bool
	a.Run(ctx, time.Millisecond, func(r *report.Report) {
		rounds = append(rounds, r != nil)
		a.Querier = sound
		if len(rounds) == 2 {
			cancel()
		}
	})
	if len(rounds) != 2 || rounds[0] || !rounds[1] {
		t.Errorf("rounds with a report = %v, want none and then one", rounds)
	}
}

func TestARoundThatIsCutShortJudgesNothing(t *testing.T) {
	a, _ := newAdvisor(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := a.Judge(ctx); r != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("Judge = %v, %v, want no report", r, err)
	}
	if _, err := os.Stat(a.Reports); !os.IsNotExist(err) {
		t.Errorf("a report was written (%v)", err)
	}
}

func TestAReportThatCannotBeWrittenIsStillPublished(t *testing.T) {
	a, _ := newAdvisor(t, func(o *Options) { o.Reports = "/proc/nowhere" })
	if r, err := a.Judge(t.Context()); r == nil || err == nil || !strings.Contains(err.Error(), "write report") {
		t.Errorf("Judge = %v, %v, want the report and why it is not on disk", r, err)
	}
}

func TestLabelsAreMadePrintableAndEqualSeriesAppearOnce(t *testing.T) {
	own := newSamples(time.Now())
	own.add("plimsoll_agents", 1, "state", "a\x00\u202e\xff\n"+strings.Repeat("é", 200))
	own.add("plimsoll_agents", 2, "state", "b")
	own.add("plimsoll_agents", 3, "state", "b")
	own.add("plimsoll_agents", 4, "state", "", "rule", "b")
	own.add("plimsoll_agents", 5, "state", "b", "rule", "")
	if len(own.all) != 4 {
		t.Fatalf("%d series, want 4: %+v", len(own.all), own.all)
	}
	want := "a\uFFFD\uFFFD\uFFFD\uFFFD" + strings.Repeat("é", 114) + "…"
	if got := own.all[0].Labels["state"]; got != want {
		t.Errorf("label = %q, want %q", got, want)
	}
	if own.all[1].Value != 2 {
		t.Errorf("value = %v, want that of the first", own.all[1].Value)
	}
}
