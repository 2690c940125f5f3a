package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// locksPage shows who waits for locks, who holds them up, and what transactions
// are like.
func locksPage(l limits) page {
	return page{
		name: "mysql-locks", title: "MySQL locks",
		about:     "Who waits for locks, who holds them up, and what transactions are like.",
		variables: []variable{serverVariable()},
		rows: []row{
			{question: "Does anybody wait?", panels: waitStats(l)},
			{question: "What for?", panels: waitPanels(l)},
			{question: "Who holds whom up?", panels: []panel{pairsTable()}},
			{question: "What are transactions like?", panels: transactionPanels(l)},
		},
	}
}

func waitStats(l limits) []panel {
	return []panel{
		small(panel{
			name: "blocked", title: "Sessions waiting", unit: units.Short,
			shows:   "Sessions that wait for a lock at the moment.",
			bad:     "Each is a PHP worker that does nothing.",
			act:     "See below which table they meet on, and which statement took the lock.",
			queries: []query{{expr: `sum(plimsoll_mysql_lock_blocked_sessions{SERVER})`}},
		}),
		small(panel{
			name: "longest-wait", title: "Longest wait", unit: units.Seconds,
			shows:   "How long the session waits that has waited longest.",
			bad:     "After innodb_lock_wait_timeout, 50 s by default, it gets an error.",
			act:     "End the transaction of the blocker; the report's events name its connection.",
			queries: []query{{expr: `max(plimsoll_mysql_lock_longest_wait_seconds{SERVER})`}},
		}),
		small(panel{
			name: "longest", title: "Longest transaction", unit: units.Seconds,
			shows:   "The age of the oldest open transaction.",
			bad:     "It holds its locks, and keeps the server from removing old versions of rows.",
			act:     "Commit before anything that takes time, such as a call to another service.",
			limits:  l.above("mysql/long-transaction"),
			queries: []query{{expr: `max(plimsoll_mysql_transaction_longest_seconds{SERVER})`}},
		}),
		small(panel{
			name: "deadlocks-range", title: "Deadlocks", unit: units.Short,
			shows:   "Deadlocks in the time range.",
			bad:     "Each ended a transaction with an error, which the application has to try again.",
			act:     "Let all transactions take their rows in one order; the report shows the statements of the last.",
			queries: []query{{expr: `sum(increase(plimsoll_mysql_deadlocks_total{SERVER}[RANGE]))`}},
		}),
		small(panel{
			name: "timeouts", title: "Waits given up", unit: units.Short,
			shows:   "Lock waits in the time range that ended with a timeout.",
			bad:     "Each was a visitor who waited for long and then got an error.",
			act:     "Find the blocker in the table below.",
			queries: []query{{expr: `sum(increase(plimsoll_mysql_lock_wait_timeouts_total{SERVER}[RANGE]))`}},
		}),
		small(panel{
			name: "history", title: "History list", unit: units.Short,
			shows:   "Undo logs that are not purged yet, on the server that has most.",
			bad:     "Millions make every read slower, since it steps over old versions of rows.",
			act:     "End the oldest transaction; a backup or a report is the usual one.",
			queries: []query{{expr: `max(plimsoll_mysql_history_list_length{SERVER})`}},
		}),
	}
}

// rowLockSeconds is the server's own count, of milliseconds. The wait graph is
// read every ten seconds at most, and misses what is shorter.
const rowLockSeconds = `rate(mysql_global_status_innodb_row_lock_time{SERVER}[RATE]) / 1000`

// waitsByTable is zero for a table called none while nobody waits.
const waitsByTable = `sum by (schema, table) (rate(plimsoll_mysql_lock_pair_seconds_total{SERVER}[RATE])) > 0
	or on () label_replace(0 * sum(rate(plimsoll_mysql_lock_wait_seconds_total{SERVER}[RATE])), "table", "none", "", "")`

