package observe

import (
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// replicating is a server that replicates from another one, by its key.
func replicating(key, source string, readOnly bool) *fleet.Server {
	r := &snapshot.Replication{ReadOnly: &readOnly, Replicas: &[]snapshot.ConnectedReplica{}}
	if source != "" {
		r.Channels = []snapshot.Channel{{SourceKey: source}}
	}
	return &fleet.Server{Cluster: "shop", Host: key, Name: key, Key: key, Latest: &snapshot.Server{Replication: r}}
}

func TestRolesFollowFromWhoReplicates(t *testing.T) {
	hidden := replicating("a", "", false)
	hidden.Gaps = []snapshot.Gap{{Job: "mysql/replication", Remedy: "GRANT SLAVE MONITOR ON *.* TO `plimsoll`@`localhost`;"}}
	unread := replicating("a", "", false)
	unread.Latest.Replication = nil
	for name, c := range map[string]struct {
		servers []*fleet.Server
		want    []fleet.Role
	}{
		"one server":                    {[]*fleet.Server{replicating("a", "", false)}, []fleet.Role{fleet.Standalone}},
		"a primary and its replica":     {[]*fleet.Server{replicating("a", "", false), replicating("b", "a", true)}, []fleet.Role{fleet.Primary, fleet.Replica}},
		"a replica of a replica":        {[]*fleet.Server{replicating("b", "a", true), replicating("c", "b", true)}, []fleet.Role{fleet.Replica, fleet.Replica}},
		"two that follow each other":    {[]*fleet.Server{replicating("a", "b", false), replicating("b", "a", true)}, []fleet.Role{fleet.Primary, fleet.Replica}},
		"channels that may not be seen": {[]*fleet.Server{hidden}, []fleet.Role{fleet.UnknownRole}},
		"replication was not read":      {[]*fleet.Server{unread}, []fleet.Role{fleet.UnknownRole}},
	} {
		t.Run(name, func(t *testing.T) {
			connect(c.servers)
			for i, s := range c.servers {
				if s.Role != c.want[i] {
					t.Errorf("role of %s = %s, want %s", s.Key, s.Role, c.want[i])
				}
			}
		})
	}
}
