package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// pastStatement is one that a session ran lately, or runs now.
type pastStatement struct {
	event uint64
	name  string  // statement/sql/update
	text  string  // empty where the server keeps none: prepared ones on MariaDB
	ago   float64 // seconds since it ended; 0 if it still runs
}

// selectHistory reads what each session ran lately, ten statements by default.
// performance_schema finds a thread's history by a key on MySQL and by a scan on
// MariaDB: 0.3 ms with 200 sessions on either. The timers have an origin of
// their own; our own statement, which still runs, ends now.
const selectHistory = `SELECT STRAIGHT_JOIN t.PROCESSLIST_ID, h.EVENT_ID, h.EVENT_NAME, h.SQL_TEXT,
	(CAST((SELECT MAX(TIMER_END) FROM performance_schema.events_statements_current) AS SIGNED) - CAST(h.TIMER_END AS SIGNED)) / 1e12
	FROM performance_schema.threads t JOIN performance_schema.%s h ON h.THREAD_ID = t.THREAD_ID
	WHERE t.PROCESSLIST_ID IN (%s)`

// histories returns what sessions ran, by connection, oldest first.
func (q *session) histories(ctx context.Context, connections []uint64) (map[uint64][]pastStatement, error) {
	found := map[uint64][]pastStatement{}
	if len(connections) == 0 {
		return found, nil
	}
	marks, args := inList(connections)
	for _, table := range []string{"events_statements_history", "events_statements_current"} {
		err := q.each(ctx, fmt.Sprintf(selectHistory, table, marks), func(rows *sql.Rows) error {
			var connection uint64
			var s pastStatement
			var text sql.NullString
			var ago sql.NullFloat64
			if err := rows.Scan(&connection, &s.event, &s.name, &text, &ago); err != nil {
				return err
			}
			s.text, s.ago = text.String, max(ago.Float64, 0)
			found[connection] = append(found[connection], s)
			return nil
		}, args...)
		if err != nil {
			return nil, fmt.Errorf("read the history of statements: %w", err)
		}
	}
	for connection, statements := range found {
		// The current one is in the history too once it has ended.
		slices.SortFunc(statements, func(a, b pastStatement) int { return cmp.Compare(a.event, b.event) })
		found[connection] = slices.CompactFunc(statements, func(a, b pastStatement) bool { return a.event == b.event })
	}
	return found, nil
}

// inList makes the placeholders and arguments of IN. It repeats the last value
// up to one of few lengths, so that the server sees few forms of a statement.
func inList(values []uint64) (marks string, args []any) {
	length := 8
	for length < len(values) {
		length *= 8
	}
	for i := range length {
		args = append(args, values[min(i, len(values)-1)])
	}
	return "?" + strings.Repeat(", ?", length-1), args
}

// culprit is what is known of the statement that took a lock.
type culprit struct {
	statement *snapshot.LockStatement
	// candidates are the statements of which one took it.
	candidates []snapshot.LockStatement
	// unknown says why there is no statement.
	unknown string
}

// byEvent finds the statement that took a lock in an event: the last one that
// began before. Each event has a number of its own in its thread, and what a
// statement does has higher ones than the statement.
func (a *abilities) byEvent(statements []pastStatement, event uint64) culprit {
	var last *pastStatement
	for i := range statements {
		if statements[i].event < event {
			last = &statements[i]
		}
	}
	switch {
	case last == nil:
		return culprit{unknown: "the statement has fallen out of the server's history of the session"}
	case last.text == "":
		return culprit{unknown: "the server keeps no text of the statement"}
	}
	return culprit{statement: a.statement(last.text)}
}

// byTransaction finds it where the server does not say which event took the
// lock: MariaDB never does, and MySQL not of rows that the session inserted or
// changed, whose lock comes into being when another session wants it. Then it is
// one of those in the transaction that change or lock the table. age is the
// transaction's, in seconds, if it is known.
func (a *abilities) byTransaction(statements []pastStatement, lock lockName, age *float64) culprit {
	begin := 0
	for i, s := range statements {
		if endsTransaction(s.name) || age != nil && s.ago > *age {
			begin = i + 1
		}
	}
	var found culprit
	for _, s := range statements[begin:] {
		if s.text == "" {
			found.unknown = "the server keeps no text of some statements of the transaction: prepared ones"
			continue
		}
		if parsed := a.parse(s.text); locksTable(parsed, lock) {
			found.add(snapshot.LockStatement{Fingerprint: parsed.Fingerprint, Text: snapshot.Redacted(parsed.Text)})
		}
	}
	return found.settle(begin > 0)
}

// endsTransaction reports whether a statement ends one transaction or begins
// the next.
func endsTransaction(name string) bool {
	switch strings.TrimPrefix(name, "statement/sql/") {
	case "begin", "commit", "rollback", "xa_start", "xa_commit", "xa_rollback", "xa_prepare":
		return true
	}
	return false
}

// locksTable reports whether a statement can hold a lock on the table: to write
// is to lock what is read too.
func locksTable(s sqltext.Statement, lock lockName) bool {
	tables := s.Writes
	switch {
	case lock.Kind == snapshot.LockMetadata, s.Class == sqltext.LockingSelect, s.Class == sqltext.DML:
		tables = slices.Concat(s.Writes, s.Reads)
	case s.Class == sqltext.Call:
		return true
	}
	for _, table := range tables {
		schema, name, qualified := strings.Cut(table, ".")
		if !qualified {
			schema, name = lock.Schema, table
		}
		if strings.EqualFold(schema, lock.Schema) && strings.EqualFold(name, lock.Table) {
			return true
		}
	}
	return false
}

// maxCandidates bounds what is told of one lock.
const maxCandidates = 5

func (c *culprit) add(s snapshot.LockStatement) {
	known := slices.ContainsFunc(c.candidates, func(other snapshot.LockStatement) bool {
		return other.Fingerprint == s.Fingerprint
	})
	if !known && len(c.candidates) < maxCandidates {
		c.candidates = append(c.candidates, s)
	}
}

// settle calls the only candidate the culprit, if nothing else can have been.
func (c culprit) settle(whole bool) culprit {
	switch {
	case c.unknown != "":
	case len(c.candidates) == 0 && whole:
		c.unknown = "no statement in the server's history of the transaction locks the table"
	case len(c.candidates) == 0 || !whole:
		c.unknown = "the server's history of the session does not reach back to the begin of the transaction"
	case len(c.candidates) > 1:
		c.unknown = "the server does not say which statement of the transaction took the lock"
	default:
		return culprit{statement: &c.candidates[0]}
	}
	return c
}
