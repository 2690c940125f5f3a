package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// behind lets a replica stand behind in one second of a hundred.
func behind(seconds float64) func(*fleet.Server) {
	return func(s *fleet.Server) { s.Lag[0].P99, s.Lag[0].Max = &seconds, new(2*seconds) }
}

// unread takes the reads off a replica.
func unread(s *fleet.Server) { s.Digests = digests(s.Digests.Rows[1]) }

func TestALaggingReplicaIsFound(t *testing.T) {
	asReviewed(t, "replica-lag", found(t, site(replica(behind(4.5))), replicaLag()))
}

func TestAReplicaWithoutReadersMayStandFurtherBehind(t *testing.T) {
	for seconds, want := range map[float64]int{29: 0, 30: 1, 33: 1} {
		if got := len(judge(site(replica(unread), replica(behind(seconds))), replicaLag()).Findings); got != want {
			t.Errorf("findings of an idle replica at %g s = %d, want %d", seconds, got, want)
		}
	}
}

func TestAReplicaHasReadersFromOneSelectASecondOn(t *testing.T) {
	for calls, want := range map[uint64]int{86400 - 9000: 0, 86400: 1} {
		reads := func(s *fleet.Server) {
			s.Digests = digests(fleet.Digest{Class: "select", Reads: []string{"shop.product"}, DigestTotals: snapshot.DigestTotals{Calls: calls, Seconds: 1}})
		}
		if got := len(judge(site(replica(reads), replica(behind(5))), replicaLag()).Findings); got != want {
			t.Errorf("findings of a replica with %d SELECTs a day, 5 s behind = %d, want %d", calls, got, want)
		}
	}
}

func TestFourAppliersAreEnough(t *testing.T) {
	for threads, want := range map[string]int{"3": 1, "4": 0} {
		f := found(t, site(replica(behind(4.5)), replica(func(s *fleet.Server) { s.Latest.Settings.Variables["slave_parallel_threads"] = threads })), replicaLag())
		if got := len(steps(f.Remedy, SQL)); got != want {
			t.Errorf("statements for a replica with %s appliers = %d, want %d", threads, got, want)
		}
	}
}

func TestTheAgentIsNoReader(t *testing.T) {
	watched := func(s *fleet.Server) {
		unread(s)
		s.Digests = digests(append(s.Digests.Rows, fleet.Digest{
			Class: "select", Own: true, Reads: []string{"mysql.gtid"}, DigestTotals: snapshot.DigestTotals{Calls: 10 * 86400, Seconds: 1},
		})...)
	}
	quiet(t, site(replica(watched), replica(behind(5))), replicaLag())
	byCommand := func(s *fleet.Server) {
		s.Digests, s.Status.Delta["com_select"] = nil, 3.5*daySeconds
	}
	quiet(t, site(replica(byCommand), replica(behind(5))), replicaLag())
}

func TestAReplicaOfUnknownReadersMayHaveThem(t *testing.T) {
	unknown := func(s *fleet.Server) { s.Digests, s.Status = nil, nil }
	found(t, site(replica(unknown), replica(behind(5))), replicaLag())
}

