package mysql

import (
	"cmp"
	"slices"
	"time"

	"plimsoll/collectors/snapshot"
)

// lockKey is what waiting time is summed by.
type lockKey struct {
	lockName
	Blocker string `json:"blocker,omitempty"` // fingerprint
	Waiter  string `json:"waiter,omitempty"`  // fingerprint
}

// lockSum is the waiting time of one key.
type lockSum struct {
	Waits   uint64    `json:"waits"`
	Seconds float64   `json:"seconds"`
	Last    time.Time `json:"last"`
	// PastWaits and PastSeconds are what there was when the key last came back
	// to its place.
	PastWaits   uint64  `json:"past_waits,omitempty"`
	PastSeconds float64 `json:"past_seconds,omitempty"`
}

func (s *lockSum) add(other lockSum) {
	s.Waits += other.Waits
	s.Seconds += other.Seconds
	s.Last = other.Last
}

// lockLedger sums waiting time. No sum ever falls: what finds all places taken
// goes to other, and a key that gave up its place goes on at its old value when
// it comes back.
type lockLedger struct {
	shown, retired map[lockKey]lockSum
	other          lockSum
	kinds          map[snapshot.LockKind]float64
}

func newLockLedger() lockLedger {
	return lockLedger{
		shown: map[lockKey]lockSum{}, retired: map[lockKey]lockSum{}, kinds: map[snapshot.LockKind]float64{},
	}
}

const (
	// quietLock is how long a key must have been quiet to give up its place.
	quietLock = time.Hour
	// maxRetired is how many keys are remembered that have no place. No more
	// than that give one up, since what is forgotten would start again at zero.
	maxRetired = 500
)

func (l *lockLedger) add(key lockKey, sum lockSum) {
	l.kinds[key.Kind] += sum.Seconds
	known, found := l.shown[key]
	if !found && !l.makeRoom(sum.Last) {
		l.other.add(sum)
		return
	}
	if !found {
		known = l.retired[key]
		known.PastWaits, known.PastSeconds = known.Waits, known.Seconds
		delete(l.retired, key)
	}
	known.add(sum)
	l.shown[key] = known
}

// makeRoom reports whether there is a place, retiring the quietest key if it
// has to. One place is for other.
func (l *lockLedger) makeRoom(now time.Time) bool {
	if len(l.shown) < snapshot.MaxLockTotals-1 {
		return true
	}
	quietest := oldest(l.shown)
	if now.Sub(l.shown[quietest].Last) < quietLock || len(l.retired) == maxRetired {
		return false
	}
	l.retired[quietest] = l.shown[quietest]
	delete(l.shown, quietest)
	return true
}

func oldest(sums map[lockKey]lockSum) lockKey {
	var key lockKey
	first := true
	for k, s := range sums {
		if first || s.Last.Before(sums[key].Last) {
			key, first = k, false
		}
	}
	return key
}

func (l *lockLedger) totals() []snapshot.LockTotal {
	var out []snapshot.LockTotal
	for key, sum := range l.shown {
		out = append(out, snapshot.LockTotal{
			Kind: key.Kind, Schema: key.Schema, Table: key.Table, Index: key.Index,
			Blocker: key.Blocker, Waiter: key.Waiter, Waits: sum.Waits, Seconds: sum.Seconds,
			PastWaits: sum.PastWaits, PastSeconds: sum.PastSeconds,
		})
	}
	slices.SortFunc(out, func(a, b snapshot.LockTotal) int {
		return cmp.Or(
			-cmp.Compare(a.Seconds, b.Seconds), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Schema, b.Schema),
			cmp.Compare(a.Table, b.Table), cmp.Compare(a.Index, b.Index),
			cmp.Compare(a.Blocker, b.Blocker), cmp.Compare(a.Waiter, b.Waiter),
		)
	})
	if l.other.Waits > 0 {
		out = append(out, snapshot.LockTotal{Kind: snapshot.LockOther, Waits: l.other.Waits, Seconds: l.other.Seconds})
	}
	return out
}

// waitSeconds is the sum of each kind, also of those not seen yet: a series
// should begin at zero.
func (l *lockLedger) waitSeconds() map[snapshot.LockKind]float64 {
	out := map[snapshot.LockKind]float64{}
	for _, kind := range []snapshot.LockKind{
		snapshot.LockRecord, snapshot.LockGap, snapshot.LockTable, snapshot.LockMetadata,
	} {
		out[kind] = l.kinds[kind]
	}
	return out
}

// waitMeter turns what a waiter has waited so far into what is new of it.
type waitMeter struct {
	at      time.Time
	waiting map[uint64]float64 // by connection, at that time
}

// measure returns the new seconds of each waiter, and whether its wait is new. A
// session waits for one lock at a time: it still waits for the one of the last
// look if it has waited since before then.
func (m *waitMeter) measure(now time.Time, waiting map[uint64]float64) map[uint64]lockSum {
	elapsed := now.Sub(m.at).Seconds()
	fresh := make(map[uint64]lockSum, len(waiting))
	for connection, seconds := range waiting {
		counted, known := m.waiting[connection]
		if known && seconds >= elapsed {
			fresh[connection] = lockSum{Seconds: max(seconds-counted, 0), Last: now}
		} else {
			fresh[connection] = lockSum{Waits: 1, Seconds: seconds, Last: now}
		}
	}
	m.at, m.waiting = now, waiting
	return fresh
}
