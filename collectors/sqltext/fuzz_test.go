package sqltext

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// seeds are statements in which each byte of the lexer's grammar occurs.
var seeds = []string{
	"",
	"SELECT * FROM t WHERE a = -1 AND b IN (1, -2, 0x1F) LIMIT 5, 10",
	"SELECT `a``b`, 'it''s', \"x\\\"y\", N'z', X'41', _utf8mb4'q' FROM `t` -- end",
	"INSERT INTO t VALUES (1, NOW(), NULL), (2, NOW(), DEFAULT) ON DUPLICATE KEY UPDATE a = VALUES(a)",
	"INSERT INTO `t` ( `a` ) VALUES (...) /* , ... */ ",
	"SELECT ID , `c` = (unknown) , (_charset) ? , @? , @@SESSION . `x` LIMIT ?, ...",
	"SELECT a FROM t UNION ALL SELECT a FROM t UNION ALL SELECT a FROM t UNION ALL SELECT a FR",
	"SET STATEMENT max_statement_time = 1 FOR EXECUTE SELECT /*+ X(1) */ /*!40001 SQL_NO_CACHE */ t.1.5e3",
	"WITH x (a) AS (SELECT 1) DELETE a, b FROM a JOIN b USING (id) WHERE $$ x $$ = $t$ y $t$",
	"UPDATE a, b SET a.x = b.y, c = 'unterminated \\' ...",
	"SELECT '…', a… ... ; # x",
	"CREATE USER a@b IDENTIFIED BY <secret>,c@d IDENTIFIED BY <secret> REPLACE <secret>",
}

func FuzzScanner(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, sql string, ansi bool) {
		s := Options{ANSIQuotes: ansi}.Scanner(sql)
		end := 0
		for tok := s.Next(); tok.Kind != EOF; tok = s.Next() {
			if tok.Pos < end || tok.Text == "" || !strings.HasPrefix(sql[tok.Pos:], tok.Text) {
				t.Fatalf("token %+v is not the text behind byte %d of %q", tok, end, sql)
			}
			end = tok.Pos + len(tok.Text)
		}
		if tok := s.Next(); tok.Kind != EOF {
			t.Fatalf("a token after the end of %q: %+v", sql, tok)
		}
	})
}

func FuzzRedactKeepsTheFingerprint(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, false, 0)
		f.Add(s, true, 64)
	}
	f.Fuzz(func(t *testing.T, sql string, ansi bool, limit int) {
		o := Options{ANSIQuotes: ansi, MaxDigestLength: limit}
		st := o.Parse(sql)
		redacted := o.Redact(sql)
		if redacted != st.Text {
			t.Fatalf("Redact(%q) = %q, Parse's text is %q", sql, redacted, st.Text)
		}
		if got := Fingerprint(redacted); got != st.Fingerprint {
			t.Fatalf("Fingerprint(%q) = %s, of its redaction %q it is %s", sql, st.Fingerprint, redacted, got)
		}
		if again := Redact(redacted); again != redacted {
			t.Fatalf("Redact(%q) = %q, again %q", sql, redacted, again)
		}
		if strings.ContainsFunc(redacted, unicode.IsControl) || !utf8.ValidString(redacted) {
			t.Fatalf("Redact(%q) = %q has control characters or invalid UTF-8", sql, redacted)
		}
		HasPrefixOf(sql, redacted)
		if family := o.ParseFamily(sql); Fingerprint(family.Text) != family.Fingerprint {
			t.Fatalf("ParseFamily(%q) is %q, whose fingerprint is not %s", sql, family.Text, family.Fingerprint)
		}
		if tags := fmt.Sprint(st.Origin); strings.ContainsFunc(tags, func(r rune) bool { return r >= utf8.RuneSelf || unicode.IsControl(r) }) || strings.ContainsAny(tags, "'\"`;<>=") {
			t.Fatalf("OriginOf(%q) = %q", sql, tags)
		}
	})
}

// literals are all the ways to write a literal around a secret that is a word of letters and digits.
var literals = []func(secret string) string{
	func(s string) string { return "'" + s + "'" },
	func(s string) string { return "'it''s " + s + "'" },
	func(s string) string { return `'\'` + s + `\\'` },
	func(s string) string { return `"` + s + `"` },
	func(s string) string { return `"""` + s + `"` },
	func(s string) string { return "N'" + s + "'" },
	func(s string) string { return "_utf8mb4 '" + s + "'" },
	func(s string) string { return "'a' '" + s + "'" },
	func(s string) string { return "@'" + s + "'" },
	func(s string) string { return "/* " + s + " */ 1" },
	func(s string) string { return "1 -- " + s + "\n" },
	func(s string) string { return "1 # " + s + "\n" },
	func(s string) string { return "$$" + s + "$$" },
	func(s string) string { return "$q$ " + s + "$q$" },
	func(string) string { return "8675309" },
	func(string) string { return "-8675309.8675309e-8675309" },
	func(string) string { return ".8675309" },
	func(string) string { return "0x8675309" },
	func(string) string { return "X'8675309'" },
	func(string) string { return "(8675309,8675309)" },
}

// positions are statements with a place for a literal.
var positions = []string{
	"SELECT %", "SELECT a FROM t WHERE a = % AND b IN (1, %, %)", "SELECT a %", "SELECT f(%) LIMIT %",
	"INSERT INTO t VALUES (%, %), (%, NOW())", "UPDATE t SET a = %, b = b - % WHERE c LIKE %",
	"CALL p(%, @x)", "SET x = %", "SET PASSWORD FOR u = %", "CREATE USER u IDENTIFIED BY %",
	"SELECT a FROM t ORDER BY % DESC LIMIT %, %", "EXECUTE SELECT %", "KILL %", "XA START %",
	"SELECT INTERVAL % DAY + a, CASE % WHEN % THEN % ELSE % END, DATE %, {ts %}",
	"CREATE TABLE t (a INT DEFAULT % COMMENT %) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (%))",
	"/*!40001 SELECT % */", "SELECT a->%, b->>% FROM t", "% % %", "SELECT % 'cut off \\', ",
}

func FuzzNoLiteralSurvives(f *testing.F) {
	for i := range positions {
		for j := range literals {
			f.Add(i, j, "; SELECT 1", "SeCrEt8675309")
		}
	}
	f.Fuzz(func(t *testing.T, position, literal int, tail, secret string) {
		if secret = onlyLetters(secret); len(secret) < 6 || strings.Contains(tail, "8675309") {
			t.Skip()
		}
		l := literals[uint(literal)%uint(len(literals))](secret)
		sql := strings.ReplaceAll(positions[uint(position)%uint(len(positions))], "%", l)
		for _, text := range []string{Redact(sql + " " + tail), Parse(sql).Text, ParseFamily(sql).Text, fmt.Sprint(OriginOf(sql + tail)), RedactMessage("near '" + sql + "' at line 8675309")} {
			if strings.Contains(text, secret) && !strings.Contains(Redact(tail), secret) || strings.Contains(text, "8675309") {
				t.Fatalf("%q became %q", sql, text)
			}
		}
	})
}

// onlyLetters makes a secret that no keyword of the positions contains.
func onlyLetters(s string) string {
	return "zq" + strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}
