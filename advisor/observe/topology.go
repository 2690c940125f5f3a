package observe

import (
	"net"
	"net/netip"
	"slices"
	"strconv"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// sourceOf finds the server that a channel replicates from, or nil if no agent
// reads it. A server_uuid is unique. A server_id should be, within a cluster, but
// every MariaDB has 1 until someone sets it: then the address decides. An address
// alone is what is left; a loopback one is of the replica's own host.
func sourceOf(replica *fleet.Server, c snapshot.Channel, servers []*fleet.Server) *fleet.Server {
	byID := func(s *fleet.Server) bool { return sameServerID(s, c) }
	byAddress := func(s *fleet.Server) bool { return listensAt(s, c.SourceHost, c.SourcePort) }
	nearby := func(s *fleet.Server) bool { return s.Host == replica.Host || !loopback(c.SourceHost) }
	for _, find := range []struct {
		matches func(*fleet.Server) bool
		// unique matches count only if there is no second one.
		unique bool
	}{
		{func(s *fleet.Server) bool { return s.Key != "" && s.Key == c.SourceKey }, false},
		{func(s *fleet.Server) bool { return byID(s) && byAddress(s) }, false},
		{byID, true},
		{func(s *fleet.Server) bool { return byAddress(s) && nearby(s) }, false},
	} {
		found := slices.DeleteFunc(slices.Clone(servers), func(s *fleet.Server) bool {
			return s == replica || s.Cluster != replica.Cluster || !find.matches(s)
		})
		if len(found) == 1 || len(found) > 1 && (!find.unique || oneServer(found)) {
			return found[0]
		}
	}
	return nil
}

// oneServer reports whether all are one server, which several agents read.
func oneServer(servers []*fleet.Server) bool {
	return !slices.ContainsFunc(servers, func(s *fleet.Server) bool { return s.Key == "" || s.Key != servers[0].Key })
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

// sameServerID is how MariaDB's channels name their source.
func sameServerID(s *fleet.Server, c snapshot.Channel) bool {
	id := s.Latest.Identity
	return id != nil && id.Family == snapshot.MariaDB && id.ServerID != 0 &&
		strconv.FormatUint(id.ServerID, 10) == c.SourceKey
}

func listensAt(s *fleet.Server, host string, port uint16) bool {
	id := s.Latest.Identity
	if id == nil || host == "" {
		return false
	}
	address := net.JoinHostPort(host, strconv.Itoa(int(port)))
	if slices.Contains(id.Addresses, address) {
		return true
	}
	return id.Hostname == host && id.Port == port
}

// connect fills in who replicates from whom, and the roles that follow.
func connect(servers []*fleet.Server) {
	for _, s := range servers {
		for _, c := range channels(s) {
			source := sourceOf(s, c, servers)
			if source == nil {
				continue
			}
			s.Source = source
			if !slices.Contains(source.Replicas, s) { // by another channel
				source.Replicas = append(source.Replicas, s)
			}
		}
	}
	for _, s := range servers {
		s.Role = role(s)
	}
}

// role says what a server is to its cluster. Of servers that replicate from each
// other, the one that takes writes is the primary.
func role(s *fleet.Server) fleet.Role {
	r := s.Latest.Replication
	if r == nil {
		return fleet.UnknownRole
	}
	_, hidden := s.HiddenChannels()
	switch circular := s.Source != nil && s.Source.Source == s; {
	case hidden:
		return fleet.UnknownRole
	case circular && r.ReadOnly != nil && !*r.ReadOnly:
		return fleet.Primary
	case len(r.Channels) > 0:
		return fleet.Replica
	case len(s.Replicas) > 0, r.Replicas != nil && len(*r.Replicas) > 0:
		return fleet.Primary
	case r.Replicas == nil:
		return fleet.UnknownRole
	}
	return fleet.Standalone
}

func channels(s *fleet.Server) []snapshot.Channel {
	if s.Latest.Replication == nil {
		return nil
	}
	return s.Latest.Replication.Channels
}
