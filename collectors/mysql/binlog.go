package mysql

import (
	"context"
	"fmt"
	"strconv"

	"plimsoll/collectors/snapshot"
)

// showBinaryLogs opens each file for its size, which is why it is not asked more
// than once a minute.
const showBinaryLogs = "SHOW BINARY LOGS"

// readBinlog reads how the binary log is set, and how much of it there is.
func readBinlog(ctx context.Context, q *session, into *snapshot.Server) error {
	settings, err := q.settings(ctx, variablesAge)
	if err != nil {
		return err
	}
	status, err := q.status(ctx, statusAge)
	if err != nil {
		return err
	}
	part := binlogSettings(settings.values, q.identity.Family)
	part.Taken, part.Epoch = status.at, q.epoch()
	part.CacheUse = unsigned(status.values["binlog_cache_use"])
	part.CacheDiskUse = unsigned(status.values["binlog_cache_disk_use"])
	if part.Enabled {
		if err := readBinaryLogs(ctx, q, part); err != nil {
			return fmt.Errorf("list binary logs: %w", err)
		}
	}
	into.Binlog = part
	return nil
}

func binlogSettings(settings map[string]string, family snapshot.Family) *snapshot.Binlog {
	part := &snapshot.Binlog{
		Enabled: on(settings["log_bin"]), Format: settings["binlog_format"], RowImage: settings["binlog_row_image"],
		GTIDMode:          settings["gtid_mode"],
		LogReplicaUpdates: on(settings["log_replica_updates"]) || on(settings["log_slave_updates"]),
		SyncBinlog:        signed(settings["sync_binlog"]),
		FlushLogAtCommit:  signed(settings["innodb_flush_log_at_trx_commit"]),
		RetentionSeconds:  retention(settings),
	}
	if family == snapshot.MariaDB {
		part.GTIDMode = "PERMISSIVE"
		if on(settings["gtid_strict_mode"]) {
			part.GTIDMode = "ON"
		}
	}
	return part
}

// retention is nil if nothing is purged. Where a server has both variables, one
// of them is zero, or they say the same (MariaDB).
func retention(settings map[string]string) *float64 {
	if settings["binlog_expire_logs_auto_purge"] == "OFF" {
		return nil
	}
	if seconds, err := strconv.ParseFloat(settings["binlog_expire_logs_seconds"], 64); err == nil && seconds > 0 {
		return &seconds
	}
	const day = 86400
	if days, err := strconv.ParseFloat(settings["expire_logs_days"], 64); err == nil && days > 0 {
		return optional(days*day, true)
	}
	return nil
}

func readBinaryLogs(ctx context.Context, q *session, part *snapshot.Binlog) error {
	var files int
	var bytes uint64
	err := q.eachMap(ctx, showBinaryLogs, func(row map[string]string) error {
		size, err := strconv.ParseUint(row["File_size"], 10, 64)
		files++
		bytes += size
		return err
	})
	if err == nil {
		part.Files, part.Bytes = &files, &bytes
	}
	n := need{"the list of binary logs", "REPLICATION CLIENT ON *.*", "BINLOG MONITOR ON *.*"}
	return q.tolerate(&part.Meta, "mysql/binlog", n, err)
}

// unsigned is nil for what is no number.
func unsigned(text string) *uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	return optional(n, err == nil)
}

func signed(text string) *int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	return optional(n, err == nil)
}
