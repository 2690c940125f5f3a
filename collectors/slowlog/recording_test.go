package slowlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plimsoll/fixtures/golden"
)

// TestRecordingsReadAsTheyDid compares every log in testdata, entry by entry, with what was read of it
// when somebody looked at it line by line.
func TestRecordingsReadAsTheyDid(t *testing.T) {
	for name, log := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			got := listing(NewReader(bytes.NewReader(log), Options{}))
			golden.Hold(t, filepath.Join("testdata", name+".want"), []byte(got))
		})
	}
}

// recordings returns the logs of testdata by their names.
func recordings(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.log")
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no recordings")
	}
	logs := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		logs[strings.TrimSuffix(filepath.Base(file), ".log")] = text
	}
	return logs
}

// shownFigures are the figures as they are shown.
var shownFigures = []struct {
	name   string
	figure Figure
}{
	{"lock", LockTime},
	{"sent", RowsSent},
	{"examined", RowsExamined},
	{"affected", RowsAffected},
	{"bytes", BytesSent},
	{"scan", FullScan},
	{"join", FullJoin},
	{"tmp", TmpTables},
	{"tmpdisk", TmpDiskTables},
	{"sort", Filesort},
	{"sortdisk", FilesortDisk},
	{"passes", MergePasses},
	{"failed", Failed},
	{"pages", PagesRead},
	{"readtime", ReadTime},
	{"rowlock", RowLockTime},
}

// listing shows everything that a reader gives, each thing in a line, in the order of the log.
func listing(r *Reader) string { return strings.Join(list(r), "") }

func list(r *Reader) []string {
	var lines []string
	for {
		e, err := r.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				lines = append(lines, "ERROR "+err.Error())
			}
			break
		}
		lines = append(lines, show(e))
	}
	for _, s := range r.Skips() {
		lines = append(lines, fmt.Sprintf("%07d SKIPPED line %d, %d bytes: %s\n", s.Offset, s.Line, s.Bytes, s.Reason))
	}
	slices.Sort(lines)
	return lines
}

// show shows an entry with its plan.
func show(e *Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%07d %s %dµs %q@%q thread=%d db=%q", e.Offset, e.Time().Format("2006-01-02T15:04:05.999999"), e.Duration, e.User, e.Host, e.Thread, e.Database)
	for _, f := range shownFigures {
		if value, known := e.Get(f.figure); known {
			fmt.Fprintf(&b, " %s=%d", f.name, value)
		}
	}
	if e.Estimated {
		fmt.Fprintf(&b, " calls≈%d", e.Calls)
	}
	fmt.Fprintf(&b, " admin=%v cut=%v %q\n", e.Admin, e.Cut, e.Statement)
	for _, row := range ParsePlan(e.Explain) {
		fmt.Fprintf(&b, "\tplan %s %s %s %v %s %s %s rows=%s read=%s filtered=%s %s %q\n", row.SelectType, row.Table, row.Access, row.PossibleKeys,
			row.Key, row.KeyLength, row.Ref, optional(row.Rows), optional(row.RowsRead), optional(row.FilteredRatio), optional(row.ReadFilteredRatio), row.Extra)
	}
	return b.String()
}

func optional(n *float64) string {
	if n == nil {
		return "?"
	}
	return fmt.Sprint(*n)
}