func waitPanels(l limits) []panel {
	return []panel{
		half(panel{
			name: "waits-kind", title: "Sessions waiting, by kind of lock", kind: area, unit: units.Short,
			shows: "How many sessions were seen waiting on average, by the kind of lock; the line is the server's own count for row locks, which has short waits too.",
			bad:   "Metadata locks stop every statement on a table; gap locks are what READ COMMITTED mostly does without.",
			act:   "For metadata find the long transaction that uses the table, for records the row that everybody writes.",
			queries: []query{
				{expr: `sum by (kind) (rate(plimsoll_mysql_lock_wait_seconds_total{SERVER}[RATE]))`, legend: "{{kind}}"},
				{expr: `sum(` + rowLockSeconds + `)`, legend: "row locks, all", colour: colourLimit, line: true},
			},
		}),
		half(panel{
			name: "wait-share", title: "Share of time waiting for row locks", unit: units.PercentUnit, full: 1,
			shows:  "The share of the time in statements that is spent waiting for row locks, by the server's own count.",
			bad:    "The dashed line is where it begins to slow the site; a wait is counted when it ends.",
			act:    "Shorten the transaction that holds the lock, rather than the statement that waits.",
			limits: l.above("mysql/lock-contention"),
			queries: []query{{
				expr: `sum by (host, server) (` + rowLockSeconds + `)
					/ (sum by (host, server) (rate(plimsoll_mysql_statement_seconds_total{SERVER}[RATE])) > 0)`,
				legend: "{{host}} {{server}}",
			}},
		}),
		half(panel{
			name: "waits-table", title: "Sessions waiting, by table", kind: area, unit: units.Short,
			shows:   "How many sessions were seen waiting on average, by the table that they wait for; waits of less than ten seconds are partly missed.",
			bad:     "One table with almost all of it is a hot row, a counter, or a queue.",
			act:     "Spread the row over several, or move the queue to what is made for it.",
			queries: []query{{expr: waitsByTable, legend: "{{schema}} {{table}}"}},
		}),
		half(panel{
			name: "deadlocks", title: "Deadlocks and waits given up", unit: units.CountsPerSecond,
			shows:  "Deadlocks and lock waits that ended with a timeout, a second.",
			bad:    "The dashed line is one deadlock a minute.",
			act:    "Take rows in one order, and retry the transaction in the application.",
			limits: l.above("mysql/deadlocks"),
			queries: []query{
				{expr: `rate(plimsoll_mysql_deadlocks_total{SERVER}[RATE])`, legend: "{{host}} {{server}} deadlocks", colour: colourLock},
				{expr: `rate(plimsoll_mysql_lock_wait_timeouts_total{SERVER}[RATE])`, legend: "{{host}} {{server}} timeouts"},
			},
		}),
	}
}

// pairs is how long statements waited for statements; % is the figure.
const pairs = `sum by (cluster, schema, table, index, kind, blocker, waiter) (increase(plimsoll_mysql_lock_pair_%_total{SERVER}[RANGE])) > 0`

// textOf gives the statements of pairs, by the label party, their text.
func textOf(party string) string {
	return `(` + with(pairs, "seconds") + `) * on (cluster, ` + party + `) group_left (` + party + `_text)
		topk by (cluster, ` + party + `) (1, label_replace(label_replace(plimsoll_digest_info{CLUSTER},
		"` + party + `", "$1", "digest", "(.+)"), "` + party + `_text", "$1", "text", "(.+)"))`
}

func pairsTable() panel {
	statement := func(party string) *link {
		return &link{title: "This statement", page: "mysql-queries", variable: "digest", label: party}
	}
	return panel{
		name: "pairs", title: "Statements that hold others up", kind: table, width: 24, height: 10, unit: units.Short,
		shows: "For the time range, which statement took a lock that another was seen waiting for, and how long.",
		bad:   "The first rows are where the waiting is; a blocker that is empty was no longer known to the server.",
		act:   "Make the transaction of the blocker shorter, or let it take its rows later.",
		columns: []column{
			{label: "table", title: "Table"},
			{label: "schema", title: "Schema", width: 110},
			{label: "index", title: "Index", width: 110},
			{label: "kind", title: "Kind", width: 90},
			{label: "blocker_text", title: "Holds the lock", width: 330},
			{label: "waiter_text", title: "Waits", width: 330},
			{label: "blocker", title: "Holder", width: 100, link: statement("blocker")},
			{label: "waiter", title: "Waiter", width: 100, link: statement("waiter")},
		},
		sortBy: "Waited",
		queries: []query{
			{expr: with(pairs, "seconds"), legend: "Waited", unit: units.Seconds},
			{expr: with(pairs, "waits"), legend: "Waits", unit: units.Short},
			{expr: textOf("blocker"), legend: "Holder's text", hidden: true},
			{expr: textOf("waiter"), legend: "Waiter's text", hidden: true},
		},
	}
}

