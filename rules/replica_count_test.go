package rules

import (
	"strings"
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// writing sets how many seconds a second the primary writes.
func writing(seconds float64) func(*fleet.Server) {
	return func(s *fleet.Server) {
		s.Digests.Rows[1].Seconds = seconds * daySeconds
		s.Digests = digests(s.Digests.Rows...)
	}
}

func TestBusyReplicasAreFoundWithHowManyAreWanted(t *testing.T) {
	asReviewed(t, "replica-count", found(t, site(replica(busy(0.9, 0.9)), primary(writing(1))), replicaCount()))
}

// The site of the example has 16 processors a server, 6,000 reads a second of 1 ms
// of which 85 % may leave the primary, and 800 writes of 2 ms; five times that
// takes five replicas, and eight times that fifteen: replay alone fills most of
// each.
func TestReplicasAreCountedByWhatTheyCanTake(t *testing.T) {
	const limit = 0.65
	for peak, want := range map[float64]int{2: 2, 5: 5, 8: 15} {
		reads, replay := peak*6000*0.85*0.001/16, peak*800*0.6*0.002/16
		if got := replicasWanted(1, busyHost{ratio: reads + replay}, replay, limit); got != want {
			t.Errorf("replicas for %g times the load = %d, want %d", peak, got, want)
		}
	}
	if got := replicasWanted(4, busyHost{ratio: 0.72}, 0, 0.72); got != 5 {
		t.Errorf("replicas at the limit = %d, want one more than the 4", got)
	}
}

func TestAnotherReplicaDoesNotHelpAgainstWrites(t *testing.T) {
	f := found(t, site(replica(busy(0.9, 0.9)), primary(writing(3))), replicaCount())
	asReviewed(t, "replica-count-writes", f)
}

func TestAnotherReplicaHelpsWhileReplayIsLessThanHalf(t *testing.T) {
	const half = 2.4 // statements at a time, of which replay takes 0.36 of the four processors of each
	for writes, helps := range map[float64]bool{half - 0.1: true, half + 0.1: false} {
		f := found(t, site(replica(busy(0.9, 0.9)), primary(writing(writes))), replicaCount())
		if got := f.Gain.Headroom != nil; got != helps {
			t.Errorf("with %v writes at a time another replica helps = %v, want %v: %s", writes, got, helps, f.Summary)
		}
	}
}

func TestWhatComesBeforeAnotherReplica(t *testing.T) {
	ill := site(replica(busy(0.9, 0.9)))
	if got := missingOn(ill, replicaCount()).Findings[0].Remedy[0].Text; !strings.Contains(got, "mysql/missing-index") {
		t.Errorf("first step beside a missing index = %q", got)
	}
	replica(fallsBack(1, 90))(ill)
	findings := Judge(ill, []Rule{replicaFallingBehind(), replicaCount()}).Findings
	if got := findings[len(findings)-1].Remedy[0].Text; !strings.Contains(got, "mysql/replica-falling-behind") {
		t.Errorf("first step beside a replica that falls behind = %q", got)
	}
	replica(channelOf(func(c *snapshot.Channel) { c.State = snapshot.LagError }))(ill)
	findings = Judge(ill, []Rule{replicaStopped(), replicaCount()}).Findings
	if got := findings[len(findings)-1].Remedy[0].Text; !strings.Contains(got, "mysql/replica-stopped") {
		t.Errorf("first step beside one that has stopped = %q", got)
	}
}

func TestIdleReplicasAreEnough(t *testing.T) { quiet(t, site(), replicaCount()) }

func TestAReplicaWithoutReadersNeedsNoOther(t *testing.T) {
	quiet(t, site(replica(busy(0.9, 0.9)), replica(unread)), replicaCount())
}

func TestReplicasCannotBeCountedWithoutTheirStatements(t *testing.T) {
	blind := func(s *fleet.Server) { s.Digests, s.Status = nil, nil }
	f := site(replica(blind), replica(lacking("mysql/digests", "performance_schema is off: statements are not counted", "turn it on")))
	notReady(t, f, replicaCount(), NotReady{
		Subject: about("db2"), Reason: "performance_schema is off: statements are not counted", Remedy: "turn it on",
	})
}

func TestReplicasCannotBeCountedWithoutTheirHosts(t *testing.T) {
	notReady(t, site(replica(func(s *fleet.Server) { s.Machine = nil })), replicaCount(), NotReady{
		Subject: about("db1"), Reason: "the processors of its replicas' hosts are not known",
	})
}

func TestReplicasAreBusyFromSeventyTwoPercentOn(t *testing.T) {
	boundary(t, replicaCount(), func(ratio float64) *fleet.Fleet { return site(replica(busy(ratio, 0.9))) })
}
