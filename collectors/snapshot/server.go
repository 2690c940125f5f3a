package snapshot

import "time"

// Server is what an agent knows of one MySQL or MariaDB server. A nil part was
// not read yet or could not be read; a Gap says which.
type Server struct {
	Identity     *Identity     `json:"identity,omitempty"`
	Settings     *Settings     `json:"settings,omitempty"`
	Status       *Status       `json:"status,omitempty"`
	Digests      *Digests      `json:"digests,omitempty"`
	Plans        *Plans        `json:"plans,omitempty"`
	Coverage     *Coverage     `json:"coverage,omitempty"`
	Latency      *Latency      `json:"latency,omitempty"`
	Replication  *Replication  `json:"replication,omitempty"`
	LagTotals    *LagTotals    `json:"lag_totals,omitempty"`
	Positions    *Positions    `json:"positions,omitempty"`
	Locks        *Locks        `json:"locks,omitempty"`
	Transactions *Transactions `json:"transactions,omitempty"`
	Deadlocks    *Deadlocks    `json:"deadlocks,omitempty"`
	Use          *Use          `json:"use,omitempty"`
	Schema       *Schema       `json:"schema,omitempty"`
	Binlog       *Binlog       `json:"binlog,omitempty"`
	Membership   *Membership   `json:"membership,omitempty"`
	Cost         *Cost         `json:"cost,omitempty"`
}

func (s *Server) merge(other *Server) {
	swap(&s.Identity, other.Identity)
	swap(&s.Settings, other.Settings)
	swap(&s.Status, other.Status)
	swap(&s.Digests, other.Digests)
	swap(&s.Plans, other.Plans)
	swap(&s.Coverage, other.Coverage)
	swap(&s.Latency, other.Latency)
	swap(&s.Replication, other.Replication)
	swap(&s.LagTotals, other.LagTotals)
	swap(&s.Positions, other.Positions)
	swap(&s.Locks, other.Locks)
	swap(&s.Transactions, other.Transactions)
	swap(&s.Deadlocks, other.Deadlocks)
	swap(&s.Use, other.Use)
	swap(&s.Schema, other.Schema)
	swap(&s.Binlog, other.Binlog)
	swap(&s.Membership, other.Membership)
	swap(&s.Cost, other.Cost)
}

// Family tells the two families of servers apart. Their version numbers must
// never be compared with each other.
type Family string

// The families of servers.
const (
	MySQL   Family = "mysql"
	MariaDB Family = "mariadb"
)

// Identity is who a server is and what it can tell. Source: the start-up probe,
// repeated every hour and after a reconnect.
type Identity struct {
	Meta
	// Key is the same for a server wherever it is seen from: server_uuid, or on
	// MariaDB server_uid with server_id.
	Key    string `json:"key"`
	Family Family `json:"family"`
	// Version is as the server states it, such as 10.11.19-MariaDB.
	Version  string `json:"version"`
	ServerID uint64 `json:"server_id"`
	// Hostname and Port are the server's own idea of its address.
	Hostname string `json:"hostname"`
	Port     uint16 `json:"port"`
	// Addresses are where the server listens or is reached: ip:port or a socket
	// path. They join replicas to their source.
	Addresses []string  `json:"addresses,omitempty"`
	Started   time.Time `json:"started"`
	// Remote is true if the server was reached by a configured DSN on another
	// host, so that the agent's Machine is not the server's.
	Remote bool `json:"remote,omitempty"`
	// Features are what the probe found, by name. An absent one was not probed.
	Features map[string]Feature `json:"features,omitempty"`
}

// Feature is the named state of one source of facts in a server.
type Feature string

// The states of a Feature.
const (
	FeatureOn          Feature = "on"
	FeatureOff         Feature = "off"
	FeatureNoPrivilege Feature = "no_privilege"
	FeatureUnsupported Feature = "unsupported"
)

// Settings are the server's variables that rules read, by lower-case name, and
// as the server writes them. Variables that can hold a secret are never among
// them.
type Settings struct {
	Meta
	Variables map[string]string `json:"variables"`
}

// Status is SHOW GLOBAL STATUS, restricted to a list, by lower-case name.
// Counters are totals since the server started or the last FLUSH STATUS.
type Status struct {
	Meta
	UptimeSeconds float64            `json:"uptime_seconds"`
	Values        map[string]float64 `json:"values"`
}

// Cost is what reading a server costs it: published so that nobody has to
// believe us.
type Cost struct {
	Meta
	// Statements and Seconds count what the agent's sessions ran since Epoch
	// began, and the time that the agent waited for it.
	Statements uint64  `json:"statements"`
	Seconds    float64 `json:"seconds"`
	// Connections is how many the agent holds now.
	Connections int `json:"connections"`
	// Reconnects counts connections opened after the first.
	Reconnects uint64 `json:"reconnects"`
}

// Headers returns the Meta of every part that was read.
func (s *Server) Headers() []*Meta {
	var out []*Meta
	out = header(out, s.Identity)
	out = header(out, s.Settings)
	out = header(out, s.Status)
	out = header(out, s.Digests)
	out = header(out, s.Plans)
	out = header(out, s.Coverage)
	out = header(out, s.Latency)
	out = header(out, s.Replication)
	out = header(out, s.LagTotals)
	out = header(out, s.Positions)
	out = header(out, s.Locks)
	out = header(out, s.Transactions)
	out = header(out, s.Deadlocks)
	out = header(out, s.Use)
	out = header(out, s.Schema)
	out = header(out, s.Binlog)
	out = header(out, s.Membership)
	return header(out, s.Cost)
}

func header[P interface {
	comparable
	Header() *Meta
}](out []*Meta, part P) []*Meta {
	var none P
	if part == none {
		return out
	}
	return append(out, part.Header())
}
