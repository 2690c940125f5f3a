package slowlog

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/fixtures/servers"
)

// TestSumsAgreeWithPerformanceSchema makes the same traffic on every server with every verbosity, and
// compares what its log, its performance_schema and pt-query-digest have counted. docs/digest.md explains
// each difference that is allowed here.
func TestSumsAgreeWithPerformanceSchema(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := startLogging(t, p)
			for _, v := range verbosities(p.Family()) {
				for _, made := range v.traffics(s) {
					t.Run(v.name+"/"+made.name, func(t *testing.T) {
						w := watch(t, s, v, made)
						w.reconcile(t)
						w.compare(t)
						w.compareTimes(t)
						w.compareCommands(t)
						comparePeer(t, w.readableByPeer(t))
					})
				}
				record(t, s, v)
			}
		})
	}
}

// verbosity is a setting that changes what a log holds.
type verbosity struct {
	name, setting string
	usual         bool // it is in testdata, and all traffic is compared
}

func verbosities(f scratch.Family) []verbosity {
	if f == scratch.MySQL {
		return []verbosity{{"plain", "log_slow_extra=OFF", true}, {"extra", "log_slow_extra=ON", true}}
	}
	return []verbosity{
		{"plain", "log_slow_verbosity=''", true},
		{"engine", "log_slow_verbosity='innodb,query_plan'", true},
		{"full", "log_slow_verbosity='all'", true},
		{"plan", "log_slow_verbosity='query_plan'", false},
		{"innodb", "log_slow_verbosity='innodb'", false},
		{"explain", "log_slow_verbosity='explain'", false},
		{"warnings", "log_slow_verbosity='warnings'", false},
	}
}

// traffics returns what is compared with this setting.
func (v verbosity) traffics(s *servers.Server) []traffic {
	if v.usual || full() {
		return traffics(s)
	}
	return []traffic{php(s, 6)}
}

// full reports whether the long form of a test is wanted.
func full() bool { return os.Getenv("PLIMSOLL_FULL") != "" }

// accounts make the traffic; root is the test itself. Each has a database of its name.
var accounts = []string{"shop", "sbtest", "sbtest2", "wordpress", "magento", "laravel"}

// startLogging starts a server that logs every call.
func startLogging(t *testing.T, p servers.Product) *servers.Server {
	t.Helper()
	s := servers.Start(t, p, servers.Settings("slow_query_log=ON", "long_query_time=0"))
	s.DB().SetMaxOpenConns(1) // so that what it does is done and logged before the next thing
	for _, name := range accounts {
		s.CreateUser(t, name, "ALL ON "+name+".*")
	}
	return s
}

// window is what both sources have of the same time.
type window struct {
	family  scratch.Family
	log     []byte
	logged  map[string]counted // by fingerprint
	digests map[string]counted // by fingerprint
	events  map[string]counted // by EVENT_NAME
}

// watch makes traffic while nothing else is counted.
func watch(t *testing.T, s *servers.Server, v verbosity, made traffic) *window {
	t.Helper()
	made.prepare(t)
	settle(t, s)
	log := filepath.Join(t.TempDir(), "slow.log")
	s.Exec(
		t, "SET GLOBAL "+v.setting, "SET GLOBAL slow_query_log_file='"+log+"'",
		"TRUNCATE performance_schema.events_statements_summary_by_digest",
		"TRUNCATE performance_schema.events_statements_summary_global_by_event_name",
	)
	made.run(t)
	settle(t, s)
	w := &window{family: s.Product.Family(), digests: digests(t, s), events: events(t, s)}
	s.Exec(t, "SET GLOBAL slow_query_log_file='"+filepath.Join(t.TempDir(), "other.log")+"'") // so that it is whole
	var err error
	if w.log, err = os.ReadFile(log); err != nil {
		t.Fatal(err)
	}
	w.logged = logged(t, w.log)
	return w
}

