package mysql

import (
	"cmp"
	"slices"

	"plimsoll/collectors/snapshot"
)

// lockWait is one session that waits for a lock which another holds, or has
// asked for before.
type lockWait struct {
	waiter, blocker uint64 // connections
	lock            lockName
	// event is the blocker's event that took the lock, 0 if the server does not
	// say; statements with lower numbers came before.
	event uint64
}

// lockName is what is waited for.
type lockName struct {
	Kind   snapshot.LockKind `json:"kind"`
	Schema string            `json:"schema"`
	Table  string            `json:"table"`
	Index  string            `json:"index,omitempty"`
}

// chain is a waiter with the session at the root of its wait.
type chain struct {
	waiter, root uint64
	// lock is what the waiter waits for. taken is what the root was asked for
	// first, and event when it took that: the same unless others stand between.
	lock  lockName
	taken lockName
	event uint64
}

// chains reduces a wait graph to its roots. A server lists a waiter behind
// everyone who holds or wants the lock, so that in a queue of three the second
// looks like a blocker of the third. A session that itself waits holds nobody
// up by its own doing: such edges are followed to whoever waits for nobody, and
// dropped where there is a direct edge to one. A waiter has one chain for each
// root; in a cycle there is none.
func chains(waits []lockWait) []chain {
	edges := map[uint64][]lockWait{}
	for _, w := range waits {
		if w.waiter != w.blocker {
			edges[w.waiter] = append(edges[w.waiter], w)
		}
	}
	var out []chain
	for waiter, own := range edges {
		for _, last := range rootEdges(edges, waiter) {
			out = append(out, chain{
				waiter: waiter, root: last.blocker, lock: own[0].lock, taken: last.lock, event: last.event,
			})
		}
	}
	slices.SortFunc(out, func(a, b chain) int {
		return cmp.Or(cmp.Compare(a.root, b.root), cmp.Compare(a.waiter, b.waiter))
	})
	return out
}

// rootEdges are the edges, from waiter or the nearest of those it waits behind,
// that lead to sessions which wait for nobody; one a session.
func rootEdges(edges map[uint64][]lockWait, waiter uint64) []lockWait {
	seen := map[uint64]bool{waiter: true}
	for level := []uint64{waiter}; len(level) > 0; {
		var found []lockWait
		var next []uint64
		for _, session := range level {
			for _, e := range edges[session] {
				if _, waits := edges[e.blocker]; !waits {
					found = append(found, e)
				} else if !seen[e.blocker] {
					seen[e.blocker] = true
					next = append(next, e.blocker)
				}
			}
		}
		if len(found) > 0 {
			slices.SortStableFunc(found, func(a, b lockWait) int { return cmp.Compare(a.blocker, b.blocker) })
			return slices.CompactFunc(found, func(a, b lockWait) bool { return a.blocker == b.blocker })
		}
		level = next
	}
	return nil
}
