package slowlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"plimsoll/fixtures/slowlogs"
)

// summary shows everything that an aggregate tells.
func summary(a *Aggregate, err error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v\n%d entries, %d refused, %d calls, %d µs, estimated %v, told %b, %v to %v\n",
		err, a.Entries, a.Refused, a.Calls, a.Micros, a.Estimated, a.told, a.FirstSeen(), a.LastSeen())
	for _, s := range a.Skips {
		fmt.Fprintf(&b, "skipped %+v\n", s)
	}
	for _, c := range append(a.Classes(), &a.Other) {
		fmt.Fprintf(&b, "%s %s %q reads %q writes %q: %d calls, estimated %v, %d µs, from %d to %d µs, %v to %v\n\t%v %v %v\n\t%v\n\t%v %s\n\t%s\n",
			c.Fingerprint, c.Kind, c.Text, c.Reads, c.Writes, c.Calls, c.Estimated, c.Micros, c.MinMicros, c.MaxMicros, c.FirstSeen(), c.LastSeen(),
			c.Databases(), c.Users(), c.Hosts(), c.totals, c.Slowest.Time(), sampled(c.Slowest), planned(c.Planned))
		for q := 0.0; q <= 1; q += 0.1 {
			fmt.Fprintf(&b, " %g", c.Durations.Quantile(q))
		}
	}
	return b.String()
}

func sampled(s Sample) string {
	origin := s.Origin
	s.Origin = nil // its address
	return fmt.Sprintf("%+v %+v", s, origin)
}

func planned(p *Planned) string {
	if p == nil {
		return "no plan"
	}
	return fmt.Sprintf("a plan of %d lines of a call of %d µs", len(p.Plan()), p.Micros)
}

// digestAs digests a log in batches of a size.
func digestAs(t testing.TB, log []byte, o Options, size int) string {
	t.Helper()
	p := newPipeline("log", o)
	p.size = size
	return summary(p.digest(t.Context(), bytes.NewReader(log)))
}

// hostileLog has everything at once: entries of five servers, their banners, damage, literals with
// headers in them, statements that are too long.
func hostileLog(t testing.TB) []byte {
	var b bytes.Buffer
	for i, l := range slowlogs.Layouts() {
		b.Write(slowlogs.Generate(l, 20_000, 50, uint64(i)))
	}
	for _, log := range recordings(t) {
		b.Write(log)
	}
	header := "# Time: 2026-01-01T00:00:00.000000Z\n# User@Host: a[a] @ b []  Id: 1\n# Query_time: 1.5  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 1\nSET timestamp=1767225600;\n"
	b.WriteString(header + "SELECT 'half")
	b.WriteString("\x00\x00\x00/usr/sbin/mysqld, Version: 8.0 (x). started with:\nTcp port: 3306  Unix socket: /x\nTime                 Id Command    Argument\n")
	b.WriteString(header + "INSERT INTO t VALUES ('it''s;\n" + header + "SELECT 1;\n" + header + "SELECT ''2'';\n', \"x\");\n")
	b.WriteString(header + "SELECT 'odd;\n" + header + "SELECT 2;\n")
	b.WriteString("# Time: 2026-01-01T00:00:00.000000Z\n# User@Host: a[a] @ b []  Id: 1\n")
	b.WriteString(header + "SELECT '" + strings.Repeat("long\n# Time: ", 3000) + "';\n")
	b.WriteString("\n\ngarbage\n" + header + "SELECT 3;\n")
	return b.Bytes()
}

// hostileOptions cut the long statements of hostileLog.
func hostileOptions() Options {
	return Options{Workers: 1, MaxStatement: 8 << 10, Samples: Samples{Bytes: 100}, Plans: true}
}

// TestTheWayALogIsSplitChangesNothing digests a log in batches of many sizes, by one and by several
// workers, and wants the same of each.
func TestTheWayALogIsSplitChangesNothing(t *testing.T) {
	log, o := hostileLog(t), hostileOptions()
	want := digestAs(t, log, o, len(log)+1)
	for _, size := range []int{1, 7, 100, 1000, 4096, 65536} {
		for _, workers := range []int{1, 3} {
			o.Workers = workers
			if diff := cmp.Diff(want, digestAs(t, log, o, size)); diff != "" {
				t.Fatalf("batches of %d bytes, %d workers (-whole +batches):\n%s", size, workers, diff)
			}
		}
	}
}

// TestTheWayALogComesChangesNothing reads a log byte by byte, and with a source that says io.EOF in
// between, as a growing file does.
func TestTheWayALogComesChangesNothing(t *testing.T) {
	log, o := hostileLog(t), hostileOptions()
	want := listing(NewReader(bytes.NewReader(log), o))
	got := listing(NewReader(iotest.OneByteReader(bytes.NewReader(log)), o))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("byte by byte (-whole +bytes):\n%s", diff)
	}
	if diff := cmp.Diff(want, growing(t, log, o, rand.New(rand.NewPCG(1, 2)))); diff != "" {
		t.Errorf("growing (-whole +grown):\n%s", diff)
	}
}

// growing reads a log that grows by pieces, with a new reader now and then, as after a restart.
func growing(t *testing.T, log []byte, o Options, random *rand.Rand) string {
	t.Helper()
	var lines []string
	var src bytes.Buffer
	r := Follow(&src, Resume{}, o)
	for end := 0; end < len(log); {
		n := min(1+random.IntN(min(3000, len(log)/2+1)), len(log)-end)
		src.Write(log[end : end+n])
		end += n
		lines = append(lines, list(r)...)
		from, err := r.Resume()
		if err != nil {
			t.Fatal(err)
		}
		if random.IntN(3) == 0 {
			src = *bytes.NewBuffer(log[from.Offset:end:end])
			r = Follow(&src, from, o)
		}
	}
	r.End()
	lines = append(lines, list(r)...)
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// TestMergedRegionsAreTheWhole cuts a log between entries and merges what both parts hold.
func TestMergedRegionsAreTheWhole(t *testing.T) {
	log := slowlogs.Generate(slowlogs.MariaDBFull, 60_000, 40, 3)
	want := mergedAt(t, log, 0)
	for cut := 1; cut < 60; cut += 5 {
		if diff := cmp.Diff(want, mergedAt(t, log, cut)); diff != "" {
			t.Fatalf("cut behind %d entries (-whole +merged):\n%s", cut, diff)
		}
	}
}

// mergedAt adds so many entries of a log to one aggregate, the others to a second one, and merges them.
func mergedAt(t *testing.T, log []byte, cut int) string {
	t.Helper()
	o := Options{Plans: true}
	parts := []*Aggregate{NewAggregate(o), NewAggregate(o)}
	r := NewReader(bytes.NewReader(log), Options{})
	for i := 0; ; i++ {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if i < cut {
			parts[0].Add("log", e)
		} else {
			parts[1].Add("log", e)
		}
	}
	parts[1].Merge(parts[0])
	return summary(parts[1], nil)
}
