package snapshot

import "time"

// MaxEvents is how many events an agent keeps: at one incident a minute this is
// most of a day, and the advisor fetches them every minute.
const MaxEvents = 1000

// EventKind says what an Event tells of.
type EventKind string

// The kinds of events.
const (
	EventRestart         EventKind = "restart"
	EventLockWait        EventKind = "lock_wait"
	EventMetadataLock    EventKind = "metadata_lock"
	EventDeadlock        EventKind = "deadlock"
	EventLongTransaction EventKind = "long_transaction"
	EventSchemaChange    EventKind = "schema_change"
)

// Event is an incident with a time. Exactly the detail that belongs to its kind
// is set.
type Event struct {
	// Seq counts the events of one agent from 1; it survives restarts.
	Seq uint64 `json:"seq"`
	// Time is when the incident was seen, by the agent's clock.
	Time time.Time `json:"time"`
	// Server is the database server concerned; empty for the host.
	Server string    `json:"server,omitempty"`
	Kind   EventKind `json:"kind"`
	// Summary is one sentence for people, free of literals.
	Summary string `json:"summary"`

	Locks       *LockGraph   `json:"locks,omitempty"`
	Deadlock    *Deadlock    `json:"deadlock,omitempty"`
	Transaction *Transaction `json:"transaction,omitempty"`
}
