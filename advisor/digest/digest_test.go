package digest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/slowlog"
	"plimsoll/fixtures/slowlogs"
)

func query(t *testing.T, d *Digest, text string) Query {
	t.Helper()
	for _, q := range d.Queries {
		if strings.Contains(string(q.Text), text) {
			return q
		}
	}
	t.Fatalf("no statement holds %q", text)
	return Query{}
}

func TestWhatALogDoesNotTellIsAbsentAndNotZero(t *testing.T) {
	d := read(t, slowlog.Options{}, Options{}, [2]string{"slow.log", plainLog})
	q := query(t, d, "customer")
	if q.RowsAffected != nil || q.FullScans != nil || q.TmpDiskTables != nil || q.Plan != nil {
		t.Errorf("MySQL's plain log tells of rows affected %v, full scans %v, temporary tables %v, a plan %v", q.RowsAffected, q.FullScans, q.TmpDiskTables, q.Plan)
	}
	want := &Rows{Calls: 2, Sum: 14, Max: 7}
	if diff := cmp.Diff(want, q.RowsExamined); diff != "" {
		t.Error(diff)
	}
}

func TestMariaDBsSilenceMeansZeroWhereItTellsOfOtherCalls(t *testing.T) {
	zero, all := uint64(0), uint64(40)
	alone := read(t, slowlog.Options{}, Options{}, [2]string{"slow.log", shopLog(false)})
	if got := query(t, alone, "UPDATE").FullScans; got == nil || *got != zero {
		t.Errorf("full scans of the UPDATE are %v, want 0: the log tells of those of others", got)
	}
	if got := query(t, alone, "sales_order").FullScans; got == nil || *got != all {
		t.Errorf("full scans of the SELECT are %v, want %d", got, all)
	}
	both := read(t, slowlog.Options{}, Options{}, [2]string{"slow.log", shopLog(false)}, [2]string{"plain.log", plainLog})
	if got := query(t, both, "UPDATE").FullScans; got != nil {
		t.Errorf("full scans of the UPDATE are %d, want unknown: another log tells of none", *got)
	}
}

func TestAStatementWithoutTablesHasEmptyListsInJSON(t *testing.T) {
	d := read(t, slowlog.Options{}, Options{}, [2]string{"slow.log", shopLog(false)})
	var raw strings.Builder
	if err := d.JSON(&raw); err != nil {
		t.Fatal(err)
	}
	for _, unwanted := range []string{`"writes": null`, `"tables": null`} {
		if strings.Contains(raw.String(), unwanted) {
			t.Errorf("JSON has %s, want []: that a statement writes nothing is known", unwanted)
		}
	}
}

func TestSharesAndSumsAreOfWhatIsKept(t *testing.T) {
	keep := func(c *slowlog.Class) bool { return c.Kind == "dml" }
	d := read(t, slowlog.Options{}, Options{Keep: keep}, [2]string{"slow.log", shopLog(false)})
	if d.Statements != 1 || d.Calls != 40 || d.Queries[0].ShareRatio != 1 || d.TimeSeconds != d.Queries[0].TimeSeconds.Sum {
		t.Errorf("%d statements with %d calls and %v s, share %v: want the UPDATE alone", d.Statements, d.Calls, d.TimeSeconds, d.Queries[0].ShareRatio)
	}
}

func TestTopCutsTheListAndNoSum(t *testing.T) {
	all := read(t, slowlog.Options{}, Options{}, [2]string{"slow.log", shopLog(false)})
	top := read(t, slowlog.Options{}, Options{Top: 1}, [2]string{"slow.log", shopLog(false)})
	all.Queries = all.Queries[:1]
	if diff := cmp.Diff(all, top); diff != "" {
		t.Error(diff)
	}
}

func TestEveryOrderPutsTheMostFirstAndTheUnknownLast(t *testing.T) {
	logs := [][2]string{{"slow.log", shopLog(false)}, {"plain.log", plainLog}}
	for _, s := range Sorts() {
		d := read(t, slowlog.Options{}, Options{Sort: s}, logs...)
		keys := make([]float64, 0, len(d.Queries))
		for i := range d.Queries {
			keys = append(keys, -s.key(&d.Queries[i]))
		}
		if !slices.IsSorted(keys) {
			t.Errorf("by %s the order is %v", s, keys)
		}
		if order(d) == "" {
			t.Errorf("the order %s has no name", s)
		}
	}
}

