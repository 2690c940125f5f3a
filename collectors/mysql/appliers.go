package mysql

import (
	"context"
	"database/sql"
	"strconv"

	"plimsoll/collectors/snapshot"
)

// The age is counted from the commit on the first source; one older than MySQL
// 8.0.1 does not send it. A zero time, as without a transaction, gives NULL.
// APPLYING_TRANSACTION is ANONYMOUS without GTIDs and empty without a
// transaction. MySQL 8.0.
const selectAppliers = `SELECT CHANNEL_NAME, COUNT(*), SUM(APPLYING_TRANSACTION <> ''), SUM(SERVICE_STATE = 'ON'),
	MAX(IF(APPLYING_TRANSACTION <> '', TIMESTAMPDIFF(MICROSECOND, APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP, UTC_TIMESTAMP(6)), NULL))
	FROM performance_schema.replication_applier_status_by_worker GROUP BY CHANNEL_NAME`

// MariaDB has no times here, and its WORKER_IDLE_TIME is that of the last idle
// stretch also while the worker is busy. The table is empty for an applier that
// is not parallel. MariaDB 10.5.
const selectWorkers = `SELECT CHANNEL_NAME, COUNT(*), NULL, NULL, NULL
	FROM performance_schema.replication_applier_status_by_worker GROUP BY CHANNEL_NAME`

// MySQL 5.7.
const selectReceivers = `SELECT s.CHANNEL_NAME, s.COUNT_RECEIVED_HEARTBEATS, c.HEARTBEAT_INTERVAL
	FROM performance_schema.replication_connection_status s
	JOIN performance_schema.replication_connection_configuration c USING (CHANNEL_NAME)`

// readAppliers adds what performance_schema knows of the channels.
func readAppliers(ctx context.Context, q *session, part *snapshot.Replication, rows map[string]channelRow) error {
	if !q.on("performance_schema") {
		return nil
	}
	channels := map[string]*snapshot.Channel{}
	for i := range part.Channels {
		channels[part.Channels[i].Name] = &part.Channels[i]
	}
	query := selectAppliers
	if !q.has("replication_applier_status_by_worker", "applying_transaction") {
		query = selectWorkers
	}
	n := need{fact: "the applier's workers", mysql: "SELECT ON performance_schema.*", mariadb: "SELECT ON performance_schema.*"}
	err := q.each(ctx, query, func(rows *sql.Rows) error { return scanApplier(rows, channels) })
	if err := q.tolerate(&part.Meta, replicationJob, n, err); err != nil {
		return err
	}
	if !q.has("replication_connection_status", "count_received_heartbeats") {
		return nil
	}
	n.fact = "heartbeats"
	err = q.each(ctx, selectReceivers, func(result *sql.Rows) error { return scanReceiver(result, channels, rows) })
	return q.tolerate(&part.Meta, replicationJob, n, err)
}

func scanApplier(rows *sql.Rows, channels map[string]*snapshot.Channel) error {
	var name string
	var workers int
	var busy, running sql.NullInt64
	var age sql.NullFloat64
	if err := rows.Scan(&name, &workers, &busy, &running, &age); err != nil {
		return err
	}
	c := channels[name]
	if c == nil {
		return nil
	}
	c.Workers = &workers
	c.Busy = optional(int(busy.Int64), busy.Valid)
	switch {
	case !running.Valid || running.Int64 == 0:
		// A stopped applier applies nothing, which is not to be without lag.
	case age.Valid:
		c.ApplySeconds = optional(max(age.Float64/1e6, 0), true)
	case busy.Int64 == 0:
		c.ApplySeconds = optional(0.0, true)
	}
	return nil
}

// scanReceiver adds the heartbeats to the row, where MariaDB has them.
func scanReceiver(result *sql.Rows, channels map[string]*snapshot.Channel, rows map[string]channelRow) error {
	var name string
	var heartbeats uint64
	var interval float64
	if err := result.Scan(&name, &heartbeats, &interval); err != nil {
		return err
	}
	if c := channels[name]; c != nil {
		c.HeartbeatSeconds = optional(interval, interval > 0)
		rows[name]["Slave_received_heartbeats"] = strconv.FormatUint(heartbeats, 10)
	}
	return nil
}
