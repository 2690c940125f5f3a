package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"plimsoll/collectors/snapshot"
)

// Waits for those who wait themselves come last, since with n sessions in one
// queue the server lists n² / 2 of them: of 5,050 edges between 101 sessions
// these 200 hold all that matters.
//
// data_locks is never scanned, which took 3 to 6 s with 600,000 row locks: the
// key ENGINE_LOCK_ID finds each in microseconds, 6 ms for 200 waits beside
// 262,144 row locks. MySQL 8.0.
const selectDataLockWaits = `SELECT STRAIGHT_JOIN r.trx_mysql_thread_id, b.trx_mysql_thread_id, w.thread, w.event,
	l.OBJECT_SCHEMA, l.OBJECT_NAME, l.INDEX_NAME, l.LOCK_TYPE, l.LOCK_MODE
	FROM (SELECT ENGINE, REQUESTING_ENGINE_LOCK_ID AS lock_id, REQUESTING_ENGINE_TRANSACTION_ID AS waiter,
		BLOCKING_ENGINE_TRANSACTION_ID AS blocker, BLOCKING_THREAD_ID AS thread, BLOCKING_EVENT_ID AS event,
		BLOCKING_ENGINE_TRANSACTION_ID IN (SELECT REQUESTING_ENGINE_TRANSACTION_ID FROM performance_schema.data_lock_waits) AS queued
		FROM performance_schema.data_lock_waits ORDER BY queued LIMIT 200) w
	JOIN performance_schema.data_locks l ON l.ENGINE_LOCK_ID = w.lock_id AND l.ENGINE = w.ENGINE
	JOIN information_schema.INNODB_TRX r ON r.trx_id = w.waiter
	JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocker`

// MariaDB lists only locks that are part of a wait. MariaDB 10.0; MySQL 5.7.
const selectInnoDBLockWaits = `SELECT STRAIGHT_JOIN r.trx_mysql_thread_id, b.trx_mysql_thread_id,
	l.lock_table, l.lock_index, l.lock_type, l.lock_mode
	FROM (SELECT requesting_trx_id, blocking_trx_id, requested_lock_id,
		blocking_trx_id IN (SELECT requesting_trx_id FROM information_schema.INNODB_LOCK_WAITS) AS queued
		FROM information_schema.INNODB_LOCK_WAITS ORDER BY queued LIMIT 200) w
	JOIN information_schema.INNODB_LOCKS l ON l.lock_id = w.requested_lock_id
	JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id
	JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id`

// rowWaits reads who waits for whom in InnoDB. The event of a wait is kept only
// if it is one of the blocker's: the lock on a row that was inserted or changed
// is implicit until somebody wants it, and then it is recorded as taken by the
// thread that wanted it.
func (q *session) rowWaits(ctx context.Context) ([]lockWait, error) {
	if !q.has("data_lock_waits", "engine") {
		return q.innodbLockWaits(ctx)
	}
	var waits []lockWait
	var threads []uint64
	err := q.each(ctx, selectDataLockWaits, func(rows *sql.Rows) error {
		var w lockWait
		var thread uint64
		var schema, table, index, kind, mode sql.NullString
		if err := rows.Scan(&w.waiter, &w.blocker, &thread, &w.event, &schema, &table, &index, &kind, &mode); err != nil {
			return err
		}
		w.lock = lockName{dataLockKind(kind.String, mode.String), schema.String, table.String, index.String}
		waits, threads = append(waits, w), append(threads, thread)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read lock waits: %w", err)
	}
	blockers, err := q.sessions(ctx, connectionsOf(waits))
	if err != nil {
		return nil, err
	}
	for i, thread := range threads {
		if blockers[waits[i].blocker].thread != thread {
			waits[i].event = 0
		}
	}
	return waits, nil
}

func (q *session) innodbLockWaits(ctx context.Context) ([]lockWait, error) {
	var waits []lockWait
	err := q.each(ctx, selectInnoDBLockWaits, func(rows *sql.Rows) error {
		var w lockWait
		var table, kind, mode string
		var index sql.NullString
		if err := rows.Scan(&w.waiter, &w.blocker, &table, &index, &kind, &mode); err != nil {
			return err
		}
		w.lock.Kind, w.lock.Index = innodbLockKind(kind, mode), index.String
		w.lock.Schema, w.lock.Table = splitTable(table)
		waits = append(waits, w)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read lock waits: %w", err)
	}
	return waits, nil
}

// dataLockKind tells the kind by the mode that was asked for. A next-key lock,
// X or S alone, covers a row and the gap before it.
func dataLockKind(kind, mode string) snapshot.LockKind {
	switch {
	case kind == "TABLE":
		return snapshot.LockTable
	case strings.Contains(mode, "REC_NOT_GAP"):
		return snapshot.LockRecord
	}
	return snapshot.LockGap
}

// innodbLockKind does so for MariaDB, which writes X for a row alone as well as
// for a next-key lock: both count as a record there.
func innodbLockKind(kind, mode string) snapshot.LockKind {
	switch {
	case kind == "TABLE":
		return snapshot.LockTable
	case strings.Contains(mode, "GAP"):
		return snapshot.LockGap
	}
	return snapshot.LockRecord
}

// connectionsOf are all sessions of the waits, each once.
func connectionsOf(waits []lockWait) []uint64 {
	seen := map[uint64]bool{}
	var out []uint64
	for _, w := range waits {
		for _, connection := range []uint64{w.waiter, w.blocker} {
			if !seen[connection] {
				seen[connection] = true
				out = append(out, connection)
			}
		}
	}
	return out
}
