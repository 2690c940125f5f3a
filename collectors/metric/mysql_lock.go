package metric

import (
	"slices"
	"strconv"

	"plimsoll/collectors/snapshot"
)

// lockMetrics are the series about locks and transactions.
func lockMetrics() []Metric {
	return slices.Concat(lockWaitMetrics(), transactionMetrics(), chatterMetrics(), deadlockMetrics())
}

const waitGraph = "performance_schema.data_lock_waits, information_schema.INNODB_LOCK_WAITS, performance_schema.metadata_locks"

func lockWaitMetrics() []Metric {
	return []Metric{
		{
			Name: "plimsoll_mysql_lock_wait_seconds_total", Type: Counter, Unit: "seconds", Source: waitGraph,
			Help: "Time for which sessions were seen to wait for locks, by kind: record, gap, table or metadata.",
			Job:  "mysql/locks", Labels: []string{"server", "kind"},
			Read: eachLocks(func(server string, l *snapshot.Locks, emit Emit) {
				for kind, seconds := range l.WaitSeconds {
					emit(seconds, server, string(kind))
				}
			}),
		},
		lockTotal("seconds", "seconds", "Time for which sessions were seen to wait",
			func(t *snapshot.LockTotal) float64 { return t.Seconds }),
		lockTotal("waits", "", "Waits that were seen", func(t *snapshot.LockTotal) float64 { return float64(t.Waits) }),
		{
			Name: "plimsoll_mysql_lock_blocked_sessions", Type: Gauge, Source: waitGraph,
			Help: "Sessions that wait for a lock, by what the last reading of the wait graph showed.",
			Job:  "mysql/locks", Labels: []string{"server"},
			Read: eachLocks(func(server string, l *snapshot.Locks, emit Emit) { emit(float64(blocked(l.Graph)), server) }),
		},
		{
			Name: "plimsoll_mysql_lock_longest_wait_seconds", Type: Gauge, Unit: "seconds", Source: waitGraph,
			Help: "How long the session waits that has waited longest.", Job: "mysql/locks", Labels: []string{"server"},
			Read: eachLocks(func(server string, l *snapshot.Locks, emit Emit) { emit(longestWait(l.Graph), server) }),
		},
	}
}

func eachLocks(visit func(server string, l *snapshot.Locks, emit Emit)) func(*snapshot.Snapshot, Emit) {
	return func(s *snapshot.Snapshot, emit Emit) {
		for name, server := range s.Servers {
			if server.Locks != nil {
				visit(name, server.Locks, emit)
			}
		}
	}
}

// lockTotal makes a metric with a series for each of the leading pairs of
// statements, and one of the kind other.
func lockTotal(name, unit, help string, read func(t *snapshot.LockTotal) float64) Metric {
	return Metric{
		Name: "plimsoll_mysql_lock_pair_" + name + "_total", Type: Counter, Unit: unit, Source: waitGraph,
		Help: help + " for a lock on an index; blocker and waiter are fingerprints, empty if not known.",
		Job:  "mysql/locks", Labels: []string{"server", "kind", "schema", "table", "index", "blocker", "waiter"},
		Read: eachLocks(func(server string, l *snapshot.Locks, emit Emit) {
			for i := range l.Totals {
				t := &l.Totals[i]
				emit(read(t), server, string(t.Kind), t.Schema, t.Table, t.Index, t.Blocker, t.Waiter)
			}
		}),
	}
}

// blocked counts each waiter once, though it can wait for several.
func blocked(graph *snapshot.LockGraph) int {
	waiters := map[uint64]bool{}
	if graph != nil {
		for _, b := range graph.Blockers {
			for _, w := range b.Waiters {
				waiters[w.Connection] = true
			}
		}
	}
	return len(waiters)
}

func longestWait(graph *snapshot.LockGraph) float64 {
	longest := 0.0
	if graph != nil {
		for _, b := range graph.Blockers {
			for _, w := range b.Waiters {
				longest = max(longest, w.Seconds)
			}
		}
	}
	return longest
}

const openTransactions = "information_schema.INNODB_TRX"

