package rules

import (
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// reprices adds a statement that changes so many rows at each of its calls.
func reprices(rows float64) func(*fleet.Server) {
	return func(s *fleet.Server) {
		s.Digests = digests(append(s.Digests.Rows, fleet.Digest{
			Fingerprint: "fp1:00000000000000aa", Schema: "shop", Class: "dml", Writes: []string{"shop.product"},
			Text:         "UPDATE product SET price = price + ?",
			DigestTotals: snapshot.DigestTotals{Calls: 10, Seconds: 8, RowsAffected: uint64(10 * rows)},
		})...)
	}
}

// changed is the most rows that an open transaction had changed.
func changed(rows float64) func(*fleet.Server) {
	return func(s *fleet.Server) {
		s.Transactions.LargestRows = new(uint64(rows))
		s.Transactions.Largest = &snapshot.Transaction{
			RowsModified: uint64(rows), Statement: &snapshot.LockStatement{Text: "DELETE FROM report_event WHERE logged_at < ?"},
		}
	}
}

func TestALargeTransactionIsFound(t *testing.T) {
	cache := func(s *fleet.Server) { s.Binlog.CacheUse, s.Binlog.CacheDiskUse = 1000, 10 }
	f := found(t, site(primary(changed(80000)), primary(reprices(20000)), primary(cache)), largeTransaction())
	asReviewed(t, "large-transaction", f)
}

func TestAStatementThatIsOverBeforeASampleIsFound(t *testing.T) {
	f := found(t, site(primary(reprices(20000))), largeTransaction())
	if f.Evidence[0].Value != 20000 || len(f.Digests) != 1 {
		t.Errorf("evidence = %v of %v, want 20000 rows of the statement", f.Evidence[0].Value, f.Digests)
	}
}

func TestAReplicaMakesALargeTransactionGraver(t *testing.T) {
	if f := found(t, site(lone, primary(reprices(20000))), largeTransaction()); f.Severity != Low {
		t.Errorf("severity without a replica = %s, want low", f.Severity)
	}
}

func TestManySmallTransactionsAreNoFinding(t *testing.T) {
	quiet(t, site(primary(reprices(50))), largeTransaction())
}

func TestWhatAReplicaAppliesIsItsSourcesFinding(t *testing.T) {
	quiet(t, site(replica(changed(80000)), replica(reprices(20000))), largeTransaction())
}

func TestTheAgentsOwnStatementsAndSchemaChangesAreNotLargeTransactions(t *testing.T) {
	as := func(change func(*fleet.Digest)) func(*fleet.Server) {
		return func(s *fleet.Server) { change(&s.Digests.Rows[2]) }
	}
	quiet(t, site(primary(reprices(20000)), primary(as(func(d *fleet.Digest) { d.Own = true }))), largeTransaction())
	quiet(t, site(primary(reprices(20000)), primary(as(func(d *fleet.Digest) { d.Class = "ddl" }))), largeTransaction())
}

func TestLargeTransactionsAreUnknownWithoutTheirRows(t *testing.T) {
	f := site(lone, primary(func(s *fleet.Server) { s.Transactions.LargestRows = nil }),
		primary(lacking("mysql/transactions", "the account may not read open transactions", grantProcess)))
	notReady(t, f, largeTransaction(), NotReady{
		Subject: about("db1"), Reason: "the account may not read open transactions", Remedy: grantProcess,
	})
}

func TestLargeTransactionsAreUnknownWithoutStatements(t *testing.T) {
	f := site(lone, primary(func(s *fleet.Server) { s.Digests = nil }),
		primary(lacking("mysql/digests", "performance_schema is off: statements are not counted", "[mariadb]\nperformance_schema = ON")))
	notReady(t, f, largeTransaction(), NotReady{
		Subject: about("db1"), Reason: "performance_schema is off: statements are not counted", Remedy: "[mariadb]\nperformance_schema = ON",
	})
}

func TestATransactionIsLargeFromTenThousandRowsOn(t *testing.T) {
	boundary(t, largeTransaction(), func(rows float64) *fleet.Fleet { return site(primary(changed(rows))) })
	boundary(t, largeTransaction(), func(rows float64) *fleet.Fleet { return site(primary(reprices(rows))) })
}
