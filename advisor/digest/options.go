package digest

import (
	"cmp"
	"slices"

	"plimsoll/collectors/slowlog"
)

// Options say what of the statements is shown. The zero value is all of them by time, without samples.
type Options struct {
	// Version is that of the program.
	Version string
	// Keep says which statements count; nil for all.
	Keep func(*slowlog.Class) bool
	// Sort is the order; ByTime if empty.
	Sort Sort
	// Top is how many are listed; 0 for all.
	Top int
	// Samples is None if empty.
	Samples Samples
	// Plans says whether plans are shown.
	Plans bool
}

// Samples says how much of a sample's text is shown.
type Samples string

// How samples are shown.
const (
	Redacted Samples = "redacted" // without literals
	Full     Samples = "full"     // with literals: the data of customers
	None     Samples = "none"     // not at all
)

// SampleKinds returns all that there are.
func SampleKinds() []Samples { return []Samples{Redacted, Full, None} }

// Sort is a figure to order statements by, the most first.
type Sort string

// The orders.
const (
	ByTime     Sort = "time"
	ByCalls    Sort = "calls"
	ByMean     Sort = "mean"
	ByP50      Sort = "p50"
	ByP95      Sort = "p95"
	ByP99      Sort = "p99"
	ByMax      Sort = "max"
	ByLock     Sort = "lock"      // seconds waited for locks
	ByExamined Sort = "examined"  // rows examined
	BySent     Sort = "sent"      // rows sent
	ByAffected Sort = "affected"  // rows affected
	ByScans    Sort = "scans"     // calls with a full scan
	ByTmpDisk  Sort = "tmp-disk"  // temporary tables on disk
	ByLastSeen Sort = "last-seen" // the latest first
)

// Sorts returns all orders.
func Sorts() []Sort {
	return []Sort{
		ByTime, ByCalls, ByMean, ByP50, ByP95, ByP99, ByMax, ByLock, ByExamined, BySent, ByAffected, ByScans, ByTmpDisk, ByLastSeen,
	}
}

// order sorts statements: what is not known comes last, and of equals what took more time comes first.
func (s Sort) order(queries []Query) {
	slices.SortStableFunc(queries, func(x, y Query) int {
		return cmp.Or(cmp.Compare(s.key(&y), s.key(&x)), cmp.Compare(y.TimeSeconds.Sum, x.TimeSeconds.Sum))
	})
}

// unknownKey is below all figures.
const unknownKey = -1

func (s Sort) key(q *Query) float64 {
	switch s {
	case ByCalls:
		return float64(q.Calls)
	case ByMean:
		return q.TimeSeconds.Mean
	case ByP50:
		return q.TimeSeconds.P50
	case ByP95:
		return q.TimeSeconds.P95
	case ByP99:
		return q.TimeSeconds.P99
	case ByMax:
		return q.TimeSeconds.Max
	case ByLock:
		return lockKey(q.LockSeconds)
	case ByExamined:
		return rowsKey(q.RowsExamined)
	case BySent:
		return rowsKey(q.RowsSent)
	case ByAffected:
		return rowsKey(q.RowsAffected)
	case ByScans:
		return countKey(q.FullScans)
	case ByTmpDisk:
		return countKey(q.TmpDiskTables)
	case ByLastSeen:
		return seenKey(q)
	case ByTime:
	}
	return q.TimeSeconds.Sum
}

func lockKey(w *Waits) float64 {
	if w == nil {
		return unknownKey
	}
	return w.Sum
}

func rowsKey(r *Rows) float64 {
	if r == nil {
		return unknownKey
	}
	return float64(r.Sum)
}

func countKey(n *uint64) float64 {
	if n == nil {
		return unknownKey
	}
	return float64(*n)
}

func seenKey(q *Query) float64 {
	if q.LastSeen == nil {
		return unknownKey
	}
	return float64(q.LastSeen.UnixMicro())
}
