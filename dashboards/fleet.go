package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// fleetPage is where one starts: is anything wrong, and where.
func fleetPage(l limits) page {
	return page{
		name: "fleet", title: "Fleet",
		about: "Is anything wrong, where, and how much work is being done.",
		rows: []row{
			{question: "Is anything wrong?", panels: alarms(l)},
			{question: "Where?", panels: []panel{hostsTable(l)}},
			{question: "How much work is done?", panels: work(l)},
			{question: "What changed?", panels: []panel{findingsTimeline()}},
		},
	}
}

const (
	load       = `sum by (cluster, host) (rate(plimsoll_mysql_digest_seconds_total{HOST}[RATE]))`
	statements = `sum by (cluster, host) (rate(mysql_global_status_questions{HOST}[RATE]))`
	lag        = `max by (cluster, host) (plimsoll_mysql_replica_lag_last_seconds{HOST})`
	// connected is the share of the connections that a server admits.
	connected = `mysql_global_status_threads_connected{HOST} / on (cluster, host, server) (mysql_global_variables_max_connections{HOST} > 0)`
)

func alarms(l limits) []panel {
	return []panel{
		small(panel{
			name: "hosts", title: "Hosts", unit: units.Short,
			shows:   "Hosts whose agent sends series.",
			bad:     "It is bad if it is fewer than you have.",
			act:     "Look at the agent's unit on the host that is missing.",
			queries: []query{{expr: `count(count by (cluster, host) (plimsoll_agent_info{HOST}))`}},
		}),
		small(panel{
			name: "urgent", title: "Urgent findings", unit: units.Short,
			shows:   "Open findings of severity critical or high.",
			bad:     "Any is a loss that is near, or a large part of what visitors wait for.",
			act:     "Open the page of findings.",
			limits:  limitSteps{steps: []limitStep{{1, colourBad}}},
			queries: []query{{expr: `sum(plimsoll_finding{CLUSTER,status="open",severity=~"critical|high"})` + none}},
		}),
		small(panel{
			name: "lag", title: "Largest lag", unit: units.Seconds,
			shows:   "How far the replica that is furthest behind stands behind its source, from commit to commit.",
			bad:     "A visitor who reads from it does not find what was just written.",
			act:     "See the page of replication; a replica that is stopped shows no lag at all.",
			limits:  l.above("mysql/replica-lag"),
			queries: []query{{expr: `max(` + lag + `)`}},
		}),
		small(panel{
			name: "transaction", title: "Longest transaction", unit: units.Seconds,
			shows:   "The age of the oldest open transaction.",
			bad:     "It holds its locks, and keeps the server from removing old versions of rows.",
			act:     "See the page of locks for who it is.",
			limits:  l.above("mysql/long-transaction"),
			queries: []query{{expr: `max(plimsoll_mysql_transaction_longest_seconds{HOST})`}},
		}),
		small(panel{
			name: "connections", title: "Connections in use", unit: units.PercentUnit,
			shows:   "The share of its connections that the fullest server has in use.",
			bad:     "At 1 every further visitor gets an error.",
			act:     "Find what holds connections; more of them help only if the server has room to work.",
			limits:  l.above("mysql/connections"),
			queries: []query{{expr: `max(` + connected + `)`}},
		}),
		diskFullIn(l),
	}
}

func hostsTable(l limits) panel {
	toHost := &link{title: "This host", page: "host", variable: "host", label: "host"}
	return panel{
		name: "table", title: "Hosts", kind: table, width: 24, height: 10, unit: units.Short,
		shows: "Every host with what it does and how near it is to a limit.",
		bad:   "A coloured cell is beyond the limit of a rule.",
		act:   "Click a host to see what each of its resources is used for.",
		columns: []column{
			{label: "cluster", title: "Cluster", width: 140},
			{label: "host", title: "Host", link: toHost},
		},
		sortBy: "Load",
		queries: []query{
			{expr: load, legend: "Load", unit: units.Short},
			{expr: statements, legend: "Statements", unit: units.RequestsPerSecond},
			{expr: cpuBusy, legend: "Processors", unit: units.PercentUnit},
			{expr: `1 - ` + byHost("min", memoryAvailable), legend: "Memory", unit: units.PercentUnit},
			{expr: byHost("max", spaceUsed), legend: "Space", unit: units.PercentUnit},
			{expr: byHost("min", spaceLasts), legend: "Full in", unit: units.DurationSeconds, limits: l.below("host/disk-filling")},
			{expr: byHost("max", connected), legend: "Connections", unit: units.PercentUnit, limits: l.above("mysql/connections")},
			{expr: lag, legend: "Lag", unit: units.Seconds, limits: l.above("mysql/replica-lag")},
		},
	}
}

// byHost makes one row a host of what has more labels.
func byHost(how, expr string) string { return how + ` by (cluster, host) (` + expr + `)` }

func work(l limits) []panel {
	return []panel{
		half(panel{
			name: "load", title: "Statements under way", kind: area, unit: units.Short,
			shows: "How many statements are being run on average, by host; the line is the number of processors.",
			bad:   "Above the line statements wait for a processor, a disk or each other.",
			act:   "See which ones on the page of MySQL queries.",
			queries: []query{
				{expr: load, legend: "{{host}}"},
				{expr: `sum(plimsoll_host_cpu_cores{HOST} and on (cluster, host) mysql_global_status_uptime{HOST})`, legend: "processors", colour: colourLimit, line: true},
			},
		}),
		half(panel{
			name: "statements", title: "Statements", unit: units.RequestsPerSecond,
			shows:   "Statements that clients send, by host.",
			bad:     "A rate that rises faster than the number of visitors means pages that ask more, or a cache that holds less.",
			act:     "Compare it with the load on the left: more statements and the same load is no harm.",
			queries: []query{{expr: statements, legend: "{{host}}"}},
		}),
		half(panel{
			name: "cpu", title: "Processors in use", unit: units.PercentUnit, full: 1,
			shows:   "The share of their processors' time that hosts work.",
			bad:     "Everything queues from about 0.8 on.",
			act:     "See the page of hosts.",
			queries: []query{{expr: cpuBusy, legend: "{{host}}"}},
		}),
		half(panel{
			name: "lag-history", title: "Lag", unit: units.Seconds,
			shows:   "How far replicas stand behind their source; a line that ends is a replica whose lag is unknown.",
			bad:     "The dashed line is what the rule allows for a replica that serves reads.",
			act:     "See the page of replication.",
			limits:  l.above("mysql/replica-lag"),
			queries: []query{{expr: lag, legend: "{{host}}"}},
		}),
	}
}
