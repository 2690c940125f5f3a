package sqltext

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTellsTextClassAndTables(t *testing.T) {
	for _, test := range []struct {
		sql  string
		want Statement // without Fingerprint
	}{
		{"select * from shop.orders o, `order_items` where o.id = 5 for update", Statement{
			Text:  "SELECT * FROM shop.orders o, order_items WHERE o.id = ? FOR UPDATE",
			Class: LockingSelect, Reads: []string{"shop.orders", "order_items"},
		}},
		{"SELECT EXTRACT(DAY FROM d), TRIM('x' FROM c) FROM t WHERE EXISTS (SELECT 1 FROM u LOCK IN SHARE MODE)", Statement{
			Text:  "SELECT EXTRACT(DAY FROM d), TRIM(? FROM c) FROM t WHERE EXISTS (SELECT ? FROM u LOCK IN SHARE MODE)",
			Class: LockingSelect, Reads: []string{"t", "u"},
		}},
		{"WITH RECURSIVE x (n) AS (SELECT 1 FROM a UNION ALL SELECT n+1 FROM x), y AS (SELECT * FROM b) SELECT * FROM x JOIN y", Statement{
			Text:  "WITH RECURSIVE x(n) AS (SELECT ? FROM a UNION ALL SELECT n + ? FROM x), y AS (SELECT * FROM b) SELECT * FROM x JOIN y",
			Class: Select, Reads: []string{"a", "b"},
		}},
		{"SELECT * FROM (a LEFT JOIN b ON a.x = b.x, c) FORCE INDEX FOR JOIN (i) JOIN (SELECT * FROM d) e, JSON_TABLE(f, '$') g, DUAL", Statement{
			Text:  "SELECT * FROM (a LEFT JOIN b ON a.x = b.x, c) FORCE INDEX FOR JOIN (i) JOIN (SELECT * FROM d) e, JSON_TABLE(f, ?) g, DUAL",
			Class: Select, Reads: []string{"a", "b", "c", "d"},
		}},
		{"INSERT IGNORE INTO a (x) SELECT x FROM a JOIN b USING (x) ON DUPLICATE KEY UPDATE x = 1", Statement{
			Text:  "INSERT IGNORE INTO a (x) SELECT x FROM a JOIN b USING (x) ON DUPLICATE KEY UPDATE x = ?",
			Class: DML, Reads: []string{"a", "b"}, Writes: []string{"a"},
		}},
		{"REPLACE a VALUES (1)", Statement{Text: "REPLACE a VALUES (?)", Class: DML, Writes: []string{"a"}}},
		{"UPDATE LOW_PRIORITY a SET x = 1 WHERE y IN (SELECT y FROM b)", Statement{
			Text:  "UPDATE LOW_PRIORITY a SET x = ? WHERE y IN (SELECT y FROM b)",
			Class: DML, Reads: []string{"b"}, Writes: []string{"a"},
		}},
		{"UPDATE a x JOIN b AS y ON x.i = y.i, c SET y.n = x.n, y.m = 1", Statement{
			Text:  "UPDATE a x JOIN b AS y ON x.i = y.i, c SET y.n = x.n, y.m = ?",
			Class: DML, Reads: []string{"a", "c"}, Writes: []string{"b"},
		}},
		{"UPDATE a, b SET n = 1", Statement{Text: "UPDATE a, b SET n = ?", Class: DML, Writes: []string{"a", "b"}}},
		{"DELETE FROM s.a AS x WHERE i = 1", Statement{Text: "DELETE FROM s.a AS x WHERE i = ?", Class: DML, Writes: []string{"s.a"}}},
		{"DELETE x FROM a x JOIN b ON x.i = b.i", Statement{
			Text: "DELETE x FROM a x JOIN b ON x.i = b.i", Class: DML, Reads: []string{"b"}, Writes: []string{"a"},
		}},
		{"DELETE FROM x USING a x JOIN b USING (i)", Statement{
			Text: "DELETE FROM x USING a x JOIN b USING (i)", Class: DML, Reads: []string{"b"}, Writes: []string{"a"},
		}},
		{"LOAD DATA INFILE '/x' INTO TABLE t", Statement{Text: "LOAD DATA INFILE ? INTO TABLE t", Class: DML, Writes: []string{"t"}}},
		{"CREATE TABLE IF NOT EXISTS a AS SELECT * FROM b", Statement{
			Text: "CREATE TABLE IF NOT EXISTS a AS SELECT * FROM b", Class: DDL, Reads: []string{"b"}, Writes: []string{"a"},
		}},
		{"DROP TABLE IF EXISTS a, b", Statement{Text: "DROP TABLE IF EXISTS a, b", Class: DDL, Writes: []string{"a", "b"}}},
		{"RENAME TABLE a TO b, c TO d", Statement{Text: "RENAME TABLE a TO b, c TO d", Class: DDL, Writes: []string{"a", "b", "c", "d"}}},
		{"ALTER TABLE a ADD COLUMN b INT, ADD INDEX c (b)", Statement{
			Text: "ALTER TABLE a ADD COLUMN b INT, ADD INDEX c (b)", Class: DDL, Writes: []string{"a"},
		}},
		{"CREATE UNIQUE INDEX i ON a (b(10))", Statement{Text: "CREATE UNIQUE INDEX i ON a (b(?))", Class: DDL, Writes: []string{"a"}}},
		{"truncate a", Statement{Text: "TRUNCATE a", Class: DDL, Writes: []string{"a"}}},
		{"begin", Statement{Text: "BEGIN", Class: Transaction}},
		{"START REPLICA", Statement{Text: "START REPLICA", Class: Other}},
		{"SET @@session.autocommit = 0", Statement{Text: "SET @@session.autocommit = ?", Class: Transaction}},
		{"SET x = 'autocommit'", Statement{Text: "SET x = ?", Class: Other}},
		{"CALL p(1, 'x')", Statement{Text: "CALL p(...)", Class: Call}},
		{"SHOW COLUMNS FROM t", Statement{Text: "SHOW COLUMNS FROM t", Class: Other}},
		{"EXECUTE SELECT `a` FROM `t`", Statement{
			Text: "SELECT a FROM t", Class: Select, Reads: []string{"t"}, Prepared: true, Command: "EXECUTE",
		}},
		{"DEALLOCATE ( SELECT `a` FROM `t` )", Statement{
			Text: "(SELECT a FROM t)", Class: Select, Reads: []string{"t"}, Prepared: true, Command: "DEALLOCATE",
		}},
		{"SELECT a FROM t WHERE b = 'cut o", Statement{Text: "SELECT a FROM t WHERE b = ? ...", Class: Select, Reads: []string{"t"}, Truncated: true}},
		{"", Statement{Class: Other}},
	} {
		got := Parse(test.sql)
		if got.Fingerprint != Fingerprint(test.sql) {
			t.Errorf("Parse(%q).Fingerprint = %s, Fingerprint says %s", test.sql, got.Fingerprint, Fingerprint(test.sql))
		}
		got.Fingerprint = ""
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", test.sql, diff)
		}
	}
}
