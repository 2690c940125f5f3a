package rules

import (
	"strings"
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// deadlocked lets transactions deadlock so many times a day.
func deadlocked(n float64) func(*fleet.Server) {
	return func(s *fleet.Server) { s.Deadlocks.Total = uint64(n) }
}

// commits are the writing transactions a second.
func commits(n uint64) func(*fleet.Server) {
	return func(s *fleet.Server) { s.Transactions.Chatter.Commits = new(n * 86400) }
}

func TestDeadlocksAreFoundWithTheirStatements(t *testing.T) {
	last := func(s *fleet.Server) {
		party := func(fingerprint, text string) snapshot.DeadlockParty {
			return snapshot.DeadlockParty{
				Schema: "shop", Table: "customer", Index: "PRIMARY",
				Statement: &snapshot.LockStatement{Fingerprint: fingerprint, Text: snapshot.Redacted(text)},
			}
		}
		s.Deadlocks.Timeouts = new(uint64(50))
		s.Deadlocks.Pairs = []snapshot.DeadlockPair{
			{A: "fp1:00000000000000a1", B: "fp1:00000000000000a1", Count: 2},
			{A: "fp1:00000000000000b1", B: "fp1:00000000000000b2", Count: 9},
			{A: "other", B: "other", Count: 99},
		}
		s.Deadlocks.Last = &snapshot.Deadlock{Time: noon.Add(-600e9), Transactions: []snapshot.DeadlockParty{
			party("fp1:00000000000000b1", "UPDATE customer SET points = ? WHERE customer_id = ?"),
			party("fp1:00000000000000b2", "UPDATE customer SET visits = visits + ? WHERE customer_id = ?"),
			{Schema: "shop", Table: "customer"},
		}}
	}
	f := found(t, site(primary(deadlocked(1800)), primary(last)), deadlocks())
	asReviewed(t, "deadlocks", f)
}

func TestOneTransactionOfAHundredMakesDeadlocksGrave(t *testing.T) {
	if f := found(t, site(primary(deadlocked(8800)), primary(commits(10))), deadlocks()); f.Severity != High {
		t.Errorf("severity = %s, want high for 1 %%", f.Severity)
	}
}

func TestOneDeadlockOfAMinuteIsNotSure(t *testing.T) {
	minute := fleet.Window{From: noon.Add(-60e9), To: noon}
	few := func(n uint64) func(*fleet.Server) {
		return func(s *fleet.Server) {
			s.Deadlocks.Total, s.Deadlocks.Window = n, minute
			s.Transactions.Chatter.Commits, s.Transactions.Window = new(uint64(300)), minute
		}
	}
	f := found(t, site(primary(few(1))), deadlocks())
	if f.Confidence.Level() != "low" || f.Severity != Info {
		t.Errorf("%s, confidence %+v, want info and low: it may be the only one of the day", f.Severity, f.Confidence)
	}
	if !strings.HasPrefix(f.Summary, "1 transaction on ") {
		t.Errorf("summary = %q", f.Summary)
	}
	if f := found(t, site(primary(few(5))), deadlocks()); f.Confidence.Level() != "medium" {
		t.Errorf("confidence with five = %+v, want medium", f.Confidence)
	}
}

func TestDeadlocksOfABusyServerAreItsPrice(t *testing.T) {
	quiet(t, site(primary(deadlocked(1800)), primary(commits(100))), deadlocks())
}

func TestCommitStandsForWritingTransactions(t *testing.T) {
	uncounted := func(s *fleet.Server) { s.Transactions = nil }
	quiet(t, site(primary(deadlocked(1800)), primary(uncounted), primary(func(s *fleet.Server) {
		s.Status.Delta["com_commit"] = 100 * daySeconds
	})), deadlocks())
	found(t, site(primary(deadlocked(1800)), primary(uncounted), primary(func(s *fleet.Server) { s.Status = nil })), deadlocks())
}

func TestAHealthySiteDoesNotDeadlock(t *testing.T) { quiet(t, site(), deadlocks()) }

func TestDeadlocksAreUnknownWithoutTheProcessPrivilege(t *testing.T) {
	f := site(lone, primary(func(s *fleet.Server) { s.Deadlocks = nil }),
		primary(lacking("mysql/deadlocks", "the account may not read deadlocks", grantProcess)))
	notReady(t, f, deadlocks(), NotReady{Subject: about("db1"), Reason: "the account may not read deadlocks", Remedy: grantProcess})
}

func TestDeadlocksAreFoundFromOneAMinuteOn(t *testing.T) {
	boundary(t, deadlocks(), func(perSecond float64) *fleet.Fleet { return site(primary(deadlocked(perSecond*daySeconds + 0.5))) })
}
