package dashboards

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// queriesPage shows which statements take the time, and what they waste.
//
// Digest series are the leading statements of a server and the rest as "other",
// and add up exactly; their texts come from the advisor's plimsoll_digest_info.
func queriesPage(l limits) page {
	return page{
		name: "mysql-queries", title: "MySQL queries",
		about: "Which statements take the time, what they waste, and which of them the advisor has a remedy for.",
		variables: []variable{
			serverVariable(),
			{"schema", "Schema", `label_values(plimsoll_mysql_digest_calls_total{SERVER}, schema)`, false},
			{"digest", "Statement", `label_values(plimsoll_digest_info{CLUSTER}, digest)`, false},
			{"top", "Leading", "10,5,20,50", true},
		},
		rows: []row{
			{question: "What takes the time?", panels: []panel{loadByStatement(), loadBySchema(), loadByServer()}},
			{question: "Which statements?", panels: []panel{statementsTable()}},
			{question: "Is work wasted?", panels: wastePanels()},
			{question: "Which tables?", panels: tablePanels()},
			{question: "Is the server itself short of anything?", panels: serverPanels(l)},
			{question: "How does one statement behave? Choose it above.", closed: true, panels: oneStatement()},
			{question: "What is not seen, and what does looking cost?", closed: true, panels: coverage(l)},
		},
	}
}

func serverVariable() variable {
	return variable{"server", "Server", `label_values(mysql_global_status_uptime{HOST}, server)`, false}
}

const (
	// digests are the series of the statements chosen; % is the figure.
	digests = `plimsoll_mysql_digest_%_total{SERVER,schema=~"$schema"}`
	// perDigest is a figure a second of each statement.
	perDigest = `sum by (cluster, digest, schema) (rate(` + digests + `[RATE]))`
	// leading keeps the statements that took most time in the whole range, so
	// that the choice does not change from point to point.
	leading = ` and on (cluster, digest, schema) topk($top,
		sum by (cluster, digest, schema) (increase(plimsoll_mysql_digest_seconds_total{SERVER,schema=~"$schema"}[RANGE] @ end())))`
	// texts joins a statement's text. For a few minutes after a text changes
	// there are two, of which one is taken.
	texts = ` * on (cluster, digest, schema) group_left (text, class, tables)
		topk by (cluster, digest, schema) (1, plimsoll_digest_info{CLUSTER})`
	// overRange is a figure of each statement over the whole range.
	overRange = `sum by (cluster, digest, schema) (increase(` + digests + `[RANGE]))`
	// chosen are the series of the one statement chosen.
	chosen = `sum by (cluster, schema, digest) (rate(plimsoll_mysql_digest_%_total{SERVER,schema=~"$schema",digest=~"$digest"}[RATE])) and on (cluster, digest, schema) topk($top,
		sum by (cluster, digest, schema) (increase(plimsoll_mysql_digest_seconds_total{SERVER,schema=~"$schema",digest=~"$digest"}[RANGE] @ end())))`
)

// named gives statements their text. Those without one, such as "other", and all
// of them where no advisor runs, go by their digest.
func named(perStatement string) string {
	return `(` + perStatement + `)` + texts + ` or on (cluster, digest, schema)
		label_replace(` + perStatement + `, "text", "$1", "digest", "(.+)")`
}

func loadByStatement() panel {
	lead := with(perDigest, "seconds") + leading
	return panel{
		name: "load-digest", title: "Statements under way, by statement", kind: area, width: 24, height: 10, unit: units.Short,
		shows: "How many executions of each leading statement are under way on average; the grey area is all others, the line the processors.",
		bad:   "One wide band is one statement to improve; above the line statements wait for processors, disks or each other.",
		act:   "Find the band in the table below, and see whether the advisor has a finding about it.",
		queries: []query{
			{expr: named(lead), legend: "{{text}}"},
			{expr: `sum(` + with(perDigest, "seconds") + `) - sum(` + lead + `)`, legend: "all others", colour: colourIdle},
			{
				expr:   `sum(plimsoll_host_cpu_cores{HOST} and on (cluster, host) mysql_global_status_uptime{SERVER})`,
				legend: "processors", colour: colourLimit, line: true,
			},
		},
	}
}

func loadBySchema() panel {
	return half(panel{
		name: "load-schema", title: "Statements under way, by schema", kind: area, unit: units.Short,
		shows:   "How many statements are under way on average, by the schema of their session.",
		bad:     "A schema that does not belong to the site's visitors competes with them.",
		act:     "Move reports and imports to another time or to a replica.",
		queries: []query{{expr: `sum by (schema) (rate(` + with(digests, "seconds") + `[RATE]))`, legend: "{{schema}}"}},
	})
}

