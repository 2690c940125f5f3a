package metric

import (
	"slices"

	"plimsoll/collectors/snapshot"
)

// digestMetrics are the series about statements, tables and the cost of reading
// them.
func digestMetrics() []Metric {
	return slices.Concat(statementMetrics(), coverageMetrics(), slowLogMetrics(), latencyMetrics(), tableMetrics(), serverMetrics())
}

// figure is one sum of a digest.
type figure struct {
	name, unit, help, column string
	read                     func(t *snapshot.DigestTotals) *float64
}

// statementMetrics have a series for each of the leading statements, one for
// all others, and one for what the server could not tell apart.
func statementMetrics() []Metric {
	n := func(read func(t *snapshot.DigestTotals) uint64) func(*snapshot.DigestTotals) *float64 {
		return func(t *snapshot.DigestTotals) *float64 { return new(float64(read(t))) }
	}
	figures := []figure{
		{"calls", "", "Executions", "COUNT_STAR", n(func(t *snapshot.DigestTotals) uint64 { return t.Calls })},
		{"seconds", "seconds", "Time", "SUM_TIMER_WAIT", func(t *snapshot.DigestTotals) *float64 { return &t.Seconds }},
		{"lock_seconds", "seconds", "Time spent on table locks", "SUM_LOCK_TIME", func(t *snapshot.DigestTotals) *float64 { return &t.LockSeconds }},
		{"cpu_seconds", "seconds", "Processor time", "SUM_CPU_TIME", func(t *snapshot.DigestTotals) *float64 { return t.CPUSeconds }},
		{"errors", "", "Errors", "SUM_ERRORS", n(func(t *snapshot.DigestTotals) uint64 { return t.Errors })},
		{"rows_examined", "", "Rows read of tables", "SUM_ROWS_EXAMINED", n(func(t *snapshot.DigestTotals) uint64 { return t.RowsExamined })},
		{"rows_sent", "", "Rows sent to clients", "SUM_ROWS_SENT", n(func(t *snapshot.DigestTotals) uint64 { return t.RowsSent })},
		{"rows_affected", "", "Rows changed", "SUM_ROWS_AFFECTED", n(func(t *snapshot.DigestTotals) uint64 { return t.RowsAffected })},
		{"tmp_disk_tables", "", "Temporary tables on disk", "SUM_CREATED_TMP_DISK_TABLES", n(func(t *snapshot.DigestTotals) uint64 { return t.TmpDiskTables })},
		{"no_index_used", "", "Executions that scanned a table", "SUM_NO_INDEX_USED", n(func(t *snapshot.DigestTotals) uint64 { return t.NoIndexUsed })},
	}
	var all []Metric
	for _, f := range figures {
		all = append(all, f.metric())
	}
	return all
}

func (f figure) metric() Metric {
	return Metric{
		Name: "plimsoll_mysql_digest_" + f.name + "_total", Type: Counter, Unit: f.unit,
		Help:   f.help + " of a statement; digest is its fingerprint, or other, or overflow for what found the server's table full.",
		Source: "performance_schema.events_statements_summary_by_digest, " + f.column + "; or the slow log, where that shows more",
		Job:    "mysql/digests", Labels: []string{"server", "digest", "schema"},
		Read: func(s *snapshot.Snapshot, emit Emit) {
			for name, server := range s.Servers {
				if server.Digests == nil {
					continue
				}
				for i := range server.Digests.Series {
					series := &server.Digests.Series[i]
					if value := f.read(&series.DigestTotals); value != nil {
						emit(*value, name, series.Fingerprint, series.Schema)
					}
				}
			}
		},
	}
}

// mysqlRow makes a metric with one series a server, absent where read gives nil.
func mysqlRow(job, name string, kind Type, unit, help, source string, read func(s *snapshot.Server) *float64) Metric {
	return Metric{
		Name: name, Type: kind, Unit: unit, Help: help, Source: source, Job: job, Labels: []string{"server"},
		Read: perServer(func(s *snapshot.Server) (float64, bool) {
			if value := read(s); value != nil {
				return *value, true
			}
			return 0, false
		}),
	}
}

