package rules

import (
	"testing"

	"plimsoll/rules/fleet"
)

// chatters lets a server commit so many single writes a second, at least, of
// a hundred writes.
func chatters(least float64) func(*fleet.Server) {
	return func(s *fleet.Server) {
		c := s.Transactions.Chatter
		c.Writes, c.SingleWritesLeast, c.SingleWrites = 100*86400, new(uint64(least*daySeconds)), new(uint64(95*86400))
	}
}

// ofWrites sets how many writes there are a second.
func ofWrites(n uint64) func(*fleet.Server) {
	return func(s *fleet.Server) { s.Transactions.Chatter.Writes = n * 86400 }
}

func TestASiteThatCommitsEachWriteIsFound(t *testing.T) {
	asReviewed(t, "autocommit-chatter", found(t, site(primary(chatters(90))), autocommitChatter()))
}

func TestCommitsThatDoNotWaitForTheDiskAreLessCertain(t *testing.T) {
	lax := func(s *fleet.Server) {
		s.Latest.Binlog.SyncBinlog, s.Latest.Binlog.FlushLogAtCommit = new(int64(0)), new(int64(2))
	}
	f := found(t, site(primary(chatters(90)), primary(lax)), autocommitChatter())
	if f.Confidence.Ratio != 0.5 || f.Gain.WorkerSeconds != nil || f.Severity != Low {
		t.Errorf("%s, confidence %+v, gain %+v, want low, 0.5 and no time freed", f.Severity, f.Confidence, f.Gain)
	}
}

func TestASlowDiskMakesSingleCommitsDear(t *testing.T) {
	slow := func(s *fleet.Server) { s.Machine.Machine.Disks[0].WriteLatency = new(0.01) }
	if f := found(t, site(primary(chatters(90)), primary(slow)), autocommitChatter()); f.Severity != Critical {
		t.Errorf("severity of 90 commits a second on a disk of 10 ms = %s, want critical", f.Severity)
	}
}

func TestWritesInTransactionsAreNoFinding(t *testing.T) { quiet(t, site(), autocommitChatter()) }

func TestTheUpperBoundAloneIsNoFinding(t *testing.T) {
	quiet(t, site(primary(chatters(0))), autocommitChatter())
}

func TestAMinorityOfSingleWritesIsNoFinding(t *testing.T) {
	quiet(t, site(primary(chatters(49))), autocommitChatter())
	found(t, site(primary(chatters(50))), autocommitChatter())
}

func TestSingleWritesAreUnknownWithoutABinaryLog(t *testing.T) {
	unlogged := func(s *fleet.Server) {
		s.Transactions.Chatter.SingleWrites, s.Transactions.Chatter.SingleWritesLeast = nil, nil
	}
	notReady(t, site(lone, primary(unlogged)), autocommitChatter(), NotReady{
		Subject: about("db1"), Reason: "without a binary log the server does not tell how many writes were transactions of their own",
	})
}

func TestSingleWritesAreUnknownWithoutTransactions(t *testing.T) {
	f := site(lone, primary(func(s *fleet.Server) { s.Transactions = nil }), primary(lacking("mysql/transactions", "the login failed", "check the password")))
	notReady(t, f, autocommitChatter(), NotReady{Subject: about("db1"), Reason: "the login failed", Remedy: "check the password"})
}

func TestChatterBeginsAtTwentyCommitsASecond(t *testing.T) {
	boundary(t, autocommitChatter(), func(perSecond float64) *fleet.Fleet {
		return site(primary(chatters(perSecond)), primary(ofWrites(30)))
	})
}
