package fleet

import (
	"iter"
	"strings"

	"plimsoll/collectors/snapshot"
)

// Role is a database server's part in its cluster.
type Role string

// The roles. A server that replicates and is replicated from is a replica.
const (
	Primary     Role = "primary"
	Replica     Role = "replica"
	Standalone  Role = "standalone"
	UnknownRole Role = "unknown"
)

// Server is one database server: what it is, and what it did in the window. A
// nil field was not seen; Lacks says why.
type Server struct {
	Cluster string
	// Host is the agent's host, Name the server's name there.
	Host string
	Name string
	// Key is the same wherever the server is seen from.
	Key  string
	Role Role
	// Source is the server that this one replicates from, if it is in the
	// fleet; Replicas are those that replicate from this one.
	Source   *Server
	Replicas []*Server
	// Machine is nil for a server that was reached through a remote DSN.
	Machine *Host

	// Latest is the newest copy of each part; never nil.
	Latest *snapshot.Server

	Status       *StatusWindow
	Digests      *DigestWindow
	Coverage     *CoverageWindow
	Locks        *LockWindow
	Transactions *TransactionWindow
	Deadlocks    *DeadlockWindow
	Use          *UseWindow
	Binlog       *BinlogWindow
	// Lag is by channel; empty on a server that replicates nothing.
	Lag []Lag

	Events []snapshot.Event
	Gaps   []snapshot.Gap
}

// Lacks returns the gap that keeps the facts of a job from being known, or
// false if nothing was reported of that job.
func (s *Server) Lacks(job string) (snapshot.Gap, bool) {
	for _, g := range s.Gaps {
		if g.Job == job {
			return g, true
		}
	}
	return snapshot.Gap{}, false
}

// HiddenChannels returns the gap for want of which the server's channels are not
// known. Without the privilege the list is empty, which looks like a server that
// replicates nothing.
func (s *Server) HiddenChannels() (snapshot.Gap, bool) {
	if s.Latest.Replication == nil || len(s.Latest.Replication.Channels) > 0 {
		return snapshot.Gap{}, false
	}
	for _, g := range s.Gaps {
		grant := strings.HasPrefix(g.Remedy, "GRANT SLAVE MONITOR ") || strings.HasPrefix(g.Remedy, "GRANT REPLICATION CLIENT ")
		if g.Job == "mysql/replication" && grant {
			return g, true
		}
	}
	return snapshot.Gap{}, false
}

// Setting returns a server variable as the server writes it.
func (s *Server) Setting(name string) (string, bool) {
	if s.Latest.Settings == nil {
		return "", false
	}
	v, ok := s.Latest.Settings.Variables[name]
	return v, ok
}

// StatusWindow is SHOW GLOBAL STATUS over a window.
type StatusWindow struct {
	Window Window
	// Delta is how much each counter grew, and Now its latest value.
	Delta map[string]float64
	Now   map[string]float64
	// PeakThreadsRunning is the 95th percentile of Threads_running; nil without
	// series.
	PeakThreadsRunning *float64
	// PeakConnections is the most connections seen; nil without series.
	PeakConnections *float64
}

// Rate returns how much a counter grew each second; false if it is not known.
func (w *StatusWindow) Rate(name string) (float64, bool) {
	if w == nil || w.Window.Seconds() <= 0 {
		return 0, false
	}
	v, ok := w.Delta[name]
	return v / w.Window.Seconds(), ok
}

// DigestWindow is what statements did over a window.
type DigestWindow struct {
	Window Window
	// Rows are all statements with at least one call, by time, largest first.
	Rows []Digest
	// Overflow is what the server could not place in its digest table.
	Overflow snapshot.DigestTotals
	// Total is the sum over Rows and Overflow.
	Total snapshot.DigestTotals
}

// Site returns the statements that are not the agent's own: the site's work.
func (w *DigestWindow) Site() iter.Seq[Digest] {
	return func(yield func(Digest) bool) {
		for _, d := range w.Rows {
			if !d.Own && !yield(d) {
				return
			}
		}
	}
}

// SiteSeconds is the time of all statements but the agent's own.
func (w *DigestWindow) SiteSeconds() float64 {
	seconds := w.Overflow.Seconds
	for d := range w.Site() {
		seconds += d.Seconds
	}
	return seconds
}

// Digest is what one statement did over the window.
type Digest struct {
	Fingerprint string
	Schema      string
	Aliases     []string
	Text        snapshot.Redacted
	Class       string
	Reads       []string
	Writes      []string
	// Truncated texts may stand for several statements.
	Truncated bool
	// Own is true for the agent's own statements.
	Own bool
	snapshot.DigestTotals
}

