package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// locksPage shows who waits for locks, who holds them, and what transactions
// are like.
func locksPage(l limits) page {
	return page{
		name: "mysql-locks", title: "MySQL locks",
		about:     "Who waits for locks, who holds them up, and what transactions are like.",
		variables: []variable{serverVariable()},
		rows: []row{
			{question: "Who waits?", panels: []panel{
				half(panel{
					name: "row-locks", title: "Sessions waiting for a row lock", unit: units.Short,
					shows:   "Sessions that wait for a row lock at the moment.",
					bad:     "Each is a PHP worker that does nothing.",
					act:     "See below which table they meet on, and who holds it.",
					queries: []query{{expr: `mysql_global_status_innodb_row_lock_current_waits{SERVER}`, legend: "{{host}} {{server}}", colour: colourLock}},
				}),
				half(panel{
					name: "longest", title: "Longest transaction", unit: units.Seconds,
					shows:   "The age of the oldest open transaction.",
					bad:     "It holds its locks, and keeps the server from removing old versions of rows.",
					act:     "Commit before anything that takes time, such as a call to another service.",
					limits:  l.above("mysql/long-transaction"),
					queries: []query{{expr: `plimsoll_mysql_transaction_longest_seconds{SERVER}`, legend: "{{host}} {{server}}"}},
				}),
			}},
		},
	}
}
