package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// replicationPage shows how far replicas stand behind, why, and since when.
func replicationPage(l limits) page {
	return page{
		name: "mysql-replication", title: "MySQL replication",
		about:     "How far replicas stand behind their source from commit to commit, why, and whether they catch up.",
		variables: []variable{serverVariable()},
		rows: []row{
			{question: "Do replicas stand behind?", panels: lagStats(l)},
			{question: "How far, and is it known?", panels: []panel{lagNow(l), lagStates(), lagSpread(l), lagParts()}},
			{question: "Which channels, and since when?", panels: []panel{channelsTable(l), channelStates()}},
			{question: "Is a failover prepared?", closed: true, panels: []panel{membersTable()}},
		},
	}
}

// timeIn is the time in states over the range; % is a pattern of states.
const timeIn = `sum(increase(plimsoll_mysql_replica_lag_state_seconds_total{SERVER,state=~"%"}[RANGE]))`

func lagStats(l limits) []panel {
	return []panel{
		small(panel{
			name: "lag-worst", title: "Largest lag", unit: units.Seconds,
			shows:   "How far the replica that is furthest behind stands behind its source now.",
			bad:     "A visitor who reads from it does not find what was just written.",
			act:     "See below whether the transaction was late to arrive or late to be applied.",
			limits:  l.above("mysql/replica-lag"),
			queries: []query{{expr: `max(plimsoll_mysql_replica_lag_last_seconds{SERVER})`}},
		}),
		small(panel{
			name: "lag-range", title: "Largest lag of the range", unit: units.Seconds,
			shows:   "The largest lag that any replica had in the time range.",
			bad:     "It is what a visitor met at the worst moment.",
			act:     "Find the moment in the graph below, and what ran then.",
			limits:  l.above("mysql/replica-lag"),
			queries: []query{{expr: `max(max_over_time(plimsoll_mysql_replica_lag_max_seconds{SERVER}[RANGE]))`}},
		}),
		small(panel{
			name: "channels", title: "Channels", unit: units.Short,
			shows:   "Streams of replication, each from one source to one replica.",
			bad:     "It is bad if it is fewer than you have: a replica without one serves old data for ever.",
			act:     "Look for the replica that is missing in the table of hosts.",
			queries: []query{{expr: `count(count by (cluster, host, server, channel) (plimsoll_mysql_replica_lag_state_seconds_total{SERVER}))`}},
		}),
		small(panel{
			name: "stopped", title: "Time stopped", unit: units.Seconds,
			shows:   "The time in the range in which channels were stopped or in error, summed over channels.",
			bad:     "Any is time in which a replica could not take over.",
			act:     "Read the error in the report, or with SHOW REPLICA STATUS.",
			limits:  limitSteps{steps: []limitStep{{1, colourBad}}},
			queries: []query{{expr: with(timeIn, "io_down|sql_down|error") + ` or 0 * ` + with(timeIn, ".*")}},
		}),
		small(panel{
			name: "known", title: "Lag is known", unit: units.PercentUnit,
			shows:   "The share of time for which lag is known.",
			bad:     "Without a position of the source there is no lag, which is not the same as none.",
			act:     "Let an agent read the source as well as the replica.",
			queries: []query{{expr: with(timeIn, "ok|delayed") + ` / (` + with(timeIn, ".*") + ` > 0)`}},
		}),
		small(panel{
			name: "writable", title: "Servers that take writes", unit: units.Short,
			shows:   "Servers whose read_only is off.",
			bad:     "It is bad if it is more than the primaries that you have: a write on a replica is lost or stops it.",
			act:     "Set read_only and super_read_only on every replica.",
			queries: []query{{expr: `count(mysql_global_variables_read_only{SERVER} == 0) or 0 * count(mysql_global_variables_read_only{SERVER})`}},
		}),
	}
}

