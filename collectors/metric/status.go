package metric

import (
	"slices"
	"strconv"
	"strings"

	"plimsoll/collectors/snapshot"
)

// StatusVariables returns the names, in lower case, of the status variables
// that the job mysql/status keeps: those with a series, and nothing else.
func StatusVariables() []string {
	names := []string{dirtyPages}
	for _, v := range statusVariables() {
		names = append(names, v.name)
	}
	for _, f := range statusFamilies() {
		for _, suffix := range f.suffixes {
			names = append(names, f.prefix+suffix)
		}
	}
	return names
}

// statusMetrics are mysqld_exporter's series of SHOW GLOBAL STATUS and SHOW
// GLOBAL VARIABLES, by its names and with its meaning. The exporter leaves most
// of them untyped.
func statusMetrics() []Metric {
	all := []Metric{dirtyPagesMetric()}
	for _, v := range statusVariables() {
		all = append(all, v.metric())
	}
	for _, f := range statusFamilies() {
		all = append(all, f.metric())
	}
	for _, v := range settingVariables() {
		all = append(all, v.setting())
	}
	return all
}

// Number reads a variable's value as mysqld_exporter does: ON and YES are 1,
// OFF and NO are 0. It reports false for any other text.
func Number(text string) (float64, bool) {
	switch strings.ToLower(text) {
	case "on", "yes":
		return 1, true
	case "off", "no", "disabled":
		return 0, true
	}
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil
}

// statusVariable is one variable that has a series of its own.
type statusVariable struct {
	name string
	typ  Type
	unit string
	help string
}

func (v statusVariable) metric() Metric {
	return Metric{
		Name: "mysql_global_status_" + v.name, Type: v.typ, Unit: v.unit, Help: v.help,
		Source: "SHOW GLOBAL STATUS, " + v.name, Job: "mysql/status", Labels: []string{"server"},
		Read: perServer(func(s *snapshot.Server) (float64, bool) { return statusValue(s, v.name) }),
	}
}

func (v statusVariable) setting() Metric {
	return Metric{
		Name: "mysql_global_variables_" + v.name, Type: v.typ, Unit: v.unit, Help: v.help,
		Source: "SHOW GLOBAL VARIABLES, " + v.name, Job: "mysql/settings", Labels: []string{"server"},
		Read: perServer(func(s *snapshot.Server) (float64, bool) {
			if s.Settings == nil {
				return 0, false
			}
			return Number(s.Settings.Variables[v.name])
		}),
	}
}

func statusValue(s *snapshot.Server, name string) (float64, bool) {
	if s.Status == nil {
		return 0, false
	}
	value, ok := s.Status.Values[name]
	return value, ok
}

// dirtyPages is the one variable that the exporter gives another name without a
// label.
const dirtyPages = "innodb_buffer_pool_pages_dirty"

func dirtyPagesMetric() Metric {
	m := statusVariable{dirtyPages, Gauge, "", "Pages of the InnoDB buffer pool that differ from disk."}.metric()
	m.Name = "mysql_global_status_buffer_pool_dirty_pages"
	return m
}

// statusFamily is a metric with one label, made of variables that share a
// prefix.
type statusFamily struct {
	name, label string
	typ         Type
	help        string
	prefix      string
	suffixes    []string
}

func (f statusFamily) metric() Metric {
	return Metric{
		Name: "mysql_global_status_" + f.name, Type: f.typ, Help: f.help,
		Source: "SHOW GLOBAL STATUS, " + f.prefix + "*", Job: "mysql/status", Labels: []string{"server", f.label},
		Read: func(s *snapshot.Snapshot, emit Emit) {
			for name, server := range s.Servers {
				for _, suffix := range f.suffixes {
					if value, ok := statusValue(server, f.prefix+suffix); ok {
						emit(value, name, suffix)
					}
				}
			}
		},
	}
}

