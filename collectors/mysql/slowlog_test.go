package mysql

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors"
	"plimsoll/collectors/slowlog"
	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/servers"
)

// logging starts a server that logs every statement, and returns its log.
func logging(t *testing.T, p servers.Product, opts ...servers.Option) (s *servers.Server, log string) {
	t.Helper()
	log = filepath.Join(t.TempDir(), "slow.log")
	settings := []string{"slow_query_log=ON", "long_query_time=0", "slow_query_log_file=" + log}
	if p.Family() == scratch.MariaDB {
		settings = append(settings, "log_slow_verbosity=query_plan,explain")
	}
	return servers.Start(t, p, append([]servers.Option{servers.Settings(settings...)}, opts...)...), log
}

// rotate renames a log as logrotate does.
func rotate(t *testing.T, s *servers.Server, log string) {
	t.Helper()
	shift(t, log)
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	s.Exec(t, "FLUSH SLOW LOGS")
}

// copyTruncate rotates a log as logrotate does with that option.
func copyTruncate(t *testing.T, log string) {
	t.Helper()
	shift(t, log)
	text, err := os.ReadFile(log)
	if err == nil {
		err = os.WriteFile(log+".1", text, 0o600)
	}
	if err == nil {
		err = os.Truncate(log, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// shift makes room for another rotation.
func shift(t *testing.T, log string) {
	t.Helper()
	for i := 9; i > 0; i-- {
		err := os.Rename(fmt.Sprintf("%s.%d", log, i), fmt.Sprintf("%s.%d", log, i+1))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// execAnew runs statements on a new connection: a session keeps the settings that
// were global when it began.
func execAnew(t *testing.T, s *servers.Server, statements ...string) {
	t.Helper()
	execOn(t, connect(t, s, ""), statements...)
}

// statementCalls are the calls that a snapshot has of a statement.
func statementCalls(d *snapshot.Digests, statement string) (calls uint64, source string) {
	for _, row := range d.Rows {
		if row.Fingerprint == sqltext.Fingerprint(statement) {
			calls += row.Calls
			source = row.Source
		}
	}
	return calls, source
}

func gapReasons(m snapshot.Meta) (reasons []string) {
	for _, g := range m.Gaps {
		reasons = append(reasons, g.Reason)
	}
	return reasons
}

const preparedStatement = "SELECT b AS prepared_here FROM shop.items WHERE id = ?"

// TestWhatMariaDBHidesIsCountedFromItsLog runs prepared statements, which the
// digest table does not see, while the log is rotated and the agent restarted
// and killed.
func TestWhatMariaDBHidesIsCountedFromItsLog(t *testing.T) {
	for _, p := range []servers.Product{servers.MariaDB1011, servers.MariaDB118} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s, log := logging(t, p)
			g := newGenerator(t, s)
			server := open(t, s, 1)
			polls := newPoller(t, server)
			want := uint64(0)
			prepared := func(times int) {
				runPrepared(t, s, preparedStatement, times)
				want += uint64(times)
			}
			check := func(after string) *snapshot.Server {
				t.Helper()
				parts := polls.parts(t)
				calls, source := statementCalls(parts.Digests, preparedStatement)
				if calls != want || source != snapshot.SourceSlowLog {
					t.Errorf("after %s: %d calls of the prepared statement by %q, want %d by the slow log", after, calls, source, want)
				}
				if diff := cmp.Diff(g.calls, g.counted(parts.Digests)); diff != "" {
					t.Errorf("after %s, ledger and digests differ (-ledger +digests):\n%s", after, diff)
				}
				return parts
			}
			g.run(t, 1, 20)
			prepared(60)
			c := check("the first statements").Coverage
			if !c.PreparedHidden || c.PreparedExecutions != 60 || c.PreparedLogged != 60 || *c.HiddenSeconds > *c.Seconds/100 {
				t.Errorf("coverage = %+v with %v s hidden, want 60 executions that the log shows", c, *c.HiddenSeconds)
			}
			if seen := float64(c.Digested) / float64(c.Statements); seen < 0.85 || seen > 1.05 {
				t.Errorf("%d of %d statements are counted, want nearly all", c.Digested, c.Statements)
			}
			g.run(t, 2, 5)
			prepared(30)
			rotate(t, s, log)
			g.run(t, 1, 5)
			prepared(7)
			check("rotation by renaming")
			g.run(t, 2, 3)
			prepared(4)
			copyTruncate(t, log)
			prepared(3)
			check("rotation by copying")
			for i, rotated := range []func(){func() { rotate(t, s, log) }, func() { copyTruncate(t, log) }, func() { rotate(t, s, log) }} {
				g.run(t, 1, 2)
				prepared(5 + i)
				rotated()
			}
			polls.restart(t, server)
			prepared(2)
			check("three rotations while the agent was down")

			killed, err := polls.job.Collector.(collectors.Keeper).Save()
			if err != nil {
				t.Fatal(err)
			}
			prepared(6)
			check("a round whose state was never written")
			prepared(5)
			rotate(t, s, log)
			prepared(2)
			polls.last, polls.job = nil, find(t, server, "mysql/digests")
			if err := polls.job.Collector.(collectors.Keeper).Load(killed); err != nil {
				t.Fatal(err)
			}
			check("a kill")
			prepared(8)
			polls.restart(t, server)
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			prepared(9)
			check("a restart of agent and server")
		})
	}
}

// TestRotationUnderLoadLosesNothing rotates the log of a server that is running
// statements which only the log shows, and reads it at any moment.
func TestRotationUnderLoadLosesNothing(t *testing.T) {
	s, log := logging(t, servers.MariaDB1011)
	newGenerator(t, s)
	polls := newPoller(t, open(t, s, 1))
	const executions = 6000
	var work sync.WaitGroup
	for range 2 {
		work.Go(func() { runPrepared(t, s, preparedStatement, executions/2) })
	}
	for range 6 {
		polls.parts(t)
		rotate(t, s, log)
		polls.parts(t)
	}
	work.Wait()
	d := polls.parts(t).Digests
	if calls, _ := statementCalls(d, preparedStatement); calls != executions {
		t.Errorf("%d calls were counted, want %d", calls, executions)
	}
	if d.SlowLog.Damaged != 0 || d.SlowLog.SkippedBytes != 0 || len(d.Gaps) != 0 {
		t.Errorf("the log is %+v with gaps %v, want nothing damaged or lost", d.SlowLog, d.Gaps)
	}
}

// parts is poll for all parts of the job.
func (p *poller) parts(t *testing.T) *snapshot.Server {
	t.Helper()
	parts := run(t, p.job)
	p.last = parts.Digests
	return parts
}

func TestWhatBothSourcesShowCountsOnce(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s, log := logging(t, p)
			g := newGenerator(t, s)
			polls := newPoller(t, open(t, s, 1))
			for round := range 4 {
				g.run(t, 1, 20)
				g.run(t, 2+round, 5)
				if round == 2 {
					rotate(t, s, log)
				}
				d := polls.poll(t)
				if diff := cmp.Diff(g.calls, g.counted(d)); diff != "" {
					t.Errorf("round %d: ledger and digests differ (-ledger +digests):\n%s", round, diff)
				}
				for _, row := range d.Rows {
					if g.calls[row.Fingerprint] > 0 && row.Source != "" {
						t.Errorf("round %d: %s is counted by %s, want the digest table", round, row.Fingerprint, row.Source)
					}
				}
				if d.SlowLog == nil || round > 0 && d.SlowLog.Entries < 25 || d.SlowLog.File != log {
					t.Errorf("round %d: the log is %+v, want it followed", round, d.SlowLog)
				}
			}
		})
	}
}

