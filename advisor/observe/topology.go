package observe

import (
	"net"
	"strconv"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// sourceOf finds the server that a channel replicates from, or nil if no agent
// reads it. A server_uuid is unique; a server_id only within a cluster; an
// address is what is left where a proxy or a virtual address stands between.
func sourceOf(replica *fleet.Server, c snapshot.Channel, servers []*fleet.Server) *fleet.Server {
	for _, matches := range []func(*fleet.Server) bool{
		func(s *fleet.Server) bool { return s.Key != "" && s.Key == c.SourceKey },
		func(s *fleet.Server) bool { return sameServerID(s, c) },
		func(s *fleet.Server) bool { return listensAt(s, c.SourceHost, c.SourcePort) },
	} {
		for _, s := range servers {
			if s != replica && s.Cluster == replica.Cluster && matches(s) {
				return s
			}
		}
	}
	return nil
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
	for _, a := range id.Addresses {
		if a == address {
			return true
		}
	}
	return id.Hostname == host && id.Port == port
}

// connect fills in who replicates from whom, and the roles that follow.
func connect(servers []*fleet.Server) {
	for _, s := range servers {
		for _, c := range channels(s) {
			if source := sourceOf(s, c, servers); source != nil {
				s.Source = source
				source.Replicas = append(source.Replicas, s)
			}
		}
	}
	for _, s := range servers {
		s.Role = role(s)
	}
}

func role(s *fleet.Server) fleet.Role {
	r := s.Latest.Replication
	switch {
	case r == nil:
		return fleet.UnknownRole
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
