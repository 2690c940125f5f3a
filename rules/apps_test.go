package rules

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// roughly compares figures that were computed.
func roughly() cmp.Option { return cmpopts.EquateApprox(1e-9, 1e-12) }

// counted is a margin of what the kernel counts.
func counted() *float64 { return new(0.0) }

// give is the margin of a state whose variance is a hundredth of a worker's day.
func give() *float64 { return new(1.96 * math.Sqrt(dayOf(0.01)) / daySeconds) }

// whole is the margin of a part of a route that is known exactly, where the whole has the variance of give; part that of
// one of which give is the variance of how the route's time was shared out, too.
func whole(part float64) *float64 { return new(*give() * part) }

func part(part float64) *float64 { return new(*give() * math.Sqrt(1+part*part)) }

func TestAnApplicationSaysWhereItsWorkersTimeGoes(t *testing.T) {
	got := Apps(web(), nil, nil)
	if len(got) != 1 {
		t.Fatalf("Apps = %+v, want one", got)
	}
	spent := []Spent{
		{On: OnCPU, Workers: 2.2, Margin: counted()},
		{On: OnDatabase, Workers: 2, Margin: give()},
		{On: OnCaches, Workers: 1, Margin: give()},
		{On: OnServices, Workers: 0.8, Margin: give()},
	}
	want := App{
		Cluster: "shop", Name: "www",
		Pools: []AppPool{{
			Host: "web1", Listen: "/run/php/www.sock", Version: "8.2", MaxWorkers: new(20), BusyWorkers: new(6.0), Spent: spent,
			RunningWorkers: new(2.2), RequestsPerSecond: new(30.0), Queue: new(0), PeakQueue: new(0.0), SaturatedRatio: new(0.0),
		}},
		Time: &AppTime{
			Window: lastDay(), Bound: Healthy, BoundRatio: 2.2 / 6, BusyWorkers: 6, MaxWorkers: new(20), RequestsPerSecond: 30, Spent: spent,
			Routes: []AppRoute{
				{
					Method: "GET", Route: "/product/{id}", RequestsPerSecond: 20, MeanSeconds: new(0.2), Workers: 4,
					Margin: give(),
					Spent:  []Spent{{On: OnCPU, Workers: 1.5, Margin: whole(0.375)}, {On: OnDatabase, Workers: 1.5, Margin: part(0.375)}, {On: OnCaches, Workers: 1, Margin: part(0.25)}},
					Statements: []AppStatement{{
						Fingerprint: "fp1:0000000000000001", Text: "SELECT sku, price FROM product WHERE entity_id = ?",
						Workers: 1.5, Margin: part(0.375), ShareRatio: 0.375, Code: "Catalog::load in app/Catalog.php",
					}},
				},
				{
					Method: "POST", Route: "/checkout", RequestsPerSecond: 1, MeanSeconds: new(2.0), Workers: 2,
					Margin: give(),
					Spent:  []Spent{{On: OnCPU, Workers: 0.7, Margin: whole(0.35)}, {On: OnDatabase, Workers: 0.5, Margin: part(0.25)}, {On: OnServices, Workers: 0.8, Margin: part(0.4)}},
					Statements: []AppStatement{{
						Fingerprint: "fp1:0000000000000002", Text: "UPDATE stock SET qty = qty - ? WHERE product_id = ?",
						Workers: 0.5, Margin: part(0.25), ShareRatio: 0.25, Code: "Catalog::load in app/Catalog.php",
					}},
				},
			},
		},
	}
	if diff := cmp.Diff(want, got[0], roughly()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHostsOfAnApplicationAreAddedUpAndBlindOnesNamed(t *testing.T) {
	got := Apps(web(func(f *fleet.Fleet) {
		lacking, silent, again := phpPool(machine("web3"), "www"), phpPool(machine("web4"), "www"), phpPool(machine("web2"), "www")
		noProbeThere(lacking)
		lacking.Gaps = []snapshot.Gap{{Job: "phpfpm/profile", Reason: "not installed", Remedy: "install it"}}
		noProbeThere(silent)
		f.Pools = append(f.Pools, again, lacking, silent)
	}), nil, nil)[0]
	if got.Time.BusyWorkers < 11.99 || got.Time.BusyWorkers > 12.01 || *got.Time.MaxWorkers != 40 || len(got.Pools) != 4 {
		t.Errorf("time = %+v with %d pools, want 12 of 40 workers busy on the two hosts with a probe, and all four pools", got.Time, len(got.Pools))
	}
	want := []AppBlind{
		{Hosts: []string{"web3"}, Reason: "not installed", Remedy: "install it"},
		{Hosts: []string{"web4"}, Reason: noProbe, Remedy: installProbe},
	}
	if diff := cmp.Diff(want, got.Blind); diff != "" {
		t.Errorf("blind (-want +got):\n%s", diff)
	}
	blind := got.Pools[3]
	if blind.BusyWorkers != nil || blind.Spent != nil || *blind.RunningWorkers < 2.19 || *blind.RequestsPerSecond != 30 {
		t.Errorf("pool without a probe = %+v, want the figures that need none", blind)
	}
}

func TestWithoutAProbeNothingIsSaidOfTime(t *testing.T) {
	got := Apps(web(www(noProbeThere)), nil, nil)[0]
	if got.Time != nil || len(got.Blind) != 1 {
		t.Errorf("app = %+v, want no time and the reason", got)
	}
}

func TestAProbeThatWasSeenOnceNeedsNoRemedy(t *testing.T) {
	got := Apps(web(www(func(p *fleet.Pool) { p.Workers = nil })), nil, nil)[0]
	want := []AppBlind{{Hosts: []string{"web1"}, Reason: "plimsoll-probe was not seen twice yet"}}
	if diff := cmp.Diff(want, got.Blind); diff != "" {
		t.Errorf("blind (-want +got):\n%s", diff)
	}
}

func TestTimeThatNoStateHasCouldNotBeTold(t *testing.T) {
	later := www(func(p *fleet.Pool) {
		p.Workers.WorkerSeconds += dayOf(1.5) // In a state that a later probe tells apart.
	})
	spent := Apps(web(later), nil, nil)[0].Time.Spent
	if last := spent[len(spent)-1]; last.On != OnUnknown || last.Workers < 1.49 || last.Workers > 1.51 {
		t.Errorf("spent = %+v, want 1.5 workers unknown at the end", spent)
	}
}

func TestAnApplicationIsBoundByWhatTheConfiguredThresholdSays(t *testing.T) {
	rule := poolVerdict()
	rule.Threshold.Value = 0.36
	if got := Apps(web(), []Rule{rule}, nil)[0].Time.Bound; got != ByCPU {
		t.Errorf("bound by %q, want the processors, which have 37 %% of the time", got)
	}
	free := www(func(p *fleet.Pool) { p.Latest.Config.MaxChildren = 31 })
	if got := Apps(web(free), []Rule{rule}, nil)[0].Time.Bound; got != Healthy {
		t.Errorf("bound by %q, want nothing: 6 of 31 workers are busy", got)
	}
}

func TestARouteOfAnOlderProbeIsOfUnknownAccuracy(t *testing.T) {
	older := web(www(func(p *fleet.Pool) { p.Workers.Routes[0].BusyVariance, p.Workers.Routes[0].Variance = nil, nil }))
	routes := Apps(older, nil, nil)[0].Time.Routes
	if r := routes[0]; r.Margin != nil || r.Spent[0].Margin != nil || r.Statements[0].Margin != nil || routes[1].Margin == nil {
		t.Errorf("routes = %+v, want the margins of the first to be unknown", routes)
	}
	f := found(t, web(www(served("GET", "/a.jpg", 1)), www(func(p *fleet.Pool) {
		p.Workers.Routes[len(p.Workers.Routes)-1].BusyVariance = nil
	})), staticFiles())
	if got := f.Evidence[0].Margin; got != nil {
		t.Errorf("margin = %v, want unknown", *got)
	}
}

func TestPeersAreThoseThatWorkersWaitForMost(t *testing.T) {
	peers := www(func(p *fleet.Pool) {
		p.Workers.Backends = []snapshot.BackendTime{
			{State: snapshot.PHPRedis, Peer: "10.0.0.9:6379", StateTime: snapshot.StateTime{Seconds: dayOf(1)}},
			{State: snapshot.PHPMySQL, Peer: "10.0.0.1:3306", StateTime: snapshot.StateTime{Seconds: dayOf(2), Variance: dayOf(0.01)}},
			{State: snapshot.PHPHTTP, Peer: snapshot.OtherPeer, StateTime: snapshot.StateTime{Seconds: dayOf(3)}},
		}
	})
	want := []AppPeer{
		{State: snapshot.PHPMySQL, Peer: "10.0.0.1:3306", Spent: Spent{On: OnDatabase, Workers: 2, Margin: give()}},
		{State: snapshot.PHPRedis, Peer: "10.0.0.9:6379", Spent: Spent{On: OnCaches, Workers: 1, Margin: counted()}},
	}
	if diff := cmp.Diff(want, Apps(web(peers), nil, nil)[0].Time.Peers, roughly()); diff != "" {
		t.Errorf("peers (-want +got):\n%s", diff)
	}
}

func TestARouteNamesTheFindingsAboutWhatItWaitsFor(t *testing.T) {
	about := func(s Subject, digests ...string) Finding {
		f := Found(Rule{ID: "test/x"}, s, Evidence{What: "x"})
		f.Digests = digests
		return f
	}
	a := &app{cluster: "shop", name: "www"}
	index := about(Subject{Cluster: "shop", Kind: OfIndex, Name: "product"}, "fp1:0000000000000001")
	same := aboutRoute(a, "GET", "/product/{id}")
	same.Part += "/fp1:0000000000000001"
	findings := []Finding{
		index,
		about(Subject{Cluster: "blog", Kind: OfIndex, Name: "product"}, "fp1:0000000000000001"),
		about(aboutRoute(a, "GET", "/other"), "fp1:0000000000000001"),
		about(same, "fp1:0000000000000001"),
	}
	routes := Apps(web(), nil, findings)[0].Time.Routes
	want := []string{index.Fingerprint, findings[3].Fingerprint}
	if diff := cmp.Diff(want, routes[0].Statements[0].Findings); diff != "" {
		t.Errorf("findings of the product page (-want +got):\n%s", diff)
	}
	if got := routes[1].Statements[0].Findings; got != nil {
		t.Errorf("findings of the checkout = %v, want none", got)
	}
}
