package mysql

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"plimsoll/collectors/snapshot"
)

// gathered is one reading of who waits for whom, with what is known of those
// who do.
type gathered struct {
	able         *abilities
	chains       []chain
	sessions     map[uint64]sessionState
	transactions map[uint64]openTransaction // by connection
	culprits     []culprit                  // of each chain
}

// maxCulprits is how many blockers' histories are read at a time.
const maxCulprits = 10

// gather reads what the sessions of the waits do.
func (r *lockReader) gather(ctx context.Context, q *session, waits []lockWait) (*gathered, error) {
	g := &gathered{able: r.able, chains: chains(waits), transactions: map[uint64]openTransaction{}}
	if len(g.chains) == 0 {
		return g, nil
	}
	connections := connectionsOf(waits)
	var err error
	if g.sessions, err = q.sessions(ctx, connections); err != nil {
		return nil, err
	}
	if r.able.process == nil {
		marks, args := inList(connections)
		open, err := q.transactions(ctx, fmt.Sprintf(transactionsByConnection, marks), args...)
		if err != nil {
			return nil, err
		}
		for _, t := range open {
			g.transactions[t.connection] = t
		}
	}
	return g, g.readCulprits(ctx, q)
}

// readCulprits finds the statement behind each chain, for the blockers with the
// most waiters.
func (g *gathered) readCulprits(ctx context.Context, q *session) error {
	histories := map[uint64][]pastStatement{}
	roots := g.busiestRoots()
	if g.able.history {
		var err error
		if histories, err = q.histories(ctx, roots); err != nil {
			return err
		}
	}
	for _, c := range g.chains {
		switch {
		case !g.able.history:
			g.culprits = append(g.culprits, culprit{unknown: "the server keeps no history of statements"})
		case !slices.Contains(roots, c.root):
			g.culprits = append(g.culprits, culprit{unknown: "too many sessions block others at once"})
		case c.event > 0:
			g.culprits = append(g.culprits, g.able.byEvent(histories[c.root], c.event))
		default:
			g.culprits = append(g.culprits, g.able.byTransaction(histories[c.root], c.taken, g.age(c.root)))
		}
	}
	return nil
}

func (g *gathered) busiestRoots() []uint64 {
	waiters := map[uint64]int{}
	var roots []uint64
	for _, c := range g.chains {
		if waiters[c.root]++; waiters[c.root] == 1 {
			roots = append(roots, c.root)
		}
	}
	slices.SortStableFunc(roots, func(a, b uint64) int { return cmp.Compare(waiters[b], waiters[a]) })
	return roots[:min(len(roots), maxCulprits)]
}

// age is that of a session's transaction.
func (g *gathered) age(connection uint64) *float64 {
	t, found := g.transactions[connection]
	return optional(t.seconds, found)
}

// blockerKey tells blockers apart: one session can hold up others by several
// statements.
type blockerKey struct {
	connection uint64
	culprit    string
}

func (g *gathered) key(i int) blockerKey {
	key := blockerKey{connection: g.chains[i].root}
	if s := g.culprits[i].statement; s != nil {
		key.culprit = s.Fingerprint
	}
	return key
}

// graph is nil if nobody waits.
func (g *gathered) graph(now time.Time) *snapshot.LockGraph {
	graph := &snapshot.LockGraph{Time: now}
	index := map[blockerKey]int{}
	for i, c := range g.chains {
		at, found := index[g.key(i)]
		if !found {
			at = len(graph.Blockers)
			index[g.key(i)] = at
			graph.Blockers = append(graph.Blockers, g.blocker(c.root, g.culprits[i]))
		}
		b := &graph.Blockers[at]
		b.Waiters = append(b.Waiters, g.waiter(c))
	}
	if len(graph.Blockers) == 0 {
		return nil
	}
	slices.SortStableFunc(graph.Blockers, func(a, b snapshot.Blocker) int {
		return cmp.Compare(len(b.Waiters), len(a.Waiters))
	})
	return graph
}

func (g *gathered) blocker(connection uint64, why culprit) snapshot.Blocker {
	b := snapshot.Blocker{
		Connection: connection, Culprit: why.statement, Unknown: why.unknown, Candidates: why.candidates,
		TransactionSeconds: g.age(connection),
	}
	if s, found := g.sessions[connection]; found && s.idle {
		b.IdleSeconds = &s.lasted
	}
	if t, found := g.transactions[connection]; found {
		b.RowsLocked = &t.locked
	}
	return b
}

func (g *gathered) waiter(c chain) snapshot.Waiter {
	return snapshot.Waiter{
		Connection: c.waiter, Kind: c.lock.Kind, Schema: c.lock.Schema, Table: c.lock.Table, Index: c.lock.Index,
		Statement: g.able.statement(g.textOf(c.waiter)), Seconds: g.waited(c),
	}
}

// textOf prefers the process list, which cuts later than InnoDB.
func (g *gathered) textOf(connection uint64) string {
	return cmp.Or(g.sessions[connection].text, g.transactions[connection].text)
}

// waited is how long a session has waited; metadata locks have no time of their
// own, and are asked for at the statement's begin.
func (g *gathered) waited(c chain) float64 {
	if c.lock.Kind == snapshot.LockMetadata {
		return g.sessions[c.waiter].lasted
	}
	return g.transactions[c.waiter].waited
}

// count adds what was waited since the last reading. A waiter behind several
// blockers waited once, and counts with the first.
func (r *lockReader) count(g *gathered, now time.Time) {
	waiting := map[uint64]float64{}
	for _, c := range g.chains {
		waiting[c.waiter] = g.waited(c)
	}
	fresh := r.meter.measure(now, waiting)
	for i, c := range g.chains {
		sum, found := fresh[c.waiter]
		if !found {
			continue
		}
		delete(fresh, c.waiter)
		key := lockKey{lockName: c.lock, Blocker: g.key(i).culprit}
		if s := g.able.statement(g.textOf(c.waiter)); s != nil {
			key.Waiter = s.Fingerprint
		}
		r.ledger.add(key, sum)
	}
}

// report makes an event of each blocker once, when it first held somebody up
// for a second.
func (r *lockReader) report(now time.Time) {
	if r.graph == nil {
		return
	}
	for _, b := range r.graph.Blockers {
		key := blockerKey{connection: b.Connection}
		if b.Culprit != nil {
			key.culprit = b.Culprit.Fingerprint
		}
		longest := longestWaiter(b)
		if r.reported[key] || longest.Seconds < 1 {
			continue
		}
		r.reported[key] = true
		kind := snapshot.EventLockWait
		if longest.Kind == snapshot.LockMetadata {
			kind = snapshot.EventMetadataLock
		}
		r.events = append(r.events, snapshot.Event{
			Time: now, Server: r.server.cfg.Name, Kind: kind,
			Summary: fmt.Sprintf("connection %d holds up %d sessions, one for %.0f s, by a %s lock%s",
				b.Connection, len(b.Waiters), longest.Seconds, longest.Kind, onTable(longest.Schema, longest.Table)),
			Locks: &snapshot.LockGraph{Time: now, Blockers: []snapshot.Blocker{b}},
		})
	}
}

func longestWaiter(b snapshot.Blocker) snapshot.Waiter {
	return slices.MaxFunc(b.Waiters, func(a, b snapshot.Waiter) int { return cmp.Compare(a.Seconds, b.Seconds) })
}

// onTable names a table in a sentence, if there is one.
func onTable(schema, table string) string {
	switch {
	case schema == "":
		return ""
	case table == "":
		return " on " + schema
	}
	return " on " + schema + "." + table
}
