package slowlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/fixtures/slowlogs"
)

const (
	plainHeader = "# Time: 2026-01-01T00:00:00.000000Z\n# User@Host: a[a] @ b []  Id: 1\n# Query_time: 1.5  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 1\nSET timestamp=1767225600;\n"
	plainBanner = "/usr/sbin/mysqld, Version: 8.0.36 (MySQL). started with:\nTcp port: 3306  Unix socket: /x\nTime                 Id Command    Argument\n"
)

// read returns the statements of a log, and what was skipped as "line: reason".
func read(t testing.TB, log string, o Options) (statements, skipped []string) {
	t.Helper()
	r := NewReader(strings.NewReader(log), o)
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		statements = append(statements, string(e.Statement))
	}
	for _, s := range r.Skips() {
		skipped = append(skipped, fmt.Sprintf("%d: %s", s.Line, s.Reason))
	}
	return statements, skipped
}

func TestWhatIsDamagedIsNamedAndNothingElseIsLost(t *testing.T) {
	one, two := plainHeader+"SELECT 1;\n", plainHeader+"SELECT 2;\n"
	for _, c := range []struct{ name, log, statements, skipped string }{
		{"whole", one + two, "SELECT 1|SELECT 2", ""},
		{"no line end at the end", one + strings.TrimSuffix(two, "\n"), "SELECT 1|SELECT 2", ""},
		{"empty", "", "", ""},
		{"nothing but a banner", plainBanner, "", ""},
		{"a banner between", one + plainBanner + plainBanner + two + plainBanner, "SELECT 1|SELECT 2", ""},
		{"half a statement at the end", one + plainHeader + "SELECT 'a", "SELECT 1", "6: the log ends within this entry"},
		{"half a header at the end", one + "# Time: 2026-01-01T0", "SELECT 1", "6: the log ends within this entry"},
		{"half a literal before a restart", plainHeader + "SELECT 'a" + plainBanner + one, "SELECT 1", "1: its statement has no end"},
		{"half a literal before an entry", plainHeader + "SELECT 'a\n" + two + one, "SELECT 2|SELECT 1", "1: its statement has no end"},
		{"half a literal before other literals", plainHeader + "SELECT a FROM t WHERE b = 'x\n" + plainHeader + "SELECT c FROM t WHERE d = 'y' AND e = 'z';\n" + one, "SELECT c FROM t WHERE d = 'y' AND e = 'z'|SELECT 1", "1: its statement has no end"},
		{"half a statement before an entry", plainHeader + "SELECT a, \n" + two, "SELECT 2", "1: its statement has no end"},
		{"no Query_time", one + "# Time: 2026-01-01T00:00:00.000000Z\n# User@Host: a[a] @ b []  Id: 1\nSELECT 3;\n" + two, "SELECT 1|SELECT 2", "6: its header has no Query_time"},
		{"a bad Query_time", one + strings.Replace(one, "1.5", "1.x", 1) + two, "SELECT 1|SELECT 2", "6: its Query_time is no duration"},
		{"a clock that was set back", one + strings.Replace(one, "1.5", "18446744073709.550781", 1) + two, "SELECT 1|SELECT 2", "6: its Query_time is no duration"},
		{"a header without a statement", one + "# Time: 2026-01-01T00:00:00.000000Z\n" + two, "SELECT 1|SELECT 2", "6: its header has no statement"},
		{"garbage before", "%$§\n\x01\n" + one, "SELECT 1", "1: no entry of a slow log begins here"},
		{"zeros", strings.Repeat("\x00", 5000) + "\n" + one, "SELECT 1", "1: these bytes are no text"},
		{"invalid UTF-8", plainHeader + "SELECT '\xff\xfe';\n" + one, "SELECT '\xff\xfe'|SELECT 1", ""},
		{"an unbalanced quote, as of an attacker", plainHeader + "SELECT a FROM t WHERE b = 'x'';\n" + plainHeader + "SELECT a FROM t WHERE b = 'y'';\n" + two, "SELECT a FROM t WHERE b = 'x''|SELECT a FROM t WHERE b = 'y''|SELECT 2", ""},
		{"an entry in a literal", plainHeader + "INSERT INTO notes VALUES ('seen:\n" + one + "', 3);\n" + two, "INSERT INTO notes VALUES ('seen:\n" + one + "', 3)|SELECT 2", ""},
		{"entries in a literal", plainHeader + "INSERT INTO notes VALUES (\";\n" + one + two + "\");\n" + two, "INSERT INTO notes VALUES (\";\n" + one + two + "\")|SELECT 2", ""},
		{"an entry in a comment", plainHeader + "SELECT /* \n" + one + "*/ 3;\n" + two, "SELECT /* \n" + one + "*/ 3|SELECT 2", ""},
		{"half an entry in a comment", plainHeader + "SELECT 1\n# User@Host: x\n, 2;\n" + two, "SELECT 1\n# User@Host: x\n, 2|SELECT 2", ""},
		{"semicolons and empty lines", plainHeader + "CREATE PROCEDURE p()\nBEGIN\n\n  SELECT 1;\n\nEND;\n" + two, "CREATE PROCEDURE p()\nBEGIN\n\n  SELECT 1;\n\nEND|SELECT 2", ""},
		{"no statement", plainHeader + ";\n" + two, "|SELECT 2", ""},
		{"half a line of a header at the end", one + "# Ti", "SELECT 1", "6: no entry of a slow log begins here"},
		{"the end of a header behind an entry", one + "000Z\n" + two, "SELECT 1|SELECT 2", "6: no entry of a slow log begins here"},
		{"half a routine", plainHeader + "CREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\n  SEL\n" + two, "SELECT 2", "1: its statement has no end"},
		{"CRLF", strings.ReplaceAll(one+two, "\n", "\r\n"), "SELECT 1|SELECT 2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			statements, skipped := read(t, c.log, Options{})
			if got := strings.Join(statements, "|"); got != c.statements {
				t.Errorf("read %q, want %q", got, c.statements)
			}
			if got := strings.Join(skipped, "|"); got != c.skipped {
				t.Errorf("skipped %q, want %q", got, c.skipped)
			}
		})
	}
}

