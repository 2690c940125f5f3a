package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// abilities are what the jobs around locks can be told. They can be switched
// while the server runs, so that they are asked for more often than the rest of
// the probe. They belong to whoever holds the connection.
type abilities struct {
	asked time.Time
	of    *probe

	// process is the privilege: without it nothing is known of other sessions.
	process error
	// history says that performance_schema keeps the last statements of each
	// session; metadata that it sees metadata locks.
	history, metadata bool
	// sqlMode says how strings are quoted.
	sqlMode sqltext.Options
}

const (
	selectSQLMode = "SELECT @@GLOBAL.sql_mode"
	// MariaDB keeps the history only if both are on.
	selectHistoryConsumers = `SELECT COUNT(*) FROM performance_schema.setup_consumers
		WHERE NAME IN ('events_statements_current', 'events_statements_history') AND ENABLED = 'YES'`
	selectMetadataInstrument = `SELECT COUNT(*) FROM performance_schema.setup_instruments
		WHERE NAME = 'wait/lock/metadata/sql/mdl' AND ENABLED = 'YES'`
)

// refresh asks again if the answers are old or of another connection.
func (a *abilities) refresh(ctx context.Context, q *session) error {
	if a.of == q.probe && time.Since(a.asked) < time.Minute {
		return nil
	}
	fresh := abilities{of: q.probe, asked: time.Now()}
	var mode string
	if err := q.one(ctx, selectSQLMode, []any{&mode}); err != nil {
		return fmt.Errorf("read sql_mode: %w", err)
	}
	fresh.sqlMode.ANSIQuotes = strings.Contains(mode, "ANSI_QUOTES")
	fresh.sqlMode.NoBackslashEscapes = strings.Contains(mode, "NO_BACKSLASH_ESCAPES")
	fresh.process = q.each(ctx, tryProcess, func(*sql.Rows) error { return nil })
	if fresh.process != nil && featureOf(fresh.process) == "" {
		return fmt.Errorf("try the process list: %w", fresh.process)
	}
	if q.on("performance_schema") {
		var consumers, instruments int
		if err := q.one(ctx, selectHistoryConsumers, []any{&consumers}); err != nil {
			return fmt.Errorf("read consumers: %w", err)
		}
		if err := q.one(ctx, selectMetadataInstrument, []any{&instruments}); err != nil {
			return fmt.Errorf("read instruments: %w", err)
		}
		fresh.history, fresh.metadata = consumers == 2, instruments == 1
	}
	*a = fresh
	return nil
}

// historyGap says what keeps the culprits of lock waits unknown, if so.
func (a *abilities) historyGap(q *session) (snapshot.Gap, bool) {
	gap := snapshot.Gap{Job: locksJob, Subject: q.server.cfg.Name}
	switch {
	case a.history:
		return gap, false
	case !q.on("performance_schema"):
		gap.Reason, gap.Remedy = "performance_schema is not readable: the statement that took a lock is unknown", q.performanceSchemaRemedy()
	default:
		gap.Reason = "the server keeps no history of statements: the one that took a lock is unknown"
		gap.Remedy = "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME IN " +
			"('events_statements_current', 'events_statements_history'); and in the option file " +
			"performance-schema-consumer-events-statements-current = ON, " +
			"performance-schema-consumer-events-statements-history = ON"
	}
	return gap, true
}

// metadataGap says what keeps metadata locks unknown, if so. Off is MariaDB's
// default.
func (a *abilities) metadataGap(q *session) (snapshot.Gap, bool) {
	gap := snapshot.Gap{Job: locksJob, Subject: q.server.cfg.Name}
	switch {
	case a.metadata:
		return gap, false
	case !q.on("performance_schema"):
		gap.Reason, gap.Remedy = "performance_schema is not readable: who holds metadata locks is unknown", q.performanceSchemaRemedy()
	default:
		gap.Reason = "the server does not watch metadata locks: who holds them is unknown"
		gap.Remedy = "UPDATE performance_schema.setup_instruments SET ENABLED = 'YES', TIMED = 'YES' " +
			"WHERE NAME = 'wait/lock/metadata/sql/mdl'; and in the option file " +
			"performance-schema-instrument = 'wait/lock/metadata/sql/mdl=ON'"
	}
	return gap, true
}

// performanceSchemaRemedy is what makes performance_schema readable.
func (q *session) performanceSchemaRemedy() string {
	if q.identity.Features["performance_schema"] == snapshot.FeatureNoPrivilege {
		return q.grant(needPerformanceSchema(""))
	}
	return q.schemaRemedy()
}

// cutAt is where servers cut the text of a statement: the default of
// performance_schema_max_sql_text_length, and InnoDB's own limit.
const cutAt = 1024

// statement is what may be told of a statement's text; nil if there is none.
func (a *abilities) statement(text string) *snapshot.LockStatement {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	parsed := a.parse(text)
	return &snapshot.LockStatement{Fingerprint: parsed.Fingerprint, Text: snapshot.Redacted(parsed.Text)}
}

// parse marks a text that was cut without a mark: characters of up to four
// bytes are not cut in pieces.
func (a *abilities) parse(text string) sqltext.Statement {
	if len(text) > cutAt-4 && !strings.HasSuffix(text, "...") {
		text += "..."
	}
	return a.sqlMode.Parse(text)
}
