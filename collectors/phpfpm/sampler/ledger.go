package sampler

import (
	"slices"
	"time"

	"plimsoll/collectors/snapshot"
)

// ledger keeps the accounts of all pools with one name and address. It outlives their masters.
type ledger struct {
	name, server string
	version      string
	tested       bool
	batch        *batch
	book         *book
	pace         pace
	routes       routes
	memory       memoryUse

	requests  uint64
	durations map[float64]uint64
	// children is how many workers there may be, workers how many there are, busy how many have a request.
	children, workers, busy int
	maxBusy                 int
	saturatedSeconds        float64
	// closed is what was known when accounts were last closed: all of it is of one moment.
	closed snapshot.PoolProfile
}

func newLedger(name, server string) *ledger {
	l := &ledger{name: name, server: server, batch: newBatch(), book: newBook(), durations: map[float64]uint64{}}
	l.closed = l.profile()
	return l
}

// durationBounds are the upper bounds of the histogram of durations, in seconds. The last one is for all that
// takes longer, so that it is a number in JSON.
func durationBounds() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 3600}
}

// end books requests that ended.
func (l *ledger) end(e ending, by draw) {
	l.batch.end(e, by)
	n := uint64(e.count)
	l.requests += n
	bounds := durationBounds()
	i, _ := slices.BinarySearch(bounds, e.duration)
	l.durations[bounds[min(i, len(bounds)-1)]] += n
}

// count notes how many workers there are now, of all pools of the ledger, and for how long none was free.
func (l *ledger) count(children, workers, busy int, dt time.Duration) {
	l.children, l.workers, l.busy = children, workers, busy
	l.maxBusy = max(l.maxBusy, busy)
	if children > 0 && busy >= children {
		l.saturatedSeconds += seconds(dt)
	}
}

func (l *ledger) histogram() []snapshot.Bucket {
	var all []snapshot.Bucket
	for _, bound := range durationBounds() {
		if n := l.durations[bound]; n > 0 {
			all = append(all, snapshot.Bucket{UpToSeconds: bound, Count: n})
		}
	}
	return all
}
