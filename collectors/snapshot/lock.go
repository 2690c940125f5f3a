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
	// WaitSeconds is the waiting time that was seen, by kind.
	WaitSeconds map[LockKind]float64 `json:"wait_seconds,omitempty"`
	// Totals are at most MaxLockTotals, by seconds; the rest is in one of the
	// kind LockOther. None ever falls.
	Totals []LockTotal `json:"totals,omitempty"`
	// Graph is the wait graph of this sample; nil if nobody waited.
	Graph *LockGraph `json:"graph,omitempty"`
}

// MaxLockTotals bounds Locks.Totals.
const MaxLockTotals = 50

// LockKind is what is waited for.
type LockKind string

// The kinds of locks. Gap covers gap, next-key and insert-intention waits: those
// that READ COMMITTED mostly avoids. MariaDB does not tell a next-key lock from
// one on a record: both are records there.
const (
	LockRecord   LockKind = "record"
	LockGap      LockKind = "gap"
	LockTable    LockKind = "table"
	LockMetadata LockKind = "metadata"
	// LockOther is no kind, but the sum of all that have no place of their own.
	LockOther LockKind = "other"
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
	// PastWaits and PastSeconds are the part of both that was counted before the
	// pair was last absent from the list: a copy that has it not says as much.
	PastWaits   uint64  `json:"past_waits,omitempty"`
	PastSeconds float64 `json:"past_seconds,omitempty"`
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
	// Candidates are the statements of which one took the lock, where the server
	// does not say which.
	Candidates []LockStatement `json:"candidates,omitempty"`
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
	// Ages counts, since Epoch, transactions that reached an age, UpToSeconds,
	// for each of TransactionAges: a transaction counts once at each that it
	// reaches, so that the counts fall from one age to the next.
	Ages []Bucket `json:"ages,omitempty"`
	// Chatter is nil where the server does not tell its parts.
	Chatter *Chatter `json:"chatter,omitempty"`
	// LargestRows is the largest number of rows that one open transaction had
	// modified, seen since Epoch, and Largest that transaction.
	LargestRows *uint64      `json:"largest_rows,omitempty"`
	Largest     *Transaction `json:"largest,omitempty"`
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

// TransactionAges are the ages, in seconds, at which transactions are counted.
// Younger ones pass between two samples.
func TransactionAges() []float64 { return []float64{10, 60, 300, 1800, 3600} }

// Transaction is one open transaction.
type Transaction struct {
	Connection uint64  `json:"connection"`
	Seconds    float64 `json:"seconds"`
	// IdleSeconds is how long the session has been idle inside the transaction;
	// nil if it runs a statement.
	IdleSeconds *float64 `json:"idle_seconds,omitempty"`
	// Statement is the one that runs, or the last one if the session is idle; nil
	// if the server does not know.
	Statement    *LockStatement `json:"statement,omitempty"`
	RowsLocked   uint64         `json:"rows_locked"`
	RowsModified uint64         `json:"rows_modified"`
	Isolation    string         `json:"isolation"`
	// ReadOnly is true for a transaction that cannot write, and for one that has
	// not yet written or locked anything.
	ReadOnly bool `json:"read_only"`
	// User is the account's name, without its host.
	User string `json:"user,omitempty"`
}

// Chatter tells transactions of one statement from longer ones, since Epoch.
// It is found by arithmetic on counters, so that two bounds are given.
type Chatter struct {
	// Writes counts statements that can change rows (Com_insert, Com_update …),
	// whether they did or not.
	Writes uint64 `json:"writes"`
	// Commits counts transactions that changed something and were committed; nil
	// without a binary log. Handler_commit is not it: it counts the statements
	// within transactions too, and each engine apart.
	Commits *uint64 `json:"commits,omitempty"`
	// Explicit counts COMMIT statements (Com_commit), also of transactions that
	// changed nothing.
	Explicit uint64 `json:"explicit"`
	// SingleWrites is at most how many writes were a transaction of their own.
	// It is exact if each write changed rows. SingleWritesLeast is at least how
	// many: commits that nobody asked for. It is exact if each COMMIT ended a
	// transaction that had changed something. Nil without a binary log.
	SingleWrites      *uint64 `json:"single_writes,omitempty"`
	SingleWritesLeast *uint64 `json:"single_writes_least,omitempty"`
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
