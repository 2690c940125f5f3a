package mysql

import (
	"context"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
)

// readSettings publishes the variables of keptSettings. It goes by a list of what
// to keep, and not of what to hide, so that no variable of a new version or of
// a plugin can carry a secret out.
func readSettings(ctx context.Context, q *session, into *snapshot.Server) error {
	settings, err := q.settings(ctx, variablesAge)
	if err != nil {
		return err
	}
	variables := map[string]string{}
	for _, name := range keptSettings() {
		if value, found := settings.values[name]; found {
			variables[name] = value
		}
	}
	into.Settings = &snapshot.Settings{
		Meta:      snapshot.Meta{Taken: settings.at, Epoch: q.epoch()},
		Variables: variables,
	}
	return nil
}

// keptSettings are the variables that rules, advice and reports read, sorted.
// None holds a secret; paths among them are the server's own folders.
func keptSettings() []string {
	names := strings.Fields(`
		autocommit back_log binlog_cache_size binlog_commit_wait_count binlog_commit_wait_usec
		binlog_expire_logs_seconds binlog_format binlog_group_commit_sync_delay
		binlog_group_commit_sync_no_delay_count binlog_row_image binlog_stmt_cache_size
		binlog_transaction_compression binlog_transaction_dependency_tracking character_set_server
		collation_server connect_timeout datadir default_storage_engine enforce_gtid_consistency
		event_scheduler expire_logs_days explain_format flush_time foreign_key_checks
		group_replication_consistency group_replication_single_primary_mode gtid_domain_id gtid_mode
		gtid_strict_mode host_cache_size innodb_adaptive_flushing innodb_adaptive_hash_index
		innodb_autoinc_lock_mode innodb_buffer_pool_chunk_size innodb_buffer_pool_dump_at_shutdown
		innodb_buffer_pool_instances innodb_buffer_pool_load_at_startup innodb_buffer_pool_size
		innodb_change_buffering innodb_deadlock_detect innodb_dedicated_server innodb_doublewrite
		innodb_file_per_table innodb_flush_log_at_timeout innodb_flush_log_at_trx_commit
		innodb_flush_method innodb_flush_neighbors innodb_io_capacity innodb_io_capacity_max
		innodb_lock_wait_timeout innodb_log_buffer_size innodb_log_file_size innodb_log_files_in_group
		innodb_lru_scan_depth innodb_max_dirty_pages_pct innodb_max_dirty_pages_pct_lwm
		innodb_old_blocks_time innodb_online_alter_log_max_size innodb_open_files innodb_page_cleaners
		innodb_page_size innodb_print_all_deadlocks innodb_purge_threads innodb_read_io_threads
		innodb_redo_log_capacity innodb_rollback_on_timeout innodb_snapshot_isolation
		innodb_sort_buffer_size innodb_stats_persistent innodb_stats_persistent_sample_pages
		innodb_strict_mode innodb_thread_concurrency innodb_undo_log_truncate innodb_use_native_aio
		innodb_version innodb_write_io_threads interactive_timeout internal_tmp_mem_storage_engine
		join_buffer_size key_buffer_size large_pages local_infile lock_wait_timeout log_bin log_error_verbosity
		log_output log_queries_not_using_indexes log_replica_updates log_slave_updates
		log_slow_extra log_slow_min_examined_row_limit log_slow_query_time log_slow_rate_limit log_slow_verbosity long_query_time
		lower_case_table_names max_allowed_packet max_binlog_size max_connect_errors max_connections
		max_digest_length max_execution_time max_heap_table_size max_prepared_stmt_count
		max_statement_time max_user_connections min_examined_row_limit net_read_timeout
		net_write_timeout open_files_limit optimizer_search_depth optimizer_switch
		performance_schema performance_schema_digests_size
		performance_schema_events_statements_history_size performance_schema_max_digest_length
		performance_schema_max_sql_text_length port pxc_strict_mode query_cache_limit
		query_cache_size query_cache_type read_buffer_size read_only read_rnd_buffer_size
		relay_log_recovery relay_log_space_limit replica_parallel_type replica_parallel_workers
		replica_preserve_commit_order replica_net_timeout report_host report_port require_secure_transport
		rpl_semi_sync_master_enabled rpl_semi_sync_master_timeout rpl_semi_sync_master_wait_point
		rpl_semi_sync_slave_enabled rpl_semi_sync_replica_enabled rpl_semi_sync_source_enabled
		rpl_semi_sync_source_timeout rpl_semi_sync_source_wait_for_replica_count
		rpl_semi_sync_source_wait_point server_id server_uid server_uuid skip_name_resolve
		slave_compressed_protocol slave_domain_parallel_threads slave_net_timeout slave_parallel_max_queued
		slave_parallel_mode slave_parallel_threads slave_parallel_type slave_parallel_workers
		slave_preserve_commit_order slow_query_log socket sort_buffer_size sql_mode
		stored_program_cache super_read_only sync_binlog sync_master_info sync_relay_log
		sync_relay_log_info system_time_zone table_definition_cache table_open_cache
		table_open_cache_instances temptable_max_mmap temptable_max_ram thread_cache_size
		thread_handling thread_pool_max_threads thread_pool_size time_zone tmp_table_size tmpdir
		transaction_isolation transaction_prealloc_size transaction_read_only tx_isolation
		unique_checks userstat version version_comment version_compile_machine
		wait_timeout wsrep_auto_increment_control wsrep_certify_nonpk wsrep_cluster_name wsrep_on
		wsrep_slave_threads wsrep_sst_method wsrep_sync_wait`)
	slices.Sort(names)
	return names
}
