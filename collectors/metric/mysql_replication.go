package metric

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"plimsoll/collectors/snapshot"
)

// replicationMetrics are the series about replication and the binary log.
func replicationMetrics() []Metric {
	return slices.Concat(
		exporterChannelMetrics(), channelMetrics(), lagTotalMetrics(), sourceMetrics(), semiSyncMetrics(),
		binlogMetrics(), membershipMetrics(),
	)
}

const replicaStatus = "SHOW REPLICA STATUS"

// eachChannel visits every channel of every server.
func eachChannel(s *snapshot.Snapshot, visit func(server string, c *snapshot.Channel)) {
	for name, server := range s.Servers {
		if server.Replication == nil {
			continue
		}
		for i := range server.Replication.Channels {
			visit(name, &server.Replication.Channels[i])
		}
	}
}

// exporterChannelMetrics are mysqld_exporter's, by its older names, which its
// dashboards ask for. Like there, a figure that the server does not give is
// absent, and never zero.
func exporterChannelMetrics() []Metric {
	channel := func(name, unit, help, column string, read func(c *snapshot.Channel) *float64) Metric {
		return Metric{
			Name: "mysql_slave_status_" + name, Type: Gauge, Unit: unit, Help: help, Source: replicaStatus + ", " + column,
			Job: "mysql/replication", Labels: []string{"server", "channel_name", "connection_name", "master_host", "master_uuid"},
			Read: func(s *snapshot.Snapshot, emit Emit) {
				eachChannel(s, func(server string, c *snapshot.Channel) {
					channel, connection, uuid := c.Name, "", c.SourceKey
					if id := s.Servers[server].Identity; id != nil && id.Family == snapshot.MariaDB {
						// It calls a channel a connection, and has no UUID.
						channel, connection, uuid = "", c.Name, ""
					}
					if value := read(c); value != nil {
						emit(*value, server, channel, connection, c.SourceHost, uuid)
					}
				})
			},
		}
	}
	return []Metric{
		channel("seconds_behind_master", "seconds", "What the replica says of its lag: 0 while its source hangs.", "Seconds_Behind_Source",
			func(c *snapshot.Channel) *float64 { return c.SecondsBehind }),
		channel("slave_io_running", "", "1 if the receiver runs and is connected.", "Replica_IO_Running",
			func(c *snapshot.Channel) *float64 { return new(bit(c.IORunning == "Yes")) }),
		channel("slave_sql_running", "", "1 if the applier runs.", "Replica_SQL_Running",
			func(c *snapshot.Channel) *float64 { return new(bit(c.SQLRunning == "Yes")) }),
		channel("sql_delay", "seconds", "Lag that is wanted.", "SQL_Delay",
			func(c *snapshot.Channel) *float64 { return &c.DelaySeconds }),
		channel("relay_log_space", "bytes", "Size of the relay logs.", "Relay_Log_Space",
			func(c *snapshot.Channel) *float64 { return float(c.RelayLogBytes) }),
	}
}

