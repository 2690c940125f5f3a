package mysql

import (
	"cmp"
	"slices"

	"plimsoll/collectors/snapshot"
)

// maxSeries is how many statements of a server have series of their own.
const maxSeries = 100

// Names of the series that hold what has none of its own.
const (
	seriesOther    = "other"
	seriesOverflow = "overflow"
)

// expose books the deltas of the active groups to their series. A group's
// accumulator never falls: it goes on at its old value when the group comes
// back to the roster.
func (l *ledger) expose(active []*digestGroup) {
	slices.SortFunc(active, func(a, b *digestGroup) int {
		return cmp.Or(cmp.Compare(b.delta[sumTime], a.delta[sumTime]), a.compare(b.groupKey))
	})
	keys := make([]groupKey, len(active))
	for i, g := range active {
		keys[i] = g.groupKey
	}
	coming := l.roster.turn(keys)
	for _, g := range active {
		if l.roster.has(g.groupKey) {
			g.shown.add(&g.delta)
		} else {
			l.other.add(&g.delta)
		}
		g.delta = sums{}
	}
	l.roster.admit(coming)
}

// series returns the accumulators of the roster, by fingerprint, then other and
// overflow.
func (l *ledger) series() []snapshot.DigestSeries {
	members := l.roster.members()
	out := make([]snapshot.DigestSeries, 0, len(members)+2)
	for _, key := range members {
		out = append(out, snapshot.DigestSeries{
			Fingerprint: key.fingerprint, Schema: key.schema,
			DigestTotals: l.group(key).shown.totals(l.cpu),
		})
	}
	return append(out,
		snapshot.DigestSeries{Fingerprint: seriesOther, DigestTotals: l.other.totals(l.cpu)},
		snapshot.DigestSeries{Fingerprint: seriesOverflow, DigestTotals: l.overflow.totals(l.cpu)})
}
