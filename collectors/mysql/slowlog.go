package mysql

import (
	"cmp"
	"context"
	"math/bits"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"plimsoll/collectors/slowlog"
	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

const (
	// logRate is how many bytes of a slow log are read for each second since the
	// last read. A minute of that takes 0.2 s of a processor.
	logRate = 1 << 20
	// logLeast is what may be read at a time in any case, and logMost how much
	// after a long rest.
	logLeast, logMost = 4 << 20, 120 * logRate
	// logBacklog is how much may wait to be read: five minutes' worth. Of a log
	// that grows faster for longer, the oldest is skipped.
	logBacklog = 300 * logRate
	// logLimit is how long a round may read.
	logLimit = 3 * time.Second
	// maxLogged bounds the statements that are told apart between two rounds.
	maxLogged = 10000
	// maxLoggedText bounds their texts and plans, in bytes. Those for which there
	// is no room are read another time.
	maxLoggedText = 8 << 20
)

// slowLog follows the slow log of a server, and adds up what it tells until it
// is booked. Its zero value follows nothing.
type slowLog struct {
	// file is what the configuration says: another file than the server names,
	// or logOff.
	file     string
	follower slowlog.Follower
	// settings are the server's as of the last round: those under which it wrote
	// what is read in this one.
	settings logSettings
	totals   snapshot.SlowLog
	// gap is why nothing is followed, and failed why it could not be read last;
	// their reason is empty if it is.
	gap, failed snapshot.Gap
	// lost and skipped are of since the last gaps: what can never be read, and
	// bytes that were left out.
	lost    []slowlog.Loss
	skipped uint64

	read     time.Time // the last time
	digester sqltext.Digester
	schemas  map[string]string
	logged   map[loggedKey]*logged
	room     int // for texts and plans

	budget slowlog.Budget // for tests; zero is the one of the constants
}

// logOff is the value of Config.SlowLog that says to follow none.
const logOff = "off"

// logSettings are the variables that say how to read a log.
type logSettings struct {
	File      string          `json:"file"`
	Threshold float64         `json:"threshold"` // seconds
	RateLimit uint64          `json:"rate_limit"`
	Always    time.Duration   `json:"always"`
	SQL       sqltext.Options `json:"sql"`
}

// loggedKey is a statement in a default schema.
type loggedKey struct {
	schema string
	sum    sqltext.Sum
}

// logged is what the log told of a statement since it was booked.
type logged struct {
	schema, fingerprint string
	// statement is empty if its text is known.
	statement sqltext.Statement
	// counted are its sums, and marked those of entries that had been written
	// when the last round ended.
	counted, marked sums
	entries         uint64
	estimated       bool
	first, last     int64

	plan       []byte
	planMicros uint64
}

func newSlowLog(file string) slowLog {
	return slowLog{file: file, schemas: map[string]string{}, logged: map[loggedKey]*logged{}, room: maxLoggedText}
}

// collect reads what was written since the last time. known reports whether the
// text of a fingerprint is known. It is called before the digest table is read.
func (s *slowLog) collect(ctx context.Context, known func(string) bool) {
	if s.settings.File == "" || s.file == logOff {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, logLimit)
	defer cancel()
	s.digester.Options = s.settings.SQL
	done, err := s.follower.Read(ctx, s.settings.options(), s.allowance(time.Now()), func(e *slowlog.Entry, marked bool) {
		s.add(e, marked, known)
	})
	s.account(done)
	s.failed = snapshot.Gap{}
	if err != nil {
		s.failed = logRefused(s.settings.File, err)
	}
}

// allowance is what may be read now.
func (s *slowLog) allowance(now time.Time) slowlog.Budget {
	rested := now.Sub(s.read)
	s.read = now
	if s.budget != (slowlog.Budget{}) {
		return s.budget
	}
	bytes := int64(min(rested.Seconds(), logMost/logRate) * logRate)
	return slowlog.Budget{Bytes: max(bytes, logLeast), Backlog: logBacklog}
}

// account adds what a read did.
func (s *slowLog) account(done slowlog.Progress) {
	t := &s.totals
	t.Bytes += done.Bytes
	t.Entries += done.Entries
	t.Damaged += done.Damaged
	t.SkippedBytes += done.Skipped
	s.lost, s.skipped = append(s.lost, done.Lost...), s.skipped+done.Skipped
	t.BehindSeconds = new(0.0)
	if done.Unread > 0 {
		t.BehindSeconds = nil
		if !done.Last.IsZero() {
			t.BehindSeconds = new(max(time.Since(done.Last).Seconds(), 0))
		}
	}
}

// add counts an entry. Commands of the protocol are no statements. One that was
// too long to be read whole would not be known as what the digest table calls it.
func (s *slowLog) add(e *slowlog.Entry, marked bool, known func(string) bool) {
	if e.Admin {
		return
	}
	l := s.statement(e, known)
	if l == nil {
		s.totals.Uncounted++
		return
	}
	delta := entrySums(e)
	l.counted.add(&delta)
	if marked {
		l.marked.add(&delta)
	}
	l.entries++
	l.estimated = l.estimated || e.Estimated
	if e.Micros != 0 {
		if l.first == 0 || e.Micros < l.first {
			l.first = e.Micros
		}
		l.last = max(l.last, e.Micros)
	}
	if n := len(e.Explain); n > 0 && n <= maxPlanBytes && n <= s.room+len(l.plan) && e.Duration >= l.planMicros {
		s.room -= max(n-len(l.plan), 0)
		l.plan, l.planMicros = append(l.plan[:0], e.Explain...), e.Duration
	}
}

// statement returns the statement of an entry; nil if there are too many.
func (s *slowLog) statement(e *slowlog.Entry, known func(string) bool) *logged {
	if e.Cut {
		return nil
	}
	key := loggedKey{s.schema(e.Database), s.digester.Sum(e.Statement)}
	if l := s.logged[key]; l != nil {
		return l
	}
	if len(s.logged) >= maxLogged {
		return nil
	}
	l := &logged{schema: key.schema, fingerprint: key.sum.Fingerprint()}
	if !known(l.fingerprint) && s.room > 0 {
		l.statement = s.digester.Describe(e.Statement)
		l.statement.Text = sqltext.Clip(l.statement.Text, maxTextBytes)
		s.room -= len(l.statement.Text)
	}
	s.logged[key] = l
	return l
}

// maxSchemaBytes bounds the name of a schema: servers allow 64 characters.
const maxSchemaBytes = 255

// schema returns a name that is kept.
func (s *slowLog) schema(name []byte) string {
	name = name[:min(len(name), maxSchemaBytes)]
	if known, found := s.schemas[string(name)]; found {
		return known
	}
	if len(s.schemas) >= maxLogged {
		clear(s.schemas)
	}
	kept := strings.ToValidUTF8(string(name), "\uFFFD")
	s.schemas[string(name)] = kept
	return kept
}

// entrySums are what an entry counts. Times are in nanoseconds.
func entrySums(e *slowlog.Entry) (delta sums) {
	delta[sumCalls] = 1
	delta[sumTime] = times(e.Duration, 1000)
	for _, f := range [...]struct {
		which slowlog.Figure
		sum   int
		unit  uint64
	}{
		{slowlog.LockTime, sumLockTime, 1000},
		{slowlog.Failed, sumErrors, 1},
		{slowlog.RowsAffected, sumRowsAffected, 1},
		{slowlog.RowsSent, sumRowsSent, 1},
		{slowlog.RowsExamined, sumRowsExamined, 1},
		{slowlog.TmpTables, sumTmpTables, 1},
		{slowlog.TmpDiskTables, sumTmpDiskTables, 1},
		{slowlog.FullJoin, sumFullJoins, 1},
		{slowlog.FullScan, sumFullScans, 1},
		{slowlog.MergePasses, sumSortMerges, 1},
	} {
		value, _ := e.Get(f.which)
		delta[f.sum] = times(value, f.unit)
	}
	for i := range delta {
		delta[i] = times(delta[i], e.Calls)
	}
	return delta
}

// mostLogged bounds what one entry adds to a sum, which is 13 days of time: a log
// that holds nonsense must not make a total pass its largest number.
const mostLogged = 1 << 50

func times(a, b uint64) uint64 {
	if high, low := bits.Mul64(a, b); high == 0 && low < mostLogged {
		return low
	}
	return mostLogged
}

// take returns what was logged since the last call.
func (s *slowLog) take() []*logged {
	all := make([]*logged, 0, len(s.logged))
	for _, l := range s.logged {
		all = append(all, l)
	}
	clear(s.logged)
	s.room = maxLoggedText
	return all
}

// watch learns from the server where it logs and how, for the next round, and
// marks how far it has logged. It is called after the digest table was read.
func (s *slowLog) watch(q *session, variables map[string]string) {
	s.settings, s.gap = logSettings{}, snapshot.Gap{}
	if s.file == logOff {
		return
	}
	settings := s.where(q, variables)
	s.gap = s.closed(q, variables, settings.File)
	if s.gap.Reason == "" {
		s.settings, s.gap = settings, s.failed
		if err := s.follower.Watch(settings.File); err != nil {
			s.gap = logRefused(settings.File, err)
		}
	}
	s.totals.File, s.totals.ThresholdSeconds, s.totals.RateLimit = settings.File, settings.Threshold, 0
	if settings.RateLimit > 1 {
		s.totals.RateLimit = settings.RateLimit
	}
	s.follower.Mark()
}

// where reads the settings of the log.
func (s *slowLog) where(q *session, variables map[string]string) logSettings {
	file := cmp.Or(variables["slow_query_log_file"], variables["log_slow_query_file"])
	if file != "" && !filepath.IsAbs(file) {
		file = filepath.Join(variables["datadir"], file)
	}
	if s.file != "" {
		file = s.file
	}
	set := logSettings{File: file}
	set.Threshold, _ = strconv.ParseFloat(cmp.Or(variables["long_query_time"], variables["log_slow_query_time"]), 64)
	set.SQL.ANSIQuotes = strings.Contains(variables["sql_mode"], "ANSI_QUOTES")
	set.SQL.NoBackslashEscapes = strings.Contains(variables["sql_mode"], "NO_BACKSLASH_ESCAPES")
	if q.identity.Family == snapshot.MariaDB { // Percona Server tells it in each entry.
		set.RateLimit, _ = strconv.ParseUint(variables["log_slow_rate_limit"], 10, 64)
	}
	for _, name := range []string{"log_slow_always_query_time", "slow_query_log_always_write_time"} {
		if seconds, err := strconv.ParseFloat(variables[name], 64); err == nil && seconds < 1e9 {
			set.Always = time.Duration(seconds * float64(time.Second))
		}
	}
	return set
}

// options say how to read the log.
func (l *logSettings) options() slowlog.Options {
	return slowlog.Options{SQL: l.SQL, RateLimit: l.RateLimit, AlwaysLogged: l.Always}
}
