package rules

import (
	"fmt"
	"slices"

	"plimsoll/rules/fleet"
)

// holders are the servers that hold a primary's tables, as far as there are
// agents: itself, the other nodes of its cluster, and all that replicate from one
// of these.
func (c Case) holders(primary *fleet.Server) []*fleet.Server {
	out := []*fleet.Server{primary}
	if nodes(primary) > 1 {
		for _, s := range c.Fleet.Servers {
			if s != primary && s.Cluster == primary.Cluster && nodes(s) > 1 {
				out = append(out, s)
			}
		}
	}
	for i := 0; i < len(out); i++ {
		for _, r := range out[i].Replicas {
			if !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out
}

// nodes is of how many servers a synchronous cluster consists; 0 outside of one.
func nodes(s *fleet.Server) int {
	m := s.Latest.Membership
	switch {
	case m == nil:
		return 0
	case m.Galera != nil:
		return m.Galera.Size
	case m.Group != nil:
		return len(m.Group.Members)
	}
	return 0
}

// clustered reports whether other servers hold the same data at the same time.
func clustered(s *fleet.Server) bool { return nodes(s) > 1 }

// holdersUnready returns why it is not known who else holds a primary's tables: a
// server that nobody looks at may do anything with them.
func (c Case) holdersUnready(primary *fleet.Server) *NotReady {
	all, unseen := c.holders(primary), 0
	for _, s := range all {
		if s.Latest.Replication == nil || s.Latest.Replication.Replicas == nil {
			return c.unknown(aboutServer(s), s, "mysql/replication", "it is not known whether it has replicas, which may read any index")
		}
		unseen += max(len(*s.Latest.Replication.Replicas)-len(s.Replicas), 0)
	}
	mates := slices.IndexFunc(all, func(s *fleet.Server) bool { return !clustered(s) })
	if mates < 0 {
		mates = len(all)
	}
	unseen += max(nodes(primary)-max(mates, 1), 0)
	if unseen == 0 {
		return nil
	}
	what := fmt.Sprintf("%d of its replicas have", unseen)
	if unseen == 1 {
		what = "1 of its replicas has"
	}
	return &NotReady{
		Subject: aboutServer(primary), Reason: what + " no agent that is seen, and may read any index",
		Remedy: "install plimsoll-agent on every replica",
	}
}
