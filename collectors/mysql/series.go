package mysql

import (
	"cmp"
	"slices"

	"plimsoll/collectors/snapshot"
)

const (
	// maxSeries is how many statements of a server have series of their own.
	maxSeries = 100
	// maxChanges is how many may come or go in one interval: every new label
	// costs the database of series more than a sample does.
	maxChanges = 10
	// quietIntervals is how many intervals outside the leading statements end a
	// series: a job that runs every other minute keeps its own.
	quietIntervals = 3
)

// Fingerprints of the series that hold what has none of its own.
const (
	seriesOther    = "other"
	seriesOverflow = "overflow"
)

// seriesState is the series of a group. shown never falls: it goes on at its
// old value when the group comes back.
type seriesState struct {
	exposed bool
	quiet   int
	shown   sums
}

// expose books the deltas of the active groups to their series, and decides
// who has one in the next interval.
//
// What a group counts in the interval in which it comes or goes belongs to
// other: its own series then begins with a sample at which nothing was counted,
// so that no rate misses anything, and the increases of all series together
// are exactly what the server counted.
func (l *ledger) expose(active []*digestGroup) {
	slices.SortFunc(active, func(a, b *digestGroup) int {
		return cmp.Or(cmp.Compare(b.delta[sumTime], a.delta[sumTime]), a.compare(b.groupKey))
	})
	leading := active[:min(len(active), maxSeries)]
	entering, leaving := l.rotate(leading)
	for _, g := range leaving {
		g.series.exposed = false
	}
	for _, g := range active {
		if g.series.exposed {
			g.series.shown.add(&g.delta)
		} else {
			l.other.add(&g.delta)
		}
		g.delta = sums{}
	}
	for _, g := range entering {
		g.series.exposed = true
	}
}

// rotate returns who comes and who goes, maxChanges at most. A place is made
// for a leading group before a quiet one goes without need.
func (l *ledger) rotate(leading []*digestGroup) (entering, leaving []*digestGroup) {
	quiet, exposed := l.quiet(leading)
	changes := 0
	for _, g := range leading {
		if g.series.exposed {
			continue
		}
		if exposed == maxSeries {
			if len(quiet) == 0 || changes+2 > maxChanges {
				break
			}
			leaving, quiet = append(leaving, quiet[0]), quiet[1:]
			exposed--
			changes++
		}
		if changes == maxChanges {
			break
		}
		entering = append(entering, g)
		exposed++
		changes++
	}
	room := min(len(quiet), maxChanges-changes)
	return entering, append(leaving, quiet[:room]...)
}

// quiet counts the quiet intervals of everyone exposed. It returns those who
// may go, the longest quiet first, and how many are exposed.
func (l *ledger) quiet(leading []*digestGroup) (quiet []*digestGroup, exposed int) {
	leads := make(map[*digestGroup]bool, len(leading))
	for _, g := range leading {
		leads[g] = true
	}
	for _, g := range l.groups {
		if !g.series.exposed {
			continue
		}
		exposed++
		g.series.quiet++
		if leads[g] {
			g.series.quiet = 0
		}
		if g.series.quiet >= quietIntervals {
			quiet = append(quiet, g)
		}
	}
	slices.SortFunc(quiet, func(a, b *digestGroup) int {
		return cmp.Or(cmp.Compare(b.series.quiet, a.series.quiet), a.compare(b.groupKey))
	})
	return quiet, exposed
}

// series returns the accumulators of everyone exposed, by fingerprint, then
// other and overflow.
func (l *ledger) series() []snapshot.DigestSeries {
	var groups []*digestGroup
	for _, g := range l.groups {
		if g.series.exposed {
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, func(a, b *digestGroup) int { return a.compare(b.groupKey) })
	out := make([]snapshot.DigestSeries, 0, len(groups)+2)
	for _, g := range groups {
		out = append(out, snapshot.DigestSeries{Fingerprint: g.fingerprint, Schema: g.schema, DigestTotals: g.series.shown.totals(l.cpu)})
	}
	return append(out,
		snapshot.DigestSeries{Fingerprint: seriesOther, DigestTotals: l.other.totals(l.cpu)},
		snapshot.DigestSeries{Fingerprint: seriesOverflow, DigestTotals: l.overflow.totals(l.cpu)})
}
