package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// waits lets sessions wait for locks on a table, so many on average.
func waits(kind snapshot.LockKind, table string, sessions float64) func(*fleet.Server) {
	return func(s *fleet.Server) {
		seconds := sessions * daySeconds
		s.Locks.Totals = append(s.Locks.Totals, snapshot.LockTotal{
			Kind: kind, Schema: "shop", Table: table, Index: "PRIMARY", Waits: 500, Seconds: seconds,
			Blocker: "fp1:0000000000000002", Waiter: "fp1:0000000000000001",
		})
		if kind == snapshot.LockRecord || kind == snapshot.LockGap {
			s.Locks.RowLockWaits += 500
			s.Locks.RowLockSeconds += seconds
		}
	}
}

func TestAContendedTableIsFoundWithItsBlocker(t *testing.T) {
	f := found(t, site(primary(waits(snapshot.LockRecord, "stock", 0.15))), lockContention())
	asReviewed(t, "lock-contention", f)
}

func TestEachContendedTableIsAFindingOfItsOwn(t *testing.T) {
	f := site(primary(waits(snapshot.LockRecord, "stock", 0.1)), primary(waits(snapshot.LockTable, "log", 0.05)),
		primary(waits(snapshot.LockRecord, "stock", 0.1)), primary(waits(snapshot.LockRecord, "quiet", 0.001)))
	if diff := cmp.Diff([]string{"mysql/lock-contention shop.stock", "mysql/lock-contention shop.log"}, ids(judge(f, lockContention()).Findings)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestShortWaitsAreSharedOutOfWhatTheServerCounted(t *testing.T) {
	short := func(s *fleet.Server) { s.Locks.RowLockSeconds = 0.4 * daySeconds }
	f := found(t, site(primary(waits(snapshot.LockRecord, "stock", 0.001)), primary(short)), lockContention())
	if got := f.Evidence[0].Value; got != 0.4 {
		t.Errorf("waiting on the table = %v of all time, want all of the 0.4 that the server counted", got)
	}
}

func TestFewSampledWaitsLowerConfidence(t *testing.T) {
	few := func(s *fleet.Server) { s.Locks.Totals[0].Waits = 4 }
	f := found(t, site(primary(waits(snapshot.LockRecord, "stock", 0.5)), primary(few)), lockContention())
	if f.Confidence.Ratio != 0.5 || f.Confidence.Reasons[0] != "only 4 waits were sampled" {
		t.Errorf("confidence = %+v, want 0.5 for 4 waits", f.Confidence)
	}
}

func TestAWaitForStructureHasARemedyOfItsOwn(t *testing.T) {
	f := found(t, site(primary(waits(snapshot.LockMetadata, "stock", 0.5))), lockContention())
	asReviewed(t, "lock-contention-metadata", f)
}

func TestTheAgentsOwnStatementsDoNotDilutWaiting(t *testing.T) {
	own := func(s *fleet.Server) {
		s.Digests = digests(append(s.Digests.Rows, fleet.Digest{Own: true, DigestTotals: snapshot.DigestTotals{Calls: 1, Seconds: 99 * daySeconds}})...)
	}
	found(t, site(primary(waits(snapshot.LockRecord, "stock", 0.03)), primary(own)), lockContention())
}

func TestNobodyWaitsOnAHealthySite(t *testing.T) { quiet(t, site(), lockContention()) }

func TestWaitsOnAReplicaAreNotOfTheSitesWrites(t *testing.T) {
	quiet(t, site(replica(waits(snapshot.LockRecord, "stock", 0.5))), lockContention())
}

func TestWaitsThatNobodyMaySeeAreUnknown(t *testing.T) {
	counted := func(s *fleet.Server) { s.Locks.RowLockSeconds = 0.5 * daySeconds }
	f := site(lone, primary(counted), primary(lacking("mysql/locks", "the account may not read who waits for whom", grantProcess)))
	notReady(t, f, lockContention(), NotReady{Subject: about("db1"), Reason: "the account may not read who waits for whom", Remedy: grantProcess})
}

func TestWaitsThatWereNotSampledAreUnknown(t *testing.T) {
	counted := func(s *fleet.Server) { s.Locks.RowLockSeconds = 0.5 * daySeconds }
	f := site(lone, primary(counted), primary(lacking("mysql/locks", "the server does not watch metadata locks", "UPDATE performance_schema…")))
	notReady(t, f, lockContention(), NotReady{
		Subject: about("db1"), Reason: "the server counted waiting for row locks, but who waited for whom was not sampled yet", ReadyAt: noon.Add(aMinute),
	})
}

func TestFewUnseenWaitsAreNothingToMiss(t *testing.T) {
	counted := func(s *fleet.Server) { s.Locks.RowLockSeconds = 0.019 * daySeconds }
	quiet(t, site(primary(counted)), lockContention())
}

func TestWaitingIsHeldAgainstTheStatementsTime(t *testing.T) {
	f := site(lone, primary(waits(snapshot.LockRecord, "stock", 0.5)), primary(func(s *fleet.Server) { s.Digests = nil }))
	notReady(t, f, lockContention(), NotReady{Subject: about("db1"), Reason: "mysql/digests was not seen twice yet", ReadyAt: noon.Add(aMinute)})
}

func TestContentionBeginsAtAFiftiethOfTheTime(t *testing.T) {
	boundary(t, lockContention(), func(share float64) *fleet.Fleet { return site(primary(waits(snapshot.LockRecord, "stock", share))) })
}