func TestWithoutPerformanceSchemaTheLogCounts(t *testing.T) {
	s, _ := logging(t, servers.MariaDB1011, servers.PerformanceSchema(false))
	g := newGenerator(t, s)
	polls := newPoller(t, open(t, s, 1))
	g.run(t, 1, 20)
	runPrepared(t, s, preparedStatement, 30)
	parts := polls.parts(t)
	if diff := cmp.Diff(g.calls, g.counted(parts.Digests)); diff != "" {
		t.Errorf("ledger and digests differ (-ledger +digests):\n%s", diff)
	}
	if calls, _ := statementCalls(parts.Digests, preparedStatement); calls != 30 {
		t.Errorf("%d calls of the prepared statement, want 30", calls)
	}
	c := parts.Coverage
	if parts.Digests.Partial || c.Seconds != nil || c.Digested < 50 || c.Digested > c.Statements+10 {
		t.Errorf("partial %v, coverage %+v, want all statements counted, and no time", parts.Digests.Partial, c)
	}
	s.Exec(t, "SET GLOBAL long_query_time = 0.05")
	run(t, polls.job)
	execAnew(t, s, "SELECT SLEEP(0.1) AS slow_here", "SELECT 1 AS fast_here", "SELECT SLEEP(0.06) AS end_here", "SELECT SLEEP(0.06) AS end_here")
	parts = polls.parts(t)
	slow, _ := statementCalls(parts.Digests, "SELECT SLEEP(0.1) AS slow_here")
	fast, _ := statementCalls(parts.Digests, "SELECT 1 AS fast_here")
	if slow != 1 || fast != 0 || !parts.Digests.Partial {
		t.Errorf("%d slow and %d fast calls, partial %v: want the slow one alone, and to hear of it", slow, fast, parts.Digests.Partial)
	}
	if reasons := strings.Join(gapReasons(parts.Digests.Meta), "\n"); !strings.Contains(reasons, "longer than 0.05 s") {
		t.Errorf("gaps = %s, want the threshold", reasons)
	}
}