func TestQuantilesAreWithinTheirBound(t *testing.T) {
	d := read(t, slowlog.Options{}, Options{}, [2]string{"slow.log", shopLog(false)})
	got := query(t, d, "sales_order").TimeSeconds
	at := func(rank int) float64 { i := rank - 1; return 0.390 + float64(i*i)/4000 }
	for _, c := range []struct {
		name      string
		got, want float64
	}{{"p50", got.P50, at(20)}, {"p95", got.P95, at(38)}, {"p99", got.P99, at(40)}} {
		if off := (c.got - c.want) / c.want; off > d.QuantileErrorRatio || off < -d.QuantileErrorRatio {
			t.Errorf("%s = %v, want %v: off by %v, bound is %v", c.name, c.got, c.want, off, d.QuantileErrorRatio)
		}
	}
	if got.Min != 0.390 || got.Max != 0.77025 {
		t.Errorf("min %v, max %v, want 0.39 and 0.77025", got.Min, got.Max)
	}
}

func TestAQuantileIsNeverBeyondTheExtremes(t *testing.T) {
	d := read(t, slowlog.Options{}, Options{}, [2]string{"slow.log", plainLog})
	for _, q := range d.Queries {
		s := q.TimeSeconds
		if !slices.IsSorted([]float64{s.Min, s.P50, s.P95, s.P99, s.Max}) {
			t.Errorf("%s: %+v", q.Text, s)
		}
	}
}

func TestTheGoodPartOfABrokenSourceIsReadAndTheErrorSaysWhere(t *testing.T) {
	b := NewBuilder(slowlog.Options{}, Options{})
	broken := io.MultiReader(strings.NewReader(plainLog), iotest.ErrReader(errors.New("the disk is gone")))
	err := b.Add(context.Background(), "slow.log", broken)
	want := fmt.Sprintf("read at byte %d: the disk is gone; what stands before it was read", len(plainLog))
	if err == nil || err.Error() != "slow.log: "+want {
		t.Errorf("Add = %v, want slow.log: %s", err, want)
	}
	d := b.Digest()
	if d.Calls != 3 || d.Files[0].Error != want || !b.Read() {
		t.Errorf("%d calls, error %q, read %v; want 3, as in a log that ends there, %q, true", d.Calls, d.Files[0].Error, b.Read(), want)
	}
}

func TestWhatIsNoLogIsSaidOnceAndAddsNothing(t *testing.T) {
	b := NewBuilder(slowlog.Options{}, Options{})
	err := errors.Join(
		b.Add(context.Background(), "empty.log", strings.NewReader("")),
		b.Add(context.Background(), "pg.log", strings.NewReader("2026-03-04 10:00:00 UTC [7] LOG:  duration: 1 ms\n")),
	)
	b.Fail("gone.log", errors.New("open gone.log: no such file or directory"))
	if !errors.Is(err, ErrEmpty) || !errors.Is(err, slowlog.ErrNotSlowLog) || b.Read() {
		t.Errorf("Add = %v, Read = %v", err, b.Read())
	}
	d := b.Digest()
	want := []File{
		{Name: "empty.log", Error: "it is empty"},
		{Name: "pg.log", Bytes: 49, Skipped: 1, Error: "line 1: not a slow query log: this is a log of PostgreSQL"},
		{Name: "gone.log", Error: "no such file or directory"},
	}
	if diff := cmp.Diff(want, d.Files); diff != "" || d.SkippedTotal != 0 {
		t.Errorf("%d skipped; %s", d.SkippedTotal, diff)
	}
}

func TestStatementsBeyondTheBoundAreCountedApart(t *testing.T) {
	d := read(t, slowlog.Options{MaxClasses: 1, Workers: 1}, Options{}, [2]string{"slow.log", shopLog(false)})
	if d.Untold == nil || d.Calls != 121 || d.Untold.Calls+d.Queries[0].Calls != d.Calls {
		t.Errorf("%d calls, of which %+v are untold, and %d of the first statement", d.Calls, d.Untold, d.Queries[0].Calls)
	}
}

func TestComparedStatementsAreOfTheRightKind(t *testing.T) {
	c := compared(t)
	want := map[Kind]uint64{Slower: 1, New: 1, Gone: 1, Faster: 1, Unclear: 0, Same: 1}
	if diff := cmp.Diff(want, c.Counts); diff != "" {
		t.Error(diff)
	}
	for _, w := range []struct {
		kind Kind
		text string
	}{{Slower, "core_session"}, {New, "GROUP BY"}, {Gone, "reindex"}, {Faster, "customer_email"}, {Same, "cataloginventory"}} {
		i := slices.IndexFunc(c.Changes, func(c Change) bool { return strings.Contains(string(c.Text), w.text) })
		if i < 0 || c.Changes[i].Kind != w.kind {
			t.Errorf("%s is not %s", w.text, w.kind)
		}
	}
}

