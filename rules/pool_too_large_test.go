package rules

import (
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
