package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"plimsoll/collectors/snapshot"
)

// latencyBudget is how long a round may read histograms. One takes the server
// 3 ms, and 6 ms when 10,000 digests are in the table, because the index is a
// walk: all leading statements at once would cost more than their digests do.
// Instead each round reads those that were read longest ago.
const latencyBudget = 10 * time.Millisecond

// maxLatencies is how many statements are remembered that once led.
const maxLatencies = 200

// leader is a statement that took much time in the last interval.
type leader struct {
	groupKey
	digests []string
}

// maxLeaders is how many statements are watched for their latency.
const maxLeaders = 20

// latencyJob is the job mysql/latency: how long the leading statements took,
// from the histograms that MySQL has and MariaDB has not, and how long all
// statements together, which MariaDB has in a plugin.
type latencyJob struct {
	server  *Server
	leaders func() []leader

	mu     sync.Mutex
	epoch  string
	all    latencyState
	states map[groupKey]*latencyState
}

func newLatencyJob(s *Server, digests *digestJob) *latencyJob {
	leaders := func() []leader {
		if l := digests.leaders.Load(); l != nil {
			return *l
		}
		return nil
	}
	return &latencyJob{server: s, leaders: leaders, epoch: newEpoch(time.Now()), all: newLatencyState(), states: map[groupKey]*latencyState{}}
}

// latencyState is the histogram of one statement, since the job's epoch.
type latencyState struct {
	read  time.Time
	last  map[string]histogram // by the server's digest
	total histogram
	delta histogram // of the last interval
}

func newLatencyState() latencyState {
	return latencyState{last: map[string]histogram{}, total: histogram{}}
}

// histogram counts executions by their bucket's upper bound in picoseconds.
type histogram map[uint64]uint64

// Collect implements collectors.Collector.
func (j *latencyJob) Collect(ctx context.Context, into *snapshot.Snapshot) error {
	leaders := j.leaders()
	return j.server.round(ctx, into, func(ctx context.Context, q *session, parts *snapshot.Server) error {
		j.mu.Lock()
		defer j.mu.Unlock()
		parts.Latency = &snapshot.Latency{}
		if gap, missing := q.latencyGap(); missing {
			parts.Latency.Gaps = []snapshot.Gap{gap}
		} else if err := j.read(ctx, q, leaders); err != nil {
			return err
		}
		if err := j.readAll(ctx, q); err != nil {
			return fmt.Errorf("read histogram of all statements: %w", err)
		}
		parts.Latency.Rows, parts.Latency.All = j.rows(), j.all.shown()
		parts.Latency.Epoch, parts.Latency.Taken = j.epoch, time.Now()
		return nil
	})
}

// read reads the histograms that are due, as many as the budget allows.
func (j *latencyJob) read(ctx context.Context, q *session, leaders []leader) error {
	j.retain(leaders)
	due := slices.SortedStableFunc(slices.Values(leaders), func(a, b leader) int {
		return j.state(a.groupKey).read.Compare(j.state(b.groupKey).read)
	})
	for start := time.Now(); len(due) > 0 && time.Since(start) < latencyBudget; due = due[1:] {
		if err := j.readOne(ctx, q, due[0]); err != nil {
			return fmt.Errorf("read histogram: %w", err)
		}
	}
	return nil
}

// retain keeps what was read of statements that do not lead now, without the
// quantiles of an interval long past. If there are too many they go, and an
// epoch begins.
func (j *latencyJob) retain(leaders []leader) {
	leads := map[groupKey]bool{}
	for _, l := range leaders {
		leads[l.groupKey] = true
	}
	for key, s := range j.states {
		if !leads[key] {
			s.delta = nil
		}
	}
	if len(j.states) > maxLatencies {
		maps.DeleteFunc(j.states, func(key groupKey, _ *latencyState) bool { return !leads[key] })
		j.epoch = newEpoch(time.Now())
	}
}

func (j *latencyJob) state(key groupKey) *latencyState {
	s := j.states[key]
	if s == nil {
		s = new(newLatencyState())
		j.states[key] = s
	}
	return s
}

const selectHistogram = `SELECT BUCKET_TIMER_HIGH, COUNT_BUCKET
FROM performance_schema.events_statements_histogram_by_digest
WHERE COUNT_BUCKET > 0 AND DIGEST = ? AND SCHEMA_NAME `

// readOne reads the histogram of a statement, of all its digests.
func (j *latencyJob) readOne(ctx context.Context, q *session, l leader) error {
	seen := map[string]histogram{}
	for _, digest := range l.digests {
		query, args := selectHistogram+"= ?", []any{digest, l.schema}
		if l.schema == "" {
			query, args = selectHistogram+"IS NULL", []any{digest}
		}
		var err error
		if seen[digest], err = q.histogram(ctx, query, args...); err != nil {
			return err
		}
	}
	j.state(l.groupKey).book(seen, time.Now())
	return nil
}