// CoverageWindow is how much of the server's work the digests saw.
type CoverageWindow struct {
	Window             Window
	Statements         uint64
	Digested           uint64
	PreparedExecutions uint64
	PreparedHidden     bool
	// PreparedLogged is how many of them the slow log shows where digests do not.
	PreparedLogged uint64
	// HiddenRatio is the share of statement time in executions that no digest
	// shows, 0..1; nil if the server does not tell.
	HiddenRatio *float64
}

// HiddenExecutions is how many executions of prepared statements neither the
// digests nor the slow log show.
func (w *CoverageWindow) HiddenExecutions() uint64 {
	if !w.PreparedHidden {
		return 0
	}
	return minus(w.PreparedExecutions, w.PreparedLogged)
}

// LockWindow is what waiting for locks cost.
type LockWindow struct {
	Window Window
	// RowLockWaits and RowLockSeconds are the server's own totals.
	RowLockWaits   uint64
	RowLockSeconds float64
	// Totals are from samples, by seconds, largest first.
	Totals []snapshot.LockTotal
}

// TransactionWindow is how transactions were used.
type TransactionWindow struct {
	Window    Window
	Isolation map[string]uint64
	// Ages counts transactions that reached each bound.
	Ages []snapshot.Bucket
	// PeakSeconds is the age of the oldest transaction that was seen in the
	// window, and PeakHistory the longest history list.
	PeakSeconds *float64
	PeakHistory *float64
	// Chatter is the difference over the window; nil if not known.
	Chatter *snapshot.Chatter
	// LargestRows is the most rows that one open transaction had modified, and
	// Largest that transaction; nil where the server does not know it any more.
	LargestRows *uint64
	Largest     *snapshot.Transaction
	// Reads are running SELECTs at samples; nil if not known.
	Reads *snapshot.ReadSamples
}

// DeadlockWindow is the deadlocks of a window.
type DeadlockWindow struct {
	Window   Window
	Total    uint64
	Timeouts *uint64
	Pairs    []snapshot.DeadlockPair
	Last     *snapshot.Deadlock
}

// UseWindow is how tables and indexes were used in the window, and since the
// server began to count.
type UseWindow struct {
	Window Window
	// Tables are differences over the window.
	Tables []snapshot.TableUse
	// Since holds the totals since the server began to count.
	Since *snapshot.Use
}

// BinlogWindow is how the binary log grew.
type BinlogWindow struct {
	Window       Window
	CacheUse     uint64
	CacheDiskUse uint64
	// BytesPerSecond is the rate at which it is written; nil if not known.
	BytesPerSecond *float64
}

// Lag is how far one channel stood behind over the window.
type Lag struct {
	Channel string
	Window  Window
	// P50, P95, P99 and Max are total lag in seconds, from commit on the source
	// to commit on the replica, over the seconds in which it was known; nil
	// where no second was.
	P50, P95, P99, Max *float64
	// Last is the newest known lag; nil if none was known of late.
	Last *float64
	// TransportP99 is the part spent before the replica had received the
	// transaction.
	TransportP99 *float64
	// State is the time in seconds spent in each state.
	State map[snapshot.LagState]float64
	// TrendRatio is how fast lag grows, in seconds a second, over the last part
	// of the window: 1 is a replica that stands still. Nil if not known.
	TrendRatio *float64
	// ClockErrorSeconds bounds the error of the clocks' comparison.
	ClockErrorSeconds float64
	// Unknown says why no figure is known.
	Unknown string
}

// Seen returns the window, or nil if there is none.
func (w *StatusWindow) Seen() *Window {
	if w == nil {
		return nil
	}
	return &w.Window
}

// Seen returns the window, or nil if there is none.
func (w *DigestWindow) Seen() *Window {
	if w == nil {
		return nil
	}
	return &w.Window
}

// Seen returns the window, or nil if there is none.
func (w *LockWindow) Seen() *Window {
	if w == nil {
		return nil
	}
	return &w.Window
}

// Seen returns the window, or nil if there is none.
func (w *TransactionWindow) Seen() *Window {
	if w == nil {
		return nil
	}
	return &w.Window
}

// Seen returns the window, or nil if there is none.
func (w *DeadlockWindow) Seen() *Window {
	if w == nil {
		return nil
	}
	return &w.Window
}

// Seen returns the window, or nil if there is none.
func (w *UseWindow) Seen() *Window {
	if w == nil {
		return nil
	}
	return &w.Window
}
