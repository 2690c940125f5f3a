package mysql

import (
	"context"
	"strconv"
	"strings"

	"plimsoll/collectors/snapshot"
)

// chatterMeter finds how many writes are transactions of their own, from what
// servers count anyway. With a binary log each write of InnoDB prepares two
// engines, it and the log, once for the statement and, unless the statement is
// its own transaction, once more at COMMIT. Measured on MySQL 9.7 and MariaDB
// 10.11 and 11.8, for each
//
//	                                 writes  commits  Handler_prepare
//	write of its own                      1        1                2
//	transaction of k writes               k        1           2k + 2
//	one that is rolled back               k        0               2k
//	read, in a transaction or not         0        0                0
//	DDL on MySQL                          0        1                4
//
// so that writes + commits + DDL - Handler_prepare / 2 is the number of writes
// of their own. A write that changes no row prepares nothing (on MariaDB: one
// that finds no row) and makes this too high.
type chatterMeter struct {
	Known bool            `json:"known"`
	Last  chatterCounters `json:"last"`

	Writes   uint64     `json:"writes"`
	Commits  uint64     `json:"commits"`
	Explicit uint64     `json:"explicit"`
	Most     totalMeter `json:"most"`
	Least    totalMeter `json:"least"`
}

// chatterCounters are the server's own, since it started.
type chatterCounters struct {
	Writes    int64 `json:"writes"`
	Commits   int64 `json:"commits"`
	Explicit  int64 `json:"explicit"`
	Prepares  int64 `json:"prepares"`
	DDL       int64 `json:"ddl"`
	Rollbacks int64 `json:"rollbacks"`
}

// Statements that write rows, and on MySQL those that write the dictionary.
const (
	countedWrites = `com_insert com_insert_select com_replace com_replace_select com_update com_update_multi
		com_delete com_delete_multi com_load`
	countedDDL = `com_create_table com_alter_table com_drop_table com_truncate com_rename_table com_create_index
		com_drop_index com_create_view com_drop_view com_create_trigger com_drop_trigger com_create_procedure
		com_drop_procedure com_create_db com_drop_db com_create_user com_drop_user com_grant com_revoke`
	selectOwnGTIDs = "SELECT @@GLOBAL.gtid_mode, @@GLOBAL.gtid_executed"
	countAppliers  = "SELECT COUNT(*) FROM performance_schema.replication_applier_status WHERE SERVICE_STATE = 'ON'"
)

// read adds what happened since the last round, and notes of when that is.
func (m *chatterMeter) read(ctx context.Context, q *session, part *snapshot.Meta) (*snapshot.Chatter, error) {
	age := statusAge
	if q.identity.Family == snapshot.MySQL {
		age = 0 // The GTIDs must be of the same moment.
	}
	counters, err := q.status(ctx, age)
	if err != nil {
		return nil, err
	}
	part.Taken = counters.at
	status := counters.values
	now := chatterCounters{
		Writes: sumOf(status, countedWrites), Explicit: sumOf(status, "com_commit"),
		Prepares: sumOf(status, "handler_prepare"),
	}
	logged := on(q.variables["log_bin"])
	replica := status["slaves_running"] != "" && status["slaves_running"] != "0"
	if q.identity.Family == snapshot.MySQL {
		if replica, err = now.addMySQL(ctx, q, status); err != nil {
			return nil, err
		}
	} else {
		now.Commits = sumOf(status, "binlog_commits")
	}
	m.add(now, replica)
	if !logged {
		part.Gaps = append(part.Gaps, snapshot.Gap{
			Job: transactionsJob, Subject: q.server.cfg.Name,
			Reason: "the binary log is off: the server does not count the transactions that changed something",
			Remedy: "log_bin = binlog in the option file, and a restart; replication and point-in-time recovery need it too",
		})
	}
	return m.chatter(logged), nil
}

// addMySQL counts the server's own GTIDs, which have no gaps; without them,
// transactions that used the log's cache, rolled back or not.
func (c *chatterCounters) addMySQL(ctx context.Context, q *session, status map[string]string) (replica bool, err error) {
	c.DDL = sumOf(status, countedDDL)
	var mode, executed string
	if err := q.one(ctx, selectOwnGTIDs, []any{&mode, &executed}); err != nil {
		return false, err
	}
	if mode == "ON" {
		c.Commits = ownTransactions(executed, q.variables["server_uuid"])
	} else {
		c.Commits, c.Rollbacks = sumOf(status, "binlog_cache_use"), sumOf(status, "com_rollback")
	}
	if !q.on("performance_schema") {
		return true, nil
	}
	var appliers int
	err = q.one(ctx, countAppliers, []any{&appliers})
	return appliers > 0, err
}

// ownTransactions counts those of a GTID set that uuid wrote.
func ownTransactions(executed, uuid string) int64 {
	for part := range strings.SplitSeq(executed, ",") {
		part = strings.TrimSpace(part)
		if set, err := snapshot.ParseGTIDSet(part); err == nil && strings.HasPrefix(part, uuid+":") {
			return int64(snapshot.GTIDSet{}.Missing(set))
		}
	}
	return 0
}

func sumOf(status map[string]string, names string) int64 {
	var sum int64
	for name := range strings.FieldsSeq(names) {
		n, _ := strconv.ParseInt(status[name], 10, 64)
		sum += n
	}
	return sum
}

// add takes the difference to the last round. Where a counter fell, by a restart
// or FLUSH STATUS, nothing is known of the time between.
func (m *chatterMeter) add(now chatterCounters, replica bool) {
	d := chatterCounters{
		Writes: now.Writes - m.Last.Writes, Commits: now.Commits - m.Last.Commits, Explicit: now.Explicit - m.Last.Explicit,
		Prepares: now.Prepares - m.Last.Prepares, DDL: now.DDL - m.Last.DDL, Rollbacks: now.Rollbacks - m.Last.Rollbacks,
	}
	known := m.Known && min(d.Writes, d.Commits, d.Explicit, d.Prepares, d.DDL, d.Rollbacks) >= 0
	m.Known, m.Last = true, now
	if !known {
		return
	}
	m.Writes += uint64(d.Writes)
	m.Commits += uint64(d.Commits)
	m.Explicit += uint64(d.Explicit)
	most := min(d.Commits, d.Writes)
	least := d.Commits - d.Explicit - d.DDL - d.Rollbacks
	if replica {
		// What a replica applies is counted as commits and prepares, but not as
		// writes.
		least = 0
	} else {
		most = min(most, d.Writes+d.Commits+d.DDL-d.Prepares/2)
	}
	m.Most.add(most)
	m.Least.add(min(least, most))
}

func (m *chatterMeter) chatter(logged bool) *snapshot.Chatter {
	c := &snapshot.Chatter{Writes: m.Writes, Explicit: m.Explicit}
	if logged {
		commits, most, least := m.Commits, m.Most.Sum, m.Least.Sum
		c.Commits, c.SingleWrites, c.SingleWritesLeast = &commits, &most, &least
	}
	return c
}

// totalMeter sums differences of counters that are read one after the other
// while statements are under way: what one round sees too much the next sees too
// little, and the sum must not fall.
type totalMeter struct {
	Sum  uint64 `json:"sum"`
	Debt int64  `json:"debt"`
}

// maxDebt is about as many statements as can be under way at a time. A larger
// difference is no inaccuracy, and is not to eat what follows.
const maxDebt = 64

func (m *totalMeter) add(d int64) {
	d -= m.Debt
	m.Debt = 0
	if d < 0 {
		m.Debt = min(-d, maxDebt)
		return
	}
	m.Sum += uint64(d)
}
