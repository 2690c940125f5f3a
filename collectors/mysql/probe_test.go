package mysql

import (
	"testing"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

func TestProbeNamesTheStateOfEachFeature(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		denied := collect(t, open(t, s, 0), "mysql/identity").Identity
		if got := denied.Features["digests"]; got != snapshot.FeatureNoPrivilege {
			t.Errorf("digests without a grant = %q, want %q", got, snapshot.FeatureNoPrivilege)
		}
		granted := collect(t, open(t, s, 1), "mysql/identity").Identity
		if got := granted.Features["digests"]; got != snapshot.FeatureOn {
			t.Errorf("digests with tier 1 = %q, want %q", got, snapshot.FeatureOn)
		}
		foreign, want := "histograms", snapshot.FeatureUnsupported
		if s.Family == scratch.MySQL {
			foreign = "userstat"
		}
		if got := granted.Features[foreign]; got != want {
			t.Errorf("%s of the other family = %q, want %q", foreign, got, want)
		}
	})
}
