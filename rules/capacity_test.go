package rules

import (
	"math"
	"strings"
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// missing lets an index be missing that would free some of the workers' time, in
// seconds a second.
func missing(f *fleet.Fleet, r Rule, freed float64) Result {
	cure := Found(Rule{ID: "mysql/missing-index"}, Subject{Cluster: "shop", Kind: OfIndex, Schema: "shop", Name: "orders"}, Evidence{What: "rows"})
	cure.Gain.WorkerSeconds = Between(freed, freed)
	return check(r, Case{Fleet: f, Rule: r, Cures: []Finding{cure}})
}

// An index that frees a hundredth of the time neither cures a busy server nor may
// it hide that the server is busy.
func TestASmallCureDoesNotSilenceCapacity(t *testing.T) {
	for name, c := range map[string]struct {
		on   func() *fleet.Fleet
		rule Rule
	}{
		"read-split":    {func() *fleet.Fleet { return site(primary(busy(0.8, 0.7))) }, readSplit()},
		"buffer-pool":   {func() *fleet.Fleet { return site(lone, primary(misses(400, 0.0005))) }, bufferPool()},
		"replica-count": {func() *fleet.Fleet { return site(replica(busy(0.8, 0.7)), primary(busy(0.8, 0.7))) }, replicaCount()},
	} {
		t.Run(name, func(t *testing.T) {
			for _, share := range []float64{0.09, 0.11} {
				f := c.on()
				result := missing(f, c.rule, share*Case{Fleet: f}.loadOfAll(f.Servers[0]))
				deferred := len(result.NotReady) > 0 || len(result.Findings) > 0 && strings.Contains(result.Findings[0].Remedy[0].Text, "mysql/missing-index")
				if want := share > 0.1; deferred != want {
					t.Errorf("with a cure that frees %v of the time: gives way = %v, want %v; %+v", share, deferred, want, result)
				}
			}
		})
	}
}

// delayed makes the replica one that is to stand behind by an hour, and lets it do
// so by some seconds.
func delayed(lag float64) func(*fleet.Server) {
	return func(s *fleet.Server) {
		s.Latest.Replication.Channels[0].DelaySeconds, s.Latest.Replication.Channels[0].State = 3600, snapshot.LagDelayed
		l := &s.Lag[0]
		l.P50, l.P95, l.P99, l.Max, l.Last = &lag, &lag, &lag, &lag, &lag
	}
}

func TestAReplicaThatIsToStandBehindDoesSo(t *testing.T) {
	quiet(t, site(replica(delayed(3600.5))), replicaLag())
	found(t, site(replica(delayed(3700))), replicaLag())
	growing := func(s *fleet.Server) { s.Lag[0].TrendRatio = new(1.0) }
	quiet(t, site(replica(delayed(1800)), replica(growing)), replicaFallingBehind()) // just set up
	found(t, site(replica(delayed(3700)), replica(growing)), replicaFallingBehind())
}

func TestAGainThatIsNoNumberIsABug(t *testing.T) {
	for _, wrong := range []float64{math.NaN(), math.Inf(1)} {
		r := Rule{ID: "mysql/wrong", Check: func(c Case) Result {
			f := Found(c.Rule, Subject{Name: "db1"}, Evidence{What: "rows"})
			f.Gain.Headroom = &Estimate{Lo: 1, Hi: wrong}
			return Result{Findings: []Finding{f}}
		}}
		if got := judge(site(), r); len(got.Findings) != 0 || len(got.NotReady) != 1 {
			t.Errorf("result with a gain of %v = %+v, want the bug told: no report could be written", wrong, got)
		}
	}
}

// Where every statement is prepared, digests show none, and waiting can be held
// against nothing.
func TestWaitingIsNotNothingWhereNoStatementIsSeen(t *testing.T) {
	unseen := func(s *fleet.Server) { s.Digests = digests() }
	f := site(lone, primary(waits(snapshot.LockRecord, "stock", 0.2)), primary(unseen))
	for _, r := range []Rule{lockContention(), gapLocks()} {
		notReady(t, f, r, NotReady{Subject: about("db1"), Reason: "no statement of the site was seen, so that waiting for locks can be held against nothing"})
	}
}
