package fleet

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

// webCopy is a copy of a web host's snapshot with one pool.
func webCopy(minute int, epoch string, profile snapshot.PoolProfile) *snapshot.Snapshot {
	profile.Name, profile.Server = "www", "/run/php/www.sock"
	return &snapshot.Snapshot{
		AgentID: "w1", Cluster: "shop", Host: "web1", Taken: noon,
		PHP: &snapshot.PHP{Meta: meta(minute, "t"), Pools: []snapshot.FPMPool{{Name: "www", Server: "/run/php/www.sock", Workers: 8}}},
		PHPProfile: &snapshot.PHPProfile{
			Meta: meta(minute, epoch), Hertz: 20, Pools: []snapshot.PoolProfile{profile},
			Texts: []snapshot.DigestText{{Fingerprint: "fp1:1", Text: "SELECT ?"}},
		},
	}
}

// onlyPool returns the one pool of the copies.
func onlyPool(t *testing.T, copies ...*snapshot.Snapshot) *Pool {
	t.Helper()
	host, _ := Between(copies, day())
	if len(host.Pools) != 1 {
		t.Fatalf("pools = %d, want 1", len(host.Pools))
	}
	return host.Pools[0]
}

func waiting(route string, seconds float64) snapshot.ProfileRow {
	return snapshot.ProfileRow{
		ProfileKey: snapshot.ProfileKey{Method: "GET", Route: route, State: snapshot.PHPMySQL, Fingerprint: "fp1:1"},
		StateTime:  snapshot.StateTime{Seconds: seconds, Waits: uint64(seconds)}, Samples: uint64(seconds),
	}
}

func rest(seconds float64) snapshot.ProfileRow {
	return snapshot.ProfileRow{ProfileKey: snapshot.OtherRow(), StateTime: snapshot.StateTime{Seconds: seconds}}
}

func TestAPoolIsSeenByTheAgentAndItsProbeAsOne(t *testing.T) {
	states := func(mysql, idle float64) map[snapshot.PHPState]snapshot.StateTime {
		return map[snapshot.PHPState]snapshot.StateTime{
			snapshot.PHPMySQL: {Seconds: mysql, Variance: mysql / 100, Waits: uint64(mysql)}, snapshot.PHPIdle: {Seconds: idle},
		}
	}
	p := onlyPool(t,
		webCopy(0, "p", snapshot.PoolProfile{WorkerSeconds: 100, Requests: 10, States: states(10, 90)}),
		webCopy(10, "p", snapshot.PoolProfile{WorkerSeconds: 500, Requests: 60, States: states(210, 290)}),
	)
	if p.Latest == nil || p.Latest.Workers != 8 || p.Profile == nil || p.Host != "web1" {
		t.Fatalf("pool = %+v, want both views of it", p)
	}
	w := p.Workers
	if w.WorkerSeconds != 400 || w.BusySeconds() != 200 || w.Requests != 50 {
		t.Errorf("window = %+v, want 400 worker-seconds, 200 of them busy, and 50 requests", w)
	}
	if got := w.Share(snapshot.PHPMySQL); got != 1 {
		t.Errorf("Share(mysql) = %v, want 1 of the busy time", got)
	}
	if diff := cmp.Diff(1.96*1.4142135623730951, w.Interval(snapshot.PHPMySQL), cmp.Comparer(near)); diff != "" {
		t.Errorf("interval (-want +got):\n%s", diff)
	}
}

func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }

func TestAProbeThatWasRestartedBeginsAWindow(t *testing.T) {
	p := onlyPool(t,
		webCopy(0, "old", snapshot.PoolProfile{WorkerSeconds: 1000}),
		webCopy(5, "new", snapshot.PoolProfile{WorkerSeconds: 10}),
		webCopy(10, "new", snapshot.PoolProfile{WorkerSeconds: 60}),
	)
	if p.Workers == nil || p.Workers.WorkerSeconds != 50 {
		t.Errorf("window = %+v, want 50 worker-seconds since the new probe", p.Workers)
	}
}

func TestAPoolOfWhichNoWorkerWasSeenIsNotIdle(t *testing.T) {
	p := onlyPool(t, webCopy(0, "p", snapshot.PoolProfile{WorkerSeconds: 7}), webCopy(10, "p", snapshot.PoolProfile{WorkerSeconds: 7}))
	if p.Profile == nil || p.Workers != nil {
		t.Errorf("window = %+v, want unknown: nobody was looked at", p.Workers)
	}
}

