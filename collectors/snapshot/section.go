package snapshot

// Section is the name under which some parts of a Snapshot travel: what changes
// together is fetched together.
type Section string

// The sections, in the order in which an agent lists them.
const (
	SectionGaps       Section = "gaps"
	SectionHost       Section = "host"
	SectionSettings   Section = "settings"
	SectionTopology   Section = "topology"
	SectionMySQL      Section = "mysql"
	SectionDigests    Section = "digests"
	SectionPlans      Section = "plans"
	SectionSchema     Section = "schema"
	SectionIndexUse   Section = "index_use"
	SectionEvents     Section = "events"
	SectionPositions  Section = "positions"
	SectionPHP        Section = "phpfpm"
	SectionPHPProfile Section = "php_profile"
)

// Sections returns all sections in their order.
func Sections() []Section {
	return []Section{
		SectionGaps, SectionHost, SectionSettings, SectionTopology, SectionMySQL,
		SectionDigests, SectionPlans, SectionSchema, SectionIndexUse, SectionEvents, SectionPositions,
		SectionPHP, SectionPHPProfile,
	}
}

// Section returns the part of s that travels under name. It is a Snapshot of
// the same identity, so that Merge puts sections together again.
func (s *Snapshot) Section(name Section) *Snapshot {
	out := &Snapshot{
		Schema: s.Schema, AgentID: s.AgentID, Cluster: s.Cluster, Host: s.Host,
		Labels: s.Labels, Taken: s.Taken,
	}
	switch name {
	case SectionGaps:
		out.Agent, out.Gaps = s.Agent, append([]Gap{}, s.Gaps...)
	case SectionHost:
		out.Machine = s.Machine
	case SectionPHP:
		out.PHP = s.PHP
	case SectionPHPProfile:
		out.PHPProfile = s.PHPProfile
	case SectionEvents:
		out.Events = append([]Event{}, s.Events...)
	case SectionSettings, SectionTopology, SectionMySQL, SectionDigests, SectionPlans, SectionSchema, SectionIndexUse, SectionPositions:
	}
	for server, parts := range s.Servers {
		if p := parts.section(name); *p != (Server{}) {
			*out.Server(server) = *p
		}
	}
	return out
}

func (s *Server) section(name Section) *Server {
	switch name {
	case SectionSettings:
		return &Server{Settings: s.Settings, Binlog: s.Binlog}
	case SectionTopology:
		return &Server{Identity: s.Identity, Replication: s.Replication, Membership: s.Membership}
	case SectionMySQL:
		return &Server{
			Status: s.Status, Coverage: s.Coverage, Latency: s.Latency, LagTotals: s.LagTotals, Locks: s.Locks,
			Transactions: s.Transactions, Deadlocks: s.Deadlocks, Cost: s.Cost,
		}
	case SectionDigests:
		return &Server{Digests: s.Digests}
	case SectionPlans:
		return &Server{Plans: s.Plans}
	case SectionSchema:
		return &Server{Schema: s.Schema}
	case SectionIndexUse:
		return &Server{Use: s.Use}
	case SectionPositions:
		return &Server{Positions: s.Positions}
	case SectionGaps, SectionHost, SectionEvents, SectionPHP, SectionPHPProfile:
	}
	return &Server{}
}