func TestTheRemedyForLagFitsItsCause(t *testing.T) {
	cases := map[string]struct {
		change      func(*fleet.Server)
		sql, config []string
		undo        []string
	}{
		"MariaDB": {
			func(*fleet.Server) {},
			[]string{"STOP ALL REPLICAS; SET GLOBAL slave_parallel_threads = 4; SET GLOBAL slave_parallel_mode = 'optimistic'; START ALL REPLICAS;"},
			[]string{"[mysqld]\nslave_parallel_threads = 4\nslave_parallel_mode = optimistic"},
			[]string{"STOP ALL REPLICAS; SET GLOBAL slave_parallel_threads = 0; SET GLOBAL slave_parallel_mode = 'optimistic'; START ALL REPLICAS;"},
		},
		"MySQL": {
			func(s *fleet.Server) {
				aMySQL("8.4.3")(s)
				s.Latest.Settings.Variables = map[string]string{"replica_parallel_workers": "1", "replica_preserve_commit_order": "ON"}
			},
			[]string{"STOP REPLICA SQL_THREAD; SET PERSIST replica_preserve_commit_order = ON; SET PERSIST replica_parallel_workers = 4; START REPLICA SQL_THREAD;"},
			nil,
			[]string{"STOP REPLICA SQL_THREAD; SET PERSIST replica_preserve_commit_order = 'ON'; SET PERSIST replica_parallel_workers = 1; START REPLICA SQL_THREAD;"},
		},
		"MySQL 5.7": {
			func(s *fleet.Server) { aMySQL("5.7.44")(s); s.Latest.Settings = nil },
			[]string{"STOP SLAVE SQL_THREAD; SET GLOBAL slave_parallel_type = 'LOGICAL_CLOCK'; SET GLOBAL slave_preserve_commit_order = ON; SET GLOBAL slave_parallel_workers = 4; START SLAVE SQL_THREAD;"},
			[]string{"[mysqld]\nslave_parallel_type = LOGICAL_CLOCK\nslave_preserve_commit_order = ON\nslave_parallel_workers = 4"},
			nil, // what was there before is not known
		},
		"parallel already": {
			func(s *fleet.Server) { s.Latest.Settings.Variables["slave_parallel_threads"] = "8" }, nil, nil, nil,
		},
		"a slow network": {
			func(s *fleet.Server) { s.Lag[0].TransportP99 = new(4.0) }, nil, nil, nil,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := found(t, site(replica(behind(4.5)), replica(c.change)), replicaLag())
			got := [][]string{steps(f.Remedy, SQL), steps(f.Remedy, Config), steps(f.Rollback, SQL)}
			if diff := cmp.Diff([][]string{c.sql, c.config, c.undo}, got); diff != "" {
				t.Errorf("statements, option file, undo (-want +got):\n%s", diff)
			}
			if len(f.Remedy) == 0 {
				t.Error("there is nothing to do")
			}
		})
	}
}

func TestAReplicaThatKeepsUpIsNoFinding(t *testing.T) { quiet(t, site(), replicaLag()) }

func TestLagIsUnknownWhileReplicationIsStopped(t *testing.T) {
	stopped := func(s *fleet.Server) {
		s.Lag[0] = fleet.Lag{Window: lastDay(), Unknown: "replication is not running (sql_down)"}
	}
	notReady(t, site(replica(stopped)), replicaLag(), NotReady{
		Subject: about("db2"), Reason: "lag is not known: replication is not running (sql_down)",
	})
}

func TestLagThatWasNotReadIsNotNone(t *testing.T) {
	notReady(t, site(replica(func(s *fleet.Server) { s.Lag = nil })), replicaLag(), NotReady{
		Subject: about("db2"), Reason: "lag was not read yet", ReadyAt: noon.Add(aMinute),
	})
	notReady(t, site(replica(func(s *fleet.Server) { s.Latest.Replication = nil }), replica(lacking("mysql/replication", "refused", grantProcess))),
		replicaLag(), NotReady{Subject: about("db2"), Reason: "refused", Remedy: grantProcess})
}

func TestLagHasToBeSeenForLong(t *testing.T) {
	brief := func(s *fleet.Server) { s.Lag[0].Window.From = noon.Add(-aMinute / 3) }
	notReady(t, site(replica(behind(5)), replica(brief)), replicaLag(), NotReady{
		Subject: about("db2"), Reason: "lag was seen for 15 s, and the rule needs 45 s", ReadyAt: noon.Add(2 * aMinute / 3),
	})
}

func TestAReaderMayFindWhatIsASecondOld(t *testing.T) {
	boundary(t, replicaLag(), func(seconds float64) *fleet.Fleet { return site(replica(behind(seconds))) })
}