func TestARateLimitedLogIsScaledAndCalledAnEstimate(t *testing.T) {
	s, _ := logging(t, servers.MariaDB1011, servers.Settings("log_slow_rate_limit=10"))
	newGenerator(t, s)
	polls := newPoller(t, open(t, s, 1))
	runPrepared(t, s, preparedStatement, 1000)
	d := polls.parts(t).Digests
	calls, source := statementCalls(d, preparedStatement)
	if source != snapshot.SourceSlowLog || calls%10 != 0 || calls < 900 || calls > 1100 || d.SlowLog.RateLimit != 10 {
		t.Errorf("%d calls by %q at a limit of %d, want about 1000 by the slow log at 10", calls, source, d.SlowLog.RateLimit)
	}
	for _, row := range d.Rows {
		if row.Estimated != (row.Source == snapshot.SourceSlowLog) {
			t.Errorf("%s by %q: estimated %v", row.Fingerprint, row.Source, row.Estimated)
		}
	}
}

func TestPlansHaveRealRowsAndNoLiteralsAlsoAfterARestart(t *testing.T) {
	s, _ := logging(t, servers.MariaDB1011)
	s.Exec(t, "CREATE DATABASE shop", "CREATE TABLE shop.orders (id INT PRIMARY KEY, kind INT, note VARCHAR(40), KEY kinds (kind))",
		"INSERT INTO shop.orders SELECT seq, seq % 10, CONCAT('note ', seq) FROM shop.seq_1_to_1000")
	server := open(t, s, 1)
	polls := newPoller(t, server)
	const query = "SELECT COUNT(*) FROM shop.orders FORCE INDEX (kinds) WHERE kind = 3 AND note <> 'secret4711'"
	execAnew(t, s, query, "DO 0", "DO 0")
	parts := polls.parts(t)
	got := planOf(t, parts, query)
	table := got.Tables[0]
	if table.Table != "orders" || table.Key != "kinds" || table.RowsRead == nil || *table.RowsRead != 100 || got.Seconds <= 0 {
		t.Errorf("plan = %+v, want 100 rows read of orders by kinds", got)
	}
	text, err := json.Marshal(parts)
	if err != nil || strings.Contains(string(text), "4711") {
		t.Errorf("%v: a literal left the host: %s", err, text)
	}
	polls.restart(t, server)
	if diff := cmp.Diff(got, planOf(t, polls.parts(t), query)); diff != "" {
		t.Errorf("the plan after a restart of the agent (-before +after):\n%s", diff)
	}
}

