package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// hidden is the share of statement time in prepared statements that no digest
// shows.
func hidden(share float64) func(*fleet.Server) {
	return func(s *fleet.Server) { s.Coverage.HiddenRatio = &share }
}

// uncounted is a server whose performance_schema is off.
func uncounted(s *fleet.Server) {
	s.Digests, s.Coverage = nil, nil
	lacking("mysql/digests", "performance_schema is off: statements are not counted",
		"write to /etc/mysql/mariadb.conf.d/99-plimsoll.cnf and restart the server:\n[mariadb]\nperformance_schema = ON")(s)
}

func TestHiddenStatementsAreFound(t *testing.T) {
	asReviewed(t, "blind-spot", found(t, site(primary(hidden(0.35))), blindSpot()))
}

func TestAServerThatCountsNoStatementsIsFound(t *testing.T) {
	f := found(t, site(primary(uncounted)), blindSpot())
	asReviewed(t, "blind-spot-uncounted", f)
}

// logIs are the variables of a server's slow log, and logOff what an agent says
// of one that is off.
func logIs(variables ...string) func(*fleet.Server) {
	return func(s *fleet.Server) {
		for _, v := range variables {
			name, value, _ := strings.Cut(v, "=")
			s.Latest.Settings.Variables[name] = value
		}
	}
}

var logOff = lacking("mysql/slow-log", "the slow log is off, so that it shows no statement", "SET GLOBAL slow_query_log = ON; and the same in the option file")

func TestWhereTheSlowLogIsOffItIsOfferedAsTheSecondSource(t *testing.T) {
	is := logIs("slow_query_log=OFF", "long_query_time=10.000000", "log_slow_rate_limit=1", "log_output=TABLE")
	asReviewed(t, "blind-spot-log", found(t, site(primary(hidden(0.35)), primary(is), primary(logOff)), blindSpot()))
}