func lagNow(l limits) panel {
	return half(panel{
		name: "lag", title: "Lag", unit: units.Seconds,
		shows:   "How long ago the source committed what each replica has not committed yet; each point is the largest of its interval.",
		bad:     "The dashed line is what the rule allows for a replica that serves reads; where the line ends, lag is unknown.",
		act:     "Make the applier parallel, and large transactions smaller.",
		limits:  l.above("mysql/replica-lag"),
		queries: []query{{expr: `max by (host, server, channel) (plimsoll_mysql_replica_lag_max_seconds{SERVER})`, legend: "{{host}} {{server}} {{channel}}"}},
	})
}

func lagStates() panel {
	return half(panel{
		name: "states", title: "Channels by state", kind: area, unit: units.Short,
		shows:   "How many channels are in each state on average; only in ok and delayed is there a figure of lag.",
		bad:     "Anything but ok or a wanted delay is a replica that cannot be read from and cannot take over.",
		act:     "io_down is the way to the source or its account, sql_down and error a statement that could not be applied.",
		queries: []query{{expr: `sum by (state) (rate(plimsoll_mysql_replica_lag_state_seconds_total{SERVER}[RATE]))`, legend: "{{state}}"}},
	})
}

func lagSpread(l limits) panel {
	quantile := func(q string) string {
		return `histogram_quantile(` + q + `, sum by (le, host, server, channel) (rate(plimsoll_mysql_replica_lag_seconds_bucket{SERVER}[RATE])))`
	}
	return half(panel{
		name: "lag-spread", title: "Lag of one second in a hundred, and in two", unit: units.Seconds,
		shows:  "The lag that a replica exceeded in one second of a hundred, and in every second one; seconds without a known lag do not count.",
		bad:    "A high first line over a low second one is a replica that falls behind in bursts.",
		act:    "Look for what runs at the bursts: an import, an index build, a backup.",
		limits: l.above("mysql/replica-lag"),
		queries: []query{
			{expr: quantile("0.99"), legend: "{{host}} {{server}} {{channel}} one in a hundred"},
			{expr: quantile("0.5"), legend: "{{host}} {{server}} {{channel}} every second one"},
		},
	})
}

func lagParts() panel {
	return half(panel{
		name: "lag-parts", title: "Where lag arises", unit: units.Seconds,
		shows: "The part of the lag before the replica had received the transaction, beside all of it.",
		bad:   "If the part before is most of it, the network or the source is slow; else the applier.",
		act:   "For the one look at the hosts' network, for the other at the applier's workers.",
		queries: []query{
			{expr: `max by (host, server, channel) (plimsoll_mysql_replica_transport_lag_max_seconds{SERVER})`, legend: "{{host}} {{server}} {{channel}} on the way", colour: colourNetwork},
			{expr: `max by (host, server, channel) (plimsoll_mysql_replica_lag_max_seconds{SERVER})`, legend: "{{host}} {{server}} {{channel}} in all"},
		},
	})
}

// channelOf names mysqld_exporter's channels as ours: it has one label for each
// family, of which one is empty.
func channelOf(series string) string {
	return `max by (cluster, host, server, channel) (label_join(` + series + `, "channel", "", "channel_name", "connection_name"))`
}

