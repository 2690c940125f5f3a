package mysql

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// TestTransactions shares one server of each product that nobody else uses, so
// that its counters are exact. It lives five and a half hours ahead: InnoDB's
// times are in the system's time zone.
func TestTransactions(t *testing.T) {
	t.Setenv("TZ", "XXX-05:30")
	for _, product := range servers.Products() {
		t.Run(string(product), func(t *testing.T) {
			settings := []string{"log_bin=binlog"}
			if product.Family() == scratch.MariaDB {
				settings = append(settings, "performance-schema-consumer-events-statements-current=ON",
					"performance-schema-consumer-events-statements-history=ON")
			}
			s := servers.Start(t, product, servers.Settings(settings...))
			s.Exec(t, "CREATE DATABASE shop", "CREATE TABLE shop.item (id INT PRIMARY KEY AUTO_INCREMENT, n INT, name VARCHAR(40))",
				"INSERT INTO shop.item VALUES (1, 1, 'a'), (2, 2, 'b')")
			for _, test := range []struct {
				name string
				run  func(*testing.T, *servers.Server)
			}{
				{"AnIdleTransactionIsDescribed", testIdleTransaction},
				{"AReaderIsNoWriter", testReader},
				{"ReadsAreSampledInsideAndOutsideOfTransactions", testReadSamples},
				{"TheTimeOfADeadlockIsNotTheSystemsOwn", testDeadlockTime},
				{"ChatterIsExactWhereWritesChangeRows", testChatter},
				{"ChatterHasBoundsWhereWritesChangeNothing", testChatterBounds},
			} {
				t.Run(test.name, func(t *testing.T) { test.run(t, s) })
			}
		})
	}
}

func readTransactions(t *testing.T, r *transactionReader) *snapshot.Transactions {
	t.Helper()
	letInnoDBForget()
	r.server.statusNow = nil // It would serve for a second.
	ctx, cancel := context.WithTimeout(t.Context(), roundLimit)
	defer cancel()
	var into snapshot.Snapshot
	if err := r.Collect(ctx, &into); err != nil {
		t.Fatal(err)
	}
	refuseSecrets(t, into)
	return into.Server("db1").Transactions
}

// ofConnection returns the described transaction of a session.
func ofConnection(t *testing.T, part *snapshot.Transactions, connection uint64) snapshot.Transaction {
	t.Helper()
	for _, x := range part.Longest {
		if x.Connection == connection {
			return x
		}
	}
	t.Fatalf("connection %d is not among %+v", connection, part.Longest)
	return snapshot.Transaction{}
}

func testIdleTransaction(t *testing.T, s *servers.Server) {
	a := begin(t, s)
	a.exec("UPDATE shop.item SET name = 'SECRET-1'")
	r := newTransactionReader(open(t, s, 1), &abilities{})
	part := readTransactions(t, r)
	got := ofConnection(t, part, a.id)
	if got.Seconds > 60 || got.IdleSeconds == nil || got.RowsModified != 2 || got.RowsLocked < 2 || got.ReadOnly ||
		got.User != "root" || textOf(got.Statement) != "UPDATE shop.item SET name = ?" {
		t.Errorf("transaction = %+v (%s), want a young and idle one of root that modified 2 rows", got, textOf(got.Statement))
	}
	if *part.Open < 1 || *part.LongestSeconds > 60 || *part.LargestRows != 2 || part.Largest.Connection != a.id || part.HistoryLength == nil {
		t.Errorf("transactions = %+v, want one that is young and the largest", part)
	}
	if part.Isolation[got.Isolation] == 0 || len(part.Ages) != len(snapshot.TransactionAges()) || part.Ages[0].Count != 0 {
		t.Errorf("levels %v, ages %v; want that of the transaction, and none that is old", part.Isolation, part.Ages)
	}
}

func testReader(t *testing.T, s *servers.Server) {
	a := begin(t, s)
	a.exec("SELECT * FROM shop.item")
	part := readTransactions(t, newTransactionReader(open(t, s, 1), &abilities{}))
	if got := ofConnection(t, part, a.id); !got.ReadOnly || got.RowsModified != 0 || got.IdleSeconds == nil {
		t.Errorf("transaction = %+v, want an idle reader", got)
	}
}

func testReadSamples(t *testing.T, s *servers.Server) {
	a, b := begin(t, s), begin(t, s)
	done := a.start("SELECT SLEEP(0.4) FROM shop.item WHERE n > 0")
	locking := b.start("SELECT SLEEP(0.4) FROM shop.item WHERE n > 0 FOR UPDATE")
	alone := make(chan error, 1)
	go func() {
		_, err := s.DB().ExecContext(t.Context(), "SELECT SLEEP(0.4) FROM shop.item WHERE n > 0")
		alone <- err
	}()
	r := newTransactionReader(open(t, s, 1), &abilities{})
	want := snapshot.ReadSamples{Outside: 1, Inside: 1}
	var got snapshot.ReadSamples
	for range 5 {
		r.Reads = snapshot.ReadSamples{}
		if got = *readTransactions(t, r).Reads; got == want {
			break
		}
	}
	for _, end := range []<-chan error{done, locking, alone} {
		if err := <-end; err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("running SELECTs (-want +got):\n%s", diff)
	}
}