// planOf is the plan of a statement that reads one table.
func planOf(t *testing.T, parts *snapshot.Server, statement string) snapshot.StatementPlan {
	t.Helper()
	for _, row := range parts.Plans.Rows {
		if row.Fingerprint == sqltext.Fingerprint(statement) && len(row.Tables) == 1 {
			return row
		}
	}
	t.Fatalf("plans = %+v, want one of %s", parts.Plans.Rows, statement)
	return snapshot.StatementPlan{}
}

func TestNoMorePlansAreTakenUpThanAreKept(t *testing.T) {
	rows := make([]snapshot.StatementPlan, 2*snapshot.MaxPlans)
	for i := range rows {
		rows[i] = snapshot.StatementPlan{Fingerprint: fmt.Sprint(i), Schema: "shop"}
	}
	kept := keptPlans(rows)
	if _, found := kept[groupKey{"shop", "0"}]; len(kept) != snapshot.MaxPlans || !found {
		t.Errorf("%d plans, with the first %v; want the first %d", len(kept), found, snapshot.MaxPlans)
	}
}

func TestAStormOfTheLogIsSkippedAndSaidSo(t *testing.T) {
	s, _ := logging(t, servers.MariaDB1011)
	newGenerator(t, s)
	polls := newPoller(t, open(t, s, 1))
	polls.job.Collector.(*digestJob).log.budget = slowlog.Budget{Bytes: 20 << 10, Backlog: 40 << 10}
	runPrepared(t, s, preparedStatement, 1000)
	d := polls.parts(t).Digests
	if log := d.SlowLog; log.SkippedBytes == 0 || log.Bytes > 20<<10 || log.Damaged != 0 {
		t.Errorf("the log is %+v, want 20 KiB read and the rest skipped", log)
	}
	if reasons := strings.Join(gapReasons(d.Meta), "\n"); !strings.Contains(reasons, "were skipped") {
		t.Errorf("gaps = %s, want what was skipped", reasons)
	}
	if reasons := gapReasons(polls.parts(t).Digests.Meta); len(reasons) != 0 {
		t.Errorf("gaps of the next round = %v, want none", reasons)
	}
}

func TestALogThatCannotBeFollowedIsAGap(t *testing.T) {
	s, log := logging(t, servers.MariaDB1011)
	newGenerator(t, s)
	dsn := createAccount(t, s, 1)
	reasons := func(cfg Config) string {
		t.Helper()
		cfg.Name, cfg.DSN = "db1", dsn
		server, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		job := find(t, server, "mysql/digests")
		run(t, job)
		runPrepared(t, s, preparedStatement, 30)
		run(t, job)
		d := run(t, job).Digests
		for _, gap := range d.Gaps {
			if gap.Job != slowLogGap || gap.Subject != "db1" || gap.Remedy == "" {
				t.Errorf("gap = %+v, want one of the log with a remedy", gap)
			}
		}
		return strings.Join(gapReasons(d.Meta), "\n")
	}
	for _, test := range []struct {
		name   string
		before string
		cfg    Config
		want   string
	}{
		{"followed", "DO 0", Config{}, ""},
		{"switched off here", "DO 0", Config{SlowLog: "off"}, ""},
		{"elsewhere", "DO 0", Config{SlowLog: filepath.Join(t.TempDir(), "none.log")}, "there is no slow log at"},
		{"remote", "DO 0", Config{Remote: true}, "on another host"},
		{"remote, and named", "DO 0", Config{Remote: true, SlowLog: log}, ""},
		{"in a table", "SET GLOBAL log_output = 'TABLE'", Config{}, "log_output = TABLE"},
		{"in both", "SET GLOBAL log_output = 'TABLE,FILE'", Config{}, ""},
		{"off", "SET GLOBAL slow_query_log = OFF", Config{}, "the slow log is off"},
	} {
		s.Exec(t, test.before)
		if got := reasons(test.cfg); got == "" != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: gaps = %q, want %q", test.name, got, test.want)
		}
	}
}