// statusFamilies are the variables that mysqld_exporter joins by a label.
func statusFamilies() []statusFamily {
	return []statusFamily{
		{
			"commands_total", "command", Counter, "Statements by kind.", "com_",
			strings.Fields(`admin_commands alter_table analyze begin call_procedure change_db commit create_index
				create_table delete delete_multi drop_index drop_table flush insert insert_select kill load
				lock_tables optimize replace replace_select rollback select set_option show_processlist
				show_status stmt_close stmt_execute stmt_prepare stmt_reprepare truncate unlock_tables
				update update_multi`),
		},
		{
			"handlers_total", "handler", Counter, "Calls of the server into its storage engines.", "handler_",
			strings.Fields(`commit delete external_lock icp_attempts icp_match prepare read_first read_key
				read_last read_next read_prev read_retry read_rnd read_rnd_deleted read_rnd_next rollback
				savepoint tmp_delete tmp_update tmp_write update write`),
		},
		{
			"connection_errors_total", "error", Counter, "Connections that failed, by the cause.", "connection_errors_",
			strings.Fields("accept internal max_connections peer_address select tcpwrap"),
		},
		{
			"buffer_pool_pages", "state", Gauge, "Pages of the InnoDB buffer pool by what they hold.", "innodb_buffer_pool_pages_",
			strings.Fields("data free misc old"),
		},
		{
			"buffer_pool_page_changes_total", "operation", Counter, "Pages of the InnoDB buffer pool that were moved or flushed.", "innodb_buffer_pool_pages_",
			strings.Fields("flushed lru_flushed lru_freed made_young made_not_young"),
		},
		{
			"innodb_row_ops_total", "operation", Counter, "Rows that InnoDB read or changed.", "innodb_rows_",
			strings.Fields("deleted inserted read updated"),
		},
		{
			"performance_schema_lost_total", "instrumentation", Counter, "What performance_schema had no room for.", "performance_schema_",
			strings.Fields(`accounts_lost digest_lost hosts_lost index_stat_lost metadata_lock_lost
				prepared_statements_lost session_connect_attrs_lost table_handles_lost
				table_instances_lost table_lock_stat_lost thread_instances_lost users_lost`),
		},
	}
}

// settingVariables are the settings that graphs are read against.
func settingVariables() []statusVariable {
	return []statusVariable{
		{"innodb_buffer_pool_size", Gauge, "bytes", "Size of the InnoDB buffer pool."},
		{"innodb_log_file_size", Gauge, "bytes", "Size of the InnoDB redo log, or of each of its files."},
		{"innodb_redo_log_capacity", Gauge, "bytes", "Size of the InnoDB redo log."},
		{"innodb_io_capacity", Gauge, "", "Page writes a second that InnoDB allows itself in the background."},
		{"innodb_flush_log_at_trx_commit", Gauge, "", "1 if every commit is flushed to disk."},
		{"sync_binlog", Gauge, "", "Commits between two flushes of the binary log; 0 leaves it to the system."},
		{"max_connections", Gauge, "", "Connections that the server admits."},
		{"table_open_cache", Gauge, "", "Tables that can be kept open."},
		{"thread_cache_size", Gauge, "", "Threads that are kept for later connections."},
		{"query_cache_size", Gauge, "bytes", "Size of the query cache."},
		{"tmp_table_size", Gauge, "bytes", "Largest temporary table in memory."},
		{"read_only", Gauge, "", "1 if the server refuses writes of ordinary accounts."},
		{"super_read_only", Gauge, "", "1 if the server refuses writes of all accounts."},
		{"performance_schema", Gauge, "", "1 if performance_schema is on."},
		{"performance_schema_digests_size", Gauge, "", "Digests that performance_schema can hold."},
		{"max_digest_length", Gauge, "bytes", "Length at which statements are cut for their digest."},
		{"long_query_time", Gauge, "seconds", "Time from which on a statement is written to the slow log."},
	}
}

// statusVariables are the variables that have a series of their own, grouped as
// the manuals do. None is in the list only because the exporter has it: each
// is read by a rule, a graph, or the people who look at both.
func statusVariables() []statusVariable {
	return slices.Concat(connectionVariables(), statementVariables(), cacheVariables(), innodbVariables(), logVariables())
}

