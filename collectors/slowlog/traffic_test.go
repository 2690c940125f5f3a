package slowlog

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	_ "github.com/go-sql-driver/mysql" // the driver of the clients below

	"plimsoll/fixtures/servers"
)

// traffic is what a log is made of. What prepare does is not in it.
type traffic struct {
	name         string
	prepare, run func(t *testing.T)
}

// traffics returns all that is compared. Its length grows with PLIMSOLL_FULL.
func traffics(s *servers.Server) []traffic {
	length := 1
	if full() {
		length = 20
	}
	return []traffic{
		scripted(s, length), php(s, 6*length),
		sysbench(s, "text", "disable", 25*length), sysbench(s, "prepared", "auto", 25*length),
	}
}

// scripted is a shop in Go, by one connection.
func scripted(s *servers.Server, rounds int) traffic {
	return traffic{
		name:    "scripted",
		prepare: func(t *testing.T) { s.Exec(t, schema...) },
		run: func(t *testing.T) {
			for range rounds {
				run(t, fmt.Sprintf("shop:shop@unix(%s)/shop", s.Socket), script())
			}
		},
	}
}

// sysbench is oltp_read_write, with statements as texts ("disable") or prepared ("auto"), by two connections that
// have a database each: performance_schema loses calls of a digest that several connections add to.
func sysbench(s *servers.Server, name, mode string, transactions int) traffic {
	databases := []string{"sbtest", "sbtest2"}
	call := func(t *testing.T, command string) {
		t.Helper()
		sysbench := servers.Sysbench.Path(t)
		var running sync.WaitGroup
		for _, db := range databases {
			running.Go(func() {
				execute(
					t, sysbench, "oltp_read_write", "--mysql-socket="+s.Socket, "--mysql-user="+db, "--mysql-password="+db, "--mysql-db="+db,
					"--tables=2", "--table-size=1000", "--time=0", "--events="+strconv.Itoa(transactions), "--db-ps-mode="+mode, command,
				)
			})
		}
		running.Wait()
	}
	return traffic{
		name: "sysbench-" + name,
		prepare: func(t *testing.T) {
			for _, db := range databases {
				s.Exec(t, "DROP DATABASE IF EXISTS "+db, "CREATE DATABASE "+db)
			}
			call(t, "prepare")
		},
		run: func(t *testing.T) { call(t, "run") },
	}
}

// php is three shops in PHP, see testdata/php.
func php(s *servers.Server, requests int) traffic {
	return traffic{
		name: "php",
		prepare: func(t *testing.T) {
			text, err := os.ReadFile("testdata/php/schema.sql")
			if err != nil {
				t.Fatal(err)
			}
			s.Exec(t, strings.Split(strings.TrimSuffix(string(text), ";\n"), ";\n")...)
		},
		run: func(t *testing.T) {
			execute(t, servers.PHPCommand.Path(t), "testdata/php/shop.php", s.Socket, strconv.Itoa(requests))
		},
	}
}

// execute runs a program until it ends.
func execute(t *testing.T, program string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v: %s", program, err, out)
	}
}

var schema = []string{
	"DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop", "CREATE DATABASE IF NOT EXISTS `we ird`",
	"CREATE TABLE shop.item (id INT PRIMARY KEY AUTO_INCREMENT, kind INT, name VARCHAR(100), note TEXT)",
	"CREATE TABLE shop.stock (id INT PRIMARY KEY, item INT, amount INT, KEY (item))",
}

// script is the statements of the scripted shop.
func script() []string {
	var list []string
	for i := range 10 {
		list = append(list, fmt.Sprintf("INSERT INTO item (kind, name, note) VALUES (%d, 'item %d', 'it''s'), (%d, \"x\", NULL)", i%7, i, i%3))
		list = append(list, fmt.Sprintf("INSERT INTO stock VALUES (%d, %d, %d)", i, i%10, i))
	}
	for i := range 6 {
		list = append(list,
			fmt.Sprintf("SELECT id, name FROM item WHERE kind = %d", i%5),
			fmt.Sprintf("SELECT name FROM item WHERE id = %d", i+1),
			fmt.Sprintf("SELECT i.name, s.amount\nFROM item i\nJOIN stock s ON s.item = i.id\nWHERE s.amount > %d", i),
			fmt.Sprintf("SELECT kind, COUNT(*) FROM item WHERE id IN (1, 2, %d) GROUP BY kind", i),
			fmt.Sprintf("SELECT * FROM item ORDER BY name LIMIT %d, 3", i),
			fmt.Sprintf("UPDATE stock SET amount = amount + 1 WHERE item = %d", i%10),
			fmt.Sprintf("SELECT COUNT(*) FROM item WHERE note LIKE '%%%d'", i),
		)
	}
	return append(list, "DELETE FROM item WHERE kind = 3", "COMMIT", "SET NAMES utf8mb4")
}

// run runs statements on a connection of its own, and a prepared one at the end. Some are meant to fail.
func run(t *testing.T, dsn string, statements []string) {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		query(t.Context(), db, statement)
	}
	query(t.Context(), db, "SELECT name FROM shop.item WHERE kind = ? AND name <> ?", 2, "o'clock")
	// A server answers first and logs then, but it does one thing of a connection after the other.
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// query runs a statement and reads its rows.
func query(ctx context.Context, db *sql.DB, statement string, args ...any) {
	rows, err := db.QueryContext(ctx, statement, args...)
	if err != nil {
		return
	}
	defer rows.Close()
	for rows.Next() {
	}
	_ = rows.Err() // as the statement
}