func TestALogThatMayNotBeReadNamesTheDropInOrTheAccessList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slow.log")
	for mode, remedy := range map[os.FileMode]string{0o640: "slow-log.conf", 0o600: "setfacl"} {
		if err := errors.Join(os.WriteFile(path, nil, mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		gap := logRefused(path, fmt.Errorf("open slow log: %w", fs.ErrPermission))
		if !strings.Contains(gap.Reason, "may not read the slow log "+path) || !strings.Contains(gap.Remedy, remedy) {
			t.Errorf("gap = %+v, want the file and %s", gap, remedy)
		}
	}
	if _, err := os.Stat("../../packaging/drop-ins/slow-log.conf"); err != nil {
		t.Errorf("the remedy names a file that is not there: %v", err)
	}
	if gap := logRefused("x", errors.New("input/output error")); !strings.Contains(gap.Reason, "input/output error") {
		t.Errorf("gap = %+v, want the error", gap)
	}
}

func TestWhatIsLostOfALogIsNamedOnceWithItsRemedy(t *testing.T) {
	closed := &fs.PathError{Op: "open", Path: "/l/slow.log.2", Err: fs.ErrPermission}
	log := newSlowLog("")
	log.account(slowlog.Progress{Lost: []slowlog.Loss{
		{File: "/l/slow.log", Err: slowlog.ErrGone},
		{File: "/l/slow.log.3.gz", Err: slowlog.ErrCompressed},
		{File: "/l/slow.log.2", Err: closed},
	}})
	log.account(slowlog.Progress{Lost: []slowlog.Loss{{File: "/l/slow.log", Err: slowlog.ErrTooMany}}})
	var got []string
	q := &session{server: &Server{cfg: Config{Name: "db1"}}}
	for _, gap := range log.gaps(q, nil, false, false) {
		got = append(got, gap.Reason+" | "+gap.Remedy)
	}
	rotate := " | rotate it by renaming and FLUSH SLOW LOGS, and compress it one rotation later (delaycompress)"
	want := []string{
		"the slow log was emptied or taken away, and no copy of it was found: what it held since the last read may not be counted" + rotate,
		"the slow log was compressed before it was read to its end: what /l/slow.log.3.gz holds may not be counted" + rotate,
		"what /l/slow.log.2 holds since the last read may not be counted: open /l/slow.log.2: permission denied | " + closedRemedy("/l/slow.log.2"),
		"the slow log was rotated so often since the last read that the oldest of these logs were not read | rotate it at a larger size",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if again := log.gaps(q, nil, false, false); again != nil {
		t.Errorf("the next round has the gaps %+v, want none", again)
	}
}

func TestNoEntryMakesATotalOverflow(t *testing.T) {
	log := newSlowLog("")
	e := &slowlog.Entry{Statement: []byte("SELECT 1"), Duration: 1 << 49, Calls: 1 << 63, Micros: 5}
	log.add(e, false, func(string) bool { return false })
	for i, sum := range log.take()[0].counted {
		if sum > mostLogged {
			t.Errorf("sum %d of one entry = %d, want at most %d", i, sum, uint64(mostLogged))
		}
	}
}

func TestStatementsBeyondTheBoundAreUncounted(t *testing.T) {
	log := newSlowLog("")
	for i := range maxLogged + 5 {
		e := &slowlog.Entry{Statement: fmt.Appendf(nil, "SELECT a%d", i), Calls: 1}
		log.add(e, false, func(string) bool { return true })
	}
	log.add(&slowlog.Entry{Statement: []byte("SELECT a1"), Calls: 1}, false, nil)
	log.add(&slowlog.Entry{Statement: []byte("administrator command: Quit"), Admin: true, Calls: 1}, false, nil)
	if n := len(log.take()); n != maxLogged || log.totals.Uncounted != 5 {
		t.Errorf("%d statements and %d uncounted, want %d and 5", n, log.totals.Uncounted, maxLogged)
	}
}

func TestTheBudgetOfALogGrowsWithTime(t *testing.T) {
	var log slowLog
	start := time.Unix(1000, 0)
	log.read = start
	for _, step := range []struct {
		after time.Duration
		want  int64
	}{
		{time.Second, logLeast},
		{time.Minute, 60 * logRate},
		{time.Hour, logMost},
	} {
		start = start.Add(step.after)
		if got := log.allowance(start); got.Bytes != step.want || got.Backlog != logBacklog {
			t.Errorf("after %s: %+v, want %d bytes", step.after, got, step.want)
		}
	}
}
