package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// binlog changes the settings of a binary log.
func binlog(change func(*snapshot.Binlog)) func(*fleet.Server) {
	return func(s *fleet.Server) { change(s.Latest.Binlog) }
}

func lax(b *snapshot.Binlog) { b.SyncBinlog, b.FlushLogAtCommit = new(int64(0)), new(int64(2)) }

func writableReplica(s *fleet.Server) { s.Latest.Replication.ReadOnly = new(false) }

func TestAPrimaryThatLosesCommitsIsFound(t *testing.T) {
	asReviewed(t, "failover-readiness", found(t, site(primary(binlog(lax))), failoverReadiness()))
}

func TestAReplicaThatIsNotReadyIsFound(t *testing.T) {
	faulty := func(s *fleet.Server) {
		writableReplica(s)
		s.Latest.Binlog.LogReplicaUpdates = false
		s.Latest.Replication.Channels[0].GTID = false
		s.Latest.Replication.Channels[0].Filtered = true
	}
	asReviewed(t, "failover-readiness-replica", found(t, site(replica(faulty)), failoverReadiness()))
}

// alike gives both servers of a site the version of the one that is not MariaDB.
func alike(f *fleet.Fleet) {
	a, b := f.Servers[0].Latest.Identity, f.Servers[1].Latest.Identity
	if a.Family == snapshot.MySQL {
		b.Family, b.Version = a.Family, a.Version
	} else if b.Family == snapshot.MySQL {
		a.Family, a.Version = b.Family, b.Version
	}
}

