package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"plimsoll/collectors/snapshot"
)

const transactionsJob = "mysql/transactions"

// transactionReader looks at open transactions, and sums what it sees.
type transactionReader struct {
	server *Server
	able   *abilities

	transactionTotals
	chatter chatterMeter
	// met are the open transactions of the last look, by connection.
	met    map[uint64]metTransaction
	events []snapshot.Event
}

// transactionTotals are sums since the epoch.
type transactionTotals struct {
	Epoch     string                `json:"epoch"`
	Isolation map[string]uint64     `json:"isolation"`
	Ages      []uint64              `json:"ages"` // by snapshot.TransactionAges
	Reads     snapshot.ReadSamples  `json:"reads"`
	Largest   *snapshot.Transaction `json:"largest,omitempty"`
}

// metTransaction tells an open transaction from the next one of its session.
type metTransaction struct {
	started time.Time
	reached int // of snapshot.TransactionAges
	told    bool
}

func newTransactionReader(s *Server, able *abilities) *transactionReader {
	return &transactionReader{
		server: s, able: able, met: map[uint64]metTransaction{},
		transactionTotals: transactionTotals{
			Epoch: newEpoch(time.Now()), Isolation: map[string]uint64{}, Ages: make([]uint64, len(snapshot.TransactionAges())),
		},
	}
}

// Collect implements collectors.Collector.
func (r *transactionReader) Collect(ctx context.Context, into *snapshot.Snapshot) error {
	r.events = nil
	if err := r.server.round(ctx, into, r.read); err != nil {
		return err
	}
	into.Events = append(into.Events, r.events...)
	return nil
}

func (r *transactionReader) read(ctx context.Context, q *session, into *snapshot.Server) error {
	if err := r.able.refresh(ctx, q); err != nil {
		return err
	}
	part := &snapshot.Transactions{Meta: snapshot.Meta{Epoch: q.epoch() + "/" + r.Epoch}}
	chatter, err := r.chatter.read(ctx, q, &part.Meta)
	if err != nil {
		return fmt.Errorf("read commits: %w", err)
	}
	part.Chatter = chatter
	if gap, refused := q.gap(transactionsJob, needProcess("open transactions"), r.able.process); refused {
		part.Gaps = append(part.Gaps, gap)
	} else if err := r.readOpen(ctx, q, part); err != nil {
		return err
	}
	into.Transactions = part
	return nil
}

// A SELECT that is a transaction of its own is listed while it reads from more
// than one row; one that finds its row by a whole unique key is over before it
// shows. MySQL 5.6; MariaDB 10.0.
const (
	countTransactions = `SELECT trx_isolation_level, COUNT(*),
		MAX(TIMESTAMPDIFF(MICROSECOND, trx_started, CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', 'SYSTEM'))) / 1e6,
		COUNT(IF(trx_autocommit_non_locking = 1, trx_query, NULL)),
		COUNT(IF(trx_autocommit_non_locking = 0 AND trx_query REGEXP '^([[:space:](]|/[*][^!].*[*]/)*select'
			AND trx_query NOT REGEXP 'for[[:space:]]+(update|share)|lock[[:space:]]+in[[:space:]]+share', 1, NULL))
		FROM information_schema.INNODB_TRX GROUP BY trx_isolation_level`
	selectHistoryLength = "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'"
)

func (r *transactionReader) readOpen(ctx context.Context, q *session, part *snapshot.Transactions) error {
	if err := r.count(ctx, q, part); err != nil {
		return fmt.Errorf("count transactions: %w", err)
	}
	var history float64
	if err := q.one(ctx, selectHistoryLength, []any{&history}); err != nil {
		return fmt.Errorf("read the history list: %w", err)
	}
	part.HistoryLength = &history
	open, err := q.transactions(ctx, oldestTransactions)
	if err != nil {
		return err
	}
	if part.Longest, err = r.describe(ctx, q, open[:min(len(open), maxLongest)]); err != nil {
		return err
	}
	if err := r.keepLargest(ctx, q, open); err != nil {
		return err
	}
	r.meet(time.Now(), open, part.Longest)
	r.publish(part)
	return nil
}

// count sums up all open transactions.
func (r *transactionReader) count(ctx context.Context, q *session, part *snapshot.Transactions) error {
	total, longest := 0, 0.0
	err := q.each(ctx, countTransactions, func(rows *sql.Rows) error {
		var level string
		var n, outside, inside uint64
		var oldest sql.NullFloat64
		if err := rows.Scan(&level, &n, &oldest, &outside, &inside); err != nil {
			return err
		}
		r.Isolation[level] += n
		r.Reads.Outside += outside
		r.Reads.Inside += inside
		total += int(n)
		longest = max(longest, oldest.Float64)
		return nil
	})
	if err != nil {
		return err
	}
	part.Open, part.LongestSeconds = &total, &longest
	return nil
}

// maxLongest is how many transactions are described.
const maxLongest = 20

