package mysql

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// lockJobs are the jobs around locks and transactions.
func (s *Server) lockJobs() []collectors.Job {
	able := &abilities{}
	job := func(name string, every time.Duration, c collectors.Collector) collectors.Job {
		return collectors.Job{Name: name, Server: s.cfg.Name, Every: every, Timeout: roundLimit, Collector: c}
	}
	return []collectors.Job{
		job(locksJob, 5*time.Second, newLockReader(s, able)),
		job(transactionsJob, 10*time.Second, newTransactionReader(s, able)),
		job(deadlocksJob, time.Minute, newDeadlockReader(s, able)),
	}
}

const locksJob = "mysql/locks"

// lockReader looks whether anybody waits for a lock, and only then for whom.
type lockReader struct {
	server *Server
	able   *abilities

	epoch  string
	ledger lockLedger
	meter  waitMeter
	// graph is the last one, which is of the time when it was read.
	graph    *snapshot.LockGraph
	looked   time.Time
	reported map[blockerKey]bool
	events   []snapshot.Event
}

func newLockReader(s *Server, able *abilities) *lockReader {
	return &lockReader{
		server: s, able: able, epoch: newEpoch(time.Now()), ledger: newLockLedger(), reported: map[blockerKey]bool{},
	}
}

// Collect implements collectors.Collector.
func (r *lockReader) Collect(ctx context.Context, into *snapshot.Snapshot) error {
	r.events = nil
	if err := r.server.round(ctx, into, r.read); err != nil {
		return err
	}
	into.Events = append(into.Events, r.events...)
	return nil
}

// detailEvery is the shortest time between two readings of the wait graph.
const detailEvery = 10 * time.Second

func (r *lockReader) read(ctx context.Context, q *session, into *snapshot.Server) error {
	if err := r.able.refresh(ctx, q); err != nil {
		return err
	}
	part := &snapshot.Locks{Meta: snapshot.Meta{Epoch: q.epoch() + "/" + r.epoch}}
	waiting, err := r.readGate(ctx, q, part)
	if err != nil {
		return fmt.Errorf("look for lock waits: %w", err)
	}
	now := time.Now()
	switch {
	case waiting == 0:
		r.graph, r.reported = nil, map[blockerKey]bool{}
	case now.Sub(r.looked) >= detailEvery-time.Second: // Rounds come with jitter.
		r.looked = now
		if err := r.readGraph(ctx, q, part, now); err != nil {
			return fmt.Errorf("read lock waits: %w", err)
		}
	}
	part.Totals, part.Graph = r.ledger.totals(), r.graph
	part.WaitSeconds = r.ledger.waitSeconds()
	into.Locks = part
	return nil
}

// Sessions that wait for metadata, global, backup or table-level locks. The
// waits of a table's level (MyISAM) are seen here and nowhere else. MariaDB's
// PROCESSLIST makes a temporary table on disk, at three times the cost.
const (
	selectWaiting        = "SELECT COUNT(*) FROM performance_schema.threads WHERE PROCESSLIST_STATE LIKE 'Waiting for % lock'"
	selectWaitingMariaDB = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for % lock'"
)

// readGate reads what is cheap and tells whether anybody waits.
func (r *lockReader) readGate(ctx context.Context, q *session, part *snapshot.Locks) (waiting uint64, err error) {
	status, err := q.status(ctx, statusAge)
	if err != nil {
		return 0, err
	}
	const millisecond = 1e-3
	part.Taken = status.at
	part.WaitingNow = status.unsigned("innodb_row_lock_current_waits")
	part.RowLockWaits = status.unsigned("innodb_row_lock_waits")
	part.RowLockSeconds = float64(status.unsigned("innodb_row_lock_time")) * millisecond
	r.addGaps(q, part)
	var others uint64
	switch {
	case q.on("performance_schema"):
		err = q.one(ctx, selectWaiting, []any{&others})
	case q.identity.Family == snapshot.MariaDB:
		err = q.one(ctx, selectWaitingMariaDB, []any{&others})
	}
	return part.WaitingNow + others, err
}

// addGaps says what a wait graph would lack, before there is one.
func (r *lockReader) addGaps(q *session, part *snapshot.Locks) {
	if gap, refused := q.gap(locksJob, needProcess("who waits for whom"), r.able.process); refused {
		part.Gaps = append(part.Gaps, gap)
	}
	if gap, missing := r.able.historyGap(q); missing {
		part.Gaps = append(part.Gaps, gap)
	}
	if gap, missing := r.able.metadataGap(q); missing {
		part.Gaps = append(part.Gaps, gap)
	}
}

// readGraph reads who waits for whom, and adds to the totals.
func (r *lockReader) readGraph(ctx context.Context, q *session, part *snapshot.Locks, now time.Time) error {
	var waits []lockWait
	if r.able.process == nil {
		rows, err := q.rowWaits(ctx)
		if err := q.tolerate(&part.Meta, locksJob, needPerformanceSchema("lock waits"), err); err != nil {
			return err
		}
		waits = rows
	}
	if r.able.metadata {
		locks, err := q.metadataLocks(ctx)
		if err != nil {
			return err
		}
		waits = append(waits, metadataWaits(locks)...)
	}
	g, err := r.gather(ctx, q, waits)
	if err != nil {
		return err
	}
	r.count(g, now)
	r.graph = g.graph(now)
	r.report(now)
	return nil
}

// lockState is what outlives the agent.
type lockState struct {
	Epoch   string                        `json:"epoch"`
	Shown   []lockEntry                   `json:"shown"`
	Retired []lockEntry                   `json:"retired"`
	Other   lockSum                       `json:"other"`
	Kinds   map[snapshot.LockKind]float64 `json:"kinds"`
}

type lockEntry struct {
	lockKey
	lockSum
}

// Save implements collectors.Keeper.
func (r *lockReader) Save() (json.RawMessage, error) {
	state := lockState{Epoch: r.epoch, Other: r.ledger.other, Kinds: r.ledger.kinds}
	for key, sum := range r.ledger.shown {
		state.Shown = append(state.Shown, lockEntry{key, sum})
	}
	for key, sum := range r.ledger.retired {
		state.Retired = append(state.Retired, lockEntry{key, sum})
	}
	return json.Marshal(state)
}

// Load implements collectors.Keeper.
func (r *lockReader) Load(saved json.RawMessage) error {
	var state lockState
	if err := json.Unmarshal(saved, &state); err != nil {
		return fmt.Errorf("load lock totals: %w", err)
	}
	r.epoch, r.ledger = state.Epoch, newLockLedger()
	r.ledger.other = state.Other
	maps.Copy(r.ledger.kinds, state.Kinds)
	for _, e := range state.Shown {
		r.ledger.shown[e.lockKey] = e.lockSum
	}
	for _, e := range state.Retired {
		r.ledger.retired[e.lockKey] = e.lockSum
	}
	return nil
}