func TestEachFaultIsMendedInTheServersWords(t *testing.T) {
	cases := map[string]struct {
		change     func(*fleet.Server)
		onPrimary  bool
		do, undo   []string
		optionFile []string
	}{
		"read_only on MySQL": {
			change: func(s *fleet.Server) {
				aMySQL("9.7.4")(s)
				writableReplica(s)
				s.Latest.Replication.SuperReadOnly = new(false)
			},
			do:   []string{"SET PERSIST super_read_only = ON;"},
			undo: []string{"SET PERSIST super_read_only = OFF; SET PERSIST read_only = OFF;"},
		},
		"GTID on MySQL": {
			change: func(s *fleet.Server) {
				aMySQL("8.4.3")(s)
				s.Latest.Replication.Channels[0].GTID, s.Latest.Replication.Channels[0].Name = false, "east"
			},
			do: []string{"STOP REPLICA FOR CHANNEL 'east'; CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 1 FOR CHANNEL 'east'; " +
				"START REPLICA FOR CHANNEL 'east';"},
			undo: []string{"STOP REPLICA FOR CHANNEL 'east'; CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 0 FOR CHANNEL 'east'; " +
				"START REPLICA FOR CHANNEL 'east';"},
		},
		"GTID on MySQL 5.7": {
			change: func(s *fleet.Server) { aMySQL("5.7.44")(s); s.Latest.Replication.Channels[0].GTID = false },
			do:     []string{"STOP SLAVE; CHANGE MASTER TO MASTER_AUTO_POSITION = 1; START SLAVE;"},
			undo:   []string{"STOP SLAVE; CHANGE MASTER TO MASTER_AUTO_POSITION = 0; START SLAVE;"},
		},
		"GTID on MariaDB": {
			change: channelOf(func(c *snapshot.Channel) { c.GTID, c.Name = false, "east" }),
			do:     []string{"STOP REPLICA 'east'; CHANGE MASTER 'east' TO MASTER_USE_GTID = slave_pos; START REPLICA 'east';"},
			undo:   []string{"STOP REPLICA 'east'; CHANGE MASTER 'east' TO MASTER_USE_GTID = no; START REPLICA 'east';"},
		},
		"log_replica_updates on MySQL": {
			change:     func(s *fleet.Server) { aMySQL("8.0.36")(s); s.Latest.Binlog.LogReplicaUpdates = false },
			optionFile: []string{"[mysqld]\nlog_replica_updates = ON"},
		},
		"log_bin": {
			change:     binlog(func(b *snapshot.Binlog) { *b = snapshot.Binlog{Meta: b.Meta} }),
			optionFile: []string{"[mysqld]\nlog_bin = binlog"},
		},
		"binlog_format": {
			change: binlog(func(b *snapshot.Binlog) { b.Format = "STATEMENT" }), onPrimary: true,
			do: []string{"SET GLOBAL binlog_format = 'ROW';"}, optionFile: []string{"[mysqld]\nbinlog_format = ROW"},
			undo: []string{"SET GLOBAL binlog_format = 'STATEMENT';"},
		},
		"retention on MySQL 5.7": {
			change:    func(s *fleet.Server) { aMySQL("5.7.44")(s); s.Latest.Binlog.RetentionSeconds = new(daySeconds) },
			onPrimary: true,
			do:        []string{"SET GLOBAL expire_logs_days = 7;"}, optionFile: []string{"[mysqld]\nexpire_logs_days = 7"},
			undo: []string{"SET GLOBAL expire_logs_days = 1;"},
		},
		"sync_binlog on MySQL": {
			change:    func(s *fleet.Server) { aMySQL("8.4.3")(s); s.Latest.Binlog.SyncBinlog = new(int64(0)) },
			onPrimary: true,
			do:        []string{"SET PERSIST sync_binlog = 1;"}, undo: []string{"SET PERSIST sync_binlog = 0;"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			where := replica
			if c.onPrimary {
				where = primary
			}
			f := found(t, site(where(c.change), alike), failoverReadiness())
			got := [][]string{steps(f.Remedy, SQL), steps(f.Remedy, Config), steps(f.Rollback, SQL)}
			if diff := cmp.Diff([][]string{c.do, c.optionFile, c.undo}, got); diff != "" {
				t.Errorf("statements, option file, undo (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSemiSynchronousReplicationKeepsWhatAHostLoses(t *testing.T) {
	semiSync := func(on bool) func(*fleet.Server) {
		return func(s *fleet.Server) {
			s.Latest.Replication.SemiSync = &snapshot.SemiSync{SourceEnabled: true, SourceOn: on, Clients: 1}
		}
	}
	if f := found(t, site(primary(binlog(lax)), primary(semiSync(true))), failoverReadiness()); f.Severity != Medium {
		t.Errorf("severity while a replica confirms = %s, want medium", f.Severity)
	}
	f := found(t, site(primary(semiSync(false))), failoverReadiness())
	if f.Severity != High || !strings.Contains(f.Summary, "semi-synchronous") {
		t.Errorf("%s: %s, want the fallback to asynchronous, high", f.Severity, f.Summary)
	}
}

func TestSemiSynchronousReplicationWithoutReplicasConfirmsNothing(t *testing.T) {
	alone := func(s *fleet.Server) {
		s.Latest.Replication.SemiSync = &snapshot.SemiSync{SourceEnabled: true, SourceOn: true}
	}
	if f := found(t, site(primary(alone), primary(binlog(lax))), failoverReadiness()); f.Severity != High {
		t.Errorf("severity while no replica confirms = %s, want high", f.Severity)
	}
}

func TestASiteThatIsReadyIsNoFinding(t *testing.T) { quiet(t, site(), failoverReadiness()) }

func TestMariaDBsOwnDefaultsOfFormatAreNoFault(t *testing.T) {
	quiet(t, site(primary(binlog(func(b *snapshot.Binlog) { b.Format = "MIXED" }))), failoverReadiness())
}

func TestWhatIsNotToldIsNoFault(t *testing.T) {
	silent := func(s *fleet.Server) {
		s.Latest.Binlog.SyncBinlog, s.Latest.Binlog.FlushLogAtCommit, s.Latest.Binlog.RetentionSeconds = nil, nil, nil
		s.Latest.Replication.ReadOnly = nil
	}
	quiet(t, site(primary(silent), replica(silent)), failoverReadiness())
}

func TestALoneServerHasNothingToFailOverTo(t *testing.T) {
	quiet(t, site(lone, primary(binlog(lax))), failoverReadiness())
}

func TestReadinessIsUnknownWithoutTheBinaryLog(t *testing.T) {
	f := site(primary(func(s *fleet.Server) { s.Latest.Binlog = nil }), primary(lacking("mysql/binlog", "refused", grantProcess)))
	notReady(t, f, failoverReadiness(), NotReady{Subject: about("db1"), Reason: "refused", Remedy: grantProcess})
}

func TestBinaryLogsAreKeptOverAWeekend(t *testing.T) {
	r := failoverReadiness()
	for _, c := range []struct {
		days  float64
		found bool
	}{{2.7, true}, {3, false}, {3.3, false}} {
		f := site(primary(binlog(func(b *snapshot.Binlog) { b.RetentionSeconds = new(c.days * daySeconds) })))
		if got := len(judge(f, r).Findings) > 0; got != c.found {
			t.Errorf("found with %g days = %v, want %v", c.days, got, c.found)
		}
	}
	r.Threshold.Value *= 1.1
	found(t, site(primary(binlog(func(b *snapshot.Binlog) { b.RetentionSeconds = new(3 * daySeconds) }))), r)
}