func transactionMetrics() []Metric {
	row := func(name, unit, help, source string, read func(t *snapshot.Transactions) *float64) Metric {
		return mysqlRow("mysql/transactions", name, Gauge, unit, help, source, func(s *snapshot.Server) *float64 {
			if s.Transactions == nil {
				return nil
			}
			return read(s.Transactions)
		})
	}
	return []Metric{
		row("plimsoll_mysql_transactions_open", "", "InnoDB transactions that are open.", openTransactions,
			func(t *snapshot.Transactions) *float64 { return float(t.Open) }),
		row("plimsoll_mysql_transaction_longest_seconds", "seconds", "Age of the oldest open transaction.", openTransactions+", trx_started",
			func(t *snapshot.Transactions) *float64 { return t.LongestSeconds }),
		row("plimsoll_mysql_transaction_largest_rows", "", "Most rows that one transaction was seen to have modified.", openTransactions+", trx_rows_modified",
			func(t *snapshot.Transactions) *float64 { return float(t.LargestRows) }),
		row("plimsoll_mysql_history_list_length", "", "Undo logs that are not purged yet.", "information_schema.INNODB_METRICS, trx_rseg_history_len",
			func(t *snapshot.Transactions) *float64 { return t.HistoryLength }),
		sampled("aged", "age", "Transactions that reached an age, in seconds; each counts once at each age.", openTransactions+", trx_started",
			func(t *snapshot.Transactions, emit func(float64, string)) {
				for _, b := range t.Ages {
					emit(float64(b.Count), strconv.FormatFloat(b.UpToSeconds, 'g', -1, 64))
				}
			}),
		sampled("sampled", "isolation", "Open transactions at samples, by isolation level.", openTransactions+", trx_isolation_level",
			func(t *snapshot.Transactions, emit func(float64, string)) {
				for level, n := range t.Isolation {
					emit(float64(n), level)
				}
			}),
		sampled("reads_sampled", "place", "SELECTs that ran at samples, inside or outside of a transaction.", openTransactions+", trx_autocommit_non_locking",
			func(t *snapshot.Transactions, emit func(float64, string)) {
				if t.Reads != nil {
					emit(float64(t.Reads.Inside), "inside")
					emit(float64(t.Reads.Outside), "outside")
				}
			}),
	}
}

// sampled makes a counter of a Transactions with one more label.
func sampled(name, label, help, source string, each func(t *snapshot.Transactions, emit func(float64, string))) Metric {
	return Metric{
		Name: "plimsoll_mysql_transactions_" + name + "_total", Type: Counter, Help: help, Source: source,
		Job: "mysql/transactions", Labels: []string{"server", label},
		Read: func(s *snapshot.Snapshot, emit Emit) {
			for name, server := range s.Servers {
				if server.Transactions != nil {
					each(server.Transactions, func(value float64, word string) { emit(value, name, word) })
				}
			}
		},
	}
}

func chatterMetrics() []Metric {
	row := func(name, help, source string, read func(c *snapshot.Chatter) *float64) Metric {
		return mysqlRow("mysql/transactions", name, Counter, "", help, source, func(s *snapshot.Server) *float64 {
			if s.Transactions == nil || s.Transactions.Chatter == nil {
				return nil
			}
			return read(s.Transactions.Chatter)
		})
	}
	return []Metric{
		row("plimsoll_mysql_writes_total", "Statements that can change rows.", "Com_insert, Com_update, Com_delete, Com_replace …",
			func(c *snapshot.Chatter) *float64 { return new(float64(c.Writes)) }),
		row("plimsoll_mysql_commits_total", "Committed transactions that changed something.", "gtid_executed, Binlog_cache_use or Binlog_commits",
			func(c *snapshot.Chatter) *float64 { return float(c.Commits) }),
		row("plimsoll_mysql_explicit_commits_total", "COMMIT statements.", "Com_commit",
			func(c *snapshot.Chatter) *float64 { return new(float64(c.Explicit)) }),
		row("plimsoll_mysql_single_writes_most_total", "Writes that were a transaction of their own, at most.", "writes + commits - Handler_prepare / 2",
			func(c *snapshot.Chatter) *float64 { return float(c.SingleWrites) }),
		row("plimsoll_mysql_single_writes_least_total", "Writes that were a transaction of their own, at least.", "commits - Com_commit",
			func(c *snapshot.Chatter) *float64 { return float(c.SingleWritesLeast) }),
	}
}

func deadlockMetrics() []Metric {
	row := func(name, help, metric string, read func(d *snapshot.Deadlocks) *uint64) Metric {
		return mysqlRow("mysql/deadlocks", name, Counter, "", help, "information_schema.INNODB_METRICS, "+metric, func(s *snapshot.Server) *float64 {
			if s.Deadlocks == nil {
				return nil
			}
			return float(read(s.Deadlocks))
		})
	}
	return []Metric{
		row("plimsoll_mysql_deadlocks_total", "Deadlocks, each of which ended a transaction.", "lock_deadlocks",
			func(d *snapshot.Deadlocks) *uint64 { return d.Total }),
		row("plimsoll_mysql_lock_wait_timeouts_total", "Lock waits that were given up.", "lock_timeouts",
			func(d *snapshot.Deadlocks) *uint64 { return d.Timeouts }),
	}
}
