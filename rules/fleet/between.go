package fleet

import (
	"maps"
	"slices"
	"time"

	"plimsoll/collectors/snapshot"
)

// Between makes the facts of one agent from copies of its snapshot, oldest
// first, over the window. Each part has a window of its own: it begins at the
// oldest copy of the same epoch as the newest, since totals of two epochs must
// not be subtracted; at one from before w where there is none in its first half.
// Without two such copies the part's window is nil.
//
// Roles, lag and all that needs more than one agent or series is left open.
func Between(copies []*snapshot.Snapshot, w Window) (*Host, []*Server) {
	if len(copies) == 0 {
		return nil, nil
	}
	latest := copies[len(copies)-1]
	fresh := latest.Taken.Add(-stale)
	host := &Host{
		Cluster: latest.Cluster, Name: latest.Host, AgentID: latest.AgentID, Labels: latest.Labels,
		Latest: latest.Machine, Events: eventsOf(latest, "", w), Gaps: hostGaps(latest),
		Machine: over(copies, fresh, w, func(s *snapshot.Snapshot) *snapshot.Machine { return s.Machine }, machineWindow),
	}
	host.Pools = pools(copies, w, host)
	var servers []*Server
	for _, name := range slices.Sorted(maps.Keys(latest.Servers)) {
		s := server(copies, w, name)
		if id := s.Latest.Identity; id == nil || !id.Remote {
			s.Machine = host
			host.Servers = append(host.Servers, s)
		}
		servers = append(servers, s)
	}
	return host, servers
}

// server makes the facts of one database server.
func server(copies []*snapshot.Snapshot, w Window, name string) *Server {
	latest := copies[len(copies)-1]
	fresh := latest.Taken.Add(-stale)
	var parts []*snapshot.Server
	for _, c := range copies {
		if p := c.Servers[name]; p != nil {
			parts = append(parts, p)
		}
	}
	s := &Server{
		Cluster: latest.Cluster, Host: latest.Host, Name: name, Role: UnknownRole,
		Latest: parts[len(parts)-1], Events: eventsOf(latest, name, w), Gaps: serverGaps(latest, name),
	}
	if s.Latest.Identity != nil {
		s.Key = s.Latest.Identity.Key
	}
	s.Status = over(parts, fresh, w, func(p *snapshot.Server) *snapshot.Status { return p.Status }, statusWindow)
	s.Digests = over(parts, fresh, w, func(p *snapshot.Server) *snapshot.Digests { return p.Digests }, digestWindow)
	s.Coverage = over(parts, fresh, w, func(p *snapshot.Server) *snapshot.Coverage { return p.Coverage }, coverageWindow)
	s.Locks = over(parts, fresh, w, func(p *snapshot.Server) *snapshot.Locks { return p.Locks }, lockWindow)
	s.Transactions = over(parts, fresh, w, func(p *snapshot.Server) *snapshot.Transactions { return p.Transactions }, transactionWindow)
	s.Deadlocks = over(parts, fresh, w, func(p *snapshot.Server) *snapshot.Deadlocks { return p.Deadlocks }, deadlockWindow)
	s.Use = over(parts, fresh, w, func(p *snapshot.Server) *snapshot.Use { return p.Use }, useWindow)
	s.Binlog = over(parts, fresh, w, func(p *snapshot.Server) *snapshot.Binlog { return p.Binlog }, binlogWindow)
	return s
}

// stale is how old a part may be beside the snapshot that holds it: three rounds
// of the slowest job with totals. An agent keeps what a job read last while that
// job fails, and yesterday's totals must not be judged as today's.
const stale = 15 * time.Minute

// Reach is how far before a window a copy may have been made that bounds it: copies
// are kept an hour apart, and a window that is shorter may have none of its own.
const Reach = time.Hour

// part is a pointer to a part of a snapshot.
type part interface {
	comparable
	Header() *snapshot.Meta
}

// over finds the copies of one part that bound its window, and hands them to
// build with its true length. It returns nil where there are not two of one epoch
// within w or an hour before, and where the newest is not fresh.
func over[S any, P part, W any](
	copies []S, fresh time.Time, w Window, get func(S) P, build func(first, last P, w Window) *W,
) *W {
	var first, last, none P
	for _, c := range slices.Backward(copies) {
		p := get(c)
		if p == none {
			continue
		}
		if last == none {
			last = p
			continue
		}
		taken := p.Header().Taken
		if p.Header().Epoch != last.Header().Epoch || taken.Before(w.From.Add(-Reach)) {
			break
		}
		if taken.Before(w.From) && first != none && first.Header().Taken.Before(w.middle()) {
			break
		}
		if first = p; taken.Before(w.From) {
			break
		}
	}
	if first == none || last.Header().Taken.Before(fresh) || !last.Header().Taken.After(first.Header().Taken) {
		return nil
	}
	return build(first, last, Window{From: first.Header().Taken, To: last.Header().Taken})
}

func eventsOf(s *snapshot.Snapshot, server string, w Window) []snapshot.Event {
	var out []snapshot.Event
	for _, e := range s.Events {
		if e.Server == server && !e.Time.Before(w.From) {
			out = append(out, e)
		}
	}
	return out
}

// hostGaps returns the gaps of the host's own jobs.
func hostGaps(s *snapshot.Snapshot) []snapshot.Gap {
	var out []snapshot.Gap
	for _, g := range s.Gaps {
		if s.Servers[g.Subject] == nil {
			out = append(out, g)
		}
	}
	if s.Machine != nil {
		out = append(out, s.Machine.Gaps...)
	}
	return out
}

// serverGaps returns the gaps of the jobs that read one server: of failed jobs,
// and of what each part lacks.
func serverGaps(s *snapshot.Snapshot, name string) []snapshot.Gap {
	var out []snapshot.Gap
	for _, g := range s.Gaps {
		if g.Subject == name {
			out = append(out, g)
		}
	}
	for _, header := range s.Servers[name].Headers() {
		out = append(out, header.Gaps...)
	}
	return out
}
