package mysql

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// TestLocks shares one server of each product on which everything that the
// graph wants is switched on.
func TestLocks(t *testing.T) {
	for _, product := range servers.Products() {
		t.Run(string(product), func(t *testing.T) {
			s := sharedServers.server(t, product)
			if s.Family == scratch.MariaDB {
				s = servers.Start(t, product, servers.Settings("log_bin=binlog",
					"performance-schema-consumer-events-statements-current=ON",
					"performance-schema-consumer-events-statements-history=ON",
					"performance-schema-instrument='wait/lock/metadata/sql/mdl=ON'"))
			}
			for _, test := range []struct {
				name string
				run  func(*testing.T, *servers.Server)
			}{
				{"NobodyWaits", testNobodyWaits},
				{"AChainEndsAtItsRootWithTheTrueCulprit", testChain},
				{"TheCulpritOfAnImplicitLockIsInItsTransaction", testImplicitLock},
				{"AnInsertWaitsForAGap", testGap},
				{"ASelectBehindAnAlterWaitsForTheOpenTransaction", testMetadataLock},
				{"FlushTablesHoldsUpWrites", testFlushTables},
				{"WaitingTimeIsCountedOnce", testWaitingTime},
				{"ManyWaitersFindTheirRoot", testManyWaiters},
			} {
				t.Run(test.name, func(t *testing.T) {
					s.Exec(t, "CREATE DATABASE IF NOT EXISTS shop", "DROP TABLE IF EXISTS shop.item",
						"CREATE TABLE shop.item (id INT PRIMARY KEY, n INT, name VARCHAR(40), KEY by_number (n)) ENGINE=InnoDB",
						"INSERT INTO shop.item VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 30, 'c')")
					test.run(t, s)
				})
			}
		})
	}
}

// look reads the locks once and returns the graph and the whole snapshot.
func look(t *testing.T, r *lockReader) (*snapshot.Locks, *snapshot.Snapshot) {
	t.Helper()
	letInnoDBForget()
	ctx, cancel := context.WithTimeout(t.Context(), roundLimit)
	defer cancel()
	var into snapshot.Snapshot
	if err := r.Collect(ctx, &into); err != nil {
		t.Fatal(err)
	}
	refuseSecrets(t, into)
	return into.Server("db1").Locks, &into
}

func lookOnce(t *testing.T, s *servers.Server) *snapshot.Locks {
	t.Helper()
	locks, _ := look(t, newLockReader(open(t, s, 1), &abilities{}))
	return locks
}

// edge is a waiter of a graph in short.
type edge struct {
	Waiter, Root uint64
	Kind         snapshot.LockKind
	Table, Index string
	// Statement and Culprit are the texts' first words, without the values.
	Statement, Culprit string
}

func edges(graph *snapshot.LockGraph) map[uint64]edge {
	out := map[uint64]edge{}
	if graph == nil {
		return out
	}
	for _, b := range graph.Blockers {
		for _, w := range b.Waiters {
			out[w.Connection] = edge{
				w.Connection, b.Connection, w.Kind, w.Schema + "." + w.Table, w.Index, textOf(w.Statement), textOf(b.Culprit),
			}
		}
	}
	return out
}

func textOf(s *snapshot.LockStatement) string {
	if s == nil {
		return ""
	}
	return string(s.Text)
}

func testNobodyWaits(t *testing.T, s *servers.Server) {
	got := lookOnce(t, s)
	want := &snapshot.Locks{WaitSeconds: map[snapshot.LockKind]float64{
		snapshot.LockRecord: 0, snapshot.LockGap: 0, snapshot.LockTable: 0, snapshot.LockMetadata: 0,
	}}
	ignored := cmpopts.IgnoreFields(snapshot.Locks{}, "Meta.Taken", "Meta.Epoch", "RowLockWaits", "RowLockSeconds")
	if diff := cmp.Diff(want, got, ignored); diff != "" {
		t.Errorf("locks (-want +got):\n%s", diff)
	}
}

