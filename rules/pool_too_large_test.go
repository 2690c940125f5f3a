package rules

import (
	"slices"
	"strings"
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// wants lets the workers that a pool may still start want a part of the memory that is available.
func wants(share float64) func(*fleet.Pool) {
	return func(p *fleet.Pool) {
		p.Profile.Workers = 10
		p.Machine.Latest.Memory.AvailableBytes = uint64(float64(10*p.Profile.Memory.P95USSBytes) / share)
	}
}

func TestAPoolThatOutgrowsItsHostIsFound(t *testing.T) {
	f := found(t, web(www(wants(2))), poolTooLarge())
	asReviewed(t, "pool-too-large", f)
	if got := steps(f.Remedy, Config); got[0] != "pm.max_children = 14" {
		t.Errorf("advice = %q, want 14: of five more that would fit, four with a fifth to spare", got)
	}
}

// beside adds the pool api to the host of a web site.
func beside(change func(*fleet.Pool)) func(*fleet.Fleet) {
	return func(f *fleet.Fleet) {
		host := f.Pools[0].Machine
		p := phpPool(host, "api")
		change(p)
		host.Pools, f.Pools = append(host.Pools, p), append(f.Pools, p)
	}
}

// half lets each of two pools want a part of the memory that is available.
func half(share float64) *fleet.Fleet {
	return web(www(wants(share)), beside(wants(share)))
}

func TestPoolsOfOneHostAreJudgedTogether(t *testing.T) {
	f := found(t, half(0.6), poolTooLarge())
	asReviewed(t, "pool-too-large-together", f)
	quiet(t, half(0.4), poolTooLarge())
	if got := steps(f.Remedy, Config); len(got) != 2 || got[0] != "pm.max_children = 16" || got[1] != got[0] {
		t.Errorf("advice = %q, want 16 for each: of 16 more that would fit, 13 with a fifth to spare", got)
	}
}

func TestAPoolOfWhichTheSizeIsNotKnownIsNotTakenForNone(t *testing.T) {
	blind := func(p *fleet.Pool) { p.Profile.Memory = nil }
	f := web(www(wants(1.2)), beside(blind))
	result := judge(f, poolTooLarge())
	if len(result.Findings) != 1 || len(result.NotReady) != 1 || result.NotReady[0].Subject.String() != "web1 (api)" {
		t.Fatalf("result = %+v, want the finding, and that the size of api is not known", result)
	}
	if got := result.Findings[0].Confidence.Reasons; !slices.Contains(got, "what 1 more of its pools may take is not known, and not in it") {
		t.Errorf("doubts = %q, want that of api", got)
	}
	notReady(t, web(beside(blind)), poolTooLarge(), NotReady{Subject: about("web1 (api)"), Reason: "how much memory its workers and its host have is not known"})
}

func TestPoolsOfOtherHostsHaveMemoryOfTheirOwn(t *testing.T) {
	second := func(f *fleet.Fleet) {
		p := phpPool(machine("web2"), "www")
		wants(0.6)(p)
		f.Pools = append(f.Pools, p)
	}
	quiet(t, web(www(wants(0.6)), second), poolTooLarge())
}

func TestAPoolThatFloodsTheDatabaseIsNotToBeRaised(t *testing.T) {
	f := found(t, web(www(saturated(0.05)), www(spends(snapshot.PHPMySQL, 14))), poolTooLarge())
	asReviewed(t, "pool-too-large-database", f)
	if !strings.Contains(f.Summary, "raising pm.max_children makes it worse") {
		t.Errorf("summary = %s, want that raising it makes it worse", f.Summary)
	}
}

func TestAPoolThatFitsIsNoFinding(t *testing.T) {
	quiet(t, web(), poolTooLarge())
	quiet(t, web(www(spends(snapshot.PHPMySQL, 14))), poolTooLarge())
}

func TestTooLargeNeedsTheWorkersMemory(t *testing.T) {
	notReady(t, web(www(noProbeThere)), poolTooLarge(), NotReady{Subject: about("web1 (www)"), Reason: noProbe, Remedy: installProbe})
	blind := func(p *fleet.Pool) { p.Profile.Memory = nil }
	notReady(t, web(www(blind)), poolTooLarge(), NotReady{Subject: about("web1 (www)"), Reason: "how much memory its workers and its host have is not known"})
}

func TestWorkersMayWantAllMemoryAndNoMore(t *testing.T) {
	boundary(t, poolTooLarge(), func(share float64) *fleet.Fleet { return web(www(wants(share))) })
}