const (
	selectGlobalHistogram = `SELECT BUCKET_TIMER_HIGH, COUNT_BUCKET
		FROM performance_schema.events_statements_histogram_global WHERE COUNT_BUCKET > 0`
	// TIME is text, in seconds; the last row's is TOO LONG.
	selectResponseTimes = `SELECT IF(TIME LIKE 'TOO LONG%', 18446744073709551615,
			CAST(CAST(TIME AS DECIMAL(20, 6)) * 1000000000000 AS UNSIGNED)), COUNT
		FROM information_schema.QUERY_RESPONSE_TIME WHERE COUNT > 0`
)

// readAll reads the histogram of all statements, if the server has one.
func (j *latencyJob) readAll(ctx context.Context, q *session) error {
	var query string
	switch {
	case q.on("histogram_global"):
		query = selectGlobalHistogram
	case q.on("response_times"):
		query = selectResponseTimes
	default:
		j.all = newLatencyState()
		return nil
	}
	seen, err := q.histogram(ctx, query)
	if err != nil {
		return err
	}
	j.all.book(map[string]histogram{"": seen}, time.Now())
	return nil
}

// histogram reads rows of a bucket's bound and count.
func (q *session) histogram(ctx context.Context, query string, args ...any) (histogram, error) {
	seen := histogram{}
	err := q.each(ctx, query, func(rows *sql.Rows) error {
		var bound, calls count
		if err := rows.Scan(&bound, &calls); err != nil {
			return err
		}
		seen[uint64(bound)] = uint64(calls)
		return nil
	}, args...)
	return seen, err
}

// book takes a read. The first of a digest is only the base of the next; a
// count that fell was put back to zero by TRUNCATE or a restart, and counts
// whole.
func (s *latencyState) book(seen map[string]histogram, now time.Time) {
	s.read, s.delta = now, histogram{}
	for digest, counts := range seen {
		last, known := s.last[digest]
		s.last[digest] = counts
		for bound, calls := range counts {
			if before := last[bound]; before <= calls {
				calls -= before
			}
			if known && calls > 0 {
				s.delta[bound] += calls
				s.total[bound] += calls
			}
		}
	}
}

// rows are the statements that were read twice, by fingerprint.
func (j *latencyJob) rows() []snapshot.DigestLatency {
	rows := []snapshot.DigestLatency{}
	for key, s := range j.states {
		if h := s.shown(); h != nil {
			rows = append(rows, snapshot.DigestLatency{Fingerprint: key.fingerprint, Schema: key.schema, Histogram: *h})
		}
	}
	slices.SortFunc(rows, func(a, b snapshot.DigestLatency) int {
		return cmp.Or(cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.Schema, b.Schema))
	})
	return rows
}

// shown is the state as a snapshot has it; nil until it was read twice.
func (s *latencyState) shown() *snapshot.Histogram {
	if len(s.total) == 0 {
		return nil
	}
	return &snapshot.Histogram{
		Buckets: buckets(s.total),
		P50:     quantile(s.delta, 0.50), P95: quantile(s.delta, 0.95), P99: quantile(s.delta, 0.99),
	}
}

func buckets(counts histogram) []snapshot.Bucket {
	out := make([]snapshot.Bucket, 0, len(counts))
	for _, bound := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, snapshot.Bucket{UpToSeconds: upperSeconds(bound), Count: counts[bound]})
	}
	return out
}

// quantile is the upper bound of the bucket in which share p of all executions
// is reached; nil without any. Bounds are 4.7 % apart.
func quantile(counts histogram, p float64) *float64 {
	var all, sum uint64
	for _, n := range counts {
		all += n
	}
	for _, bound := range slices.Sorted(maps.Keys(counts)) {
		sum += counts[bound]
		if float64(sum) >= p*float64(all) {
			return new(upperSeconds(bound))
		}
	}
	return nil
}

// upperSeconds is a bound in picoseconds as a snapshot has it. The last bucket
// has none: the server writes the largest number there is.
func upperSeconds(bound uint64) float64 { return float64(bound) / 1e12 }

// latencyGap says why there are no histograms, if so.
func (q *session) latencyGap() (snapshot.Gap, bool) {
	gap, missing := q.digestGap()
	if !missing && !q.on("histograms") {
		gap, missing = q.noHistograms(), true
	}
	gap.Job, gap.Subject = "mysql/latency", q.server.cfg.Name
	return gap, missing
}

// noHistograms says what a server lacks whose statements have no histogram each,
// and how the one of all of them is had.
func (q *session) noHistograms() snapshot.Gap {
	gap := snapshot.Gap{Reason: "this server (" + q.identity.Version + ") keeps no latency histograms of statements"}
	if q.identity.Family == snapshot.MariaDB && !q.on("response_times") {
		gap.Reason += ", and its plugin for one of all of them together is not in use"
		gap.Remedy = "INSTALL SONAME 'query_response_time'; SET GLOBAL query_response_time_stats = ON; and in the option file " +
			"plugin-load-add = query_response_time, query_response_time_stats = ON"
	}
	return gap
}