func TestARouteIsAsSureAsItsProbeSays(t *testing.T) {
	route := func(path string, seconds, variance float64) snapshot.RouteTime {
		return snapshot.RouteTime{
			Method: "GET", Route: path, Seconds: map[snapshot.PHPState]float64{snapshot.PHPMySQL: seconds},
			Variance: map[snapshot.PHPState]float64{snapshot.PHPMySQL: variance}, BusyVariance: new(variance / 2),
		}
	}
	older := snapshot.RouteTime{Method: "GET", Route: "/older", Seconds: map[snapshot.PHPState]float64{snapshot.PHPMySQL: 1}}
	p := onlyPool(t,
		webCopy(0, "p", snapshot.PoolProfile{WorkerSeconds: 100, Routes: []snapshot.RouteTime{route("/cart", 40, 2)}}),
		webCopy(10, "p", snapshot.PoolProfile{WorkerSeconds: 300, Routes: []snapshot.RouteTime{route("/cart", 90, 5), route("/new", 2, 1), older}}),
	)
	want := []snapshot.RouteTime{route("/cart", 50, 3), route("/new", 2, 1), older}
	if diff := cmp.Diff(want, p.Workers.Routes); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}

func TestWhatLeavesTheListedRowsIsNoGrowthOfTheRest(t *testing.T) {
	p := onlyPool(t,
		webCopy(0, "p", snapshot.PoolProfile{WorkerSeconds: 100, Rows: []snapshot.ProfileRow{waiting("/cart", 40), waiting("/old", 30), rest(5)}}),
		webCopy(10, "p", snapshot.PoolProfile{WorkerSeconds: 300, Rows: []snapshot.ProfileRow{waiting("/cart", 90), waiting("/new", 31), rest(38)}}),
	)
	got := map[string]float64{}
	for _, r := range p.Workers.Rows {
		got[r.Route] = r.Seconds
	}
	if diff := cmp.Diff(map[string]float64{"/cart": 50, "/new": 31, "other": 3}, got); diff != "" {
		t.Errorf("seconds by route (-want +got):\n%s", diff)
	}
}

func TestAStatusPageOfAnotherStartCountsNothing(t *testing.T) {
	first, last := webCopy(0, "p", snapshot.PoolProfile{}), webCopy(10, "p", snapshot.PoolProfile{})
	first.PHP.Pools[0].Status = &snapshot.FPMStatus{Started: noon.Add(-time.Hour), Accepted: 1000}
	last.PHP.Pools[0].Status = &snapshot.FPMStatus{Started: noon, Accepted: 20}
	if p := onlyPool(t, first, last); p.Served == nil || p.Served.Accepted != nil {
		t.Errorf("served = %+v, want accepted connections to be unknown", p.Served)
	}
	last.PHP.Pools[0].Status = &snapshot.FPMStatus{Started: first.PHP.Pools[0].Status.Started, Accepted: 1200}
	if p := onlyPool(t, first, last); p.Served.Accepted == nil || *p.Served.Accepted != 200 {
		t.Errorf("accepted = %v, want 200", p.Served.Accepted)
	}
}

func TestAPoolHasItsOwnGapsAndThoseOfAllPools(t *testing.T) {
	c := webCopy(0, "p", snapshot.PoolProfile{})
	c.PHP.Gaps = []snapshot.Gap{{Job: "phpfpm", Subject: "admin", Reason: "another pool's"}, {Job: "phpfpm", Subject: "www", Reason: "no status page"}}
	c.PHPProfile.Gaps = []snapshot.Gap{
		{Job: "phpfpm/probe", Subject: "www (/run/php/www.sock)", Reason: "no symbols"}, {Job: "phpfpm/probe", Subject: "www (/run/php/other.sock)", Reason: "another www's"},
	}
	c.Gaps = []snapshot.Gap{{Job: "phpfpm/profile", Reason: "no probe"}, {Job: "host", Reason: "no business of a pool"}}
	var got []string
	for _, g := range onlyPool(t, c).Gaps {
		got = append(got, g.Reason)
	}
	if diff := cmp.Diff([]string{"no probe", "no status page", "no symbols"}, got); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
}
