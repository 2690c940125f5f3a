package slowlog

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"plimsoll/fixtures/golden"
	"plimsoll/fixtures/servers"
)

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

// record makes a recording of what a server logs of oddities, without the paths of this machine, if the
// test is to update what it compares with.
func record(t *testing.T, s *servers.Server, v verbosity) {
	t.Helper()
	if !golden.Update() || !v.usual {
		return
	}
	log := filepath.Join(t.TempDir(), "recorded.log")
	s.Exec(t, "SET GLOBAL slow_query_log_file='"+log+"'")
	run(t, s.DSN("root")+"shop", oddities)
	s.Exec(t, "SET GLOBAL slow_query_log=OFF", "SET GLOBAL slow_query_log=ON")
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^\S*/(usr/sbin/\S+, Version)`).ReplaceAll(text, []byte("/$1"))
	text = regexp.MustCompile(`Tcp port: \d+  Unix socket: \S+`).ReplaceAll(text, []byte("Tcp port: 3306  Unix socket: /run/mysqld/mysqld.sock"))
	text = regexp.MustCompile(`/\S+/recorded.log`).ReplaceAll(text, []byte("/var/log/mysql/slow.log"))
	if err := os.WriteFile(filepath.Join("testdata", string(s.Product)+"-"+v.name+".log"), text, 0o644); err != nil {
		t.Fatal(err)
	}
}