func TestExtraTimeIsWhatTheSameCallsTookMore(t *testing.T) {
	side := func(calls uint64, mean float64) *Query {
		return &Query{Fingerprint: "fp1:1", Calls: calls, TimeSeconds: Seconds{Sum: mean * float64(calls), Mean: mean, P50: mean, P95: mean}}
	}
	for name, c := range map[string]struct {
		before, after *Query
		kind          Kind
		extra         float64
	}{
		"slower":        {side(100, 1), side(20, 1.5), Slower, 10},
		"faster":        {side(20, 2), side(100, 1), Faster, -100},
		"hardly":        {side(100, 1), side(100, 1.125), Same, 12.5},
		"too few calls": {side(19, 1), side(100, 2), Unclear, 100},
		"from nothing":  {side(100, 0), side(100, 1), Slower, 100},
		"new":           {nil, side(5, 1), New, 5},
		"gone":          {side(5, 1), nil, Gone, -5},
	} {
		t.Run(name, func(t *testing.T) {
			if got := change(c.before, c.after); got.Kind != c.kind || got.ExtraSeconds != c.extra {
				t.Errorf("%s, %v s, want %s, %v s", got.Kind, got.ExtraSeconds, c.kind, c.extra)
			}
		})
	}
}

func TestOneSlowCallDoesNotMakeAStatementSlower(t *testing.T) {
	before := &Query{Calls: 100, TimeSeconds: Seconds{Mean: 1, P95: 1}}
	after := &Query{Calls: 100, TimeSeconds: Seconds{Mean: 3, P95: 1.01}}
	if got := judge(before, after); got != Same {
		t.Errorf("judge = %s, want %s: the 95th percentile is as before", got, Same)
	}
}

func TestTwoLogsOfOneLoadDifferByChanceOnly(t *testing.T) {
	log := func(seed uint64) [2]string {
		return [2]string{"slow.log", string(slowlogs.Generate(slowlogs.MySQLPlain, 10<<20, 100, seed))}
	}
	c, err := Compare(read(t, slowlog.Options{}, Options{}, log(1)), read(t, slowlog.Options{}, Options{}, log(2)), 0)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := c.Counts[Slower] + c.Counts[Faster]; wrong > 1 || c.Counts[Same] < 50 {
		t.Errorf("of statements that did not change %d are called slower or faster: %v", wrong, c.Counts)
	}
}

func TestWhatGrewForManyCallsIsSlowerAndNothingElseIsClaimed(t *testing.T) {
	log := slowlogs.Generate(slowlogs.MySQLPlain, 10<<20, 100, 1)
	before := read(t, slowlog.Options{}, Options{}, [2]string{"slow.log", string(log)})
	after := read(t, slowlog.Options{}, Options{}, [2]string{"slow.log", string(log)})
	for i := range after.Queries {
		for _, s := range []*float64{&after.Queries[i].TimeSeconds.Mean, &after.Queries[i].TimeSeconds.P50, &after.Queries[i].TimeSeconds.P95} {
			*s *= 2
		}
	}
	c, err := Compare(before, after, 0)
	if err != nil {
		t.Fatal(err)
	}
	if c.Counts[Slower] < 30 || c.Counts[Faster]+c.Counts[Same] > 0 {
		t.Errorf("all statements take twice as long, and are called %v", c.Counts)
	}
}

func TestADigestThatListsNotAllCannotBeCompared(t *testing.T) {
	all := read(t, slowlog.Options{}, Options{}, [2]string{"slow.log", shopLog(false)})
	some := read(t, slowlog.Options{}, Options{Top: 1}, [2]string{"slow.log", shopLog(false)})
	if _, err := Compare(some, all, 0); err == nil || !strings.Contains(err.Error(), "make it with --top 0") {
		t.Errorf("Compare = %v", err)
	}
}

func TestEmptyDigestsCanBeShownAndCompared(t *testing.T) {
	empty := read(t, slowlog.Options{}, Options{})
	checkAll(t, empty, 0, 60)
	c, err := Compare(empty, empty, 0)
	if err != nil {
		t.Fatal(err)
	}
	checkAll(t, c, 0, 60)
}

func TestTimesAreUTC(t *testing.T) {
	at := time.Date(2026, 3, 4, 1, 2, 3, 0, time.FixedZone("", 3600))
	if got := stamp(&at); got != "2026-03-04 00:02:03" {
		t.Errorf("stamp = %s", got)
	}
}
