package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"plimsoll/collectors/snapshot"
)

// What the server counts of all statements, whether it could tell them apart or
// not: some 200 rows.
const selectStatementEvents = `SELECT EVENT_NAME, COUNT_STAR, SUM_TIMER_WAIT
FROM performance_schema.events_statements_summary_global_by_event_name WHERE COUNT_STAR > 0`

// The counters of coverage. Times are in picoseconds as the server has them, and
// in nanoseconds in our totals.
const (
	seenQuestions = iota
	seenExecutions
	seenExecutionTime
	seenTime
	seenPlain // statements of the text protocol, by their own event names
	seenCount
)

// coverageSeen is one read of the counters.
type coverageSeen struct {
	counters [seenCount]uint64
	lost     *uint64
}

// readCoverage reads after the digests, so that what is digested was sent.
func (q *session) readCoverage(ctx context.Context) (coverageSeen, error) {
	var seen coverageSeen
	var name text
	var calls, time count
	err := q.each(ctx, selectStatementEvents, func(rows *sql.Rows) error {
		if err := rows.Scan(&name, &calls, &time); err != nil {
			return err
		}
		seen.counters[seenTime] += uint64(time)
		switch event := string(name.bytes); {
		case event == "statement/com/Execute":
			seen.counters[seenExecutionTime] = uint64(time)
		case strings.HasPrefix(event, "statement/sql/"):
			seen.counters[seenPlain] += uint64(calls)
		}
		return nil
	})
	if err != nil {
		return seen, fmt.Errorf("read statement events: %w", err)
	}
	status, err := q.status(ctx, 0)
	if err != nil {
		return seen, err
	}
	seen.takeStatus(status)
	return seen, nil
}

// coverageOf is a read of what a server counts without performance_schema.
func coverageOf(status *globals) (seen coverageSeen) {
	seen.takeStatus(status)
	return seen
}

func (s *coverageSeen) takeStatus(status *globals) {
	s.counters[seenQuestions] = status.unsigned("questions")
	s.counters[seenExecutions] = status.unsigned("com_stmt_execute")
	s.lost = unsigned(status.values["performance_schema_digest_lost"])
}

// coverageTotals are the counters since the ledger's epoch.
type coverageTotals struct {
	Last     *[seenCount]uint64 `json:"last,omitempty"`
	Totals   [seenCount]uint64  `json:"totals"`
	Digested uint64             `json:"digested"`
	// Logged and LoggedTime are executions that the slow log shows beyond the
	// digests, at most as many as there were; HiddenTime is that of the others.
	Logged     uint64 `json:"logged"`
	LoggedTime uint64 `json:"logged_time"`
	HiddenTime uint64 `json:"hidden_time"`
	// Hidden is whether digests see binary-protocol executions; nil as long as
	// there were too few to tell.
	Hidden *bool `json:"hidden,omitempty"`
}

// enoughExecutions is from how many in one interval on it shows whether digests
// see them: the counters are not read in one moment.
const enoughExecutions = 20

// book adds what was seen since the last read. A counter that fell was put
// back to zero by a restart, FLUSH STATUS or TRUNCATE, and counts whole. all says
// that the slow log holds statements however fast they were.
func (c *coverageTotals) book(seen coverageSeen, b *booking, all bool) {
	last := c.Last
	c.Last = &seen.counters
	if last == nil {
		return
	}
	var delta [seenCount]uint64
	for i, now := range seen.counters {
		delta[i] = now - last[i]
		if delta[i] > 1<<63 {
			delta[i] = now
		}
	}
	delta[seenTime] /= 1000
	delta[seenExecutionTime] /= 1000
	for i := range delta {
		c.Totals[i] += delta[i]
	}
	c.Digested += b.calls
	if executions := delta[seenExecutions]; executions >= enoughExecutions {
		c.Hidden = new(b.table < delta[seenPlain]+executions/2)
	}
	c.show(delta[seenExecutions], delta[seenExecutionTime], b, all)
}

// show adds what the slow log showed of executions that the digests do not see.
// A log that holds all calls holds all of their time, though it measures a little
// less of each than performance_schema. What is read a moment later than the rest
// evens out in the sums, so that only the largest difference so far is hidden.
func (c *coverageTotals) show(executions, time uint64, b *booking, all bool) {
	shown := uint64(max(b.beyond[sumTime], 0))
	calls := uint64(max(b.beyond[sumCalls], 0))
	if all && executions > 0 {
		shown = uint64(float64(time) * min(float64(calls)/float64(executions), 2))
	}
	c.Logged = min(c.Logged+calls, c.Totals[seenExecutions])
	c.LoggedTime = min(c.LoggedTime+shown, c.Totals[seenExecutionTime])
	c.HiddenTime = max(c.HiddenTime, c.Totals[seenExecutionTime]-c.LoggedTime)
}

// hidden is whether digests miss binary-protocol executions. Until the server
// has shown it, it is what its family does: MariaDB misses them up to at least
// 11.8, MySQL counts them in 9.7.
func (c *coverageTotals) hidden(family snapshot.Family) bool {
	if c.Hidden == nil {
		return family == snapshot.MariaDB
	}
	return *c.Hidden
}

// publish fills the part. hidden says that digests miss executions.
func (c *coverageTotals) publish(hidden bool, into *snapshot.Coverage) {
	c.publishAlone(into)
	into.PreparedHidden = hidden
	into.Seconds, into.HiddenSeconds = new(seconds(c.Totals[seenTime])), new(0.0)
	if hidden {
		into.PreparedLogged = c.Logged
		into.HiddenSeconds = new(seconds(c.HiddenTime))
	}
}

// publishAlone fills the part with what is known without performance_schema.
func (c *coverageTotals) publishAlone(into *snapshot.Coverage) {
	into.Statements = c.Totals[seenQuestions]
	into.Digested = c.Digested
	into.PreparedExecutions = c.Totals[seenExecutions]
}