// TestAnyDamageCostsItsOwnEntriesOnly cuts pieces out of a log and wants all entries that they do not
// touch.
func TestAnyDamageCostsItsOwnEntriesOnly(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, l := range slowlogs.Layouts() {
		log := slowlogs.Generate(l, 50_000, 30, 5)
		for range 100 {
			from := random.IntN(len(log) - 500)
			to := from + 1 + random.IntN(400)
			damaged := append(append([]byte{}, log[:from]...), log[to:]...)
			checkDamage(t, log, damaged, from, to)
		}
	}
}

func checkDamage(t *testing.T, log, damaged []byte, from, to int) {
	t.Helper()
	left := map[string]int{}
	for _, e := range entries(t, damaged) {
		left[e.text]++
	}
	whole := entries(t, log)
	lost := 0
	for i, e := range whole {
		end := len(log)
		if i+1 < len(whole) {
			end = whole[i+1].offset
		}
		if end <= from || e.offset >= to {
			if left[e.text] == 0 {
				lost++
				t.Logf("lost %.200q, in\n%s", e.text, log[max(from-400, 0):to+300])
			}
			left[e.text]--
		}
	}
	if lost > 0 {
		t.Errorf("bytes %d to %d cut out of %.20q: %d entries are lost that were not touched", from, to, log, lost)
	}
}

type whereText struct {
	offset int
	text   string
}

// entries returns the statements of a log with their durations and rows, and where they begin.
func entries(t *testing.T, log []byte) []whereText {
	t.Helper()
	var all []whereText
	r := NewReader(bytes.NewReader(log), Options{})
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, whereText{int(e.Offset), fmt.Sprint(e.Duration, e.value[RowsExamined], string(e.Statement))})
	}
}