func coverageMetrics() []Metric {
	const events = "performance_schema.events_statements_summary_global_by_event_name"
	row := func(name string, unit, help, source string, read func(c *snapshot.Coverage) *float64) Metric {
		return mysqlRow("mysql/digests", name, Counter, unit, help, source, func(s *snapshot.Server) *float64 {
			// Without performance_schema, the slow log can show statements all the same.
			if s.Coverage == nil || s.Coverage.Seconds == nil && s.Coverage.Statements == 0 {
				return nil
			}
			return read(s.Coverage)
		})
	}
	table := func(name, help, source string, read func(d *snapshot.Digests) *float64) Metric {
		return mysqlRow("mysql/digests", name, Gauge, "", help, source, func(s *snapshot.Server) *float64 {
			if s.Digests == nil || s.Digests.Overflow == nil { // There is no table without performance_schema.
				return nil
			}
			return read(s.Digests)
		})
	}
	return []Metric{
		row("plimsoll_mysql_statements_total", "", "Statements that clients sent.", "Questions",
			func(c *snapshot.Coverage) *float64 { return new(float64(c.Statements)) }),
		row("plimsoll_mysql_statements_digested_total", "", "Statements that were counted, by the digest table or the slow log, those of the agent included.", "COUNT_STAR of all digests; the slow log",
			func(c *snapshot.Coverage) *float64 { return new(float64(c.Digested)) }),
		row("plimsoll_mysql_statement_seconds_total", "seconds", "Time in all statements.", events,
			func(c *snapshot.Coverage) *float64 { return c.Seconds }),
		row("plimsoll_mysql_statement_hidden_seconds_total", "seconds", "Time in prepared statements that neither digests nor the slow log show.", events+", statement/com/Execute",
			func(c *snapshot.Coverage) *float64 { return c.HiddenSeconds }),
		row("plimsoll_mysql_prepared_executions_total", "", "Executions of prepared statements over the binary protocol.", "Com_stmt_execute",
			func(c *snapshot.Coverage) *float64 { return new(float64(c.PreparedExecutions)) }),
		table("plimsoll_mysql_digest_table_rows", "Digests in the server's table.", "performance_schema.events_statements_summary_by_digest",
			func(d *snapshot.Digests) *float64 { return new(float64(d.Used)) }),
		table("plimsoll_mysql_digest_table_capacity", "Digests that the server's table can hold.", "performance_schema_digests_size",
			func(d *snapshot.Digests) *float64 { return new(float64(d.Capacity)) }),
	}
}

// slowLogMetrics are what following the slow log costs, and how far it came.
func slowLogMetrics() []Metric {
	row := func(name string, kind Type, unit, help string, read func(l *snapshot.SlowLog) *float64) Metric {
		return mysqlRow("mysql/digests", name, kind, unit, help, "the slow log", func(s *snapshot.Server) *float64 {
			if s.Digests == nil || s.Digests.SlowLog == nil {
				return nil
			}
			return read(s.Digests.SlowLog)
		})
	}
	return []Metric{
		row("plimsoll_mysql_slow_log_read_bytes_total", Counter, "bytes", "Bytes that the agent read of the slow log.",
			func(l *snapshot.SlowLog) *float64 { return new(float64(l.Bytes)) }),
		row("plimsoll_mysql_slow_log_skipped_bytes_total", Counter, "bytes", "Bytes of the slow log that were left out, because it grew faster than it is read.",
			func(l *snapshot.SlowLog) *float64 { return new(float64(l.SkippedBytes)) }),
		row("plimsoll_mysql_slow_log_entries_total", Counter, "", "Entries that the agent read of the slow log.",
			func(l *snapshot.SlowLog) *float64 { return new(float64(l.Entries)) }),
		row("plimsoll_mysql_slow_log_uncounted_total", Counter, "", "Parts of the slow log that were no whole entry, and entries that could not be told from others.",
			func(l *snapshot.SlowLog) *float64 { return new(float64(l.Damaged + l.Uncounted)) }),
		row("plimsoll_mysql_slow_log_behind_seconds", Gauge, "seconds", "Age of the last entry that was read; 0 if all were.",
			func(l *snapshot.SlowLog) *float64 { return l.BehindSeconds }),
		row("plimsoll_mysql_slow_log_digests", Gauge, "", "Statements that the slow log counts, because it shows more of them than the digest table.",
			func(l *snapshot.SlowLog) *float64 { return new(float64(l.Leads)) }),
	}
}

