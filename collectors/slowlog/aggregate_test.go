package slowlog

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/slowlogs"
)

func digestText(t testing.TB, log string, o Options) *Aggregate {
	t.Helper()
	a, err := Digest(t.Context(), "log", strings.NewReader(log), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRateLimitedEntriesStandForManyAndAreMarked(t *testing.T) {
	percona := strings.Replace(plainHeader, "SET", "# Log_slow_rate_type: query  Log_slow_rate_limit: 10\nSET", 1)
	slow := strings.Replace(percona, "1.5", "11.5", 1) // beyond slow_query_log_always_write_time
	for _, c := range []struct {
		name, log string
		options   Options
		calls     uint64
		estimated bool
	}{
		{"none", plainHeader, Options{}, 1, false},
		{"MariaDB's, which the log does not tell", plainHeader, Options{RateLimit: 20}, 20, true},
		{"Percona's", percona, Options{}, 10, true},
		{"Percona's goes first", percona, Options{RateLimit: 20}, 10, true},
		{"always logged", slow, Options{}, 1, false},
		{"always logged later", slow, Options{AlwaysLogged: time.Minute}, 10, true},
		{"always logged earlier", plainHeader, Options{RateLimit: 20, AlwaysLogged: time.Second}, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := digestText(t, c.log+"SELECT 1;\n", c.options)
			class := a.Classes()[0]
			if class.Calls != c.calls || class.Estimated != c.estimated || a.Estimated != c.estimated || a.Calls != c.calls {
				t.Errorf("%d calls, estimated %v, want %d, %v", class.Calls, class.Estimated, c.calls, c.estimated)
			}
			if want := (Total{Calls: c.calls, Sum: c.calls, Max: 1}); class.Total(RowsSent) != want {
				t.Errorf("rows sent %+v, want %+v", class.Total(RowsSent), want)
			}
		})
	}
}

func TestAClassTellsWhatItsEntriesDo(t *testing.T) {
	log := string(slowlogs.Generate(slowlogs.MariaDBFull, 100_000, 10, 9))
	a := digestText(t, log, Options{Samples: Samples{Bytes: 10, Literals: true}, Plans: true})
	r := NewReader(strings.NewReader(log), Options{})
	var calls, micros, examined uint64
	var slowest Entry
	for e, err := r.Next(); err == nil; e, err = r.Next() {
		if bytes.Contains(e.Statement, []byte("wp_0_options")) {
			calls++
			micros += e.Duration
			examined += e.value[RowsExamined]
			if e.Duration > slowest.Duration {
				slowest = *e
			}
		}
	}
	i := slices.IndexFunc(a.Classes(), func(c *Class) bool { return strings.Contains(string(c.Text), "wp_0_options") })
	c := a.Classes()[i]
	got := []any{c.Calls, c.Micros, c.Total(RowsExamined).Sum, c.MaxMicros, c.Slowest.Offset, c.Slowest.SQL, c.Kind, c.Reads, string(c.Text)}
	want := []any{
		calls, micros, examined, slowest.Duration, slowest.Offset, "SELECT opt", sqltext.Select,
		[]string{"wp_0_options"},
		"SELECT option_value FROM wp_0_options WHERE option_name = ? LIMIT ?",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if line := int64(1 + strings.Count(log[:slowest.Offset], "\n")); c.Slowest.Line != line {
		t.Errorf("the slowest is in line %d, want %d", c.Slowest.Line, line)
	}
	if plan := c.Planned.Plan(); len(plan) != 1 || c.Planned.Micros != slowest.Duration {
		t.Errorf("plan %+v of a call of %d µs", plan, c.Planned.Micros)
	}
}

func TestUnknownIsNotZero(t *testing.T) {
	c := digestText(t, plainHeader+"SELECT 1;\n", Options{}).Classes()[0]
	if got := c.Total(RowsAffected); got.Calls != 0 {
		t.Errorf("rows affected are known of %d calls, want 0", got.Calls)
	}
	if got := c.Total(RowsSent); got.Calls != 1 {
		t.Errorf("rows sent are known of %d calls, want 1", got.Calls)
	}
}

func TestAStatementThatIsTooLongIsCutAndSaysSo(t *testing.T) {
	long := plainHeader + "SELECT a FROM t WHERE b = 1 AND c = 2 AND d = '" + strings.Repeat("x", 5000) + "';\n"
	a := digestText(t, long+plainHeader+"SELECT 1;\n", Options{MaxStatement: 1000})
	var fingerprints []string
	for _, c := range a.Classes() {
		fingerprints = append(fingerprints, c.Fingerprint[:5]+" "+string(c.Text))
	}
	slices.Sort(fingerprints)
	if a.Skipped != 0 || len(fingerprints) != 2 || fingerprints[1] != "fp1t: SELECT a FROM t WHERE b = ? AND c = ? AND d = ? ..." {
		t.Errorf("read %q, skipped %v", fingerprints, a.Skips)
	}
	whole := plainHeader + "SELECT a FROM t WHERE b = 1 AND c = 2   AND d = 3;\n"
	a = digestText(t, whole, Options{MaxStatement: len("SET timestamp=1767225600;\nSELECT a FROM t WHERE b = 1")})
	if c := a.Classes()[0]; !strings.HasPrefix(c.Fingerprint, "fp1t:") {
		t.Errorf("a statement cut behind a word has fingerprint %s: %s", c.Fingerprint, c.Text)
	}
}

func TestRefusedEntriesAreCountedOnly(t *testing.T) {
	log := plainHeader + "SELECT 1;\n" + plainHeader + "SELECT a FROM t;\n"
	a := digestText(t, log, Options{Keep: func(e *Entry) bool { return bytes.Contains(e.Statement, []byte("FROM")) }})
	if a.Entries != 2 || a.Refused != 1 || a.Calls != 1 || len(a.Classes()) != 1 {
		t.Errorf("%d entries, %d refused, %d calls, %d classes", a.Entries, a.Refused, a.Calls, len(a.Classes()))
	}
}

func TestClassesBeyondTheLimitAreTheOthers(t *testing.T) {
	var log strings.Builder
	for i := range 100 {
		fmt.Fprintf(&log, "%sSELECT c%d FROM t;\n", plainHeader, i)
	}
	a := digestText(t, log.String(), Options{MaxClasses: 10, Workers: 3})
	if len(a.Classes()) != 10 || a.Other.Calls != 90 || a.Other.Micros != 90*1_500_000 {
		t.Errorf("%d classes, others have %d calls, %d µs", len(a.Classes()), a.Other.Calls, a.Other.Micros)
	}
}

func TestNamesAreBoundedInAnyOrder(t *testing.T) {
	var forward, backward callers
	for i := range 100 {
		forward.add(users, fmt.Appendf(nil, "shop%02d", i), 1, nil)
		backward.add(users, fmt.Appendf(nil, "shop%02d", 99-i), 1, nil)
		backward.add(kind(i%2)*hosts, []byte("shop04"), 1, nil) // of other kinds is another name
	}
	want := forward.names(users)
	if diff := cmp.Diff(want, backward.names(users)); diff != "" || len(want.List) != mostNames || !want.More {
		t.Errorf("%v: %s", want, diff)
	}
	var half callers
	half.add(users, []byte("shop03"), 5, nil)
	half.merge(&backward)
	got := half.names(users)
	if want := (Name{"shop03", 6}); got.List[3] != want || got.String() != forward.names(users).String() {
		t.Errorf("merged: %v", got)
	}
	for _, k := range []kind{databases, hosts} {
		if diff := cmp.Diff(Names{List: []Name{{"shop04", 50}}}, half.names(k)); diff != "" {
			t.Errorf("names of kind %d: %s", k, diff)
		}
	}
}

func TestSamplesHoldLiteralsOnlyIfAskedFor(t *testing.T) {
	log := plainHeader + "SELECT a FROM t WHERE b = 1;\n" +
		strings.Replace(plainHeader, "1.5", "2.5", 1) + "SELECT  a from t WHERE b = 4711;\n" +
		strings.Replace(plainHeader, "1.5", "3.5", 1) + "SELECT a FROM t WHERE b = 'long';\n"
	for want, s := range map[string]Samples{
		"":                                 {},
		"SELECT a FROM t WHERE b = ?":      {Bytes: 100},
		"SELECT a FROM t WHERE b = 'long'": {Bytes: 100, Literals: true},
		"SELECT a FROM t":                  {Bytes: 15},
		"SELECT a FROM t WHERE b = 'l":     {Bytes: 28, Literals: true},
	} {
		c := digestText(t, log, Options{Samples: s}).Classes()[0]
		if c.Calls != 3 || c.Slowest.SQL != want || c.Slowest.Cut != (s.Bytes == 15 || s.Bytes == 28) {
			t.Errorf("%+v: of %d calls the slowest is %q, cut %v, want %q", s, c.Calls, c.Slowest.SQL, c.Slowest.Cut, want)
		}
	}
}

func TestQuantilesAreWithinOnePercent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, spread := range []float64{0.1, 1, 4} {
		var whole, first, second Sketch
		var values []uint64
		for i := range 10_000 {
			n := uint64(math.Exp(random.NormFloat64()*spread + 9))
			values = append(values, n)
			whole.add(n, 1)
			[]*Sketch{&first, &second}[i%2].add(n, 1)
		}
		first.merge(&second)
		slices.Sort(values)
		for q := 0.0; q <= 1; q += 0.001 {
			want := float64(values[max(int(math.Ceil(q*10_000))-1, 0)])
			got := whole.Quantile(q)
			if math.Abs(got-want) > want/100 {
				t.Errorf("spread %g: quantile %g is %g, want %g", spread, q, got, want)
			}
			if merged := first.Quantile(q); merged != got {
				t.Errorf("spread %g: quantile %g is %g if merged, else %g", spread, q, merged, got)
			}
		}
	}
	if (&Sketch{}).calls() != 0 || !math.IsNaN((&Sketch{}).Quantile(0.5)) {
		t.Error("an empty sketch has a quantile")
	}
}

// TestKnownStatementsAreAddedWithoutAllocation: what a log takes of memory must not grow with it.
func TestKnownStatementsAreAddedWithoutAllocation(t *testing.T) {
	for _, l := range slowlogs.Layouts() {
		log := slowlogs.Generate(l, 1<<20, 200, 1)
		a := NewAggregate(Options{})
		s := newSplitter(bytes.NewReader(log), Options{})
		s.size = 2 << 20
		var b batch
		if err := s.next(&b); err == nil {
			t.Fatal("the log is more than one batch")
		}
		d := newDecoder(Options{})
		var g group
		add := func() { a.addBatch("log", &b, &d, &g) }
		for range len(Sketch{}.few) + 1 {
			add() // until each statement has its pages
		}
		if a.Skipped > 0 {
			t.Fatal(a.Skips)
		}
		if allocs := testing.AllocsPerRun(3, add); allocs > 0 {
			t.Errorf("%s: %g allocations for %d entries", l, allocs, len(b.spans))
		}
	}
}

func TestASketchCountsBeyondWhatAPageHolds(t *testing.T) {
	var whole, first, second Sketch
	for i, calls := range []uint64{1 << 40, 3, 1<<32 - 1, 1, 1 << 50} {
		duration := uint64(5 + i/4*500)
		whole.add(duration, calls)
		[]*Sketch{&first, &second}[i%2].add(duration, calls)
	}
	first.merge(&second)
	for _, s := range []*Sketch{&whole, &first} {
		s.settle()
		if got, want := s.pages.in(5, s.pages.page(0)[5]), uint64(1<<40+1<<32+3); got != want || s.calls() != want+1<<50 {
			t.Errorf("%d calls of 5 µs and %d in all, want %d and %d", got, s.calls(), want, want+1<<50)
		}
		if low, high := s.Quantile(0.0009), s.Quantile(0.01); low != 5 || high < 500 || high > 510 {
			t.Errorf("quantiles %g and %g, want 5 and 505", low, high)
		}
	}
	for range 3 {
		whole.add(7, math.MaxUint64)
	}
	if got := whole.pages.in(7, whole.pages.page(0)[7]); got != math.MaxUint64 {
		t.Errorf("%d calls of 7 µs, want the largest number", got)
	}
}