// A holds row 1. B holds row 2 and waits for 1, C waits for 2, D for 1 behind B.
// The servers list four waits and say of D that it waits for B too.
func testChain(t *testing.T, s *servers.Server) {
	a, b, c, d := begin(t, s), begin(t, s), begin(t, s), begin(t, s)
	a.exec("UPDATE shop.item SET name = 'SECRET-1' WHERE id = 1", "SELECT 'SECRET-other', SLEEP(0)")
	b.exec("UPDATE shop.item SET name = 'SECRET-2' WHERE id = 2")
	b.start("UPDATE shop.item SET n = n + 471108159 WHERE id = 1")
	awaitWaiters(t, s, 1)
	c.start("DELETE FROM shop.item WHERE id = 2")
	d.start("SELECT * FROM shop.item WHERE id = 1 FOR UPDATE")
	awaitWaiters(t, s, 3)

	r := newLockReader(open(t, s, 1), &abilities{})
	locks, into := look(t, r)
	const culprit = "UPDATE shop.item SET name = ? WHERE id = ?"
	want := map[uint64]edge{
		b.id: {b.id, a.id, snapshot.LockRecord, "shop.item", "PRIMARY", "UPDATE shop.item SET n = n + ? WHERE id = ?", culprit},
		c.id: {c.id, a.id, snapshot.LockRecord, "shop.item", "PRIMARY", "DELETE FROM shop.item WHERE id = ?", culprit},
		d.id: {d.id, a.id, snapshot.LockRecord, "shop.item", "PRIMARY", "SELECT * FROM shop.item WHERE id = ? FOR UPDATE", culprit},
	}
	if diff := cmp.Diff(want, edges(locks.Graph)); diff != "" {
		t.Errorf("graph (-want +got):\n%s", diff)
	}
	if root := locks.Graph.Blockers[0]; root.IdleSeconds == nil || root.TransactionSeconds == nil || root.RowsLocked == nil || *root.RowsLocked == 0 {
		t.Errorf("root = %+v, want it idle in a transaction that locks rows", root)
	}
	if locks.WaitingNow != 3 || len(locks.Totals) != 3 || len(locks.Gaps) != 0 {
		t.Errorf("%d wait now, totals %+v, gaps %+v; want 3, one for each, and no gap", locks.WaitingNow, locks.Totals, locks.Gaps)
	}
	for _, event := range into.Events {
		if event.Kind != snapshot.EventLockWait || len(event.Locks.Blockers) != 1 {
			t.Errorf("event = %+v, want one of the blocker", event)
		}
	}
}

// Nobody locks a row that he inserts: it becomes a lock when B asks for it, and
// MySQL notes B as the one who took it.
func testImplicitLock(t *testing.T, s *servers.Server) {
	a, b := begin(t, s), begin(t, s)
	a.exec("INSERT INTO shop.item VALUES (7, 7, 'SECRET-7')", "SELECT 'SECRET-other'")
	b.start("SELECT * FROM shop.item WHERE id = 7 FOR UPDATE")
	awaitWaiters(t, s, 1)
	const culprit = "INSERT INTO shop.item VALUES (...)"
	got := edges(lookOnce(t, s).Graph)[b.id]
	if got.Root != a.id || got.Culprit != culprit {
		t.Errorf("waiter = %+v, want root %d by %s", got, a.id, culprit)
	}
}

func testGap(t *testing.T, s *servers.Server) {
	a, b := begin(t, s), begin(t, s)
	a.exec("SELECT * FROM shop.item WHERE n BETWEEN 4 AND 8 FOR UPDATE")
	b.start("INSERT INTO shop.item VALUES (8, 8, 'SECRET-8')")
	awaitWaiters(t, s, 1)
	got := edges(lookOnce(t, s).Graph)[b.id]
	want := edge{
		b.id, a.id, snapshot.LockGap, "shop.item", "by_number", "INSERT INTO shop.item VALUES (...)",
		"SELECT * FROM shop.item WHERE n BETWEEN ? AND ? FOR UPDATE",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waiter (-want +got):\n%s", diff)
	}
}

func testMetadataLock(t *testing.T, s *servers.Server) {
	a, b, c := begin(t, s), begin(t, s), begin(t, s)
	a.exec("SELECT * FROM shop.item WHERE name = 'SECRET-a'", "SELECT 'SECRET-other'")
	b.start("ALTER TABLE shop.item ADD extra INT DEFAULT 471108159")
	awaitState(t, s, 1)
	c.start("SELECT COUNT(*) FROM shop.item WHERE name = 'SECRET-c'")
	awaitState(t, s, 2)
	got := lookOnce(t, s)
	const culprit = "SELECT * FROM shop.item WHERE name = ?"
	want := map[uint64]edge{
		b.id: {b.id, a.id, snapshot.LockMetadata, "shop.item", "", "ALTER TABLE shop.item ADD extra INT DEFAULT ?", culprit},
		c.id: {c.id, a.id, snapshot.LockMetadata, "shop.item", "", "SELECT COUNT(*) FROM shop.item WHERE name = ?", culprit},
	}
	if diff := cmp.Diff(want, edges(got.Graph)); diff != "" {
		t.Errorf("graph (-want +got):\n%s", diff)
	}
}