func loadByServer() panel {
	return half(panel{
		name: "load-server", title: "Statements under way, by server", kind: area, unit: units.Short,
		shows:   "How many statements are under way on average, by server.",
		bad:     "A primary with almost all of it, beside replicas that idle, does work that they could do.",
		act:     "See what the advisor says about splitting reads.",
		queries: []query{{expr: `sum by (host, server) (rate(` + with(digests, "seconds") + `[RATE]))`, legend: "{{host}} {{server}}"}},
	})
}

func statementsTable() panel {
	perCall := func(figure string) string {
		return with(overRange, figure) + ` / (` + with(overRange, "calls") + ` > 0)`
	}
	return panel{
		name: "statements", title: "Statements", kind: table, width: 24, height: 14, unit: units.Short,
		shows: "Every leading statement over the time range, with what one execution costs.",
		bad:   "Many rows examined for a row sent, scans and temporary tables on disk are work that an index can save.",
		act:   "A number in the last column is how many findings the advisor has about it; click the statement to see it alone.",
		columns: []column{
			{label: "text", title: "Statement", width: 480},
			{label: "schema", title: "Schema", width: 110},
			{label: "digest", title: "Digest", width: 190, link: &link{title: "This statement", page: "mysql-queries", variable: "digest", label: "digest"}},
			{label: "class", title: "Class", width: 90},
		},
		sortBy: "Share of time",
		queries: []query{
			{
				expr: named(with(overRange, "seconds") + ` / on (cluster) group_left ()
					(sum by (cluster) (increase(` + with(digests, "seconds") + `[RANGE])) > 0)`),
				legend: "Share of time", unit: units.PercentUnit,
			},
			{expr: with(overRange, "calls"), legend: "Executions", unit: units.Short},
			{expr: perCall("seconds"), legend: "Mean", unit: units.Seconds},
			{expr: perCall("rows_examined"), legend: "Rows examined", unit: units.Short},
			{expr: perCall("rows_sent"), legend: "Rows sent", unit: units.Short},
			{expr: perCall("no_index_used"), legend: "Without index", unit: units.PercentUnit},
			{expr: perCall("tmp_disk_tables"), legend: "On disk", unit: units.PercentUnit},
			{expr: perCall("errors"), legend: "Errors", unit: units.PercentUnit},
			{
				expr: `sum by (cluster, digest, schema) (plimsoll_digest_info{CLUSTER}
					* on (cluster, digest) group_left () count by (cluster, digest) (plimsoll_digest_finding{CLUSTER}))`,
				legend: "Findings", unit: units.Short, limits: limitSteps{steps: []limitStep{{1, colourWarn}}},
			},
		},
	}
}

func wastePanels() []panel {
	each := func(figure string) string {
		return `sum by (host, server) (rate(` + with(digests, figure) + `[RATE]))`
	}
	return []panel{
		half(panel{
			name: "rows", title: "Rows read for a row sent", unit: units.Short,
			shows:   "How many rows servers examine for each row that they send.",
			bad:     "Hundreds mean scans, or sums over many rows that could be kept.",
			act:     "Sort the table by rows examined.",
			queries: []query{{expr: each("rows_examined") + ` / (` + each("rows_sent") + ` > 0)`, legend: "{{host}} {{server}}"}},
		}),
		half(panel{
			name: "scans", title: "Statements without an index", unit: units.RequestsPerSecond,
			shows:   "Statements a second that used no index for a table.",
			bad:     "It is normal for small tables, and grows with the data for all others.",
			act:     "See the advisor's findings about missing indexes.",
			queries: []query{{expr: each("no_index_used"), legend: "{{host}} {{server}}"}},
		}),
		half(panel{
			name: "tmp", title: "Temporary tables on disk", unit: units.CountsPerSecond,
			shows:   "Temporary tables a second that went to disk.",
			bad:     "Each one writes and reads files for a result that an index may give in order.",
			act:     "Find the statements in the table; text columns in a GROUP BY are the usual cause.",
			queries: []query{{expr: each("tmp_disk_tables"), legend: "{{host}} {{server}}"}},
		}),
		half(panel{
			name: "errors", title: "Statements that failed", unit: units.RequestsPerSecond,
			shows:   "Statements a second that ended in an error.",
			bad:     "Any that visitors see is bad; duplicate keys and deadlocks are sometimes meant to be tried again.",
			act:     "Sort the table by errors, and look for the statement in the application's log.",
			queries: []query{{expr: each("errors"), legend: "{{host}} {{server}}", colour: colourBad}},
		}),
	}
}