// describe adds what is known of the sessions.
func (r *transactionReader) describe(ctx context.Context, q *session, open []openTransaction) ([]snapshot.Transaction, error) {
	var connections, idle []uint64
	for _, t := range open {
		connections = append(connections, t.connection)
	}
	sessions, err := q.sessions(ctx, connections)
	if err != nil {
		return nil, err
	}
	for _, t := range open {
		if sessions[t.connection].idle {
			idle = append(idle, t.connection)
		}
	}
	histories := map[uint64][]pastStatement{}
	if r.able.history {
		if histories, err = q.histories(ctx, idle); err != nil {
			return nil, err
		}
	}
	var out []snapshot.Transaction
	for _, t := range open {
		out = append(out, r.transaction(t, sessions[t.connection], histories[t.connection]))
	}
	return out, nil
}

func (r *transactionReader) transaction(t openTransaction, s sessionState, history []pastStatement) snapshot.Transaction {
	out := snapshot.Transaction{
		Connection: t.connection, Seconds: t.seconds, RowsLocked: t.locked, RowsModified: t.modified,
		Isolation: t.isolation, ReadOnly: t.readOnly || t.unregistered(), User: s.user,
	}
	text := t.text
	if s.text != "" {
		text = s.text
	}
	if s.idle {
		out.IdleSeconds = &s.lasted
		if len(history) > 0 {
			text = history[len(history)-1].text
		}
	}
	out.Statement = r.able.statement(text)
	return out
}

// unregistered transactions have neither written nor locked. MariaDB gives them
// the number 0, MySQL one that no real transaction reaches.
func (t openTransaction) unregistered() bool {
	const firstReader = 1 << 48
	return t.id == 0 || t.id >= firstReader
}

// keepLargest remembers the transaction that modified most rows.
func (r *transactionReader) keepLargest(ctx context.Context, q *session, open []openTransaction) error {
	var largest *openTransaction
	for i, t := range open {
		if t.modified > 0 && (largest == nil || t.modified > largest.modified) {
			largest = &open[i]
		}
	}
	if largest == nil || r.Largest != nil && largest.modified <= r.Largest.RowsModified {
		return nil
	}
	described, err := r.describe(ctx, q, []openTransaction{*largest})
	if err != nil {
		return err
	}
	r.Largest = &described[0]
	return nil
}

// longTransaction is the age, in seconds, that makes an event: what is older
// than a minute outlives any request of a web site.
const longTransaction = 60

// meet counts the ages that transactions have reached, each once, and tells of
// long ones.
func (r *transactionReader) meet(now time.Time, open []openTransaction, described []snapshot.Transaction) {
	met := make(map[uint64]metTransaction, len(open))
	for i, t := range open {
		started := now.Add(-time.Duration(t.seconds * float64(time.Second)))
		known, found := r.met[t.connection]
		// The start has whole seconds.
		if !found || started.Sub(known.started).Abs() > 2*time.Second {
			known = metTransaction{started: started}
		}
		for known.reached < len(r.Ages) && t.seconds >= snapshot.TransactionAges()[known.reached] {
			r.Ages[known.reached]++
			known.reached++
		}
		if t.seconds >= longTransaction && !known.told && i < len(described) {
			known.told = true
			r.tell(now, described[i])
		}
		met[t.connection] = known
	}
	r.met = met
}

func (r *transactionReader) tell(now time.Time, t snapshot.Transaction) {
	state := "runs a statement"
	if t.IdleSeconds != nil {
		state = fmt.Sprintf("has been idle for %.0f s of it", *t.IdleSeconds)
	}
	r.events = append(r.events, snapshot.Event{
		Time: now, Server: r.server.cfg.Name, Kind: snapshot.EventLongTransaction,
		Summary: fmt.Sprintf("connection %d has had a transaction open for %.0f s and %s; %d rows modified, %d locked",
			t.Connection, t.Seconds, state, t.RowsModified, t.RowsLocked),
		Transaction: &t,
	})
}

func (r *transactionReader) publish(part *snapshot.Transactions) {
	part.Isolation = maps.Clone(r.Isolation)
	reads := r.Reads
	part.Reads = &reads
	for i, age := range snapshot.TransactionAges() {
		part.Ages = append(part.Ages, snapshot.Bucket{UpToSeconds: age, Count: r.Ages[i]})
	}
	part.LargestRows = new(uint64)
	if r.Largest != nil {
		part.Largest, part.LargestRows = r.Largest, &r.Largest.RowsModified
	}
}

// transactionState is what outlives the agent.
type transactionState struct {
	transactionTotals
	Chatter chatterMeter `json:"chatter"`
}

// Save implements collectors.Keeper.
func (r *transactionReader) Save() (json.RawMessage, error) {
	return json.Marshal(transactionState{r.transactionTotals, r.chatter})
}

// Load implements collectors.Keeper.
func (r *transactionReader) Load(saved json.RawMessage) error {
	var state transactionState
	if err := json.Unmarshal(saved, &state); err != nil {
		return fmt.Errorf("load totals of transactions: %w", err)
	}
	if state.Isolation == nil || len(state.Ages) != len(snapshot.TransactionAges()) {
		return fmt.Errorf("load totals of transactions: %d ages, want %d", len(state.Ages), len(snapshot.TransactionAges()))
	}
	r.transactionTotals, r.chatter = state.transactionTotals, state.Chatter
	return nil
}