func bit(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// float is nil for nil.
func float[N uint64 | int](n *N) *float64 {
	if n == nil {
		return nil
	}
	return new(float64(*n))
}

// channelMetrics are ours for each channel.
func channelMetrics() []Metric {
	channel := func(name, unit, help, source string, read func(c *snapshot.Channel) *float64) Metric {
		return Metric{
			Name: "plimsoll_mysql_channel_" + name, Type: Gauge, Unit: unit, Help: help, Source: source,
			Job: "mysql/replication", Labels: []string{"server", "channel"},
			Read: func(s *snapshot.Snapshot, emit Emit) {
				eachChannel(s, func(server string, c *snapshot.Channel) {
					if value := read(c); value != nil {
						emit(*value, server, c.Name)
					}
				})
			},
		}
	}
	const workers = "performance_schema.replication_applier_status_by_worker"
	return []Metric{
		{
			Name: "plimsoll_mysql_channel_state", Type: Gauge, Source: replicaStatus,
			Help: "1 for the state that a channel is in: ok, io_down, sql_down, error, delayed or unknown; 0 for the others.",
			Job:  "mysql/replication", Labels: []string{"server", "channel", "state"},
			Read: func(s *snapshot.Snapshot, emit Emit) {
				eachChannel(s, func(server string, c *snapshot.Channel) {
					for _, state := range lagStates() {
						emit(bit(c.State == state), server, c.Name, string(state))
					}
				})
			},
		},
		channel("apply_seconds", "seconds", "Age of the transaction that is being applied, from its first commit; 0 if none is.",
			workers+", APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP", func(c *snapshot.Channel) *float64 { return c.ApplySeconds }),
		channel("silent_seconds", "seconds", "Time since anything came from the source, a heartbeat included.",
			replicaStatus+", Read_Source_Log_Pos", func(c *snapshot.Channel) *float64 { return c.SilentSeconds }),
		channel("workers", "", "Applier threads.", workers, func(c *snapshot.Channel) *float64 { return float(c.Workers) }),
		channel("workers_busy", "", "Applier threads that apply a transaction.", workers+", APPLYING_TRANSACTION",
			func(c *snapshot.Channel) *float64 { return float(c.Busy) }),
	}
}

func lagStates() []snapshot.LagState {
	return []snapshot.LagState{
		snapshot.LagOK, snapshot.LagIODown, snapshot.LagSQLDown, snapshot.LagError, snapshot.LagDelayed, snapshot.LagUnknown,
	}
}

// lagTotalMetrics are the cumulative form of what is read every second.
func lagTotalMetrics() []Metric {
	total := func(name, unit, help, source, label string, each func(c *snapshot.ChannelTotals, emit func(float64, string))) Metric {
		return Metric{
			Name: "plimsoll_mysql_channel_" + name + "_total", Type: Counter, Unit: unit, Help: help, Source: source,
			Job: "mysql/lag_totals", Labels: []string{"server", "channel", label},
			Read: func(s *snapshot.Snapshot, emit Emit) {
				for name, server := range s.Servers {
					if server.LagTotals == nil {
						continue
					}
					for i := range server.LagTotals.Channels {
						c := &server.LagTotals.Channels[i]
						each(c, func(value float64, word string) { emit(value, name, c.Name, word) })
					}
				}
			},
		}
	}
	return []Metric{
		total("state_seconds", "seconds", "Time by the state that the server gives for a channel.", replicaStatus, "state",
			func(c *snapshot.ChannelTotals, emit func(float64, string)) {
				for _, state := range lagStates() {
					emit(c.StateSeconds[state], string(state))
				}
			}),
		total("apply_readings", "", "Readings of plimsoll_mysql_channel_apply_seconds, one a second, that were at most le.",
			"performance_schema.replication_applier_status_by_worker", "le",
			func(c *snapshot.ChannelTotals, emit func(float64, string)) {
				var sum uint64
				for _, bucket := range c.ApplyLag {
					sum += bucket.Count
					emit(float64(sum), bound(bucket.UpToSeconds))
				}
			}),
	}
}

// bound is an upper bound as the label le has it.
func bound(seconds float64) string {
	if seconds == math.MaxFloat64 {
		return "+Inf"
	}
	return strconv.FormatFloat(seconds, 'g', -1, 64)
}

// sourceMetrics are about a server in any role.
func sourceMetrics() []Metric {
	replication := func(name, help, source string, read func(r *snapshot.Replication) *float64) Metric {
		return mysqlRow("mysql/replication", name, Gauge, "", help, source, func(s *snapshot.Server) *float64 {
			if s.Replication == nil {
				return nil
			}
			return read(s.Replication)
		})
	}
	position := func(name, help string, read func(p *snapshot.Positions) float64) Metric {
		return mysqlRow("mysql/replication", name, Gauge, "seconds", help, "UTC_TIMESTAMP(6)", func(s *snapshot.Server) *float64 {
			if s.Positions == nil {
				return nil
			}
			return new(read(s.Positions))
		})
	}
	return []Metric{
		replication("plimsoll_mysql_read_only", "1 if the server refuses writes of ordinary accounts.", "@@read_only",
			func(r *snapshot.Replication) *float64 {
				if r.ReadOnly == nil {
					return nil
				}
				return new(bit(*r.ReadOnly))
			}),
		replication("plimsoll_mysql_connected_replicas", "Servers that read this one's binary log now.", "process list, Binlog Dump",
			func(r *snapshot.Replication) *float64 {
				if r.Replicas == nil {
					return nil
				}
				return new(float64(len(*r.Replicas)))
			}),
		position("plimsoll_mysql_clock_offset_seconds", "The server's clock minus the agent's.",
			func(p *snapshot.Positions) float64 { return p.ClockOffsetSeconds }),
		position("plimsoll_mysql_clock_error_seconds", "How far the clock offset can be wrong: half the fastest recent round trip.",
			func(p *snapshot.Positions) float64 { return p.ClockErrorSeconds }),
	}
}

func semiSyncMetrics() []Metric {
	row := func(name string, kind Type, help, variable string, read func(s *snapshot.SemiSync) float64) Metric {
		return mysqlRow("mysql/replication", "plimsoll_mysql_semi_sync_"+name, kind, "", help, variable, func(s *snapshot.Server) *float64 {
			if s.Replication == nil || s.Replication.SemiSync == nil {
				return nil
			}
			return new(read(s.Replication.SemiSync))
		})
	}
	return []Metric{
		row("source_on", Gauge, "1 while commits wait for a replica; 0 if that is off or has fallen back.", "Rpl_semi_sync_source_status",
			func(s *snapshot.SemiSync) float64 { return bit(s.SourceOn) }),
		row("clients", Gauge, "Replicas that confirm.", "Rpl_semi_sync_source_clients",
			func(s *snapshot.SemiSync) float64 { return float64(s.Clients) }),
		row("unconfirmed_total", Counter, "Commits that no replica confirmed in time.", "Rpl_semi_sync_source_no_tx",
			func(s *snapshot.SemiSync) float64 { return float64(s.NoTransactions) }),
	}
}

// binlogMetrics are mysqld_exporter's.
func binlogMetrics() []Metric {
	row := func(name, unit, help string, read func(b *snapshot.Binlog) *float64) Metric {
		return mysqlRow("mysql/binlog", name, Gauge, unit, help, "SHOW BINARY LOGS", func(s *snapshot.Server) *float64 {
			if s.Binlog == nil {
				return nil
			}
			return read(s.Binlog)
		})
	}
	return []Metric{
		row("mysql_binlog_files", "", "Binary logs that are kept.", func(b *snapshot.Binlog) *float64 { return float(b.Files) }),
		row("mysql_binlog_size_bytes", "bytes", "Size of all binary logs.", func(b *snapshot.Binlog) *float64 { return float(b.Bytes) }),
	}
}

// membershipMetrics are mysqld_exporter's for Galera, and ours for groups.
func membershipMetrics() []Metric {
	row := func(name, help string, kind Type, read func(g *snapshot.Galera) float64) Metric {
		return mysqlRow("mysql/membership", "mysql_global_status_"+name, kind, "", help, "SHOW GLOBAL STATUS, "+name, func(s *snapshot.Server) *float64 {
			if s.Membership == nil || s.Membership.Galera == nil {
				return nil
			}
			return new(read(s.Membership.Galera))
		})
	}
	const nanoseconds = 1e9
	return []Metric{
		row("wsrep_cluster_size", "Nodes of the cluster.", Gauge, func(g *snapshot.Galera) float64 { return float64(g.Size) }),
		row("wsrep_cluster_status", "1 if the node is in the primary component.", Gauge, func(g *snapshot.Galera) float64 { return bit(g.Status == "Primary") }),
		row("wsrep_ready", "1 if the node takes statements.", Gauge, func(g *snapshot.Galera) float64 { return bit(g.Ready) }),
		row("wsrep_connected", "1 if the node is connected to its cluster.", Gauge, func(g *snapshot.Galera) float64 { return bit(g.Connected) }),
		row("wsrep_flow_control_paused_ns", "Nanoseconds for which replication was paused.", Counter, func(g *snapshot.Galera) float64 { return g.PausedSeconds * nanoseconds }),
		row("wsrep_local_recv_queue", "Write sets that wait to be applied.", Gauge, func(g *snapshot.Galera) float64 { return g.ReceiveQueue }),
		row("wsrep_local_cert_failures", "Transactions that failed certification.", Counter, func(g *snapshot.Galera) float64 { return float64(g.CertFailures) }),
		row("wsrep_local_bf_aborts", "Transactions ended for replicated ones.", Counter, func(g *snapshot.Galera) float64 { return float64(g.BruteForceAborts) }),
		{
			Name: "plimsoll_mysql_group_members", Type: Gauge, Help: "Members of the replication group, as this server sees them, by state.",
			Source: "performance_schema.replication_group_members", Job: "mysql/membership", Labels: []string{"server", "state"},
			Read: func(s *snapshot.Snapshot, emit Emit) {
				for name, server := range s.Servers {
					if server.Membership == nil || server.Membership.Group == nil {
						continue
					}
					states := map[string]float64{}
					for _, m := range server.Membership.Group.Members {
						states[strings.ToLower(m.State)]++
					}
					for state, n := range states {
						emit(n, name, state)
					}
				}
			},
		},
	}
}
