package sqlshape

import (
	"bufio"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/sqltext"
)

// recorded returns statements and the digest texts that real servers made of them: sqltext's
// recordings, a block of lines "name: quoted text" each.
func recorded(t *testing.T) [][]string {
	t.Helper()
	f, err := os.Open("../../collectors/sqltext/testdata/digests.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var all [][]string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		name, quoted, ok := strings.Cut(s.Text(), ": ")
		text, err := strconv.Unquote(quoted)
		switch {
		case !ok || err != nil || strings.HasPrefix(name, "#"):
		case name == "live", name == "prepared":
			all = append(all, []string{text})
		case name == "ansi":
			all = append(all, []string{sqltext.Options{ANSIQuotes: true}.Normalize(text)})
		case name == "raw":
			all = append(all, []string{sqltext.Options{NoBackslashEscapes: true}.Normalize(text)})
		default:
			all[len(all)-1] = append(all[len(all)-1], text)
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// lengths are those of IN lists, which MariaDB's digests tell if they are one.
var lengths = regexp.MustCompile(`\(\d+\)`)

// alike makes descriptions comparable: MariaDB's digests have some names in upper case, and a column
// called any is some in all digests.
func alike(s *Shape) string {
	return strings.ReplaceAll(lengths.ReplaceAllString(strings.ToLower(describe(s)), "()"), "some", "any")
}

// unlike reports whether digests tell another shape than the normalised text, for a reason: MySQL's
// keep the numbers of ORDER BY 1, and only we fold branches of a UNION.
func unlike(live string) bool {
	for _, beyond := range []string{"INSERT LOW_PRIORITY IGNORE t", "INTO OUTFILE", ") JSON_TABLE"} {
		if strings.Contains(live, beyond) {
			return true // the parser does not know it
		}
	}
	return strings.Contains(live, "GROUP BY 1, 2") || strings.Count(live, "UNION ALL") > 2
}

// TestDigestsHaveTheShapeOfTheirStatement parses what MariaDB 10.11 and 11.8 and MySQL 9.7 made of
// some 190 statements.
func TestDigestsHaveTheShapeOfTheirStatement(t *testing.T) {
	tables := 0
	for _, texts := range recorded(t) {
		if len(texts[0]) > 1500 || unlike(texts[0]) { // the former's digests are cut off
			continue
		}
		want, err := Parse(sqltext.Normalize(texts[0]), nil)
		if err != nil {
			t.Errorf("%s: %v", texts[0], err)
			continue
		}
		tables += len(want.Tables)
		for _, digest := range texts[1:] {
			got, err := Parse(digest, nil)
			if err != nil {
				t.Errorf("%s: %v", digest, err)
				continue
			}
			if diff := cmp.Diff(alike(want), alike(got)); diff != "" {
				t.Errorf("%s\n%s\n(-want +got):\n%s", texts[0], digest, diff)
			}
		}
	}
	if tables < 150 {
		t.Errorf("all statements have %d tables, want more than 150", tables)
	}
}

// TestCutDigestsHaveAPartialShape parses digests that servers cut off at max_digest_length.
func TestCutDigestsHaveAPartialShape(t *testing.T) {
	for _, texts := range recorded(t) {
		if len(texts[0]) < 1500 || strings.HasPrefix(texts[0], "SELECT `column_number_000`") {
			continue // the latter is cut off before it names a table
		}
		for _, digest := range texts[1:] {
			cut := sqltext.Options{MaxDigestLength: 1024}.Normalize(digest)
			shape, err := Parse(cut, nil)
			if strings.HasPrefix(digest, "SELECT CASE") {
				if err == nil {
					t.Errorf("a CASE without an end has the shape %s", describe(shape))
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", cut, err)
				continue
			}
			if !shape.Partial || len(shape.Tables) == 0 {
				t.Errorf("%s: shape %s", cut, describe(shape))
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "SELECT * FROM t WHERE a = 1 AND b IN (1, -2) ORDER BY 1 LIMIT 5, 10",
		"SELECT `a` FROM `t` WHERE `b` IN (...) AND `c` = (_charset) ? OR `d` = (unknown) LIMIT ?, ...",
		"WITH x AS (SELECT a FROM t) UPDATE x, u SET u.a = x.a WHERE u.b LIKE 'x%' ...",
		"INSERT INTO t (a) SELECT a FROM u UNION SELECT b FROM v ON DUPLICATE KEY UPDATE a = 1",
		"DELETE t FROM t JOIN u USING (id) WHERE EXISTS (SELECT 1 FROM v WHERE v.x = t.x) AND (a = 1 OR (b, c) IN ((1, 2)))",
		"SELECT a FROM t FOR SYSTEM_TIME BETWEEN NOW( AND x WHERE a = 1 FETCH FIRST ROW ONLY",
		"SELECT {d '2026-01-01'}, CAST(a AS DECIMAL(...)) FROM (t, u) LEFT JOIN JSON_TABLE(a, '$' COLUMNS (x INT PATH '$')) j ON 1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shape, err := Parse(text, shop)
		if (shape == nil) == (err == nil) {
			t.Fatalf("%q: shape %v, error %v", text, shape, err)
		}
		if err == nil {
			describe(shape)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	const sql = "SELECT `o` . `id` , `c` . `email` FROM `orders` `o` JOIN `customers` `c` ON `c` . `id` = `o` . `customer_id` WHERE `o` . `status` IN (...) AND `o` . `created_at` >= NOW ( ) - INTERVAL ? SQL_TSI_DAY ORDER BY `o` . `created_at` DESC LIMIT ?, ..."
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(sql, shop); err != nil {
			b.Fatal(err)
		}
	}
}
