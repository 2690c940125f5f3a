package sqltext_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/sqltext"
)

// TestADigesterAgreesWithFingerprint reads all that servers made of all statements twice, so that
// what it remembers is read too.
func TestADigesterAgreesWithFingerprint(t *testing.T) {
	for _, o := range []sqltext.Options{{}, {ANSIQuotes: true}, {NoBackslashEscapes: true}, digestText} {
		d := sqltext.Digester{Options: o}
		for range 2 {
			for _, r := range read(t) {
				checkSum(t, &d, r.live)
				for _, text := range r.digests {
					checkSum(t, &d, text)
				}
			}
		}
	}
}

func checkSum(t *testing.T, d *sqltext.Digester, sql string) {
	t.Helper()
	if got, want := d.Sum([]byte(sql)).Fingerprint(), d.Options.Fingerprint(sql); got != want {
		t.Errorf("%+v: Sum(%q) is %s, want %s", d.Options, sql, got, want)
	}
	if diff := cmp.Diff(d.Options.Parse(sql), d.Describe([]byte(sql))); diff != "" {
		t.Errorf("%+v: Describe(%q) (-Parse +got):\n%s", d.Options, sql, diff)
	}
}

func TestADigesterForgetsWhenItsOptionsChange(t *testing.T) {
	const sql = `SELECT "a" FROM t`
	var d sqltext.Digester
	checkSum(t, &d, sql)
	d.Options.ANSIQuotes = true
	checkSum(t, &d, sql)
	d.Options.ANSIQuotes = false
	checkSum(t, &d, sql)
}

// TestADigesterForgetsNothingItNeeds reads more different statements than a Digester remembers.
func TestADigesterForgetsNothingItNeeds(t *testing.T) {
	var d sqltext.Digester
	for range 2 {
		for i := range 40_000 {
			sql := fmt.Sprintf("SELECT a FROM wp_%d_posts WHERE id = %d", i, i)
			if i%100 == 0 {
				checkSum(t, &d, sql)
			} else {
				d.Sum([]byte(sql))
			}
		}
	}
}

func TestADigesterKeepsNothingOfAText(t *testing.T) {
	var d sqltext.Digester
	sql := []byte("SELECT a FROM t WHERE b = 'x' AND c IN (1, 2)")
	first, want := d.Sum(sql), d.Describe(sql)
	st := d.Describe(sql)
	for i := range sql {
		sql[i] = '!'
	}
	if d.Sum(sql) == first {
		t.Error("another text in the same memory has the same sum")
	}
	if st.Text != want.Text || st.Reads[0] != "t" {
		t.Errorf("a description changed with the text's memory: %+v", st)
	}
}

// TestADescriptionIsOfTheTextThatIsAskedFor asks for other texts than the one that was read last.
func TestADescriptionIsOfTheTextThatIsAskedFor(t *testing.T) {
	var d sqltext.Digester
	sql := []byte(`SELECT a FROM t WHERE "b" = 1`)
	describe := func(after string) {
		t.Helper()
		if diff := cmp.Diff(d.Options.Parse(string(sql)), d.Describe(sql)); diff != "" {
			t.Errorf("after %s, Describe(%q) (-Parse +got):\n%s", after, sql, diff)
		}
	}
	d.Sum(sql)
	describe("its sum")
	describe("its description")
	copy(sql, "SELECT c FROM u")
	describe("a change in its memory")
	d.Options.ANSIQuotes = true
	describe("a change of options")
	d.Sum([]byte(strings.Repeat("SELECT a, ", 1<<15)))
	describe("the sum of a huge text")
}

func TestAShapeIsThatOfATextWithoutItsLiterals(t *testing.T) {
	var d sqltext.Digester
	shape := func(sql string) uint64 { return d.Shape([]byte(sql)) }
	if a, b := shape("SELECT a FROM t WHERE b = 1"), shape("SELECT a FROM t WHERE b = 'x'"); a != b || a == 0 {
		t.Errorf("texts that differ in a literal have shapes %d and %d", a, b)
	}
	if a, b := shape("SELECT a FROM t"), shape("SELECT A FROM t"); a == b {
		t.Errorf("texts that differ in a name have one shape %d", a)
	}
	for _, cut := range []string{"SELECT @a, '...", "SELECT 'a", "SELECT `a"} {
		if a := shape(cut); a != 0 {
			t.Errorf("%q, which is cut off, has shape %d, want none", cut, a)
		}
	}
}

func TestAKnownStatementCostsNoMemory(t *testing.T) {
	var d sqltext.Digester
	sql := []byte("/* route:/cart */ SELECT a FROM t WHERE b = 'x' AND c IN (1, 2" + strings.Repeat(", 3", 1000) + ") -- end")
	d.Sum(sql)
	if n := testing.AllocsPerRun(100, func() { d.Sum(sql) }); n != 0 {
		t.Errorf("%v allocations a statement, want none", n)
	}
}

// TestDigestersThatShareAgreeWithParse lets several goroutines read the same statements, each in another order.
func TestDigestersThatShareAgreeWithParse(t *testing.T) {
	for _, o := range []sqltext.Options{{}, {ANSIQuotes: true}} {
		var texts []string
		for _, r := range read(t) {
			texts = append(texts, r.live, strings.ReplaceAll(r.live, "1", "2"))
		}
		shared := sqltext.NewShared(o)
		var reading sync.WaitGroup
		for i := range 4 {
			reading.Go(func() {
				d := shared.Digester()
				for j := range texts {
					checkShared(t, &d, texts[(j+i*len(texts)/4)%len(texts)])
				}
			})
		}
		reading.Wait()
	}
}

func checkShared(t *testing.T, d *sqltext.Digester, sql string) {
	t.Helper()
	shape := d.Shape([]byte(sql))
	if got, want := d.SumOf(shape, []byte(sql)).Fingerprint(), d.Options.Fingerprint(sql); got != want {
		t.Errorf("%+v: SumOf(%q) is %s, want %s", d.Options, sql, got, want)
	}
	want := d.Options.Parse(sql)
	want.Origin = sqltext.Origin{}
	if diff := cmp.Diff(want, d.DescribeOf(shape, []byte(sql))); diff != "" {
		t.Errorf("%+v: DescribeOf(%q) (-Parse +got):\n%s", d.Options, sql, diff)
	}
}

func TestWhatOneDigesterDescribesTheOthersDoNot(t *testing.T) {
	shared := sqltext.NewShared(sqltext.Options{})
	one, other := shared.Digester(), shared.Digester()
	first, second := []byte("SELECT a FROM t WHERE b = 1"), []byte("SELECT a FROM t WHERE b = 'x'")
	have, got := one.DescribeOf(one.Shape(first), first), other.DescribeOf(other.Shape(second), second)
	if len(got.Reads) != 1 || &got.Reads[0] != &have.Reads[0] {
		t.Errorf("%+v was described again", got)
	}
	other.Options.ANSIQuotes = true
	if got := other.DescribeOf(other.Shape(second), second); &got.Reads[0] == &have.Reads[0] {
		t.Error("the description of other options was taken")
	}
}