func testFlushTables(t *testing.T, s *servers.Server) {
	r := newLockReader(open(t, s, 1), &abilities{}) // Makes an account, which is a write.
	a, b := begin(t, s), begin(t, s)
	a.exec("FLUSH TABLES WITH READ LOCK")
	t.Cleanup(func() { _, _ = a.tx.ExecContext(context.WithoutCancel(t.Context()), "UNLOCK TABLES") })
	b.start("UPDATE shop.item SET n = 0")
	awaitState(t, s, 1)
	locks, _ := look(t, r)
	got := edges(locks.Graph)[b.id]
	if got.Root != a.id || got.Kind != snapshot.LockMetadata {
		t.Errorf("waiter = %+v, want root %d and a metadata lock", got, a.id)
	}
}

// awaitState returns once n sessions wait for a metadata or global lock.
func awaitState(t *testing.T, s *servers.Server, n int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for waiting := -1; waiting != n; {
		if time.Now().After(deadline) {
			t.Fatalf("%d sessions wait for a lock, want %d", waiting, n)
		}
		row := s.DB().QueryRowContext(t.Context(),
			"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for % lock'")
		if err := row.Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func testWaitingTime(t *testing.T, s *servers.Server) {
	a, b := begin(t, s), begin(t, s)
	a.exec("UPDATE shop.item SET n = 0 WHERE id = 1")
	b.start("UPDATE shop.item SET n = 1 WHERE id = 1")
	awaitWaiters(t, s, 1)
	r := newLockReader(open(t, s, 1), &abilities{})
	look(t, r)
	r.looked = time.Time{}
	time.Sleep(1100 * time.Millisecond)
	locks, _ := look(t, r)
	total, longest := locks.Totals[0], locks.Graph.Blockers[0].Waiters[0].Seconds
	if total.Waits != 1 || math.Abs(total.Seconds-longest) > 1e-6 || longest < 1 || locks.WaitSeconds[snapshot.LockRecord] != total.Seconds {
		t.Errorf("total = %+v, by kind %v, want one wait of the %g s that it has lasted", total, locks.WaitSeconds, longest)
	}
	if total.Blocker == "" || total.Blocker != total.Waiter {
		t.Errorf("total = %+v, want one fingerprint for both updates", total)
	}
}

// With sixty in one queue there are 1,830 edges, of which 200 are read.
func testManyWaiters(t *testing.T, s *servers.Server) {
	a := begin(t, s)
	a.exec("UPDATE shop.item SET n = 0 WHERE id = 1")
	const waiters = 60
	for range waiters {
		begin(t, s).start("UPDATE shop.item SET n = 1 WHERE id = 1")
	}
	awaitWaiters(t, s, waiters)
	graph := lookOnce(t, s).Graph
	if len(graph.Blockers) != 1 || graph.Blockers[0].Connection != a.id || len(graph.Blockers[0].Waiters) != waiters {
		t.Errorf("graph has %d blockers, the first %d with %d waiters; want %d with %d",
			len(graph.Blockers), graph.Blockers[0].Connection, len(graph.Blockers[0].Waiters), a.id, waiters)
	}
}

// MariaDB keeps no history of statements and watches no metadata locks unless it
// is told to.
func TestWhatAGraphLacksIsSaidBefore(t *testing.T) {
	s := sharedServers.server(t, servers.MariaDB1011)
	s.Exec(t, "CREATE DATABASE IF NOT EXISTS shop", "DROP TABLE IF EXISTS shop.item",
		"CREATE TABLE shop.item (id INT PRIMARY KEY, n INT)", "INSERT INTO shop.item VALUES (1, 1)")
	a, b := begin(t, s), begin(t, s)
	a.exec("UPDATE shop.item SET n = 0 WHERE id = 1")
	b.start("UPDATE shop.item SET n = 1 WHERE id = 1")
	awaitWaiters(t, s, 1)
	locks := lookOnce(t, s)
	if len(locks.Gaps) != 2 || !strings.Contains(locks.Gaps[0].Remedy, "events_statements_history") ||
		!strings.Contains(locks.Gaps[1].Remedy, "wait/lock/metadata/sql/mdl") {
		t.Errorf("gaps = %+v, want those of the history and of metadata locks", locks.Gaps)
	}
	root := locks.Graph.Blockers[0]
	if root.Culprit != nil || root.Unknown == "" || root.Connection != a.id {
		t.Errorf("root = %+v, want %d with an unknown culprit and the reason", root, a.id)
	}
}

func TestWithoutTheProcessPrivilegeLocksAreAGap(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		server := open(t, s, 0)
		for _, gaps := range [][]snapshot.Gap{
			collect(t, server, locksJob).Locks.Gaps, collect(t, server, transactionsJob).Transactions.Gaps,
			collect(t, server, deadlocksJob).Deadlocks.Gaps,
		} {
			if len(gaps) == 0 || !strings.HasPrefix(gaps[0].Remedy, "GRANT PROCESS ON *.*") {
				t.Errorf("gaps = %+v, want first the privilege", gaps)
			}
		}
	})
}
