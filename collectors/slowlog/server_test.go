package slowlog

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql" // the driver of the clients below
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/golden"
	"plimsoll/fixtures/servers"
)

// verbosity is a setting that changes what a log holds.
type verbosity struct{ name, setting string }

func verbosities(f scratch.Family) []verbosity {
	if f == scratch.MySQL {
		return []verbosity{{"plain", "log_slow_extra=OFF"}, {"extra", "log_slow_extra=ON"}}
	}
	return []verbosity{
		{"plain", "log_slow_verbosity=''"},
		{"engine", "log_slow_verbosity='innodb,query_plan'"},
		{"full", "log_slow_verbosity='all'"},
	}
}

// TestSumsAgreeWithPerformanceSchema runs the same traffic on every server with every verbosity, and
// compares what its log and its performance_schema have counted.
func TestSumsAgreeWithPerformanceSchema(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, p, servers.Settings("slow_query_log=ON", "long_query_time=0"))
			for _, v := range verbosities(p.Family()) {
				t.Run(v.name, func(t *testing.T) {
					log := filepath.Join(t.TempDir(), "slow.log")
					s.Exec(t, "SET GLOBAL slow_query_log_file='"+log+"'", "SET GLOBAL "+v.setting)
					s.Exec(t, schema...)
					from := size(t, log)
					s.Exec(t, "TRUNCATE performance_schema.events_statements_summary_by_digest")
					run(t, s, traffic())
					compare(t, digests(t, s), logged(t, log, from))
					comparePeer(t, since(t, log, from))
					record(t, s, string(p)+"-"+v.name)
				})
			}
		})
	}
}

var schema = []string{
	"DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop", "CREATE DATABASE IF NOT EXISTS `we ird`",
	"CREATE TABLE shop.item (id INT PRIMARY KEY AUTO_INCREMENT, kind INT, name VARCHAR(100), note TEXT)",
	"CREATE TABLE shop.stock (id INT PRIMARY KEY, item INT, amount INT, KEY (item))",
}

