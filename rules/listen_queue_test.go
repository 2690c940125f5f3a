package rules

import (
	"strings"
	"testing"

	"plimsoll/rules/fleet"
)

// queued lets connections wait in front of a pool.
func queued(n float64) func(*fleet.Pool) {
	return func(p *fleet.Pool) { p.Served.PeakQueue = &n }
}

func TestVisitorsThatWaitForAWorkerAreFound(t *testing.T) {
	asReviewed(t, "listen-queue", found(t, web(www(queued(13))), listenQueue()))
}

func TestAFullQueueIsCritical(t *testing.T) {
	f := found(t, web(www(queued(511))), listenQueue())
	if f.Severity != Critical || !strings.Contains(f.Summary, "visitors got an error") {
		t.Errorf("%s: %s, want it critical because connections were refused", f.Severity, f.Summary)
	}
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
