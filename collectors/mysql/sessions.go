package mysql

import (
	"context"
	"database/sql"
	"fmt"

	"plimsoll/collectors/snapshot"
)

// sessionState is what one connection does.
type sessionState struct {
	thread uint64 // of performance_schema; 0 on MariaDB
	user   string
	// idle is set while the session has no statement under way; for is how long
	// the present command, or the idleness, has lasted, in seconds.
	idle   bool
	lasted float64
	text   string
}

// threads has whole seconds, PROCESSLIST of MariaDB has milliseconds.
// MySQL 5.7; MariaDB 10.1.
const (
	selectSessionsMySQL = `SELECT PROCESSLIST_ID, THREAD_ID, PROCESSLIST_USER, PROCESSLIST_COMMAND, PROCESSLIST_TIME, PROCESSLIST_INFO
		FROM performance_schema.threads WHERE PROCESSLIST_ID IN (%s)`
	selectSessionsMariaDB = `SELECT ID, 0, USER, COMMAND, TIME_MS / 1000, INFO
		FROM information_schema.PROCESSLIST WHERE ID IN (%s)`
)

// sessions returns what connections do, but for those that are gone. Without
// performance_schema MySQL's threads are not known, and none is returned.
func (q *session) sessions(ctx context.Context, connections []uint64) (map[uint64]sessionState, error) {
	found := map[uint64]sessionState{}
	query := selectSessionsMariaDB
	if q.identity.Family == snapshot.MySQL {
		if !q.on("performance_schema") {
			return found, nil
		}
		query = selectSessionsMySQL
	}
	if len(connections) == 0 {
		return found, nil
	}
	marks, args := inList(connections)
	err := q.each(ctx, fmt.Sprintf(query, marks), func(rows *sql.Rows) error {
		var connection uint64
		var s sessionState
		var user, command, text sql.NullString
		var lasted sql.NullFloat64
		if err := rows.Scan(&connection, &s.thread, &user, &command, &lasted, &text); err != nil {
			return err
		}
		s.user, s.idle, s.lasted, s.text = user.String, command.String == "Sleep", max(lasted.Float64, 0), text.String
		found[connection] = s
		return nil
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return found, nil
}

// openTransaction is a row of information_schema.INNODB_TRX.
type openTransaction struct {
	id         uint64
	connection uint64
	seconds    float64 // since its start
	waited     float64 // for the lock it waits for; 0 if it waits for none
	locked     uint64  // rows
	modified   uint64  // rows
	isolation  string
	readOnly   bool
	text       string
}

// InnoDB writes its times in the system's time zone whatever the session's is.
// They have no fractions, so that a transaction of less than a second can seem
// to have one. MySQL 5.6; MariaDB 10.0.
const (
	selectTransactions = `SELECT trx_id, trx_mysql_thread_id,
		TIMESTAMPDIFF(MICROSECOND, trx_started, CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', 'SYSTEM')) / 1e6,
		TIMESTAMPDIFF(MICROSECOND, trx_wait_started, CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', 'SYSTEM')) / 1e6,
		trx_rows_locked, trx_rows_modified, trx_isolation_level, trx_is_read_only, trx_query
		FROM information_schema.INNODB_TRX`
	oldestTransactions = selectTransactions + " ORDER BY trx_started LIMIT 200"
	// A MariaDB transaction that has not written has the number 0.
	transactionsByID         = selectTransactions + " WHERE trx_id IN (%s)"
	transactionsByConnection = selectTransactions + " WHERE trx_mysql_thread_id IN (%s)"
)

// transactions runs one of the queries above.
func (q *session) transactions(ctx context.Context, query string, args ...any) ([]openTransaction, error) {
	var found []openTransaction
	err := q.each(ctx, query, func(rows *sql.Rows) error {
		var t openTransaction
		var seconds, waited sql.NullFloat64
		var text sql.NullString
		err := rows.Scan(&t.id, &t.connection, &seconds, &waited, &t.locked, &t.modified, &t.isolation, &t.readOnly, &text)
		if err != nil {
			return err
		}
		t.seconds, t.waited, t.text = max(seconds.Float64, 0), max(waited.Float64, 0), text.String
		found = append(found, t)
		return nil
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("read transactions: %w", err)
	}
	return found, nil
}
