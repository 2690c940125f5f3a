package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// queriesPage shows which statements take the time, and what they waste.
//
// Digest series are the leading statements of a server and the rest as "other",
// and add up exactly; their texts come from the advisor's plimsoll_digest_info.
func queriesPage(limits) page {
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
			{question: "How does one statement behave? Choose it above.", closed: true, panels: oneStatement()},
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

func loadByStatement() panel {
	perSecond := with(perDigest, "seconds")
	return panel{
		name: "load-digest", title: "Statements under way, by statement", kind: area, width: 24, height: 10, unit: units.Short,
		shows: "How many executions of each leading statement are under way on average; the grey area is all others, the line the processors.",
		bad:   "One wide band is one statement to improve; above the line statements wait for processors, disks or each other.",
		act:   "Find the band in the table below, and see whether the advisor has a finding about it.",
		queries: []query{
			{expr: `(` + perSecond + leading + `)` + texts, legend: "{{text}}"},
			{expr: `sum(` + perSecond + `) - sum((` + perSecond + leading + `)` + texts + `)`, legend: "all others", colour: colourIdle},
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
				expr:   `(` + with(overRange, "seconds") + ` / on (cluster) group_left () sum by (cluster) (increase(` + with(digests, "seconds") + `[RANGE])))` + texts,
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
