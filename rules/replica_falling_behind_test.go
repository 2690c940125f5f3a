package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// fallsBack lets lag grow by so many seconds a second, to so many.
func fallsBack(trend, last float64) func(*fleet.Server) {
	return func(s *fleet.Server) {
		behind(last)(s)
		s.Lag[0].TrendRatio, s.Lag[0].Last = &trend, &last
	}
}

func TestAReplicaThatFallsBehindIsFound(t *testing.T) {
	asReviewed(t, "replica-falling-behind", found(t, site(replica(fallsBack(0.4, 240))), replicaFallingBehind()))
}

func TestAReplicaThatStandsStillIsHeldUp(t *testing.T) {
	for trend, want := range map[float64]string{0.94: "STOP ALL REPLICAS;", 0.95: "SHOW FULL PROCESSLIST;"} {
		f := found(t, site(replica(fallsBack(trend, 240))), replicaFallingBehind())
		if got := steps(f.Remedy, SQL)[0]; !strings.HasPrefix(got, want) {
			t.Errorf("first statement at %g = %q, want %s", trend, got, want)
		}
	}
}

func TestAReplicaThatKeepsUpDoesNotFallBehind(t *testing.T) { quiet(t, site(), replicaFallingBehind()) }

func TestOneLargeTransactionIsNoTrend(t *testing.T) {
	quiet(t, site(replica(fallsBack(1, 9.9))), replicaFallingBehind())
	found(t, site(replica(fallsBack(1, 10))), replicaFallingBehind())
}

func TestATrendIsUnknownWithoutItsFigures(t *testing.T) {
	for name, lose := range map[string]func(*fleet.Server){
		"trend":  func(s *fleet.Server) { s.Lag[0].TrendRatio = nil },
		"newest": func(s *fleet.Server) { s.Lag[0].Last = nil },
	} {
		t.Run(name, func(t *testing.T) {
			notReady(t, site(replica(fallsBack(1, 90)), replica(lose)), replicaFallingBehind(), NotReady{
				Subject: about("db2"), Reason: "lag is not known: no second of late had a figure",
			})
		})
	}
}

func TestATrendBeginsAtATenthOfASecondASecond(t *testing.T) {
	boundary(t, replicaFallingBehind(), func(trend float64) *fleet.Fleet { return site(replica(fallsBack(trend, 60))) })
}

// One channel is one finding: the cause that is nearest to it.
func TestOneFaultOfAChannelIsOneFinding(t *testing.T) {
	all := []Rule{replicaStopped(), replicaFallingBehind(), replicaLag()}
	f := site(replica(fallsBack(1, 90)))
	if diff := cmp.Diff([]string{"mysql/replica-falling-behind db2"}, ids(Judge(f, all).Findings)); diff != "" {
		t.Errorf("findings of a replica that falls behind (-want +got):\n%s", diff)
	}
	replica(channelOf(func(c *snapshot.Channel) { c.State = snapshot.LagSQLDown }))(f)
	if diff := cmp.Diff([]string{"mysql/replica-stopped db2"}, ids(Judge(f, all).Findings)); diff != "" {
		t.Errorf("findings of one that has stopped (-want +got):\n%s", diff)
	}
}