// settle waits until all connections of the traffic are closed: a server answers first and counts then.
func settle(t *testing.T, s *servers.Server) {
	t.Helper()
	query := "SELECT COUNT(*) FROM performance_schema.threads WHERE PROCESSLIST_USER IN ('" + strings.Join(accounts, "', '") + "')"
	for open, deadline := 1, time.Now().Add(20*time.Second); open > 0; {
		if err := s.DB().QueryRowContext(t.Context(), query).Scan(&open); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are still open", open)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// counted is what both sources count of a statement.
type counted struct {
	Calls, RowsExamined, RowsSent uint64
	// RowsAffected and FullScans are nil if the log does not tell them.
	RowsAffected, FullScans *uint64

	text            string
	spent, shortest time.Duration
}

// total adds statements up. It has the text of the first.
func total(list []counted) counted {
	plus := func(a, b *uint64) *uint64 {
		if a == nil || b == nil {
			return nil
		}
		return new(*a + *b)
	}
	sum := list[0]
	for _, c := range list[1:] {
		sum.Calls += c.Calls
		sum.RowsExamined += c.RowsExamined
		sum.RowsSent += c.RowsSent
		sum.RowsAffected, sum.FullScans = plus(sum.RowsAffected, c.RowsAffected), plus(sum.FullScans, c.FullScans)
		sum.spent += c.spent
		sum.shortest = min(sum.shortest, c.shortest)
	}
	return sum
}

// logged returns what a log holds of the traffic. Commands of the protocol are no statements.
func logged(t *testing.T, log []byte) map[string]counted {
	t.Helper()
	keep := func(e *Entry) bool { return string(e.User) != "root" && !e.Admin }
	a, err := Digest(t.Context(), "slow.log", bytes.NewReader(log), Options{Keep: keep})
	if err != nil || a.Skipped > 0 {
		t.Fatal(err, a.Skips)
	}
	got := map[string]counted{}
	for _, c := range a.Classes() {
		one := counted{Calls: c.Calls, RowsExamined: c.Total(RowsExamined).Sum, RowsSent: c.Total(RowsSent).Sum, text: string(c.Text)}
		one.spent, one.shortest = time.Duration(c.Micros)*time.Microsecond, time.Duration(c.MinMicros)*time.Microsecond
		if a.Told(RowsAffected) {
			one.RowsAffected = new(c.Total(RowsAffected).Sum)
		}
		if a.Told(FullScan) {
			one.FullScans = new(c.Total(FullScan).Sum)
		}
		got[c.Fingerprint] = one
	}
	return got
}

// compare compares what is left after reconcile, statement by statement, in both directions.
func (w *window) compare(t *testing.T) {
	t.Helper()
	for fingerprint, want := range w.digests {
		got := w.logged[fingerprint]
		if got.RowsAffected == nil {
			want.RowsAffected = nil
		}
		// performance_schema calls only the scans of a SELECT so.
		if got.FullScans == nil || !strings.HasPrefix(want.text, "SELECT") {
			want.FullScans, got.FullScans = nil, nil
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(counted{})); diff != "" {
			t.Errorf("%s (-performance_schema +log):\n%s", want.text, diff)
		}
	}
	for fingerprint, got := range w.logged {
		if _, ok := w.digests[fingerprint]; !ok {
			t.Errorf("performance_schema has not seen %s (%d calls)", got.text, got.Calls)
		}
	}
}

// How much longer a call may be in performance_schema than in the log. docs/digest.md has what is measured; but
// where others compute, a call can wait for a processor just then.
const (
	usualOverhead = 500 * time.Microsecond // of the shortest call, for the median statement
	meanOverhead  = 10 * time.Millisecond
)

// slept is what the statements of the traffic sleep that do.
const slept = 20 * time.Millisecond

// compareTimes compares durations. Query_time is a part of what performance_schema measures, which begins when
// a command was read and ends after it was logged.
func (w *window) compareTimes(t *testing.T) {
	t.Helper()
	var all time.Duration
	var calls uint64
	var shortest []time.Duration
	for fingerprint, outer := range w.digests {
		inner := w.logged[fingerprint]
		if clocks := inner.spent / 1000; outer.spent+clocks < inner.spent {
			t.Errorf("%s: %s in the log, but %s in performance_schema", outer.text, inner.spent, outer.spent)
		}
		if strings.Contains(inner.text, "SLEEP(") && inner.spent < slept*time.Duration(inner.Calls) {
			t.Errorf("%s: %s in the log, want at least %s a call", inner.text, inner.spent, slept)
		}
		all, calls = all+outer.spent-inner.spent, calls+outer.Calls
		shortest = append(shortest, outer.shortest-inner.shortest)
	}
	slices.Sort(shortest)
	usual, mean := shortest[len(shortest)/2], all/time.Duration(calls)
	t.Logf("performance_schema has %s a call more, %s of the shortest calls", mean, usual)
	if usual > usualOverhead || mean > meanOverhead {
		t.Errorf("performance_schema has %s a call more than the log, and %s of the shortest calls", mean, usual)
	}
}