func TestTheSlowLogIsOfferedInPlaceOfARestart(t *testing.T) {
	for name, c := range map[string]struct {
		of   func(*fleet.Server)
		want []string
	}{
		"MariaDB":   {logIs(), []string{"SET GLOBAL long_query_time = 0, GLOBAL log_slow_rate_limit = 100, GLOBAL slow_query_log = ON;"}},
		"MySQL 5.7": {aMySQL("5.7.44"), []string{"SET GLOBAL long_query_time = 0.1, GLOBAL slow_query_log = ON;"}},
		"MySQL 9.7": {aMySQL("9.7.0"), []string{"SET PERSIST log_slow_extra = ON, PERSIST long_query_time = 0.1, PERSIST slow_query_log = ON;"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := found(t, site(primary(c.of), primary(uncounted), primary(logOff)), blindSpot())
			if diff := cmp.Diff(c.want, steps(f.Remedy, SQL)); diff != "" {
				t.Errorf("statements (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheSlowLogIsOfferedToAServerThatHasNoDigests(t *testing.T) {
	old := func(s *fleet.Server) {
		s.Digests, s.Coverage = nil, nil
		lacking("mysql/digests", "this server (5.5.68-MariaDB) has no statement digests", "")(s)
	}
	f := found(t, site(primary(old), primary(logOff)), blindSpot())
	if got := steps(f.Remedy, SQL); len(got) != 1 || f.Severity != Medium {
		t.Errorf("%s: statements = %q, want one", f.Severity, got)
	}
}

func TestALogThatCannotBeReadIsNoStatementToCopy(t *testing.T) {
	far := lacking("mysql/slow-log", "the slow log is on another host than this agent", "run an agent on the host of the server")
	f := found(t, site(primary(hidden(0.35)), primary(far)), blindSpot())
	if diff := cmp.Diff([]string{"run an agent on the host of the server"}, steps(f.Remedy, Advice)); diff != "" || f.Rollback != nil {
		t.Errorf("undo %v, advice (-want +got):\n%s", f.Rollback, diff)
	}
}

func TestARefusedPrivilegeIsAskedForOnce(t *testing.T) {
	blind := func(s *fleet.Server) {
		s.Latest.Transactions.LongestSeconds, s.Latest.Deadlocks.Total, s.Latest.Replication.Replicas = nil, nil, nil
		for job, fact := range map[string]string{
			"mysql/transactions": "open transactions", "mysql/deadlocks": "deadlocks", "mysql/replication": "connected replicas",
		} {
			lacking(job, "the account may not read "+fact, grantProcess)(s)
		}
	}
	f := found(t, site(primary(blind)), blindSpot())
	if diff := cmp.Diff([]string{grantProcess}, steps(f.Remedy, SQL)); diff != "" {
		t.Errorf("statements (-want +got):\n%s", diff)
	}
	if f.Severity != Low || f.Summary != "db1 does not show all of its work: the account may not read open transactions." {
		t.Errorf("%s: %s", f.Severity, f.Summary)
	}
}

func TestAFullDigestTableIsFound(t *testing.T) {
	full := func(share float64) func(*fleet.Server) {
		return func(s *fleet.Server) {
			s.Digests.Overflow.Seconds = share * daySeconds
			s.Digests.Rows[0].Seconds = (0.6 - share) * daySeconds
		}
	}
	f := found(t, site(primary(full(0.2))), blindSpot())
	if diff := cmp.Diff([]string{"[mysqld]\nperformance_schema_digests_size = 20000"}, steps(f.Remedy, Config)); diff != "" {
		t.Errorf("option file (-want +got):\n%s", diff)
	}
	boundary(t, blindSpot(), func(share float64) *fleet.Fleet { return site(primary(full(share))) })
}

func TestTruncatedStatementsAreFound(t *testing.T) {
	cut := func(share float64) func(*fleet.Server) {
		return func(s *fleet.Server) {
			d := s.Digests.Rows[0]
			d.Truncated, d.Seconds = true, share*daySeconds
			s.Digests.Rows[0].Seconds -= d.Seconds
			s.Digests.Rows = append(s.Digests.Rows, d)
		}
	}
	f := found(t, site(primary(cut(0.2))), blindSpot())
	if diff := cmp.Diff([]string{"[mysqld]\nmax_digest_length = 4096\nperformance_schema_max_digest_length = 4096"}, steps(f.Remedy, Config)); diff != "" {
		t.Errorf("option file (-want +got):\n%s", diff)
	}
	boundary(t, blindSpot(), func(share float64) *fleet.Fleet { return site(primary(cut(share))) })
}

// What MariaDB has switched off by default, and no rule needs, is a gap of the
// report and no finding.
func TestAHealthyInstallationWithItsDefaultsIsNoBlindSpot(t *testing.T) {
	defaults := []func(*fleet.Fleet){
		primary(lacking("mysql/locks", "the server does not watch metadata locks: who holds them is unknown", "UPDATE performance_schema.setup_instruments …")),
		primary(lacking("mysql/locks", "the server keeps no history of statements: the one that took a lock is unknown", "UPDATE performance_schema.setup_consumers …")),
		primary(lacking("mysql/latency", "this server has no histograms", "")),
		primary(lacking("mysql/schema", "the account may not read the schema", "GRANT REFERENCES ON `shop`.* TO `plimsoll`@`localhost`;")),
	}
	quiet(t, site(defaults...), blindSpot())
}

func TestWhatNothingOpensIsNoFinding(t *testing.T) {
	old := func(s *fleet.Server) {
		s.Digests, s.Coverage = nil, nil
		lacking("mysql/digests", "this server (5.5.68-MariaDB) has no statement digests", "")(s)
	}
	notReady(t, site(lone, primary(old)), blindSpot(), NotReady{Subject: about("db1"), Reason: "this server (5.5.68-MariaDB) has no statement digests"})
}

func TestStatementsHaveToBeSeenForLong(t *testing.T) {
	brief := func(s *fleet.Server) { s.Digests.Window.From = noon.Add(-aMinute / 3) }
	notReady(t, site(lone, primary(hidden(0.9)), primary(brief)), blindSpot(), NotReady{
		Subject: about("db1"), Reason: "mysql/digests was seen for 15 s, and the rule needs 45 s", ReadyAt: noon.Add(2 * aMinute / 3),
	})
}

func TestABlindSpotBeginsAtATwentieth(t *testing.T) {
	boundary(t, blindSpot(), func(share float64) *fleet.Fleet { return site(primary(hidden(share))) })
}

func TestALargerDigestTableIsWithinWhatServersTake(t *testing.T) {
	for capacity, want := range map[int]int{0: 20000, 5000: 20000, 10000: 20000, 40000: 80000, 150000: 200000} {
		if got := largerTable(&snapshot.Digests{Capacity: capacity}); got != want {
			t.Errorf("size after %d = %d, want %d", capacity, got, want)
		}
	}
}