func testDeadlockTime(t *testing.T, s *servers.Server) {
	makeDeadlock(t, s)
	last := collect(t, open(t, s, 1), deadlocksJob).Deadlocks.Last
	if age := time.Since(last.Time); age < 0 || age > time.Minute {
		t.Errorf("the deadlock is %v old, want seconds", age)
	}
}

func testChatter(t *testing.T, s *servers.Server) {
	r := newTransactionReader(open(t, s, 1), &abilities{})
	readTransactions(t, r)
	for range 7 {
		s.Exec(t, "INSERT INTO shop.item (n) VALUES (5)", "SELECT * FROM shop.item WHERE id = 1")
	}
	for range 5 {
		a := begin(t, s)
		a.exec("INSERT INTO shop.item (n) VALUES (6)", "SELECT * FROM shop.item", "INSERT INTO shop.item (n) VALUES (7)",
			"SELECT * FROM shop.item WHERE id = 2 FOR UPDATE", "UPDATE shop.item SET n = n + 1 WHERE id = 1")
		if err := a.tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	a := begin(t, s)
	a.exec("INSERT INTO shop.item (n) VALUES (8)")
	if err := a.tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	s.Exec(t, "CREATE TABLE shop.other (id INT PRIMARY KEY)", "DROP TABLE shop.other")
	got := readTransactions(t, r).Chatter
	commits, single := uint64(12), uint64(7)
	if s.Family == scratch.MySQL {
		commits += 2 // DDL
	}
	want := &snapshot.Chatter{Writes: 23, Commits: &commits, Explicit: 5, SingleWrites: &single, SingleWritesLeast: &single}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("chatter (-want +got):\n%s", diff)
	}
}

// Four of five writes change nothing, and there are COMMITs after nothing.
func testChatterBounds(t *testing.T, s *servers.Server) {
	r := newTransactionReader(open(t, s, 1), &abilities{})
	readTransactions(t, r)
	for range 6 {
		s.Exec(t, "INSERT INTO shop.item (n) VALUES (5)")
	}
	for range 2 {
		a := begin(t, s)
		a.exec("INSERT INTO shop.item (n) VALUES (6)", "UPDATE shop.item SET n = 1 WHERE id = -1",
			"DELETE FROM shop.item WHERE id = -1", "DELETE FROM shop.item WHERE id = -2", "UPDATE shop.item SET n = 1 WHERE id = -2")
		if err := a.tx.Commit(); err != nil {
			t.Fatal(err)
		}
		reader := begin(t, s)
		reader.exec("SELECT * FROM shop.item WHERE id = 1")
		if err := reader.tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	got := readTransactions(t, r).Chatter
	const truth = 6
	if *got.SingleWritesLeast > truth || *got.SingleWrites < truth || *got.Commits != 8 || *got.SingleWrites > *got.Commits {
		t.Errorf("between %d and %d writes of their own of %d commits, want %d within and 8 commits",
			*got.SingleWritesLeast, *got.SingleWrites, *got.Commits, truth)
	}
}

func TestWithoutABinaryLogCommitsAreAGap(t *testing.T) {
	s := servers.Start(t, servers.MariaDB1011)
	part := collect(t, open(t, s, 1), transactionsJob).Transactions
	if part.Chatter.Commits != nil || part.Chatter.SingleWrites != nil || len(part.Gaps) != 1 || !strings.Contains(part.Gaps[0].Remedy, "log_bin") {
		t.Errorf("chatter %+v, gaps %+v; want no commits and a gap", part.Chatter, part.Gaps)
	}
}

func TestATransactionIsToldOfOnce(t *testing.T) {
	r := newTransactionReader(&Server{cfg: Config{Name: "db1"}}, &abilities{})
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	look := func(open ...openTransaction) {
		now = now.Add(10 * time.Second)
		var described []snapshot.Transaction
		for _, o := range open {
			described = append(described, snapshot.Transaction{Connection: o.connection, Seconds: o.seconds})
		}
		r.meet(now, open, described)
	}
	look(openTransaction{connection: 1, seconds: 55}, openTransaction{connection: 2, seconds: 5})
	look(openTransaction{connection: 1, seconds: 65}, openTransaction{connection: 2, seconds: 15})
	look(openTransaction{connection: 1, seconds: 75}, openTransaction{connection: 2, seconds: 3})
	if len(r.events) != 1 || r.events[0].Kind != snapshot.EventLongTransaction || r.events[0].Transaction.Seconds != 65 {
		t.Errorf("events = %+v, want one at 65 s", r.events)
	}
	// Connection 1 reached 10 and 60 s; 2 reached 10 s, and then began anew.
	if diff := cmp.Diff([]uint64{2, 1, 0, 0, 0}, r.Ages); diff != "" {
		t.Errorf("ages (-want +got):\n%s", diff)
	}
}