// traffic is what the sums are compared of.
func traffic() []string {
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

// oddities are what makes a log hard to read.
var oddities = []string{
	"SELECT 'a\n# Time: 2026-01-01T00:00:00.000000Z\n# User@Host: root[root] @ localhost []  Id:    10\n# Query_time: 1.000000  Lock_time: 0.000000 Rows_sent: 1  Rows_examined: 1\nSET timestamp=1;\nselect 2;\n'",
	"SELECT 1\n# a comment\n, 2 -- another\n# User@Host: in a comment\n",
	"SELECT 1,\r\n2 FROM item\r\nLIMIT 1",
	"SELECT /* \x00\xff */ 'a;\nb'",
	"USE `we ird`",
	"SELECT 1 FROM shop.item a JOIN shop.item b ON a.name = b.name WHERE a.id < 4",
	"SELECT CAST('a' AS UNSIGNED), 1/0, CAST('b\nc' AS UNSIGNED)",
	"SELECT nothing FROM shop.item",
	"this is no sql",
	"SET timestamp=1700000000",
	"SELECT 'long ago'",
	"SET timestamp=DEFAULT",
	";",
	"SET insert_id=1000",
	"INSERT INTO shop.item (kind) VALUES (1)",
	"CREATE PROCEDURE shop.p(n INT)\nBEGIN\n  SELECT COUNT(*) FROM shop.item WHERE kind > n;\n  UPDATE shop.stock SET amount = 1 WHERE id = n;\nEND",
	"CALL shop.p(3)",
	"FLUSH SLOW LOGS", // writes another banner
	"SELECT /*controller='cart',action='add'*/ SLEEP(0.01)",
}

// run runs statements on a connection of its own, and a prepared one at the end. Some are meant to fail.
func run(t *testing.T, s *servers.Server, statements []string) {
	t.Helper()
	db, err := sql.Open("mysql", s.DSN("root")+"shop")
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

// counted is what both sources count of a statement.
type counted struct {
	Calls, RowsExamined, RowsSent uint64
	// RowsAffected and FullScans are nil if the log does not tell them.
	RowsAffected, FullScans *uint64

	text string
}

// compare compares what both sources can know.
func compare(t *testing.T, want, got map[string]counted) {
	t.Helper()
	for fingerprint, want := range want {
		got := got[fingerprint]
		if got.RowsAffected == nil {
			want.RowsAffected = nil
		}
		// performance_schema calls only the scans of a SELECT so.
		if got.FullScans == nil || !strings.HasPrefix(want.text, "SELECT") {
			want.FullScans, got.FullScans = nil, nil
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(counted{})); diff != "" {
			t.Errorf("%s (-performance_schema +log):\n%s", want.text, diff)
		}
	}
}

// digests returns what performance_schema has counted, by fingerprint.
func digests(t *testing.T, s *servers.Server) map[string]counted {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), `SELECT DIGEST_TEXT, COUNT_STAR, SUM_ROWS_EXAMINED, SUM_ROWS_SENT, SUM_ROWS_AFFECTED, SUM_SELECT_SCAN
		FROM performance_schema.events_statements_summary_by_digest WHERE SCHEMA_NAME = 'shop'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	list := map[string]counted{}
	for rows.Next() {
		var text string
		c := counted{RowsAffected: new(uint64), FullScans: new(uint64)}
		if err := rows.Scan(&text, &c.Calls, &c.RowsExamined, &c.RowsSent, c.RowsAffected, c.FullScans); err != nil {
			t.Fatal(err)
		}
		c.text = strings.TrimPrefix(text, "EXECUTE ")
		if strings.HasPrefix(text, "PREPARE ") || strings.HasPrefix(text, "DEALLOCATE ") {
			continue // MySQL has three digests of a prepared statement, of which one is its calls
		}
		list[sqltext.Options{MaxDigestLength: 1024}.Fingerprint(text)] = c
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// logged returns what the log holds behind an offset.
func logged(t *testing.T, log string, from int64) map[string]counted {
	t.Helper()
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	keep := func(e *Entry) bool { return !bytes.Contains(e.Statement, []byte("performance_schema")) }
	a, err := Digest(t.Context(), log, f, Options{Keep: keep})
	if err != nil || a.Skipped > 0 {
		t.Fatal(err, a.Skips)
	}
	got := map[string]counted{}
	for _, c := range a.Classes() {
		one := counted{Calls: c.Calls, RowsExamined: c.Total(RowsExamined).Sum, RowsSent: c.Total(RowsSent).Sum}
		if a.Told(RowsAffected) {
			one.RowsAffected = &c.totals[RowsAffected].Sum
		}
		if a.Told(FullScan) {
			one.FullScans = &c.totals[FullScan].Sum
		}
		got[c.Fingerprint] = one
	}
	return got
}

func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// record makes a recording of what a server logs of oddities, without the paths of this machine, if the
// test is to update what it compares with.
func record(t *testing.T, s *servers.Server, name string) {
	t.Helper()
	if !golden.Update() {
		return
	}
	log := filepath.Join(t.TempDir(), "recorded.log")
	s.Exec(t, "SET GLOBAL slow_query_log_file='"+log+"'")
	run(t, s, oddities)
	s.Exec(t, "SET GLOBAL slow_query_log=OFF", "SET GLOBAL slow_query_log=ON")
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^\S*/(usr/sbin/\S+, Version)`).ReplaceAll(text, []byte("/$1"))
	text = regexp.MustCompile(`Tcp port: \d+  Unix socket: \S+`).ReplaceAll(text, []byte("Tcp port: 3306  Unix socket: /run/mysqld/mysqld.sock"))
	text = regexp.MustCompile(`/\S+/recorded.log`).ReplaceAll(text, []byte("/var/log/mysql/slow.log"))
	if err := os.WriteFile(filepath.Join("testdata", name+".log"), text, 0o644); err != nil {
		t.Fatal(err)
	}
}
