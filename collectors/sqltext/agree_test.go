package sqltext_test

import (
	"slices"
	"strings"
	"testing"

	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/servers"
)

// digestLimit is max_digest_length of all the servers by default.
const digestLimit = 1024

// digestText reads texts of performance_schema.
var digestText = sqltext.Options{MaxDigestLength: digestLimit}

// isLong returns the second version of a statement whose digests are cut off.
func isLong(live string) (other string, ok bool) {
	i := slices.IndexFunc(longStatements, func(two [2]string) bool { return two[0] == live })
	if i < 0 {
		return "", false
	}
	return longStatements[i][1], true
}

func TestLiveSQLAndItsDigestTextsHaveOneFingerprint(t *testing.T) {
	for _, r := range read(t) {
		if _, long := isLong(r.live); long {
			continue
		}
		want := r.how.options().Fingerprint(r.live)
		if !strings.HasPrefix(want, "fp1:") {
			t.Errorf("live: %s\nis taken for cut off: %s", r.live, sqltext.Normalize(r.live))
		}
		if len(r.digests) == 0 {
			t.Errorf("no server could parse %s", r.live)
		}
		for p, text := range r.digests {
			if got := digestText.Fingerprint(text); got != want {
				t.Errorf("%s of\n%s\nis not the same:\nlive: %s\n%s: %s\ndigest: %s",
					p, r.live, r.how.options().Normalize(r.live), p, digestText.Normalize(text), text)
			}
		}
	}
}

// TestTheTableIsLarge holds how many statements all three servers were asked about and understood.
func TestTheTableIsLarge(t *testing.T) {
	const want = 150
	n := 0
	for _, r := range read(t) {
		if len(r.digests) == len(servers.Products()) {
			n++
		}
	}
	t.Logf("%d statements with a text of every server", n)
	if n < want {
		t.Errorf("%d statements with a text of every server, want at least %d", n, want)
	}
}

func TestACutDigestIsTheBeginningOfItsStatementAndOfOthers(t *testing.T) {
	for _, r := range read(t) {
		other, long := isLong(r.live)
		if !long {
			continue
		}
		for p, text := range r.digests {
			st := digestText.Parse(text)
			if !st.Truncated || !strings.HasPrefix(st.Fingerprint, "fp1t:") {
				t.Errorf("%s: %s is not taken for cut off", p, text)
			}
			for _, live := range []string{r.live, other} {
				if !sqltext.HasPrefixOf(live, text) {
					t.Errorf("%s\nis not taken for a beginning of\n%s", text, sqltext.Normalize(live))
				}
				if !sqltext.HasPrefixOf(live, st.Text) {
					t.Errorf("%s\nis not taken for a beginning of\n%s", st.Text, sqltext.Normalize(live))
				}
			}
			if sqltext.HasPrefixOf("SELECT 1 FROM t", text) {
				t.Errorf("%s is taken for a beginning of SELECT 1", text)
			}
		}
		if a, b := sqltext.Fingerprint(r.live), sqltext.Fingerprint(other); a == b {
			t.Errorf("%s and %s are both %s", r.live, other, a)
		}
	}
}

// TestWhatServersHideDiffers holds the known cases in which a digest text does not tell enough.
func TestWhatServersHideDiffers(t *testing.T) {
	for _, c := range []struct{ why, live, digest string }{
		{"MariaDB 11.8 reads LOCALTIME as CURTIME, all others as NOW", "SELECT LOCALTIME", "SELECT CURTIME "},
		{"MariaDB executes /*!80000 */ not, MySQL does", "SELECT a /*!80000 , b */ FROM t", "SELECT `a` FROM `t` "},
		{"MySQL executes /*M! */ not, MariaDB does", "SELECT a /*M!100100 , b */ FROM t", "SELECT `a` FROM `t`"},
		{"MySQL shows what PREPARE prepares", "PREPARE s FROM 'SELECT 1'", "PREPARE SELECT ?"},
		{"MySQL does not double backticks", "SELECT `a``b` FROM t", "SELECT `a`b` FROM `t`"},
	} {
		if sqltext.Fingerprint(c.live) == sqltext.Fingerprint(c.digest) {
			t.Errorf("%s and %s agree now: %s", c.live, c.digest, c.why)
		}
	}
}