func tablePanels() []panel {
	top := func(figure string) string {
		return `sum by (cluster, schema, table) (rate(plimsoll_mysql_table_` + figure + `_total{SERVER,schema=~"$schema"}[RATE]))
			and on (cluster, schema, table) topk($top, sum by (cluster, schema, table)
			(increase(plimsoll_mysql_table_` + figure + `_total{SERVER,schema=~"$schema"}[RANGE] @ end())))`
	}
	return []panel{
		half(panel{
			name: "table-reads", title: "Rows read, by table", unit: units.CountsPerSecond,
			shows:   "Rows a second that are read of the tables that are read most.",
			bad:     "A table that is read again and again as a whole belongs into a cache, or lacks an index.",
			act:     "Find the statements on it in the table above, by their text.",
			queries: []query{{expr: top("reads"), legend: "{{schema}} {{table}}"}},
		}),
		half(panel{
			name: "table-writes", title: "Rows written, by table", unit: units.CountsPerSecond,
			shows:   "Rows a second that are inserted, updated and deleted in the tables that are written most.",
			bad:     "Only the primary can take them, so they are what replicas do not help with.",
			act:     "Sessions, caches and queues in tables are the first to move elsewhere.",
			queries: []query{{expr: top("writes"), legend: "{{schema}} {{table}}"}},
		}),
	}
}

// coverage says how much of the truth the page shows.
func coverage(l limits) []panel {
	return []panel{
		half(panel{
			name: "hidden", title: "Time that digests do not see", unit: units.PercentUnit, full: 1,
			shows:  "The share of the time in statements that no digest counts: prepared statements, on MariaDB.",
			bad:    "What takes that time cannot be found on this page.",
			act:    "Let PHP emulate prepared statements (PDO::ATTR_EMULATE_PREPARES), or read the slow log.",
			limits: l.above("mysql/blind-spot"),
			queries: []query{{
				expr: `rate(plimsoll_mysql_statement_hidden_seconds_total{SERVER}[RATE])
					/ (rate(plimsoll_mysql_statement_seconds_total{SERVER}[RATE]) > 0)`,
				legend: "{{host}} {{server}}",
			}},
		}),
		half(panel{
			name: "digest-table", title: "Digest table in use", unit: units.PercentUnit, full: 1,
			shows:   "How full the server's table of digests is.",
			bad:     "When it is full, new statements are counted together as overflow.",
			act:     "Raise performance_schema_digests_size, which needs a restart.",
			queries: []query{{expr: `plimsoll_mysql_digest_table_rows{SERVER} / (plimsoll_mysql_digest_table_capacity{SERVER} > 0)`, legend: "{{host}} {{server}}"}},
		}),
		half(panel{
			name: "own-time", title: "Time that the agent asks for", unit: units.PercentUnit,
			shows:   "The share of time in which the agent waits for an answer of the server.",
			bad:     "It is one connection; a few hundredths mean that the server is slow to answer anybody.",
			act:     "Give the dearest job a longer interval; the page of hosts shows which one it is.",
			queries: []query{{expr: `rate(plimsoll_mysql_agent_seconds_total{SERVER}[RATE])`, legend: "{{host}} {{server}}"}},
		}),
		half(panel{
			name: "own-statements", title: "Statements of the agent", unit: units.RequestsPerSecond,
			shows:   "Statements a second that the agent runs on the server.",
			bad:     "It should not grow with the load of the site.",
			act:     "Report it if it does.",
			queries: []query{{expr: `rate(plimsoll_mysql_agent_statements_total{SERVER}[RATE])`, legend: "{{host}} {{server}}"}},
		}),
	}
}

