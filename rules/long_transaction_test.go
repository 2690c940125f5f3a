package rules

import (
	"strings"
	"testing"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// longOpen lets a transaction be open for some seconds.
func longOpen(seconds float64) func(*fleet.Server) {
	return func(s *fleet.Server) {
		s.Transactions.PeakSeconds = &seconds
		s.Latest.Transactions.LongestSeconds = &seconds
		s.Latest.Transactions.Longest = []snapshot.Transaction{{
			Connection: 4711, Seconds: seconds, RowsLocked: 3, RowsModified: 1, Isolation: "REPEATABLE READ", User: "shop",
			Statement: &snapshot.LockStatement{Fingerprint: "fp1:aaaaaaaaaaaaaaaa", Text: "UPDATE customer SET created_at = NOW() WHERE customer_id = ?"},
		}}
	}
}

// idleFor lets the transaction wait for its program.
func idleFor(seconds float64) func(*fleet.Server) {
	return func(s *fleet.Server) { s.Latest.Transactions.Longest[0].IdleSeconds = &seconds }
}

func TestALongTransactionIsFound(t *testing.T) {
	history := func(s *fleet.Server) { s.Transactions.PeakHistory = new(84000.0) }
	f := found(t, site(primary(longOpen(900)), primary(idleFor(880)), primary(history)), longTransaction())
	asReviewed(t, "long-transaction", f)
}

func TestALongTransactionThatHoldsUpOthersIsGrave(t *testing.T) {
	held := func(s *fleet.Server) {
		s.Events = []snapshot.Event{{Kind: snapshot.EventLockWait, Locks: &snapshot.LockGraph{Blockers: []snapshot.Blocker{
			{TransactionSeconds: new(400.0), Waiters: make([]snapshot.Waiter, 3)},
			{TransactionSeconds: new(2.0), Waiters: make([]snapshot.Waiter, 9)},
		}}}}
	}
	f := found(t, site(primary(longOpen(900)), primary(held)), longTransaction())
	if f.Severity != High || f.Evidence[1].Value != 3 {
		t.Errorf("severity = %s with %v waiters, want high with 3", f.Severity, f.Evidence[1].Value)
	}
}

func TestALongReaderHoldsNoLocks(t *testing.T) {
	reads := func(s *fleet.Server) { s.Latest.Transactions.Longest[0].ReadOnly = true }
	if f := found(t, site(replica(longOpen(4000)), replica(reads)), longTransaction()); f.Severity != Low {
		t.Errorf("severity of a backup's transaction = %s, want low", f.Severity)
	}
}

func TestALongTransactionThatHasEndedIsNotKilled(t *testing.T) {
	ended := func(s *fleet.Server) {
		s.Events = []snapshot.Event{{Kind: snapshot.EventLongTransaction, Transaction: &s.Latest.Transactions.Longest[0]}}
		s.Latest.Transactions = &snapshot.Transactions{LongestSeconds: new(0.1)}
	}
	f := found(t, site(primary(longOpen(900)), primary(ended)), longTransaction())
	if got := steps(f.Remedy, SQL); len(got) > 0 {
		t.Errorf("statements to copy = %q, want none for a connection that may be another's by now", got)
	}
	if len(f.Digests) != 1 {
		t.Errorf("statements = %v, want that of the event", f.Digests)
	}
}

// openBy lets the open transaction be that of an account on a connection.
func openBy(user string, connection uint64) func(*fleet.Server) {
	return func(s *fleet.Server) {
		s.Latest.Transactions.Longest[0].User, s.Latest.Transactions.Longest[0].Connection = user, connection
	}
}

func TestAnApplierIsNotKilled(t *testing.T) {
	for _, user := range []string{"system user", ""} {
		f := found(t, site(replica(longOpen(900)), replica(openBy(user, 9))), longTransaction())
		if got := strings.Join(steps(f.Remedy, SQL), " "); strings.Contains(got, "KILL") {
			t.Errorf("statements for %q = %s, want none that stops replication", user, got)
		}
		if !strings.Contains(f.Remedy[0].Text, "mysql/large-transaction") {
			t.Errorf("first step for %q = %q, want what its source did", user, f.Remedy[0].Text)
		}
	}
}

func TestAPreparedTransactionIsEndedByItsCoordinator(t *testing.T) {
	f := found(t, site(primary(longOpen(900)), primary(openBy("", 0))), longTransaction())
	if got := steps(f.Remedy, SQL); len(got) != 1 || got[0] != "XA RECOVER;" {
		t.Errorf("statements = %q, want XA RECOVER: no connection has it any more", got)
	}
}

func TestAMySQLServerIsNotToldOfMariaDBsTimeout(t *testing.T) {
	f := found(t, site(primary(aMySQL("8.4.3")), primary(longOpen(900)), primary(idleFor(900))), longTransaction())
	if len(f.Rollback) != 0 || len(steps(f.Remedy, Config)) != 0 {
		t.Errorf("steps = %+v, undo = %+v, want none about idle_transaction_timeout", f.Remedy, f.Rollback)
	}
}

func TestAgesTellOfATransactionThatNoSampleSaw(t *testing.T) {
	reached := func(s *fleet.Server) {
		s.Transactions.PeakSeconds = nil
		s.Transactions.Ages = []snapshot.Bucket{{UpToSeconds: 10, Count: 9}, {UpToSeconds: 60, Count: 1}, {UpToSeconds: 300}}
	}
	if f := found(t, site(primary(reached)), longTransaction()); f.Evidence[0].Value != 60 {
		t.Errorf("age = %v, want the 60 s that it reached for certain", f.Evidence[0].Value)
	}
}

func TestShortTransactionsAreNoFinding(t *testing.T) { quiet(t, site(), longTransaction()) }

func TestTransactionsAreUnknownWithoutTheProcessPrivilege(t *testing.T) {
	blind := func(s *fleet.Server) {
		s.Transactions.PeakSeconds, s.Latest.Transactions.LongestSeconds = nil, nil
	}
	f := site(lone, primary(blind),
		primary(lacking("mysql/transactions", "the binary log is off", "log_bin = binlog")),
		primary(lacking("mysql/transactions", "the account may not read open transactions", grantProcess)))
	notReady(t, f, longTransaction(), NotReady{
		Subject: about("db1"), Reason: "the account may not read open transactions", Remedy: grantProcess,
	})
}

func TestTransactionsHaveToBeSeenTwice(t *testing.T) {
	notReady(t, site(lone, primary(func(s *fleet.Server) { s.Transactions = nil })), longTransaction(), NotReady{
		Subject: about("db1"), Reason: "mysql/transactions was not seen twice yet", ReadyAt: noon.Add(aMinute),
	})
}

func TestTransactionsHaveToBeSeenForLong(t *testing.T) {
	brief := func(s *fleet.Server) { s.Transactions.Window.From = noon.Add(-10 * aMinute / 45) }
	notReady(t, site(lone, primary(brief)), longTransaction(), NotReady{
		Subject: about("db1"), Reason: "mysql/transactions was seen for 10 s, and the rule needs 45 s", ReadyAt: noon.Add(35 * aMinute / 45),
	})
}

func TestATransactionIsLongFromThirtySecondsOn(t *testing.T) {
	boundary(t, longTransaction(), func(seconds float64) *fleet.Fleet { return site(primary(longOpen(seconds))) })
}

func TestADayMayLackAnHour(t *testing.T) {
	for hours, level := range map[int]string{23: "high", 22: "medium"} {
		seen := func(s *fleet.Server) { s.Transactions.Window.From = noon.Add(-time.Duration(hours) * time.Hour) }
		if got := found(t, site(primary(longOpen(900)), primary(seen)), longTransaction()).Confidence.Level(); got != level {
			t.Errorf("confidence after %d h = %s, want %s", hours, got, level)
		}
	}
}

func TestAShortWindowLowersConfidence(t *testing.T) {
	brief := func(s *fleet.Server) { s.Transactions.Window.From = noon.Add(-aMinute) }
	f := found(t, site(primary(longOpen(900)), primary(brief)), longTransaction())
	if f.Confidence.Level() != "medium" || len(f.Confidence.Reasons) != 1 || f.Confidence.Reasons[0] != "seen in 45 s" {
		t.Errorf("confidence = %+v, want medium, seen in 45 s", f.Confidence)
	}
}
