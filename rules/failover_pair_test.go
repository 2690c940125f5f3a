package rules

import (
	"strings"
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// faultsOf returns what a failover to the replica would find wrong, as the
// summary names it.
func faultsOf(t *testing.T, f *fleet.Fleet) (Finding, string) {
	t.Helper()
	finding := found(t, f, failoverReadiness())
	_, faults, _ := strings.Cut(finding.Summary, "is not ready for a failover: ")
	return finding, strings.TrimSuffix(faults, ".")
}

func pool(bytes string) func(*fleet.Server) {
	return func(s *fleet.Server) { s.Latest.Settings.Variables["innodb_buffer_pool_size"] = bytes }
}

func version(text string) func(*fleet.Server) {
	return func(s *fleet.Server) { s.Latest.Identity.Version = text }
}

func TestAReplicaWithASmallBufferPoolIsNoPrimary(t *testing.T) {
	f, faults := faultsOf(t, site(replica(pool("4294967296"))))
	if faults != "innodb_buffer_pool_size" || f.Evidence[0].Value != 0.5 {
		t.Errorf("faults = %s with %+v, want the pool, half of the source's", faults, f.Evidence)
	}
	if got := steps(f.Remedy, SQL); len(got) != 1 || got[0] != "SET GLOBAL innodb_buffer_pool_size = 8589934592;" {
		t.Errorf("statements = %q, want the source's size", got)
	}
	short := func(s *fleet.Server) {
		s.Machine.Latest.Memory = snapshot.Memory{TotalBytes: 8 << 30, AvailableBytes: 1 << 30}
	}
	f, _ = faultsOf(t, site(replica(pool("4294967296")), replica(short)))
	if got := steps(f.Remedy, SQL); len(got) != 0 {
		t.Errorf("statements on a host without the memory = %q, want none", got)
	}
}

func TestABufferPoolIsAlikeFromFourFifthsOn(t *testing.T) {
	for bytes, want := range map[string]int{"6862000000": 1, "6881000000": 0, "8589934592": 0, "17179869184": 0, "many": 0} {
		if got := len(judge(site(replica(pool(bytes))), failoverReadiness()).Findings); got != want {
			t.Errorf("findings with a pool of %s beside one of 8589934592 = %d, want %d", bytes, got, want)
		}
	}
}

func TestAReplicaOfAnotherSeriesIsNoPrimary(t *testing.T) {
	for text, why := range map[string]string{
		"10.6.18-MariaDB": "older than its source", "11.8.3-MariaDB": "cannot follow it back", "10.11.2-MariaDB": "", "unknown": "",
	} {
		result := judge(site(replica(version(text))), failoverReadiness())
		if why == "" {
			if len(result.Findings) != 0 {
				t.Errorf("%s: found %s", text, result.Findings[0].Summary)
			}
			continue
		}
		if len(result.Findings) != 1 || !strings.Contains(result.Findings[0].Evidence[0].Words, why) {
			t.Errorf("%s: %+v, want that it is %s", text, result.Findings, why)
		}
	}
}

const (
	sourceUUID  = "039923b5-e4d5-11f1-b55a-02fc00000001"
	replicaUUID = "04093551-e4d5-11f1-875f-02fc00000001"
)

// executed makes a MySQL server of one that has executed some transactions.
func executed(uuid, set string) func(*fleet.Server) {
	return func(s *fleet.Server) {
		aMySQL("9.7.4")(s)
		s.Key, s.Latest.Identity.Key = uuid, uuid
		s.Latest.Positions = &snapshot.Positions{Ring: []snapshot.Position{{GTID: set}}}
	}
}

func TestATransactionOfTheReplicasOwnIsErrant(t *testing.T) {
	for name, c := range map[string]struct {
		source, replica string
		errant          string
	}{
		"written on the replica": {sourceUUID + ":1-99", sourceUUID + ":1-97,\n" + strings.ToUpper(replicaUUID) + ":1-2:5", strings.ToUpper(replicaUUID) + ":1-2:5"},
		"with a tag":             {sourceUUID + ":1-99", sourceUUID + ":1-97," + replicaUUID + ":report:1-2", replicaUUID + ":report:1-2"},
		"of when it was primary": {sourceUUID + ":1-99," + replicaUUID + ":1-7", sourceUUID + ":1-97," + replicaUUID + ":1-7", ""},
		"more than then":         {sourceUUID + ":1-99," + replicaUUID + ":1-7", sourceUUID + ":1-97," + replicaUUID + ":1-8", replicaUUID + ":1-8"},
		"read a little later":    {sourceUUID + ":1-99", sourceUUID + ":1-100", ""},
		"unreadable":             {sourceUUID + ":1-99", replicaUUID + ":x-", ""},
		"not known":              {"", replicaUUID + ":1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := site(primary(executed(sourceUUID, c.source)), replica(executed(replicaUUID, c.replica)))
			if c.errant == "" {
				quiet(t, f, failoverReadiness())
				return
			}
			finding, faults := faultsOf(t, f)
			if faults != "errant transactions" || !strings.Contains(finding.Evidence[0].Words, c.errant) {
				t.Errorf("faults = %s: %+v, want errant transactions %s", faults, finding.Evidence, c.errant)
			}
		})
	}
}

func TestServersThatFollowEachOtherAreNotErrant(t *testing.T) {
	ring := func(f *fleet.Fleet) { f.Servers[0].Source = f.Servers[1] }
	f := site(primary(executed(sourceUUID, sourceUUID+":1-99")), replica(executed(replicaUUID, sourceUUID+":1-97,"+replicaUUID+":1-2")), ring)
	quiet(t, f, failoverReadiness())
}

func TestAReplicaWhoseSourceIsNotSeenIsHeldAgainstNothing(t *testing.T) {
	f := site(func(f *fleet.Fleet) { f.Servers = f.Servers[1:] }, func(f *fleet.Fleet) { f.Servers[0].Source = nil })
	notReady(t, f, failoverReadiness(), NotReady{
		Subject: about("db2"), Reason: "no agent reads its source: their versions, buffer pools and transactions cannot be compared",
		Remedy: "install plimsoll-agent on its source",
	})
}