func serverPanels(l limits) []panel {
	return []panel{
		half(panel{
			name: "connections", title: "Connections in use", unit: units.PercentUnit, full: 1,
			shows:   "The share of the connections that a server admits which are open.",
			bad:     "At 1 every further visitor gets an error.",
			act:     "Find what holds them; more connections help only if the server has room to work.",
			limits:  l.above("mysql/connections"),
			queries: []query{{expr: onServer(connected), legend: "{{host}} {{server}}"}},
		}),
		half(panel{
			name: "running", title: "Threads running", unit: units.Short,
			shows: "Threads that run a statement at the moment, beside the host's processors.",
			bad:   "Many more than processors queue for something; what for, the page of hosts and that of locks say.",
			act:   "Look for a peak's begin in the graph at the top of this page.",
			queries: []query{
				{expr: `mysql_global_status_threads_running{SERVER}`, legend: "{{host}} {{server}}"},
				{expr: `max(plimsoll_host_cpu_cores{HOST} and on (cluster, host) mysql_global_status_uptime{SERVER})`, legend: "processors", colour: colourLimit, line: true},
			},
		}),
		half(panel{
			name: "pool-reads", title: "Pages not found in the buffer pool", unit: units.CountsPerSecond,
			shows:   "Pages a second that had to be read from disk, because the buffer pool did not hold them.",
			bad:     "A disk gives out at some hundreds or thousands of them, and every statement waits.",
			act:     "An index that saves a scan often helps more than a larger buffer pool.",
			limits:  l.above("mysql/buffer-pool"),
			queries: []query{{expr: `rate(mysql_global_status_innodb_buffer_pool_reads{SERVER}[RATE])`, legend: "{{host}} {{server}}"}},
		}),
		half(panel{
			name: "commits", title: "Writes and commits", unit: units.CountsPerSecond,
			shows: "Statements that write, and the commits that they end in, a second.",
			bad:   "As many commits as writes is one transaction, and one flush of the redo log, for each row.",
			act:   "Put what belongs together into one transaction.",
			queries: []query{
				{expr: `rate(plimsoll_mysql_writes_total{SERVER}[RATE])`, legend: "{{host}} {{server}} writes"},
				{expr: `rate(plimsoll_mysql_commits_total{SERVER}[RATE])`, legend: "{{host}} {{server}} commits"},
			},
		}),
		{
			name: "latency", title: "Time of a statement, of all together", kind: graph, width: 24, height: 8, unit: units.Seconds,
			shows:   "The time that half, one in twenty and one in a hundred of all statements exceeds.",
			bad:     "The slowest rise first when a server comes to its limit, while the median stays.",
			act:     "Find which in the table above; MariaDB shows this with the plugin query_response_time only, in steps of ten times.",
			queries: []query{{expr: `plimsoll_mysql_statement_latency_seconds{SERVER}`, legend: "{{host}} {{server}} {{quantile}}"}},
		},
	}
}

// onServer narrows an expression about hosts to the servers chosen.
func onServer(expr string) string { return strings.ReplaceAll(expr, "{HOST", "{SERVER") }

func oneStatement() []panel {
	perCall := func(figure string) string {
		return `(` + with(chosen, figure) + `) / ((` + with(chosen, "calls") + `) > 0)`
	}
	const name = "{{schema}} {{digest}}"
	return []panel{
		half(panel{
			name: "one-calls", title: "Executions", unit: units.RequestsPerSecond,
			shows:   "How often the statement is run.",
			bad:     "A rate that is a multiple of the page views points to a loop in the application.",
			act:     "Fetch what the loop needs with one statement.",
			queries: []query{{expr: with(chosen, "calls"), legend: name}},
		}),
		half(panel{
			name: "one-mean", title: "Mean time", unit: units.Seconds,
			shows:   "How long an execution takes on average.",
			bad:     "A step upwards without a release is another plan, or more data.",
			act:     "Compare it with the rows examined on the right below.",
			queries: []query{{expr: perCall("seconds"), legend: name}},
		}),
		half(panel{
			name: "one-p95", title: "Slowest in twenty", unit: units.Seconds,
			shows:   "The time that one execution in twenty exceeds, of the leading statements.",
			bad:     "Far above the mean it is a statement that waits, or whose cost depends on its values.",
			act:     "MariaDB keeps no histograms: use the slow log there.",
			queries: []query{{expr: `max by (digest, schema) (plimsoll_mysql_digest_latency_seconds{SERVER,schema=~"$schema",digest=~"$digest",quantile="0.95"})`, legend: name}},
		}),
		half(panel{
			name: "one-affected", title: "Rows changed", unit: units.Short,
			shows:   "How many rows an execution changes on average.",
			bad:     "Thousands in one statement hold thousands of locks, and reach the replicas at once.",
			act:     "Change them in portions.",
			queries: []query{{expr: perCall("rows_affected"), legend: name}},
		}),
		half(panel{
			name: "one-lock", title: "Time waiting for locks", unit: units.Short,
			shows:   "Executions that wait for a lock, on average.",
			bad:     "It is bad where it is a large part of the statement's load.",
			act:     "See the page of locks for who holds them.",
			queries: []query{{expr: with(chosen, "lock_seconds"), legend: name}},
		}),
		half(panel{
			name: "one-rows", title: "Rows examined", unit: units.Short,
			shows:   "How many rows an execution examines on average.",
			bad:     "A line that climbs with the data is a scan.",
			act:     "An index on the columns of WHERE makes it flat.",
			queries: []query{{expr: perCall("rows_examined"), legend: name}},
		}),
	}
}
