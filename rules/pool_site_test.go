package rules

import (
	"testing"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// dayOf are worker-seconds of a day in which so many workers do something on average.
func dayOf(workers float64) float64 { return workers * daySeconds }

// web is a site whose host web1 has the pool www: of 20 workers 6 are busy on average, 2 of them waiting
// for the database, with 30 requests a second. The changes make a case of it.
func web(changes ...func(*fleet.Fleet)) *fleet.Fleet {
	return site(append([]func(*fleet.Fleet){func(f *fleet.Fleet) {
		host := f.Hosts[len(f.Hosts)-1]
		p := phpPool(host, "www")
		host.Pools, f.Pools = []*fleet.Pool{p}, []*fleet.Pool{p}
	}}, changes...)...)
}

// phpPool is a healthy pool of a host.
func phpPool(host *fleet.Host, name string) *fleet.Pool {
	listen := "/run/php/" + name + ".sock"
	return &fleet.Pool{
		Cluster: host.Cluster, Host: host.Name, Name: name, Listen: listen, Machine: host,
		Latest: &snapshot.FPMPool{
			Name: name, Server: listen, Version: "8.2", Workers: 20,
			Config: &snapshot.FPMConfig{Manager: "static", MaxChildren: 20},
			Queue:  &snapshot.ListenQueue{Length: new(511)},
			Status: &snapshot.FPMStatus{Accepted: 1000, Total: 20},
		},
		Profile: &snapshot.PoolProfile{Name: name, Server: listen, Version: "8.2.35", Tested: true, Workers: 20, Memory: &snapshot.WorkerMemory{
			Workers: 20, MeanUSSBytes: 30 << 20, P95USSBytes: 40 << 20, MeanPSSBytes: 35 << 20, P95PSSBytes: 46 << 20, SharedBytes: 100 << 20,
		}},
		Served: &fleet.PoolWindow{
			Window: lastDay(), CPUSeconds: new(dayOf(2)), RunQueueSeconds: new(dayOf(0.2)), Accepted: new(uint64(30 * 86400)),
			MaxChildrenReached: new(uint64(0)), SlowRequests: new(uint64(0)), PeakQueue: new(0.0), PeakActive: new(9.0),
		},
		Workers: &fleet.WorkerWindow{
			Window: lastDay(), Hertz: 20, WorkerSeconds: dayOf(20), Requests: 30 * 86400,
			States: map[snapshot.PHPState]snapshot.StateTime{
				snapshot.PHPCPU: {Seconds: dayOf(2)}, snapshot.PHPRunQueue: {Seconds: dayOf(0.2)},
				snapshot.PHPMySQL: {Seconds: dayOf(2), Variance: dayOf(0.01), Waits: 400_000},
				snapshot.PHPRedis: {Seconds: dayOf(1), Variance: dayOf(0.01), Waits: 200_000},
				snapshot.PHPHTTP:  {Seconds: dayOf(0.8), Variance: dayOf(0.01), Waits: 9000},
				snapshot.PHPIdle:  {Seconds: dayOf(14)},
			},
			Routes: []snapshot.RouteTime{
				route("GET", "/product/{id}", 20, map[snapshot.PHPState]float64{snapshot.PHPCPU: 1.5, snapshot.PHPMySQL: 1.5, snapshot.PHPRedis: 1}),
				route("POST", "/checkout", 1, map[snapshot.PHPState]float64{snapshot.PHPCPU: 0.7, snapshot.PHPMySQL: 0.5, snapshot.PHPHTTP: 0.8}),
			},
			Rows: []snapshot.ProfileRow{
				profileRow("GET", "/product/{id}", "fp1:0000000000000001", 1.5),
				profileRow("POST", "/checkout", "fp1:0000000000000002", 0.5),
			},
			Texts: map[string]snapshot.DigestText{
				"fp1:0000000000000001": {Fingerprint: "fp1:0000000000000001", Class: "select", Reads: []string{"product"}, Text: "SELECT sku, price FROM product WHERE entity_id = ?"},
				"fp1:0000000000000002": {Fingerprint: "fp1:0000000000000002", Class: "dml", Writes: []string{"stock"}, Text: "UPDATE stock SET qty = qty - ? WHERE product_id = ?"},
			},
		},
	}
}

// route is a day of a kind of request: requests a second, and workers by state on average.
func route(method, path string, requests float64, workers map[snapshot.PHPState]float64) snapshot.RouteTime {
	r := snapshot.RouteTime{
		Method: method, Route: path, Requests: uint64(dayOf(requests)), BusyVariance: new(dayOf(0.01)),
		Seconds: map[snapshot.PHPState]float64{}, Variance: map[snapshot.PHPState]float64{},
	}
	for s, n := range workers {
		if r.Seconds[s] = dayOf(n); s != snapshot.PHPCPU {
			r.Variance[s] = dayOf(0.01)
		}
	}
	return r
}

// profileRow is a day of waiting for a statement, by so many workers on average.
func profileRow(method, path, fingerprint string, workers float64) snapshot.ProfileRow {
	return snapshot.ProfileRow{
		ProfileKey: snapshot.ProfileKey{
			Method: method, Route: path, State: snapshot.PHPMySQL, Peer: "10.0.0.1:3306", Call: "PDOStatement::execute",
			Code: "Catalog::load", File: "app/Catalog.php", Fingerprint: fingerprint,
		},
		Line: 42, StateTime: snapshot.StateTime{Seconds: dayOf(workers), Variance: dayOf(0.01), Waits: 100_000}, Samples: uint64(dayOf(workers) * 20),
	}
}

// www changes the pool of a web site.
func www(change func(*fleet.Pool)) func(*fleet.Fleet) {
	return func(f *fleet.Fleet) { change(f.Pools[0]) }
}

// spends lets workers of a pool do something, on average; who did nothing does.
func spends(state snapshot.PHPState, workers float64) func(*fleet.Pool) {
	return func(p *fleet.Pool) {
		was := p.Workers.States[state].Seconds
		p.Workers.States[state] = snapshot.StateTime{Seconds: dayOf(workers), Variance: dayOf(0.01), Waits: 100_000}
		idle := p.Workers.States[snapshot.PHPIdle]
		idle.Seconds -= dayOf(workers) - was
		p.Workers.States[snapshot.PHPIdle] = idle
	}
}

// noProbeThere takes the probe from a pool.
func noProbeThere(p *fleet.Pool) { p.Workers, p.Profile = nil, nil }

// poolLacking gives a pool a gap.
func poolLacking(job, reason, remedy string) func(*fleet.Pool) {
	return func(p *fleet.Pool) {
		p.Gaps = append(p.Gaps, snapshot.Gap{Job: job, Subject: p.Name, Reason: reason, Remedy: remedy})
	}
}

// profiledFor shortens what was seen of a pool's workers.
func profiledFor(d time.Duration) func(*fleet.Pool) {
	return func(p *fleet.Pool) { p.Workers.Window.From = p.Workers.Window.To.Add(-d) }
}

func TestAnApplicationIsThePoolsOfOneNameOnAllHosts(t *testing.T) {
	f := web(func(f *fleet.Fleet) {
		second := machine("web2")
		p, blind := phpPool(second, "www"), phpPool(machine("web3"), "www")
		noProbeThere(blind)
		f.Pools = append(f.Pools, p, blind, phpPool(second, "admin"))
	})
	apps := Case{Fleet: f}.apps()
	if len(apps) != 2 || len(apps[0].pools) != 2 || len(apps[0].blind) != 1 || apps[1].name != "admin" {
		t.Fatalf("apps = %+v, want www on two hosts that are seen and one that is not, and admin", apps)
	}
	if got := apps[0].busy(); got != 12 {
		t.Errorf("busy workers = %v, want the 12 of both hosts", got)
	}
	rows := apps[0].rows(func(snapshot.ProfileRow) bool { return true })
	if len(rows) != 2 || rows[0].Route != "/product/{id}" || rows[0].seconds != 3 {
		t.Errorf("rows = %+v, want the first one's 3 workers of both hosts", rows)
	}
	routes := apps[0].routes()
	if len(routes) != 2 || routes[0].requests != 40 || routes[0].busy != 8 {
		t.Errorf("routes = %+v, want 40 requests a second and 8 workers of the first", routes)
	}
}