func connectionVariables() []statusVariable {
	return []statusVariable{
		{"uptime", Counter, "seconds", "Time since the server started."},
		{"uptime_since_flush_status", Counter, "seconds", "Time since FLUSH STATUS."},
		{"connections", Counter, "", "Tries to connect, successful or not."},
		{"aborted_clients", Counter, "", "Connections that ended without the client closing them."},
		{"aborted_connects", Counter, "", "Tries to connect that failed."},
		{"access_denied_errors", Counter, "", "Accesses that were denied."},
		{"max_used_connections", Gauge, "", "Most connections in use at once since the start."},
		{"threads_cached", Gauge, "", "Threads that wait for a connection."},
		{"threads_connected", Gauge, "", "Connections open now."},
		{"threads_created", Counter, "", "Threads made for connections."},
		{"threads_running", Gauge, "", "Threads that run a statement now."},
		{"threadpool_threads", Gauge, "", "Threads of the thread pool."},
		{"threadpool_idle_threads", Gauge, "", "Threads of the thread pool that have nothing to do."},
		{"bytes_received", Counter, "bytes", "Traffic from clients."},
		{"bytes_sent", Counter, "bytes", "Traffic to clients."},
		{"memory_used", Gauge, "bytes", "Memory that the server accounts for."},
	}
}

func statementVariables() []statusVariable {
	return []statusVariable{
		{"queries", Counter, "", "Statements run, those of stored programs included."},
		{"questions", Counter, "", "Statements that clients sent."},
		{"slow_queries", Counter, "", "Statements that took longer than long_query_time."},
		{"max_statement_time_exceeded", Counter, "", "Statements stopped by their time limit."},
		{"max_execution_time_exceeded", Counter, "", "Statements stopped by their time limit."},
		{"prepared_stmt_count", Gauge, "", "Prepared statements held now."},
		{"select_full_join", Counter, "", "Joins that scanned the second table for want of an index."},
		{"select_full_range_join", Counter, "", "Joins that used a range of the second table."},
		{"select_range", Counter, "", "Joins that used a range of the first table."},
		{"select_range_check", Counter, "", "Joins that looked for an index after each row."},
		{"select_scan", Counter, "", "Joins that scanned the first table."},
		{"sort_merge_passes", Counter, "", "Merges of sorts that did not fit in memory."},
		{"sort_range", Counter, "", "Sorts of ranges."},
		{"sort_rows", Counter, "", "Rows sorted."},
		{"sort_scan", Counter, "", "Sorts of whole tables."},
		{"created_tmp_tables", Counter, "", "Temporary tables made for statements."},
		{"created_tmp_disk_tables", Counter, "", "Temporary tables that went to disk."},
		{"created_tmp_files", Counter, "", "Temporary files."},
		{"rows_read", Counter, "", "Rows asked of all storage engines."},
		{"rows_sent", Counter, "", "Rows sent to clients."},
		{"rows_tmp_read", Counter, "", "Rows read of temporary tables."},
	}
}

func cacheVariables() []statusVariable {
	return []statusVariable{
		{"open_files", Gauge, "", "Files open now."},
		{"open_table_definitions", Gauge, "", "Table definitions cached."},
		{"open_tables", Gauge, "", "Tables open now."},
		{"opened_files", Counter, "", "Files opened."},
		{"opened_table_definitions", Counter, "", "Table definitions read."},
		{"opened_tables", Counter, "", "Tables opened."},
		{"table_locks_immediate", Counter, "", "Table locks given at once."},
		{"table_locks_waited", Counter, "", "Table locks that were waited for."},
		{"table_open_cache_hits", Counter, "", "Tables found open."},
		{"table_open_cache_misses", Counter, "", "Tables that had to be opened."},
		{"table_open_cache_overflows", Counter, "", "Tables closed because the cache was full."},
		{"qcache_free_memory", Gauge, "bytes", "Free memory of the query cache."},
		{"qcache_hits", Counter, "", "Results served by the query cache."},
		{"qcache_inserts", Counter, "", "Results put into the query cache."},
		{"qcache_lowmem_prunes", Counter, "", "Results dropped from the query cache for want of room."},
		{"qcache_not_cached", Counter, "", "Statements that the query cache does not take."},
		{"qcache_queries_in_cache", Gauge, "", "Results in the query cache."},
		{"key_read_requests", Counter, "", "Blocks asked of the MyISAM key cache."},
		{"key_reads", Counter, "", "Blocks that the MyISAM key cache read from disk."},
		{"aria_pagecache_read_requests", Counter, "", "Pages asked of the Aria page cache, which holds temporary tables."},
		{"aria_pagecache_reads", Counter, "", "Pages that the Aria page cache read from disk."},
	}
}