func channelsTable(l limits) panel {
	ours := func(series string) string { return `max by (cluster, host, server, channel) (` + series + `)` }
	return panel{
		name: "channels-table", title: "Channels", kind: table, width: 24, height: 8, unit: units.Short,
		shows: "Every channel with its lag, what the replica itself says of it, and how busy its appliers are.",
		bad:   "Appliers that are all busy with a lag that grows are the limit; a silent channel may have lost its source.",
		act:   "Add applier threads while they are all busy; look at the source and at the network while the channel is silent.",
		columns: []column{
			{label: "host", title: "Host"},
			{label: "server", title: "Server"},
			{label: "channel", title: "Channel"},
		},
		sortBy: "Lag",
		queries: []query{
			{expr: ours(`plimsoll_mysql_replica_lag_last_seconds{SERVER}`), legend: "Lag", unit: units.Seconds, limits: l.above("mysql/replica-lag")},
			{expr: channelOf(`mysql_slave_status_seconds_behind_master{SERVER}`), legend: "Says itself", unit: units.Seconds},
			{expr: channelOf(`mysql_slave_status_slave_io_running{SERVER}`), legend: "Receives", unit: units.BoolYesNo},
			{expr: channelOf(`mysql_slave_status_slave_sql_running{SERVER}`), legend: "Applies", unit: units.BoolYesNo},
			{expr: ours(`plimsoll_mysql_channel_silent_seconds{SERVER}`), legend: "Silent for", unit: units.Seconds},
			{expr: ours(`plimsoll_mysql_channel_workers_busy{SERVER}`), legend: "Appliers busy", unit: units.Short},
			{expr: ours(`plimsoll_mysql_channel_workers{SERVER}`), legend: "Appliers", unit: units.Short},
			{expr: channelOf(`mysql_slave_status_relay_log_space{SERVER}`), legend: "Relay log", unit: units.BytesSI},
		},
	}
}

func channelStates() panel {
	// One state of a channel is 1 and the others are 0, so that the sum is the
	// number of the state.
	const inState = `plimsoll_mysql_channel_state{SERVER,state=`
	return panel{
		name: "channel-states", title: "States", kind: timeline, width: 24, height: 8, unit: units.Short,
		shows: "The state that each replica gives for its channels.",
		bad:   "Anything but ok or a wanted delay is a replica that cannot be read from and cannot take over.",
		act:   "Compare the moment of a change with deployments, and read the error in the report.",
		queries: []query{{
			expr: `sum by (host, server, channel) (0 * ` + inState + `"ok"} or 1 * ` + inState + `"delayed"} or 2 * ` + inState + `"unknown"}
				or 3 * ` + inState + `"io_down"} or 4 * ` + inState + `"sql_down"} or 5 * ` + inState + `"error"})`,
			legend: "{{host}} {{server}} {{channel}}",
		}},
		states: []state{
			{"ok", colourGood},
			{"delayed", colourNeutral},
			{"unknown", colourIdle},
			{"receiver down", colourWarn},
			{"applier down", colourBad},
			{"error", "dark-red"},
		},
	}
}

func membersTable() panel {
	each := func(series string) string { return `max by (cluster, host, server) (` + series + `)` }
	return panel{
		name: "servers", title: "Servers", kind: table, width: 24, height: 8, unit: units.Short,
		shows: "Every database server with what matters when another one has to take over.",
		bad:   "A replica that takes writes, or a primary whose commits no replica confirms, loses data in a failover.",
		act:   "The advisor's finding about failover readiness has the settings.",
		columns: []column{
			{label: "cluster", title: "Cluster"},
			{label: "host", title: "Host"},
			{label: "server", title: "Server"},
			{label: "version", title: "Version"},
		},
		queries: []query{
			{expr: `max by (cluster, host, server, version) (plimsoll_mysql_info{SERVER})`, legend: "Seen", hidden: true},
			{expr: each(`plimsoll_mysql_read_only{SERVER}`), legend: "Read-only", unit: units.BoolYesNo},
			{expr: each(`plimsoll_mysql_connected_replicas{SERVER}`), legend: "Replicas connected", unit: units.Short},
			{expr: each(`plimsoll_mysql_semi_sync_source_on{SERVER}`), legend: "Commits are confirmed", unit: units.BoolYesNo},
			{expr: each(`mysql_global_variables_sync_binlog{SERVER}`), legend: "sync_binlog", unit: units.Short},
			{expr: each(`mysql_global_variables_innodb_flush_log_at_trx_commit{SERVER}`), legend: "Flush at commit", unit: units.Short},
			{expr: each(`mysql_binlog_size_bytes{SERVER}`), legend: "Binary logs", unit: units.BytesSI},
			{expr: each(`abs(plimsoll_mysql_clock_offset_seconds{SERVER})`), legend: "Clock off by", unit: units.Seconds},
		},
	}
}
