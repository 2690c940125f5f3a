package sqltext

import (
	"slices"
	"strings"
	"testing"
)

// lookalikes are texts in which it is hard to tell what is a literal.
var lookalikes = []string{
	"SELECT 1.5$$ ' $$, a, ' $$ b $$ FROM c$d$e, t$1",
	"SELECT t.1, t . 1, .5, t.a+.5e3, 1..5, 1.5.5, 1e5, 1e5x, 1e, 0x1F, 0x1G, 0x1F$b, 2024_t FROM t",
	"SELECT N'x', n 'x', xn'x', _utf8mb4'x', 'a' 'b', 'a''b', 'a\\'b\\\\', b'1', 1'x' FROM t",
	"SELECT @a1, @a.5, @@a1, @1, @ 1, u@h1, @'x', a@`x` FROM t",
	"SELECT a--1, a-- 1\n, b - -1, a-1, a->'$.x', a->>'y' FROM t # '\nWHERE '/* ' */ = 1 /* ' */ -- '\n",
	"SELECT/*+ X(1) */ a /*! 1, */ b /*M!100100 '1' */ /**/ c /*/ ' */ */ ' FROM t",
	"SELECT `1'`, `a``1`, \"x1\", \"a\"\"1\", '`1' FROM `t'`",
	"INSERT INTO t VALUES (1, NULL), (-2, 'x'), (3.5, nullx), (+4, null), (5), ( 6 ) , (7,8,9), (NULL",
	"INSERT INTO t VALUES (1, 2), (3, 4), (5, NOW()), (6, 7), (8, 'x' 'y'), (9, _utf8mb4'z')",
	"SELECT a IN (1), a IN (1, 2), a IN ((1), (2), (3)), (1, 2), (3), (4), f(1), f(1)(2) LIMIT 1, 2",
	"EXECUTE (1, 2), (3, 4); SET STATEMENT a = (1), b = (2) FOR SELECT (unknown), /**/(unknown), -- \n(unknown)",
	"SELECT 1.5$$ ' $$, a, ' FROM t",
	"SELECT \\N$$ ' $$, a, ' FROM t",
	"SELECT @'\\', a, ' FROM t",
	"SELECT a IN (\"x\", 1), a IN (1, \"y\"), b IN (\"z\") FROM t",
	"SELECT /*! a */ b", "SELECT /**/ a */ b",
	"SELECT /**/(unknown)", "SELECT --\n(unknown)",
	"SELECT a IN (1,2,3)", "SELECT a IN (1)", "SELECT a IN (1), (2)",
	"SELECT a IN (12345678,123456789,,12), b IN (1,22,333,4444,55555 ,1.5,7,\xb98), c IN (-1,2e3,0x4)",
	"INSERT INTO t VALUES (12345678,'1','12345678','a longer text''s \\' end, with more',87654321),(2,3)",
	"SELECT `a name (1) -- with 'more' /* of */ it``2`, `b`.`3`, c123456789 FROM `d_1_e2``f` WHERE `g`=1",
	"SELECT \\N, '\\N', ?, ?+, (?+), (...), ... 1, 'x' ...",
}

// TestTextsOfOneSkeletonHaveOneFingerprintAndText replaces every byte, and every two, of texts that are hard to
// read by others that are, and compares all that came of it.
func TestTextsOfOneSkeletonHaveOneFingerprintAndText(t *testing.T) {
	for _, o := range []Options{{}, {ANSIQuotes: true}, {NoBackslashEscapes: true}} {
		texts := skeletons{}
		for _, sql := range lookalikes {
			for i := range sql {
				for _, other := range []string{"", "'", "\"", "`", "7", "77", "x", ".", "$", "@", "-", "/*", "*/", "\n", " ", "(", ")", ",", "\\", "#", "--", "\xb9", "\xac"} {
					texts.check(t, o, sql[:i]+other+sql[i+1:])
					texts.check(t, o, sql[:i]+other+sql[min(i+2, len(sql)):])
				}
			}
		}
	}
}

// skeletons holds the first text of each skeleton that was met.
type skeletons map[uint64]string

