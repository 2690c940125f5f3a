package rules

import (
	"strings"
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// queued lets connections wait in front of a pool.
func queued(n float64) func(*fleet.Pool) {
	return func(p *fleet.Pool) {
		p.Served.PeakQueue = &n
		p.Served.QueueLooks = &snapshot.QueueLooks{Looks: 5760, Waiting: 71}
	}
}

// met sets how many looks met connections that waited; nil if that is not known.
func met(looks *snapshot.QueueLooks) func(*fleet.Pool) {
	return func(p *fleet.Pool) { p.Served.QueueLooks = looks }
}

func TestVisitorsThatWaitForAWorkerAreFound(t *testing.T) {
	asReviewed(t, "listen-queue", found(t, web(www(queued(13))), listenQueue()))
}

func TestAFullQueueIsCritical(t *testing.T) {
	f := found(t, web(www(queued(511))), listenQueue())
	if f.Severity != Critical || !strings.Contains(f.Summary, "a full one turns visitors away") {
		t.Errorf("%s: %s, want it critical because a full queue takes no more", f.Severity, f.Summary)
	}
}

func TestOneLookMayHaveMetAConnectionOnItsWay(t *testing.T) {
	once, twice := &snapshot.QueueLooks{Looks: 12, Waiting: 1}, &snapshot.QueueLooks{Looks: 12, Waiting: 2}
	quiet(t, web(www(queued(3)), www(met(once))), listenQueue())
	found(t, web(www(queued(3)), www(met(twice))), listenQueue())
	reached := func(p *fleet.Pool) { p.Served.MaxChildrenReached = new(uint64(1)) }
	found(t, web(www(queued(3)), www(met(once)), www(reached)), listenQueue())
	found(t, web(www(queued(511)), www(met(once))), listenQueue())
}

func TestHowOftenConnectionsWaitedHasToBeKnown(t *testing.T) {
	f := web(www(queued(3)), www(met(nil)))
	notReady(t, f, listenQueue(), NotReady{
		Subject: about("web1 (www)"), Reason: "connections waited in front of it, but in how many looks is not known", ReadyAt: f.Now.Add(aMinute),
	})
	found(t, web(www(queued(511)), www(met(nil))), listenQueue())
}

func TestAnEmptyQueueIsNoFinding(t *testing.T) { quiet(t, web(), listenQueue()) }

func TestTheQueueHasToBeKnown(t *testing.T) {
	unknown := func(p *fleet.Pool) { p.Served.PeakQueue = nil }
	reason := "the queue of a unix socket does not show outside of its container"
	notReady(t, web(www(unknown), www(poolLacking("phpfpm", reason, ""))), listenQueue(), NotReady{Subject: about("web1 (www)"), Reason: reason})
}

func TestAQueueBeginsWithOneConnection(t *testing.T) {
	boundary(t, listenQueue(), func(n float64) *fleet.Fleet { return web(www(queued(n)), www(saturated(0.001))) })
	found(t, web(www(queued(1)), www(noProbeThere)), listenQueue())
}

func TestAConnectionOnItsWayToAFreeWorkerDoesNotWait(t *testing.T) {
	quiet(t, web(www(queued(1.9))), listenQueue())
	found(t, web(www(queued(2))), listenQueue())
}