// latencyMetrics have a series for each of the leading statements and quantile.
func latencyMetrics() []Metric {
	return []Metric{{
		Name: "plimsoll_mysql_digest_latency_seconds", Type: Gauge, Unit: "seconds",
		Help:   "Latency of a leading statement in its last interval, to within 5 %; quantile is 0.5, 0.95 or 0.99.",
		Source: "performance_schema.events_statements_histogram_by_digest",
		Job:    "mysql/latency", Labels: []string{"server", "digest", "schema", "quantile"},
		Read: func(s *snapshot.Snapshot, emit Emit) {
			for name, server := range s.Servers {
				if server.Latency == nil {
					continue
				}
				for _, row := range server.Latency.Rows {
					emitQuantiles(row.Histogram, emit, name, row.Fingerprint, row.Schema)
				}
			}
		},
	}, {
		Name: "plimsoll_mysql_statement_latency_seconds", Type: Gauge, Unit: "seconds",
		Help: "Latency of all statements together in the last interval; quantile is 0.5, 0.95 or 0.99. It is the upper bound of the " +
			"server's bucket: to within 5 % on MySQL, to within query_response_time_range_base, by default ten times, on MariaDB.",
		Source: "performance_schema.events_statements_histogram_global; MariaDB: information_schema.QUERY_RESPONSE_TIME",
		Job:    "mysql/latency", Labels: []string{"server", "quantile"},
		Read: func(s *snapshot.Snapshot, emit Emit) {
			for name, server := range s.Servers {
				if server.Latency != nil && server.Latency.All != nil {
					emitQuantiles(*server.Latency.All, emit, name)
				}
			}
		},
	}}
}

// emitQuantiles emits those quantiles that an interval had, with labels and the
// quantile as the last.
func emitQuantiles(h snapshot.Histogram, emit Emit, labels ...string) {
	for quantile, value := range map[string]*float64{"0.5": h.P50, "0.95": h.P95, "0.99": h.P99} {
		if value != nil {
			emit(*value, append(slices.Clip(labels), quantile)...)
		}
	}
}

// serverMetrics are about the server itself, and what reading it costs.
func serverMetrics() []Metric {
	cost := func(name string, kind Type, unit, help string, read func(c *snapshot.Cost) float64) Metric {
		return mysqlRow("mysql/cost", name, kind, unit, help, "the agent", func(s *snapshot.Server) *float64 {
			if s.Cost == nil {
				return nil
			}
			return new(read(s.Cost))
		})
	}
	return []Metric{
		{
			Name: "plimsoll_mysql_info", Type: Gauge, Help: "1; the labels say who the server is.",
			Source: "@@server_uuid, @@version", Job: "mysql/identity", Labels: []string{"server", "key", "family", "version"},
			Read: func(s *snapshot.Snapshot, emit Emit) {
				for name, server := range s.Servers {
					if id := server.Identity; id != nil {
						emit(1, name, id.Key, string(id.Family), id.Version)
					}
				}
			},
		},
		mysqlRow("mysql/identity", "plimsoll_mysql_start_time_seconds", Gauge, "seconds", "When the server started, as Unix time.", "Uptime",
			func(s *snapshot.Server) *float64 {
				if s.Identity == nil {
					return nil
				}
				return new(float64(s.Identity.Started.Unix()))
			}),
		cost("plimsoll_mysql_agent_statements_total", Counter, "", "Statements that the agent ran on the server.",
			func(c *snapshot.Cost) float64 { return float64(c.Statements) }),
		cost("plimsoll_mysql_agent_seconds_total", Counter, "seconds", "Time that the agent waited for the server.",
			func(c *snapshot.Cost) float64 { return c.Seconds }),
		cost("plimsoll_mysql_agent_connections", Gauge, "", "Connections that the agent holds to the server.",
			func(c *snapshot.Cost) float64 { return float64(c.Connections) }),
		cost("plimsoll_mysql_agent_reconnects_total", Counter, "", "Connections that the agent opened after its first.",
			func(c *snapshot.Cost) float64 { return float64(c.Reconnects) }),
	}
}