func innodbVariables() []statusVariable {
	return []statusVariable{
		{"innodb_page_size", Gauge, "bytes", "Size of an InnoDB page."},
		{"innodb_buffer_pool_bytes_data", Gauge, "bytes", "Data in the InnoDB buffer pool."},
		{"innodb_buffer_pool_bytes_dirty", Gauge, "bytes", "Data in the InnoDB buffer pool that differs from disk."},
		{"innodb_buffer_pool_read_ahead", Counter, "", "Pages read ahead."},
		{"innodb_buffer_pool_read_ahead_evicted", Counter, "", "Pages read ahead and dropped unused."},
		{"innodb_buffer_pool_read_requests", Counter, "", "Pages asked of the InnoDB buffer pool."},
		{"innodb_buffer_pool_reads", Counter, "", "Pages that the InnoDB buffer pool read from disk."},
		{"innodb_buffer_pool_wait_free", Counter, "", "Waits for a free page of the InnoDB buffer pool."},
		{"innodb_buffer_pool_write_requests", Counter, "", "Writes to the InnoDB buffer pool."},
		{"innodb_adaptive_hash_hash_searches", Counter, "", "Searches by the adaptive hash index."},
		{"innodb_adaptive_hash_non_hash_searches", Counter, "", "Searches down the tree of an index."},
		{"innodb_checkpoint_age", Gauge, "bytes", "Redo log written since the last checkpoint."},
		{"innodb_checkpoint_max_age", Gauge, "bytes", "Age of the checkpoint at which writes stall."},
		{"innodb_redo_log_logical_size", Gauge, "bytes", "Redo log in use."},
		{"innodb_data_fsyncs", Counter, "", "Flushes of InnoDB's files."},
		{"innodb_data_pending_fsyncs", Gauge, "", "Flushes of InnoDB's files that are waited for."},
		{"innodb_data_pending_reads", Gauge, "", "Reads of InnoDB's files that are waited for."},
		{"innodb_data_pending_writes", Gauge, "", "Writes to InnoDB's files that are waited for."},
		{"innodb_data_read", Counter, "bytes", "Data read by InnoDB."},
		{"innodb_data_reads", Counter, "", "Reads of InnoDB's files."},
		{"innodb_data_writes", Counter, "", "Writes to InnoDB's files."},
		{"innodb_data_written", Counter, "bytes", "Data written by InnoDB."},
		{"innodb_dblwr_pages_written", Counter, "", "Pages written to the doublewrite buffer."},
		{"innodb_deadlocks", Counter, "", "Deadlocks (MariaDB)."},
		{"innodb_history_list_length", Gauge, "", "Undo logs not yet purged (MariaDB)."},
		{"innodb_log_waits", Counter, "", "Waits because the log buffer was too small."},
		{"innodb_log_write_requests", Counter, "", "Writes to the redo log."},
		{"innodb_log_writes", Counter, "", "Writes of the redo log to disk."},
		{"innodb_os_log_fsyncs", Counter, "", "Flushes of the redo log."},
		{"innodb_os_log_written", Counter, "bytes", "Data written to the redo log."},
		{"innodb_pages_created", Counter, "", "Pages created."},
		{"innodb_pages_read", Counter, "", "Pages read."},
		{"innodb_pages_written", Counter, "", "Pages written."},
		{"innodb_row_lock_current_waits", Gauge, "", "Row locks waited for now."},
		{"innodb_row_lock_time", Counter, "", "Milliseconds waited for row locks; a wait counts when it ends."},
		{"innodb_row_lock_waits", Counter, "", "Row locks that were waited for."},
	}
}

func logVariables() []statusVariable {
	return []statusVariable{
		{"binlog_bytes_written", Counter, "bytes", "Data written to the binary log."},
		{"binlog_cache_disk_use", Counter, "", "Transactions that did not fit in the binary log's cache."},
		{"binlog_cache_use", Counter, "", "Transactions that used the binary log's cache."},
		{"binlog_stmt_cache_disk_use", Counter, "", "Statements outside transactions that did not fit in the binary log's cache."},
		{"binlog_stmt_cache_use", Counter, "", "Statements outside transactions that used the binary log's cache."},
		{"binlog_commits", Counter, "", "Transactions committed to the binary log."},
		{"binlog_group_commits", Counter, "", "Groups of transactions committed to the binary log together."},
		{"slave_open_temp_tables", Gauge, "", "Temporary tables of the replica's applier."},
		{"slaves_connected", Gauge, "", "Replicas connected."},
		{"slaves_running", Gauge, "", "Replication channels that run."},
	}
}
