package rules

import (
	"testing"

	"plimsoll/rules/fleet"
)

// connected is the most connections of the day.
func connected(n float64) func(*fleet.Server) {
	return func(s *fleet.Server) { s.Status.PeakConnections = &n }
}

// pastLimit lets a server refuse connections.
func pastLimit(s *fleet.Server) {
	connected(200)(s)
	s.Status.Delta["connection_errors_max_connections"] = 37
}

func TestAServerNearItsLimitOfConnectionsIsFound(t *testing.T) {
	asReviewed(t, "connections", found(t, site(primary(connected(192))), connections()))
}

func TestRefusedConnectionsAreCritical(t *testing.T) {
	f := found(t, site(primary(pastLimit)), connections())
	if f.Severity != Critical || f.Summary != "db1 refused 37 connections: its limit is 200." {
		t.Errorf("%s: %s, want it critical with the 37 that were refused", f.Severity, f.Summary)
	}
}

func TestARefusalThatNoLookSawIsFound(t *testing.T) {
	if f := found(t, site(primary(pastLimit), primary(connected(20))), connections()); f.Severity != Critical {
		t.Errorf("severity of 37 refusals between two looks = %s, want critical", f.Severity)
	}
}

func TestFreeConnectionsAreNoFinding(t *testing.T) { quiet(t, site(), connections()) }

func TestTheLimitOfConnectionsHasToBeKnown(t *testing.T) {
	f := site(lone, primary(func(s *fleet.Server) { s.Latest.Settings = nil }),
		primary(lacking("mysql/settings", "the connection broke", "")))
	notReady(t, f, connections(), NotReady{Subject: about("db1"), Reason: "the connection broke"})
}

func TestConnectionsInUseHaveToBeKnown(t *testing.T) {
	blind := func(s *fleet.Server) { s.Status.PeakConnections, s.Status.Now = nil, nil }
	notReady(t, site(lone, primary(blind)), connections(), NotReady{Subject: about("db1"), Reason: "the connections in use are not known"})
}

func TestTheLastLookStandsForThePeakWithDoubt(t *testing.T) {
	now := func(s *fleet.Server) {
		s.Status.PeakConnections = nil
		s.Status.Now["threads_connected"] = 190
	}
	f := found(t, site(primary(now)), connections())
	if len(f.Confidence.Reasons) != 1 {
		t.Errorf("doubts = %v, want one about the moment", f.Confidence.Reasons)
	}
}

func TestConnectionsRunOutFromEightyFivePercentOn(t *testing.T) {
	boundary(t, connections(), func(share float64) *fleet.Fleet { return site(primary(connected(share * 200))) })
}

func TestMoreConnectionsAreSetInTheServersOwnWords(t *testing.T) {
	for version, want := range map[string][]string{
		"8.0.36": {"SET PERSIST max_connections = 300;"},
		"5.7.44": {"SET GLOBAL max_connections = 300;", "[mysqld]\nmax_connections = 300"},
	} {
		f := found(t, site(primary(aMySQL(version)), primary(connected(199))), connections())
		if got := append(steps(f.Remedy, SQL), steps(f.Remedy, Config)...); len(got) != len(want) || got[0] != want[0] {
			t.Errorf("MySQL %s: steps = %q, want %q", version, got, want)
		}
	}
}
