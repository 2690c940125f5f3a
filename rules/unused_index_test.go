package rules

import (
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// idleIndex is a site with an index that neither server reads.
func idleIndex(changes ...func(*fleet.Fleet)) *fleet.Fleet {
	return site(append([]func(*fleet.Fleet){primary(withOrders(btree("legacy", false, "email"))), watched()}, changes...)...)
}

func TestAReplicaWithoutAnAgentMayUseAnIndex(t *testing.T) {
	reports := primary(func(s *fleet.Server) {
		*s.Latest.Replication.Replicas = append(*s.Latest.Replication.Replicas, snapshot.ConnectedReplica{Address: "10.0.0.9"})
	})
	notReady(t, idleIndex(reports), unusedIndex(), NotReady{
		Subject: about("db1"), Reason: "1 of its replicas has no agent that is seen, and may read any index",
		Remedy: "install plimsoll-agent on every replica",
	})
}

func TestWhoReadsAnIndexIsUnknownWithoutTheListOfReplicas(t *testing.T) {
	hidden := primary(func(s *fleet.Server) { s.Latest.Replication.Replicas = nil })
	notReady(t, idleIndex(hidden, primary(lacking("mysql/replication", "the account may not list replicas", grantProcess))), unusedIndex(), NotReady{
		Subject: about("db1"), Reason: "the account may not list replicas", Remedy: grantProcess,
	})
}

// chained adds a replica of the replica that reads some indexes.
func chained(read ...string) func(*fleet.Fleet) {
	return func(f *fleet.Fleet) {
		third := databaseServer("db3")
		third.Role, third.Source = fleet.Replica, f.Servers[1]
		third.Latest.Schema = f.Servers[0].Latest.Schema
		third.Use = used(third, read...)
		f.Servers[1].Replicas = []*fleet.Server{third}
		f.Servers[1].Latest.Replication.Replicas = &[]snapshot.ConnectedReplica{{Address: "10.0.0.3"}}
		f.Servers = append(f.Servers, third)
	}
}

func TestAnIndexThatAReplicasReplicaReadsIsUsed(t *testing.T) {
	quiet(t, idleIndex(chained("legacy")), unusedIndex())
	found(t, idleIndex(chained()), unusedIndex())
}

// galera makes nodes of one cluster of the site's servers.
func galera(size int) func(*fleet.Fleet) {
	return func(f *fleet.Fleet) {
		for _, s := range f.Servers {
			s.Role, s.Replicas, s.Source = fleet.Standalone, nil, nil
			s.Latest.Replication.Replicas, s.Latest.Replication.Channels = &[]snapshot.ConnectedReplica{}, nil
			s.Latest.Membership = &snapshot.Membership{Galera: &snapshot.Galera{Size: size}}
		}
	}
}

func TestAnIndexThatAnotherNodeReadsIsUsed(t *testing.T) {
	quiet(t, idleIndex(galera(2), replica(func(s *fleet.Server) { s.Use = used(s, "legacy") })), unusedIndex())
	found(t, idleIndex(galera(2)), unusedIndex())
}

func TestANodeWithoutAnAgentMayUseAnIndex(t *testing.T) {
	result := judge(idleIndex(galera(3)), unusedIndex())
	if len(result.Findings) != 0 || len(result.NotReady) != 2 {
		t.Errorf("result = %+v, want that each node is not ready, since one is not seen", result)
	}
}
