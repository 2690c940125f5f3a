package snapshot

import "time"

// Locks is who waited for whom. Totals are integrated over samples since
// Epoch: a wait shorter than the sampling interval may be missed, which is why
// the server's own total stands beside them.
type Locks struct {
	Meta
	// WaitingNow is Innodb_row_lock_current_waits at this sample.
	WaitingNow uint64 `json:"waiting_now"`
	// RowLockWaits and RowLockSeconds are the server's totals. A wait is added
	// to the seconds only when it ends.
	RowLockWaits   uint64  `json:"row_lock_waits"`
	RowLockSeconds float64 `json:"row_lock_seconds"`
	// Totals are at most MaxLockTotals, by seconds; the rest is in one named
	// "other".
	Totals []LockTotal `json:"totals,omitempty"`
	// Graph is the wait graph of this sample; nil if nobody waited.
	Graph *LockGraph `json:"graph,omitempty"`
}

// MaxLockTotals bounds Locks.Totals.
const MaxLockTotals = 50

// LockKind is what is waited for.
type LockKind string

// The kinds of locks. Gap covers gap, next-key and insert-intention waits: those
// that READ COMMITTED mostly avoids.
const (
	LockRecord   LockKind = "record"
	LockGap      LockKind = "gap"
	LockTable    LockKind = "table"
	LockMetadata LockKind = "metadata"
)

// LockTotal is the waiting time for one pair of statements on one index.
type LockTotal struct {
	Kind   LockKind `json:"kind"`
	Schema string   `json:"schema"`
	Table  string   `json:"table"`
	Index  string   `json:"index,omitempty"`
	// Blocker and Waiter are fingerprints; empty if not known.
	Blocker string  `json:"blocker,omitempty"`
	Waiter  string  `json:"waiter,omitempty"`
	Waits   uint64  `json:"waits"`
	Seconds float64 `json:"seconds"`
}

// LockGraph is one sample of who waits for whom, reduced to its roots: a
// session that itself waits is never called a blocker.
type LockGraph struct {
	Time     time.Time `json:"time"`
	Blockers []Blocker `json:"blockers"`
}

// Blocker is a session that others wait for and that waits for nobody.
type Blocker struct {
	Connection uint64 `json:"connection"`
	// Culprit is the statement that took the lock, not the one that runs now.
	// It is nil if the server no longer knows; Unknown then says why.
	Culprit *LockStatement `json:"culprit,omitempty"`
	Unknown string         `json:"unknown,omitempty"`
	// IdleSeconds is how long the session has sent nothing; nil if it is busy.
	IdleSeconds        *float64 `json:"idle_seconds,omitempty"`
	TransactionSeconds *float64 `json:"transaction_seconds,omitempty"`
	RowsLocked         *uint64  `json:"rows_locked,omitempty"`
	Waiters            []Waiter `json:"waiters"`
}

// LockStatement is a statement in a wait graph.
type LockStatement struct {
	Fingerprint string   `json:"fingerprint"`
	Text        Redacted `json:"text"`
}

// Waiter is a session that waits.
type Waiter struct {
	Connection uint64         `json:"connection"`
	Kind       LockKind       `json:"kind"`
	Schema     string         `json:"schema"`
	Table      string         `json:"table"`
	Index      string         `json:"index,omitempty"`
	Statement  *LockStatement `json:"statement,omitempty"`
	Seconds    float64        `json:"seconds"`
}

// Transactions is what is open and how it is used.
type Transactions struct {
	Meta
	// Open is how many InnoDB transactions are open now, and LongestSeconds the
	// age of the oldest; nil without the PROCESS privilege.
	Open           *int     `json:"open,omitempty"`
	LongestSeconds *float64 `json:"longest_seconds,omitempty"`
	// Longest are the oldest, at most 20, oldest first.
	Longest []Transaction `json:"longest,omitempty"`
	// HistoryLength is the number of undo logs not yet purged.
	HistoryLength *float64 `json:"history_length,omitempty"`
	// Isolation counts sampled open transactions by isolation level, since
	// Epoch.
	Isolation map[string]uint64 `json:"isolation,omitempty"`
	// AgeSeconds counts, since Epoch, transactions that reached an age, by the
	// bounds of TransactionAges: each transaction counts once a bound.
	Ages []Bucket `json:"ages,omitempty"`
	// Chatter is nil where the server does not tell its parts.
	Chatter *Chatter `json:"chatter,omitempty"`
	// Largest is the largest number of rows that one open transaction had
	// modified, seen since Epoch.
	LargestRows *uint64 `json:"largest_rows,omitempty"`
	// Reads are the SELECTs that were running at samples; nil without the
	// PROCESS privilege.
	Reads *ReadSamples `json:"reads,omitempty"`
}

// ReadSamples counts running SELECTs, since Epoch: one that is seen at two
// samples counts twice, so that the counts are weighted by time. Those outside
// of a transaction are what could run on a replica. Source:
// information_schema.INNODB_TRX, where trx_autocommit_non_locking is 1 for a
// SELECT that is a transaction of its own and locks nothing.
type ReadSamples struct {
	Outside uint64 `json:"outside"`
	Inside  uint64 `json:"inside"`
}

// Transaction is one open transaction.
type Transaction struct {
	Connection uint64  `json:"connection"`
	Seconds    float64 `json:"seconds"`
	// IdleSeconds is how long the session has been idle inside the transaction;
	// nil if it runs a statement.
	IdleSeconds  *float64       `json:"idle_seconds,omitempty"`
	Statement    *LockStatement `json:"statement,omitempty"`
	RowsLocked   uint64         `json:"rows_locked"`
	RowsModified uint64         `json:"rows_modified"`
	Isolation    string         `json:"isolation"`
	ReadOnly     bool           `json:"read_only"`
	// User is the account's name, without its host.
	User string `json:"user,omitempty"`
}

// Chatter tells transactions of one statement from longer ones, since Epoch.
type Chatter struct {
	// Writes counts INSERT, UPDATE, DELETE and REPLACE statements; Commits
	// commits that the storage engine made (Handler_commit); Explicit those
	// that a client asked for (Com_commit).
	Writes   uint64 `json:"writes"`
	Commits  uint64 `json:"commits"`
	Explicit uint64 `json:"explicit"`
	// SingleWrites counts writes that were a transaction of their own. Nil
	// where only an upper bound is known.
	SingleWrites *uint64 `json:"single_writes,omitempty"`
}

// Deadlocks counts deadlocks and lock wait timeouts since the server started.
type Deadlocks struct {
	Meta
	Total    *uint64 `json:"total,omitempty"`
	Timeouts *uint64 `json:"timeouts,omitempty"`
	// Pairs are the deadlocks that were read in full, grouped, since Epoch.
	Pairs []DeadlockPair `json:"pairs,omitempty"`
	Last  *Deadlock      `json:"last,omitempty"`
}

// DeadlockPair is how often two statements met.
type DeadlockPair struct {
	A     string `json:"a"`
	B     string `json:"b"`
	Count uint64 `json:"count"`
}

// Deadlock is one deadlock as the server described it, without its rows.
type Deadlock struct {
	Time time.Time `json:"time"`
	// Transactions are the parties, in the server's order.
	Transactions []DeadlockParty `json:"transactions"`
}

// DeadlockParty is one transaction of a deadlock.
type DeadlockParty struct {
	Statement *LockStatement `json:"statement,omitempty"`
	Schema    string         `json:"schema"`
	Table     string         `json:"table"`
	Index     string         `json:"index"`
	Mode      string         `json:"mode"`
	Victim    bool           `json:"victim"`
}