func TestWhatIsNoSlowLogIsNamed(t *testing.T) {
	for name, c := range map[string]struct{ log, want string }{
		"postgres":    {"2026-11-20 13:03:26.123 UTC [1234] LOG:  duration: 12.3 ms  statement: SELECT 1\n2026-11-20 13:03:26.123 UTC [1234] ERROR:  x\n", "log, line 1: not a slow query log: this is a log of PostgreSQL"},
		"general log": {plainBanner + "2026-11-20T13:03:26.000000Z\t    8 Query\tSELECT 1\n", "log, line 4: not a slow query log: this is a general query log"},
		"error log":   {"2026-11-20T13:03:26.000000Z 0 [Warning] [MY-010068] [Server] x\n", "log, line 1: not a slow query log: this is an error log"},
		"gzip":        {"\x1f\x8b\x08\x00\x00", "log, line 1: not a slow query log: this is gzip: decompress it first"},
		"binary":      {"\x7fELF\x00\x01", "log, line 1: not a slow query log: these bytes are no text"},
		"binary log":  {"\xfebin\x00\x01", "log, line 1: not a slow query log: this is a binary log"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := Digest(t.Context(), "log", strings.NewReader(c.log), Options{})
			if !errors.Is(err, ErrNotSlowLog) || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if a.Entries != 0 || a.Skipped != 1 || a.Skips[0].Bytes == 0 {
				t.Errorf("%d entries, skipped %+v", a.Entries, a.Skips)
			}
		})
	}
	for _, log := range []string{"", plainBanner} {
		if a, err := Digest(t.Context(), "log", strings.NewReader(log), Options{}); err != nil || a.Entries+a.Skipped > 0 {
			t.Errorf("%q: error %v, skipped %v", log, err, a.Skips)
		}
	}
}

// A log that cannot be read on is one that ends there: nothing of it is dropped without a word.
func TestABrokenSourceIsReadUpToTheBreak(t *testing.T) {
	broken := errors.New("disk on fire")
	one, two := plainHeader+"SELECT 1;\n", plainHeader+"SELECT 2;\n"
	second := func(n int) []Skip {
		return []Skip{{File: "log", Line: 6, Offset: int64(len(one)), Bytes: int64(n), Reason: string(halfWritten)}}
	}
	for name, c := range map[string]struct {
		log     string
		entries uint64
		skips   []Skip
	}{
		"behind an entry":  {one + two, 2, nil},
		"in a header":      {one + two[:50], 1, second(50)},
		"in a statement":   {one + two[:len(two)-3] + "'", 1, second(len(two) - 2)},
		"in garbage":       {strings.Repeat("\x00", 1000), 0, []Skip{{File: "log", Line: 1, Bytes: 1000, Reason: "these bytes are no text"}}},
		"at its beginning": {"", 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := Digest(t.Context(), "log", io.MultiReader(strings.NewReader(c.log), errReader{broken}), Options{})
			if want := fmt.Sprintf("log: read at byte %d: disk on fire", len(c.log)); !errors.Is(err, broken) || err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
			if diff := cmp.Diff(c.skips, a.Skips); diff != "" || a.Entries != c.entries || a.Skipped != uint64(len(c.skips)) {
				t.Errorf("%d entries, want %d; %d skipped (-want +got):\n%s", a.Entries, c.entries, a.Skipped, diff)
			}
		})
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// longSource is a source of so many equal bytes between two texts.
type longSource struct {
	before, after string
	left          int64
}

func (r *longSource) Read(b []byte) (int, error) {
	switch {
	case r.before != "":
		n := copy(b, r.before)
		r.before = r.before[n:]
		return n, nil
	case r.left > 0:
		n := int(min(int64(len(b)), r.left))
		for i := range b[:n] {
			b[i] = 'x'
		}
		r.left -= int64(n)
		return n, nil
	case r.after != "":
		n := copy(b, r.after)
		r.after = r.after[n:]
		return n, nil
	}
	return 0, io.EOF
}

func TestALineOfAGigabyteTakesBoundedMemory(t *testing.T) {
	const gigabyte = 1 << 30
	for name, c := range map[string]struct {
		before, after  string
		entries, skips uint64
	}{
		"garbage":     {"", "\n" + plainHeader + "SELECT 1;\n", 1, 1},
		"a statement": {plainHeader + "SELECT '", "';\n" + plainHeader + "SELECT 1;\n", 2, 0},
		"a header":    {"# Time: ", "\n" + plainHeader + "SELECT 1;\n", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			a, err := Digest(t.Context(), "log", &longSource{c.before, c.after, gigabyte}, Options{Workers: 2})
			runtime.ReadMemStats(&after)
			if err != nil || a.Entries != c.entries || a.Skipped != c.skips {
				t.Errorf("%d entries, skipped %+v, error %v", a.Entries, a.Skips, err)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
				t.Errorf("%d MB were allocated in all", grown>>20)
			}
		})
	}
}
