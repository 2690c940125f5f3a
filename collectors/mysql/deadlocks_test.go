package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

var record = flag.Bool("record", false, "write what servers say to fixtures/recordings")

// makeDeadlock lets two transactions wait for each other; the server ends one.
func makeDeadlock(t *testing.T, s *servers.Server) {
	t.Helper()
	s.Exec(t, "CREATE DATABASE IF NOT EXISTS bank", "DROP TABLE IF EXISTS bank.account",
		"CREATE TABLE bank.account (id INT PRIMARY KEY, owner VARCHAR(40), amount INT, KEY by_owner (owner)) ENGINE=InnoDB",
		"INSERT INTO bank.account VALUES (1, 'SECRET-alice', 0), (2, 'SECRET-bob', 0)")
	a, b := begin(t, s), begin(t, s)
	a.exec("UPDATE bank.account SET amount = amount + 1 WHERE id = 1")
	b.exec("UPDATE bank.account SET amount = amount + 1 WHERE id = 2")
	done := a.start("update bank.account set amount = amount - 471108159, owner = 'SECRET-x' where id = 2")
	awaitWaiters(t, s, 1)
	_, errB := b.tx.ExecContext(t.Context(), "update bank.account set amount = amount - 1 where owner = 'SECRET-alice'")
	errA := <-done
	if (errA == nil) == (errB == nil) {
		t.Fatalf("statements ended with %v and %v, want one deadlock", errA, errB)
	}
}

func TestADeadlockIsToldWithoutItsRows(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		job := find(t, open(t, s, 1), deadlocksJob)
		before := run(t, job).Deadlocks
		makeDeadlock(t, s)
		var into snapshot.Snapshot
		if err := job.Collector.Collect(t.Context(), &into); err != nil {
			t.Fatal(err)
		}
		after := into.Server("db1").Deadlocks
		if *after.Total != *before.Total+1 || after.Timeouts == nil || len(after.Gaps) != 0 {
			t.Fatalf("deadlocks = %+v after %d, want one more and no gap", after, *before.Total)
		}
		if len(after.Pairs) != 1 || after.Pairs[0].Count != 1 || after.Pairs[0].A == after.Pairs[0].B {
			t.Errorf("pairs = %+v, want one of two statements", after.Pairs)
		}
		if len(into.Events) != 1 || into.Events[0].Kind != snapshot.EventDeadlock ||
			into.Events[0].Summary != "deadlock between 2 transactions on bank.account" {
			t.Errorf("events = %+v, want one of the deadlock", into.Events)
		}
		if age := time.Since(after.Last.Time); age < 0 || age > time.Minute {
			t.Errorf("deadlock is %v old, want seconds", age)
		}
		for _, p := range after.Last.Transactions {
			if p.Statement == nil || !strings.HasPrefix(string(p.Statement.Text), "UPDATE ") || p.Index != "PRIMARY" {
				t.Errorf("party = %+v, want an update that waits for a row of the primary key", p)
			}
		}
		refuseSecrets(t, into)
		saveRecording(t, s)
	})
}

// refuseSecrets fails if a marked literal is left anywhere.
func refuseSecrets(t *testing.T, what any) {
	t.Helper()
	text, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"SECRET", "471108159"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s leaves the host: %s", secret, text)
		}
	}
}

func TestAnUnchangedCounterReadsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		makeDeadlock(t, s)
		server := open(t, s, 1)
		job := find(t, server, deadlocksJob)
		first := run(t, job).Deadlocks
		if first.Last == nil || len(first.Pairs) != 0 {
			t.Fatalf("deadlocks = %+v, want the last one, but none that was met", first)
		}
		spent := server.cost.Statements
		second := run(t, job).Deadlocks
		if n := server.cost.Statements - spent; n != 1 || second.Last != first.Last {
			t.Errorf("second round took %d statements and has last %+v, want one statement and the same", n, second.Last)
		}
	})
}

// saveRecording writes the part of the status that tells of the deadlock.
func saveRecording(t *testing.T, s *servers.Server) {
	t.Helper()
	if !*record {
		return
	}
	var kind, name, status, version string
	if err := s.DB().QueryRowContext(t.Context(), "SHOW ENGINE INNODB STATUS").Scan(&kind, &name, &status); err != nil {
		t.Fatal(err)
	}
	if err := s.DB().QueryRowContext(t.Context(), "SELECT VERSION()").Scan(&version); err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(status, "------------------------\n"+deadlockHeader)
	section, _, _ = strings.Cut(section, "\nTRANSACTIONS\n")
	text := fmt.Sprintf("# %s: SHOW ENGINE INNODB STATUS, the section of the deadlock; go test ./collectors/mysql -run TestADeadlock -record; made-up rows\n"+
		"------------------------\n%s%s\nTRANSACTIONS\n------------\n", version, deadlockHeader, section)
	writeRecording(t, s, "innodb-deadlock.txt", text)
}

// writeRecording writes to the folder of the server's product and version.
func writeRecording(t *testing.T, s *servers.Server, name, text string) {
	t.Helper()
	product, _, _ := strings.Cut(string(s.Product), "-")
	version, _, _ := strings.Cut(strings.TrimPrefix(s.Version, "5.5.5-"), "-")
	dir := filepath.Join(recordings, product, version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// transaction is an open one in a session of its own, which ends with the test.
type transaction struct {
	t  *testing.T
	tx *sql.Tx
	id uint64
}

func begin(t *testing.T, s *servers.Server) transaction {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	tx, err := s.DB().BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = tx.Rollback()
		cancel()
	})
	a := transaction{t: t, tx: tx}
	if err := tx.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&a.id); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a transaction) exec(statements ...string) {
	a.t.Helper()
	for _, statement := range statements {
		if _, err := a.tx.ExecContext(a.t.Context(), statement); err != nil {
			a.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// start runs a statement that will wait, and sends how it ended.
func (a transaction) start(statement string) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := a.tx.ExecContext(a.t.Context(), statement)
		done <- err
	}()
	return done
}

// awaitWaiters returns once n transactions wait for a row. INNODB_TRX does not
// tell in time: it is refreshed only if nobody read it for a tenth of a second.
func awaitWaiters(t *testing.T, s *servers.Server, n int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for waiting := -1; waiting != n; {
		if time.Now().After(deadline) {
			t.Fatalf("%d transactions wait for a row, want %d", waiting, n)
		}
		var name string
		row := s.DB().QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")
		if err := row.Scan(&name, &waiting); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// letInnoDBForget waits until INNODB_TRX shows what is and not what was.
func letInnoDBForget() { time.Sleep(110 * time.Millisecond) }
