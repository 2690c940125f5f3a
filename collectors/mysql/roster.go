package mysql

import (
	"cmp"
	"slices"
)

const (
	// maxChanges is how many members may come or go in one interval: every new
	// label costs the database of series more than a sample does.
	maxChanges = 10
	// quietIntervals is how many intervals outside the leading ones end a
	// membership: a job that runs every other minute keeps its series.
	quietIntervals = 3
)

// roster is who has a series of its own. What a member counts in the interval
// in which it comes or goes belongs to the series "other": its own then begins
// with a sample at which nothing was counted, so that no rate misses anything,
// and the increases of all series together are exactly what was counted.
type roster[K comparable] struct {
	// quiet has every member, with how many intervals it has not led.
	quiet map[K]int
	size  int
	order func(a, b K) int
}

func newRoster[K comparable](size int, order func(a, b K) int) roster[K] {
	return roster[K]{quiet: map[K]int{}, size: size, order: order}
}

func (r *roster[K]) has(key K) bool { _, member := r.quiet[key]; return member }

// turn begins an interval in which active counted something, the leading ones
// first. Those who go are members no more when it returns; those who come are
// returned, and are to be admitted when the interval is booked.
func (r *roster[K]) turn(active []K) (coming []K) {
	leading := active[:min(len(active), r.size)]
	going := r.tired(leading)
	changes := 0
	dismiss := func() {
		delete(r.quiet, going[0])
		going = going[1:]
		changes++
	}
	for _, key := range leading {
		if r.has(key) {
			continue
		}
		full := len(r.quiet)+len(coming) >= r.size
		if full && (len(going) == 0 || changes+2 > maxChanges) {
			break
		}
		if full {
			dismiss()
		}
		if changes == maxChanges {
			break
		}
		coming = append(coming, key)
		changes++
	}
	for len(going) > 0 && changes < maxChanges {
		dismiss()
	}
	return coming
}

// admit makes members of those who came.
func (r *roster[K]) admit(coming []K) {
	for _, key := range coming {
		r.quiet[key] = 0
	}
}

// tired counts the quiet intervals of every member, and returns those who may
// go, the longest quiet first.
func (r *roster[K]) tired(leading []K) (going []K) {
	leads := make(map[K]bool, len(leading))
	for _, key := range leading {
		leads[key] = true
	}
	for key := range r.quiet {
		r.quiet[key]++
		if leads[key] {
			r.quiet[key] = 0
		}
		if r.quiet[key] >= quietIntervals {
			going = append(going, key)
		}
	}
	slices.SortFunc(going, func(a, b K) int {
		return cmp.Or(cmp.Compare(r.quiet[b], r.quiet[a]), r.order(a, b))
	})
	return going
}

// members returns all of them, in order.
func (r *roster[K]) members() []K {
	keys := make([]K, 0, len(r.quiet))
	for key := range r.quiet {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, r.order)
	return keys
}