// testKey is that of all tests of skeletons.
var testKey = newSkeletonKey()

// check compares sql with the first text that a Digester takes for the same.
func (s skeletons) check(t *testing.T, o Options, sql string) {
	t.Helper()
	trimmed, cut := TrimMark(sql)
	skeleton, ok := o.skeletonOf(trimmed, testKey)
	if !ok || cut {
		return
	}
	if _, ok := s[skeleton]; !ok {
		s[skeleton] = sql
	}
	if first := s[skeleton]; o.Fingerprint(first) != o.Fingerprint(sql) || o.Normalize(first) != o.Normalize(sql) {
		t.Errorf("%+v: %q and %q have one skeleton but\n%s\n%s", o, first, sql, o.Normalize(first), o.Normalize(sql))
	}
}

// TestTheHashOfSkeletonsTellsTextsApart changes each byte, the length, and where something is left out.
func TestTheHashOfSkeletonsTellsTextsApart(t *testing.T) {
	texts := map[uint64]string{}
	add := func(sql string) {
		hash, ok := Options{}.skeletonOf(sql, testKey)
		if first, known := texts[hash]; !ok || known && first != sql {
			t.Errorf("%q and %q have one hash", first, sql)
		}
		texts[hash] = sql
	}
	for n := range 40 {
		for i := range n {
			for _, c := range "\x00\x01\x07 abcxyzABC_.,=" {
				text := []byte(strings.Repeat("x", n))
				text[i] = byte(c)
				add(string(text))
				add(string(text[:i]) + " 1" + string(text[i:]))
			}
		}
	}
}

func TestAnotherKeyGivesOtherHashes(t *testing.T) {
	const sql = "SELECT a FROM t"
	one, _ := Options{}.skeletonOf(sql, newSkeletonKey())
	other, _ := Options{}.skeletonOf(sql, newSkeletonKey())
	if one == other {
		t.Errorf("two keys give the hash %d", one)
	}
}

func TestWhatAProgramChangesLeavesTheSkeleton(t *testing.T) {
	for _, same := range [][]string{
		{"SELECT a FROM t WHERE b = 1 AND c = 'x'", "SELECT a FROM t WHERE b = 2.5e3 AND c = 'it''s \\' 1'"},
		{"SELECT a FROM wp_2_posts WHERE b IN (1,2)", "SELECT a FROM wp_2_posts WHERE b IN (1, 'x' , -3,NULL)", "SELECT a FROM wp_2_posts WHERE b IN ( 0x1F, 2 )"},
		{"INSERT INTO t VALUES (1, 'x'), (2, NULL)", "INSERT INTO t VALUES (1, 2), (3, 'y'),\n(+4, '(')"},
		{"SELECT a /* route:/a */ FROM t -- 1\n", "SELECT a /* route:/b' */ FROM t -- 2\n", "SELECT a /**/ FROM t # 3\n;"},
	} {
		texts := skeletons{}
		for _, sql := range same {
			texts.check(t, Options{}, sql)
		}
		if len(texts) != 1 {
			t.Errorf("%d skeletons of %q", len(texts), same)
		}
	}
}

// FuzzEqualSkeletonsHaveEqualTokens replaces a part of a text by something else. Where that changes
// nothing for the skeleton, it must not change the fingerprint.
func FuzzEqualSkeletonsHaveEqualTokens(f *testing.F) {
	for _, s := range slices.Concat(seeds, lookalikes) {
		f.Add(s, uint(len(s)/2), uint(1), "9")
		f.Add(s, uint(len(s)/3), uint(2), "'")
	}
	f.Fuzz(func(t *testing.T, sql string, at, length uint, other string) {
		begin := min(at, uint(len(sql)))
		end := begin + min(length, uint(len(sql))-begin)
		for _, o := range []Options{{}, {ANSIQuotes: true}, {NoBackslashEscapes: true}} {
			texts := skeletons{}
			texts.check(t, o, sql)
			texts.check(t, o, sql[:begin]+other+sql[end:])
		}
	})
}
