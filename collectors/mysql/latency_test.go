package mysql

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/fixtures/servers"
)

func TestHistogramsCountFromTheirFirstRead(t *testing.T) {
	s := &latencyState{last: map[string]histogram{}, total: histogram{}}
	for _, step := range []struct {
		name string
		seen map[string]histogram
		want histogram
	}{
		{"first", map[string]histogram{"a": {10: 5}}, histogram{}},
		{"grown", map[string]histogram{"a": {10: 7, 20: 1}}, histogram{10: 2, 20: 1}},
		{"a second digest", map[string]histogram{"a": {10: 7, 20: 1}, "b": {10: 1000}}, histogram{}},
		{"both", map[string]histogram{"a": {10: 8, 20: 1}, "b": {10: 1001}}, histogram{10: 2}},
		{"one is quiet", map[string]histogram{"b": {10: 1002}}, histogram{10: 1}},
		{"emptied", map[string]histogram{"a": {10: 3}, "b": {10: 1002}}, histogram{10: 3}},
	} {
		s.book(step.seen, time.Unix(0, 0))
		if diff := cmp.Diff(step.want, s.delta); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	if diff := cmp.Diff(histogram{10: 8, 20: 1}, s.total); diff != "" {
		t.Errorf("total (-want +got):\n%s", diff)
	}
}

func TestQuantileIsTheBoundOfItsBucket(t *testing.T) {
	counts := histogram{1e12: 90, 2e12: 9, 5e12: 1}
	for p, want := range map[float64]float64{0.5: 1, 0.9: 1, 0.95: 2, 0.99: 2, 1: 5} {
		if got := quantile(counts, p); got == nil || *got != want {
			t.Errorf("quantile %v = %v, want %v", p, got, want)
		}
	}
	if got := quantile(histogram{}, 0.5); got != nil {
		t.Errorf("quantile of nothing = %v, want none", *got)
	}
}

func TestTooManyLatenciesBeginAnEpoch(t *testing.T) {
	j := &latencyJob{epoch: "old", states: map[groupKey]*latencyState{}}
	leaders := []leader{{groupKey: groupKey{"shop", "fp1:leads"}}}
	j.state(leaders[0].groupKey)
	for i := range maxLatencies {
		j.state(groupKey{"shop", statement(i).Fingerprint})
	}
	j.retain(leaders)
	if len(j.states) != 1 || j.epoch == "old" {
		t.Errorf("%d statements in epoch %s, want the one that leads in a new epoch", len(j.states), j.epoch)
	}
}

// TestAllStatementsHaveAHistogram has its own MariaDB, which must load a plugin.
func TestAllStatementsHaveAHistogram(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, p)
			bound := 0.055 // MySQL's buckets are 4.7 % apart.
			if s.Family == scratch.MariaDB {
				s.Exec(t, "INSTALL SONAME 'query_response_time'", "SET GLOBAL query_response_time_stats = ON")
				bound = 0.1 // Those of the plugin are powers of ten.
			}
			job := find(t, open(t, s, 1), "mysql/latency")
			if all := run(t, job).Latency.All; all != nil {
				t.Errorf("all statements at the first read = %+v, want nothing yet", all)
			}
			for range 30 {
				s.Exec(t, "DO SLEEP(0.05)")
			}
			all := run(t, job).Latency.All
			if all == nil || all.P50 == nil || *all.P50 < 0.05 || *all.P50 > bound {
				t.Errorf("all statements = %+v, want a median of 0.05 to %v s", all, bound)
			}
		})
	}
}