func transactionPanels(l limits) []panel {
	return []panel{
		half(panel{
			name: "ages", title: "Longest transaction", unit: units.Seconds,
			shows:   "The age of the oldest open transaction.",
			bad:     "A saw with long teeth is a job; a line that climbs is a session that somebody forgot.",
			act:     "Commit more often, and set a limit for idle transactions where the server has one.",
			limits:  l.above("mysql/long-transaction"),
			queries: []query{{expr: `plimsoll_mysql_transaction_longest_seconds{SERVER}`, legend: "{{host}} {{server}}"}},
		}),
		half(panel{
			name: "history-list", title: "History list", unit: units.Short,
			shows:   "Undo logs that are not purged yet.",
			bad:     "It grows while an old transaction is open, and then every read gets slower.",
			act:     "Compare it with the oldest transaction on the left.",
			queries: []query{{expr: `plimsoll_mysql_history_list_length{SERVER}`, legend: "{{host}} {{server}}"}},
		}),
		half(panel{
			name: "single", title: "Transactions of one statement", unit: units.CountsPerSecond,
			shows:  "Writes a second that were a transaction of their own, at least and at most, beside all commits.",
			bad:    "Each of them costs a flush of the redo log, and one of the binary log.",
			act:    "Put what belongs together into one transaction.",
			limits: l.above("mysql/autocommit-chatter"),
			queries: []query{
				{expr: `rate(plimsoll_mysql_single_writes_least_total{SERVER}[RATE])`, legend: "{{host}} {{server}} at least"},
				{expr: `rate(plimsoll_mysql_single_writes_most_total{SERVER}[RATE])`, legend: "{{host}} {{server}} at most"},
				{expr: `rate(plimsoll_mysql_commits_total{SERVER}[RATE])`, legend: "{{host}} {{server}} commits"},
			},
		}),
		half(panel{
			name: "largest", title: "Largest transaction", unit: units.Short,
			shows:   "The most rows that one open transaction was seen to have modified, since the agent began to count.",
			bad:     "A replica stands behind for as long as it applies such a transaction.",
			act:     "Change rows in portions of some thousands.",
			limits:  l.above("mysql/large-transaction"),
			queries: []query{{expr: `plimsoll_mysql_transaction_largest_rows{SERVER}`, legend: "{{host}} {{server}}"}},
		}),
		half(panel{
			name: "isolation", title: "Isolation levels in use", kind: area, unit: units.PercentUnit, full: 1,
			shows:   "The share of open transactions by their isolation level, at samples.",
			bad:     "REPEATABLE READ locks gaps between rows, which few applications need.",
			act:     "See whether gaps are waited for before you change it.",
			queries: []query{{expr: shares("isolation", `rate(plimsoll_mysql_transactions_sampled_total{SERVER}[RATE])`), legend: "{{isolation}}"}},
		}),
		half(panel{
			name: "reads", title: "Reads in transactions", kind: area, unit: units.PercentUnit, full: 1,
			shows:   "The share of SELECTs that were found running inside and outside of transactions.",
			bad:     "Reads inside of transactions cannot move to a replica.",
			act:     "Read before the transaction begins what does not depend on it.",
			queries: []query{{expr: shares("place", `rate(plimsoll_mysql_transactions_reads_sampled_total{SERVER}[RATE])`), legend: "{{place}}"}},
		}),
	}
}

// shares is what part of all each value of label has.
func shares(label, expr string) string {
	return `sum by (` + label + `) (` + expr + `) / on () group_left () (sum(` + expr + `) > 0)`
}