func TestStatementsThatDifferStayApart(t *testing.T) {
	for _, pair := range [][2]string{
		{"SELECT a FROM t", "SELECT b FROM t"},
		{"SELECT a FROM t", "SELECT a FROM T"},
		{"SELECT a FROM t", "SELECT a FROM s.t"},
		{"SELECT a FROM wp_1_posts", "SELECT a FROM wp_2_posts"},
		{"SELECT a FROM t", "SELECT DISTINCT a FROM t"},
		{"SELECT a FROM t", "SELECT a FROM t FOR UPDATE"},
		{"SELECT a FROM t FOR UPDATE", "SELECT a FROM t FOR UPDATE SKIP LOCKED"},
		{"SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b > 1"},
		{"SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b != 1"},
		{"SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b <=> 1"},
		{"SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b IN (1)"},
		{"SELECT a FROM t WHERE b IN (1)", "SELECT a FROM t WHERE b NOT IN (1)"},
		{"SELECT a FROM t WHERE b IN (1)", "SELECT a FROM t WHERE b IN (SELECT 1)"},
		{"SELECT a FROM t WHERE b IN (c, 1)", "SELECT a FROM t WHERE b IN (1, c)"},
		{"SELECT a FROM t WHERE b IN (f(1))", "SELECT a FROM t WHERE b IN (g(1))"},
		{"SELECT a FROM t WHERE b IN (f(1), g(1))", "SELECT a FROM t WHERE b IN (f(1))"},
		{"SELECT a FROM t WHERE b IS NULL", "SELECT a FROM t WHERE b IS NOT NULL"},
		{"SELECT a FROM t WHERE b IS NULL", "SELECT a FROM t WHERE b = NULL"},
		{"SELECT a FROM t WHERE b IS TRUE", "SELECT a FROM t WHERE b IS FALSE"},
		{"SELECT a FROM t WHERE b = 1 AND c = 1", "SELECT a FROM t WHERE b = 1 OR c = 1"},
		{"SELECT a FROM t WHERE b = 1 AND (c = 1 OR d = 1)", "SELECT a FROM t WHERE (b = 1 AND c = 1) OR d = 1"},
		{"SELECT a FROM t WHERE b - 1 = 1", "SELECT a FROM t WHERE b = 1"},
		{"SELECT a FROM t WHERE b - 1 = 1", "SELECT a FROM t WHERE b + 1 = 1"},
		{"SELECT a FROM t WHERE b = -c", "SELECT a FROM t WHERE b = c"},
		{"SELECT a FROM t WHERE b LIKE 'x'", "SELECT a FROM t WHERE b REGEXP 'x'"},
		{"SELECT a FROM t WHERE f(b)", "SELECT a FROM t WHERE f(b, 1)"},
		{"SELECT f(1)", "SELECT f(1, 2)"},
		{"SELECT f()", "SELECT f(1)"},
		{"SELECT 1", "SELECT 1, 2"},
		{"SELECT 1", "SELECT 1 + 1"},
		{"SELECT a FROM t LIMIT 1", "SELECT a FROM t LIMIT 1, 1"},
		{"SELECT a FROM t LIMIT 1", "SELECT a FROM t"},
		{"SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a DESC"},
		{"SELECT a FROM t ORDER BY a, b", "SELECT a FROM t ORDER BY b, a"},
		{"SELECT a FROM t GROUP BY a", "SELECT a FROM t GROUP BY a WITH ROLLUP"},
		{"SELECT a FROM t JOIN u USING (a)", "SELECT a FROM t LEFT JOIN u USING (a)"},
		{"SELECT a FROM t, u", "SELECT a FROM t JOIN u"},
		{"SELECT a FROM t UNION SELECT a FROM t", "SELECT a FROM t UNION ALL SELECT a FROM t"},
		{"SELECT a FROM t UNION ALL SELECT a FROM t", "SELECT a FROM t"},
		{"SELECT a FROM t UNION ALL SELECT a FROM t UNION ALL SELECT b FROM t", "SELECT a FROM t UNION ALL SELECT a FROM t"},
		{"SELECT a FROM t USE INDEX (i)", "SELECT a FROM t USE INDEX (j)"},
		{"SELECT @a", "SELECT a"},
		{"SELECT @@a", "SELECT @a"},
		{"SELECT @@a", "SELECT @@b"},
		{"SELECT COUNT(*) FROM t", "SELECT COUNT(a) FROM t"},
		{"SELECT SUM(a) FROM t", "SELECT MAX(a) FROM t"},
		{"SELECT mid FROM t", "SELECT substr FROM t"},
		{"SELECT `fields` FROM t", "SELECT `columns` FROM t"},
		{"SELECT t.day FROM t", "SELECT t.sql_tsi_day FROM t"},
		{"SELECT CAST(a AS CHAR)", "SELECT CAST(a AS BINARY)"},
		{"SELECT INTERVAL 1 DAY + a", "SELECT INTERVAL 1 HOUR + a"},
		{"INSERT INTO t (a) VALUES (1)", "INSERT INTO t (b) VALUES (1)"},
		{"INSERT INTO t (a, b) VALUES (1, 2)", "INSERT INTO t (a, b) VALUES (1, NOW())"},
		{"INSERT INTO t VALUES (1, NOW()), (2, 3)", "INSERT INTO t VALUES (1, NOW())"},
		{"INSERT INTO t VALUES (1)", "REPLACE INTO t VALUES (1)"},
		{"INSERT INTO t VALUES (1)", "INSERT IGNORE INTO t VALUES (1)"},
		{"INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1"},
		{"UPDATE t SET a = 1", "UPDATE t SET a = a + 1"},
		{"UPDATE t SET a = 1", "UPDATE t SET a = 1 WHERE b = 1"},
		{"DELETE FROM t", "TRUNCATE TABLE t"},
		{"CALL p(1)", "CALL q(1)"},
		{"CALL p(1)", "CALL p(1, 2)"},
		{"SET autocommit = 1", "SET sql_mode = 1"},
		{"COMMIT", "ROLLBACK"},
		{"EXPLAIN SELECT 1", "SELECT 1"},
		{"ALTER TABLE t ADD a INT", "ALTER TABLE t ADD a BIGINT"},
		{"ALTER TABLE t ADD a INT NULL", "ALTER TABLE t ADD a INT NOT NULL"},
		{"SELECT a FROM t PARTITION (p0)", "SELECT a FROM t PARTITION (p1)"},
		{"SELECT a FROM t WHERE MATCH (c) AGAINST ('x')", "SELECT a FROM t WHERE MATCH (c) AGAINST ('x' IN BOOLEAN MODE)"},
		{"SELECT COUNT(a) FROM t", "SELECT COUNT(DISTINCT a) FROM t"},
		{"SELECT a FROM t LEFT JOIN u ON t.i = u.i", "SELECT a FROM t RIGHT JOIN u ON t.i = u.i"},
		{"SELECT a FROM t", "SELECT STRAIGHT_JOIN a FROM t"},
		{"SELECT a FROM t", "SELECT /*!40001 SQL_NO_CACHE */ a FROM t"},
		{"SELECT a FROM t FOR UPDATE", "SELECT a FROM t FOR SHARE"},
		{"SELECT a FROM t", "SELECT a FROM (SELECT a FROM t) t"},
		{"SELECT a FROM t WHERE b = (SELECT 1)", "SELECT a FROM t WHERE b = 1"},
		{"SELECT a FROM tmp_select_65f", "SELECT a FROM tmp_select_66a"},
		{"SELECT a FROM catalog_product_flat_1", "SELECT a FROM catalog_product_flat_2"},
		{"SELECT a FROM oauth2_clients", "SELECT a FROM oauth_clients"},
		{"SELECT md5 FROM t", "SELECT md4 FROM t"},
		{"INSERT INTO t VALUES (1, 2)", "INSERT INTO t VALUES (1)"},
		{"INSERT INTO t SELECT a FROM u", "INSERT INTO t (SELECT a FROM u) UNION SELECT a FROM u"},
		{"DELETE FROM t WHERE a = 1", "DELETE FROM t WHERE a = 1 LIMIT 5"},
		{"DELETE FROM t WHERE a = 1", "SELECT a FROM t WHERE a = 1"},
		{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE"},
		{"START TRANSACTION", "BEGIN"},
		{"SELECT a FROM t -- x", "SELECT a FROM t - x"},
		{"SELECT a FROM t WHERE b = 1 - 1", "SELECT a FROM t WHERE b = 1 -- 1"},
		{"SELECT a FROM t WHERE b = 'x", "SELECT a FROM t WHERE b = 'x'"},
	} {
		if sqltext.Fingerprint(pair[0]) == sqltext.Fingerprint(pair[1]) {
			t.Errorf("%q and %q are one: %s", pair[0], pair[1], sqltext.Normalize(pair[0]))
		}
	}
}

func TestSpellingsOfOneStatementAreOne(t *testing.T) {
	for _, same := range [][]string{
		{"SELECT a FROM t WHERE b = 1", "select a from t where b=-2.5e3", "SELECT `a`\nFROM/**/`t`\tWHERE`b`='x';", "SELECT a FROM t WHERE b = ?", "SELECT a FROM t WHERE b = NULL"},
		{"SELECT a FROM t WHERE b IN (1)", "SELECT a FROM t WHERE b IN (?+)", "SELECT a FROM t WHERE b in(1,-2,0x3,'4')", "SELECT a FROM t WHERE b IN (?, ?)", "SELECT a FROM t WHERE b IN ( ?, ... )"},
		{"SELECT a FROM t WHERE b IN (f(1))", "SELECT a FROM t WHERE b IN (f(1), f(2), f(3))"},
		{"SELECT a FROM t LIMIT 1, 2", "SELECT a FROM t LIMIT 2 OFFSET 1", "SELECT a FROM t LIMIT ?, ..."},
		{"SELECT a FROM t UNION SELECT a FROM t", "SELECT a FROM t UNION SELECT a FROM t UNION SELECT a FROM t UNION SELECT a FROM t"},
		{"INSERT INTO u SELECT a FROM t UNION ALL SELECT a FROM t", "INSERT INTO u SELECT a FROM t UNION ALL SELECT a FROM t UNION ALL SELECT a FROM t"},
		{"INSERT INTO t VALUES (1, NOW())", "INSERT INTO t VALUES (1, NOW()), (2, NOW()), (3, NOW())"},
		{"SELECT COUNT(*) FROM t", "SELECT Count( * ) FROM t", "SELECT COUNT ( * ) FROM `t`"},
		{"SELECT a FROM t WHERE b <> 1 AND c", "SELECT a FROM t WHERE b != 1 && c"},
		{"SELECT a FROM t", "EXECUTE SELECT a FROM t", "PREPARE SELECT a FROM t", "DEALLOCATE SELECT a FROM t", "SET STATEMENT max_statement_time=1, x=(1) FOR SELECT a FROM t"},
		{"SELECT @a", "SELECT @'b'", "SELECT @?"},
		{"CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS 'x'", "CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $$ return 'it''s' $$", "CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $js$ $$ $js$"},
	} {
		for _, s := range same[1:] {
			if sqltext.Fingerprint(s) != sqltext.Fingerprint(same[0]) {
				t.Errorf("%q is %s, %q is %s", same[0], sqltext.Normalize(same[0]), s, sqltext.Normalize(s))
			}
		}
	}
}

func TestQuotesAreReadAsTheServerReadsThem(t *testing.T) {
	ansi := sqltext.Options{ANSIQuotes: true}
	want := sqltext.Fingerprint("SELECT `base`.`nid` FROM `node` `base` WHERE a = 'x'")
	if got := ansi.Fingerprint(`SELECT "base"."nid" FROM "node" "base" WHERE "a" = 'x'`); got != want {
		t.Errorf("ANSI_QUOTES: got %s, want %s", got, want)
	}
	if got := ansi.Normalize(`SELECT "a""b", "c` + "`" + `d" FROM t`); got != "SELECT `a\"b`, `c``d` FROM t" {
		t.Errorf("ANSI_QUOTES: got %s", got)
	}
	raw := sqltext.Options{NoBackslashEscapes: true}
	if got := raw.Normalize(`SELECT 'C:\', a FROM t WHERE b = '\'`); got != "SELECT ?, a FROM t WHERE b = ?" {
		t.Errorf("NO_BACKSLASH_ESCAPES: got %s", got)
	}
}
