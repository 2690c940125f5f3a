package metric

import (
	"fmt"
	"slices"
	"testing"

	"plimsoll/collectors/snapshot"
)

// replicatedServer has everything that the jobs about replication, locks and
// transactions can fill: four channels, a full table of totals, a wait graph.
func replicatedServer() *snapshot.Server {
	s := &snapshot.Server{
		Replication: &snapshot.Replication{
			ReadOnly: new(true), Replicas: &[]snapshot.ConnectedReplica{{}, {}}, SemiSync: &snapshot.SemiSync{},
		},
		LagTotals: &snapshot.LagTotals{},
		Positions: &snapshot.Positions{},
		Binlog:    &snapshot.Binlog{Files: new(3), Bytes: new(uint64(5))},
		Locks: &snapshot.Locks{
			WaitSeconds: map[snapshot.LockKind]float64{snapshot.LockRecord: 1, snapshot.LockGap: 2, snapshot.LockTable: 3, snapshot.LockMetadata: 4},
			Graph: &snapshot.LockGraph{Blockers: []snapshot.Blocker{
				{Waiters: []snapshot.Waiter{{Connection: 7, Seconds: 3}, {Connection: 8, Seconds: 9}}},
				{Waiters: []snapshot.Waiter{{Connection: 8, Seconds: 9}}},
			}},
		},
		Transactions: &snapshot.Transactions{
			Open: new(1), LongestSeconds: new(2.0), HistoryLength: new(3.0), LargestRows: new(uint64(4)),
			Isolation: map[string]uint64{"REPEATABLE READ": 1, "READ COMMITTED": 2}, Reads: &snapshot.ReadSamples{},
			Chatter: &snapshot.Chatter{Commits: new(uint64(1)), SingleWrites: new(uint64(1)), SingleWritesLeast: new(uint64(1))},
		},
		Deadlocks:  &snapshot.Deadlocks{Total: new(uint64(1)), Timeouts: new(uint64(2))},
		Membership: &snapshot.Membership{Galera: &snapshot.Galera{}, Group: &snapshot.Group{Members: []snapshot.GroupMember{{State: "ONLINE"}, {State: "ONLINE"}}}},
	}
	for _, age := range snapshot.TransactionAges() {
		s.Transactions.Ages = append(s.Transactions.Ages, snapshot.Bucket{UpToSeconds: age})
	}
	for i := range 4 {
		name := fmt.Sprint(i)
		s.Replication.Channels = append(s.Replication.Channels, snapshot.Channel{
			Name: name, State: snapshot.LagOK, SecondsBehind: new(0.0), ApplySeconds: new(0.0), SilentSeconds: new(1.0),
			RelayLogBytes: new(uint64(1)), Workers: new(4), Busy: new(1),
		})
		s.LagTotals.Channels = append(s.LagTotals.Channels, snapshot.ChannelTotals{Name: name, ApplyLag: make([]snapshot.Bucket, 12)})
		for b := range 12 {
			s.LagTotals.Channels[i].ApplyLag[b] = snapshot.Bucket{UpToSeconds: float64(b), Count: 2}
		}
	}
	for i := range snapshot.MaxLockTotals {
		s.Locks.Totals = append(s.Locks.Totals, snapshot.LockTotal{Kind: snapshot.LockRecord, Table: fmt.Sprint(i)})
	}
	return s
}

// series runs the metrics over s, and refuses series that come twice.
func series(t *testing.T, metrics []Metric, s *snapshot.Server) map[string]float64 {
	t.Helper()
	seen := map[string]float64{}
	for _, m := range metrics {
		m.Read(&snapshot.Snapshot{Servers: map[string]*snapshot.Server{"db1": s}}, func(value float64, labels ...string) {
			key := fmt.Sprint(m.Name, labels)
			if _, twice := seen[key]; twice || len(labels) != len(m.Labels) {
				t.Errorf("%s comes twice, or has not the labels %v", key, m.Labels)
			}
			seen[key] = value
		})
	}
	return seen
}

// Statements and status leave 400 of the 2,000 series of a database server.
func TestSeriesOfReplicationAndLocksStayInTheirBudget(t *testing.T) {
	seen := series(t, slices.Concat(replicationMetrics(), lockMetrics()), replicatedServer())
	if n := len(seen); n > 320 {
		t.Errorf("%d series, want at most 320", n)
	}
	for key, want := range map[string]float64{
		"plimsoll_mysql_lock_blocked_sessions[db1]":                     2,
		"plimsoll_mysql_lock_longest_wait_seconds[db1]":                 9,
		"plimsoll_mysql_channel_state[db1 0 ok]":                        1,
		"plimsoll_mysql_channel_state[db1 0 io_down]":                   0,
		"plimsoll_mysql_channel_apply_readings_total[db1 0 3]":          8,
		"plimsoll_mysql_group_members[db1 online]":                      2,
		"mysql_slave_status_seconds_behind_master[db1 1   ]":            0,
		"plimsoll_mysql_transactions_sampled_total[db1 READ COMMITTED]": 2,
	} {
		if got, found := seen[key]; !found || got != want {
			t.Errorf("%s = %g (found %v), want %g", key, got, found, want)
		}
	}
}

func TestWhatIsUnknownHasNoSeries(t *testing.T) {
	s := &snapshot.Server{
		Replication: &snapshot.Replication{Channels: []snapshot.Channel{{State: snapshot.LagSQLDown}}}, Binlog: &snapshot.Binlog{},
		Transactions: &snapshot.Transactions{Chatter: &snapshot.Chatter{}}, Deadlocks: &snapshot.Deadlocks{}, Membership: &snapshot.Membership{},
	}
	seen := series(t, slices.Concat(replicationMetrics(), lockMetrics()), s)
	for _, key := range []string{
		"mysql_slave_status_seconds_behind_master[db1    ]", "plimsoll_mysql_channel_apply_seconds[db1 ]",
		"plimsoll_mysql_read_only[db1]", "plimsoll_mysql_deadlocks_total[db1]", "plimsoll_mysql_commits_total[db1]",
		"mysql_binlog_files[db1]", "mysql_global_status_wsrep_ready[db1]", "plimsoll_mysql_transactions_open[db1]",
	} {
		if value, found := seen[key]; found {
			t.Errorf("%s = %g, want no series", key, value)
		}
	}
	if len(series(t, slices.Concat(replicationMetrics(), lockMetrics()), &snapshot.Server{})) != 0 {
		t.Error("a server that was not read has series")
	}
}
