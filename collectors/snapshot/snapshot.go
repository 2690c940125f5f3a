// Package snapshot is what one agent knows of its host at one moment: plain
// data, written by collectors, read by the advisor, and published as JSON.
//
// A Snapshot is made of parts. One job owns one part, fills an empty one on
// each round, and the agent swaps it in whole, so that a part is always of one
// moment. Totals in a part only grow within its Epoch. What could not be read
// is nil, and a Gap says why: unknown is never zero.
//
// No literal of a customer's statement stands in a Snapshot: texts of
// statements have the type Redacted, which only sqltext makes.
package snapshot

import "time"

// SchemaVersion is the version of the JSON form of a Snapshot. It grows only
// when a field changes its meaning or goes; new fields do not change it.
const SchemaVersion = 1

// Snapshot is everything that one agent last read. Fields that hold no part of
// interest are empty: a section, or the result of one job, is a Snapshot too.
type Snapshot struct {
	// Schema is SchemaVersion of the writer.
	Schema int `json:"schema"`
	// AgentID is a random identifier made once for an agent's state folder. It
	// tells two agents apart that were given one host name.
	AgentID string `json:"agent_id"`
	// Cluster and Host are as configured; they are labels of every series.
	Cluster string `json:"cluster"`
	Host    string `json:"host"`
	// Labels are the operator's own, such as role: web.
	Labels map[string]string `json:"labels,omitempty"`
	// Taken is when this copy was made, by the agent's clock.
	Taken time.Time `json:"taken"`

	// Agent is the agent's own health and cost.
	Agent *Agent `json:"agent,omitempty"`
	// Machine holds the figures of the host. It is nil for a host that is only
	// reached through a remote DSN.
	Machine *Machine `json:"machine,omitempty"`
	// Servers are the database servers that this agent reads, by name.
	Servers map[string]*Server `json:"servers,omitempty"`
	// PHP holds the PHP-FPM pools of the host, and PHPProfile where their workers' time goes. They are nil
	// where there are no pools, and no probe.
	PHP        *PHP        `json:"phpfpm,omitempty"`
	PHPProfile *PHPProfile `json:"php_profile,omitempty"`
	// Events are timed incidents, oldest first: at most MaxEvents.
	// Nil means that this copy does not say, empty that there were none.
	Events []Event `json:"events"`
	// Gaps are what whole jobs could not read; parts carry gaps of their own.
	// Nil means that this copy does not say, empty that there are none.
	Gaps []Gap `json:"gaps"`
}

// Meta stands in every part.
type Meta struct {
	// Taken is when the part was read, by the agent's clock.
	Taken time.Time `json:"taken"`
	// Epoch names the stretch of time over which the part's totals only grow.
	// Two copies of a part with different epochs must not be subtracted.
	Epoch string `json:"epoch"`
	// Gaps are the facts that this part lacks, and why.
	Gaps []Gap `json:"gaps,omitempty"`
}

// Header returns m: every part has it, since every part embeds Meta.
func (m *Meta) Header() *Meta { return m }

// Gap is a fact that could not be read. It is part of the result, not an error:
// the report shows it, and rules that need the fact say that they are not ready.
type Gap struct {
	// Job is the name of the job that met the gap, such as mysql/digests.
	Job string `json:"job"`
	// Subject is the server, pool or device; empty for the whole host.
	Subject string `json:"subject,omitempty"`
	// Reason says what is missing, in words for an operator.
	Reason string `json:"reason"`
	// Remedy is the grant, setting or command that closes the gap. It is empty
	// where nothing does.
	Remedy string `json:"remedy,omitempty"`
}

// Redacted is the text of a statement or message from which every literal was
// removed. Only package sqltext makes one from live text.
type Redacted string

// Agent is the health and the cost of the agent itself.
type Agent struct {
	Meta
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	// CPUSeconds is the processor time that the agent used since it started.
	CPUSeconds float64 `json:"cpu_seconds"`
	// ResidentBytes is the agent's resident memory.
	ResidentBytes uint64 `json:"resident_bytes"`
	// SeriesDropped counts series that were left out of /metrics because their
	// labels, made printable and cut to length, were those of another.
	SeriesDropped uint64 `json:"series_dropped"`
	// Jobs is how each job fares, in the order of the agent's list.
	Jobs []JobHealth `json:"jobs"`
}

// JobHealth is how one job fares.
type JobHealth struct {
	Name string `json:"name"`
	// Server is the database server that the job reads; empty for the host.
	Server string `json:"server,omitempty"`
	// EverySeconds is the configured interval; while the circuit breaker is
	// open, IntervalSeconds is longer.
	EverySeconds    float64 `json:"every_seconds"`
	IntervalSeconds float64 `json:"interval_seconds"`
	// LastSuccess is zero until the job succeeded once.
	LastSuccess time.Time `json:"last_success"`
	// LastError is empty after a success. It never holds a DSN or a literal.
	LastError string `json:"last_error,omitempty"`
	// Runs, Failures and Skipped count rounds since the agent started. A round
	// is skipped when the one before still runs.
	Runs     uint64 `json:"runs"`
	Failures uint64 `json:"failures"`
	Skipped  uint64 `json:"skipped"`
	// WallSeconds is the time spent in the job since the agent started.
	WallSeconds float64 `json:"wall_seconds"`
}

// Merge swaps every part that other holds into s, and leaves the rest of s as
// it is. Identity and time are taken from other where it states them.
func (s *Snapshot) Merge(other *Snapshot) {
	swapIdentity(s, other)
	swap(&s.Agent, other.Agent)
	swap(&s.Machine, other.Machine)
	swap(&s.PHP, other.PHP)
	swap(&s.PHPProfile, other.PHPProfile)
	if other.Events != nil {
		s.Events = other.Events
	}
	if other.Gaps != nil {
		s.Gaps = other.Gaps
	}
	for name, parts := range other.Servers {
		s.Server(name).merge(parts)
	}
}

// Server returns the parts of the named database server, making an empty entry
// if there is none.
func (s *Snapshot) Server(name string) *Server {
	if s.Servers == nil {
		s.Servers = map[string]*Server{}
	}
	if s.Servers[name] == nil {
		s.Servers[name] = &Server{}
	}
	return s.Servers[name]
}

// Clone returns a copy of s that shares its parts but not its containers, so
// that merging into one does not show in the other. Parts are never changed
// once they are swapped in.
func (s *Snapshot) Clone() *Snapshot {
	c := *s
	c.Servers = make(map[string]*Server, len(s.Servers))
	for name, parts := range s.Servers {
		p := *parts
		c.Servers[name] = &p
	}
	return &c
}

func swapIdentity(s, other *Snapshot) {
	if other.Schema != 0 {
		s.Schema = other.Schema
	}
	if other.AgentID != "" {
		s.AgentID, s.Cluster, s.Host, s.Labels = other.AgentID, other.Cluster, other.Host, other.Labels
	}
	if other.Taken.After(s.Taken) {
		s.Taken = other.Taken
	}
}

func swap[T any](old **T, fresh *T) {
	if fresh != nil {
		*old = fresh
	}
}
