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
		},
	}
}

// inState is the time in states over the range; % is a pattern of states.
const inState = `sum(increase(plimsoll_mysql_replica_lag_state_seconds_total{SERVER,state=~"%"}[RANGE]))`

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
			queries: []query{{expr: with(inState, "io_down|sql_down|error") + ` or 0 * ` + with(inState, ".*")}},
		}),
		small(panel{
			name: "known", title: "Lag is known", unit: units.PercentUnit,
			shows:   "The share of time for which lag is known.",
			bad:     "Without a position of the source there is no lag, which is not the same as none.",
			act:     "Let an agent read the source as well as the replica.",
			queries: []query{{expr: with(inState, "ok|delayed") + ` / (` + with(inState, ".*") + ` > 0)`}},
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
		name: "states", title: "Time by state", kind: area, unit: units.PercentUnit,
		shows:   "The share of time that channels spend in each state; only in ok and delayed is there a figure of lag.",
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
