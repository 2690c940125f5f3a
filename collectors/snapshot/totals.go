package snapshot

// Plus returns the sum of t and o. Processor time that only one of them knows
// is taken as it is.
func (t DigestTotals) Plus(o DigestTotals) DigestTotals {
	return DigestTotals{
		Calls:         t.Calls + o.Calls,
		Seconds:       t.Seconds + o.Seconds,
		LockSeconds:   t.LockSeconds + o.LockSeconds,
		CPUSeconds:    plus(t.CPUSeconds, o.CPUSeconds),
		Errors:        t.Errors + o.Errors,
		Warnings:      t.Warnings + o.Warnings,
		RowsAffected:  t.RowsAffected + o.RowsAffected,
		RowsSent:      t.RowsSent + o.RowsSent,
		RowsExamined:  t.RowsExamined + o.RowsExamined,
		TmpTables:     t.TmpTables + o.TmpTables,
		TmpDiskTables: t.TmpDiskTables + o.TmpDiskTables,
		FullJoins:     t.FullJoins + o.FullJoins,
		FullScans:     t.FullScans + o.FullScans,
		NoIndexUsed:   t.NoIndexUsed + o.NoIndexUsed,
		NoGoodIndex:   t.NoGoodIndex + o.NoGoodIndex,
		SortRows:      t.SortRows + o.SortRows,
		SortMerges:    t.SortMerges + o.SortMerges,
	}
}

// Minus returns how much t grew since o. A total that fell counts as no growth
// rather than as a huge one.
func (t DigestTotals) Minus(o DigestTotals) DigestTotals {
	return DigestTotals{
		Calls:         minus(t.Calls, o.Calls),
		Seconds:       minus(t.Seconds, o.Seconds),
		LockSeconds:   minus(t.LockSeconds, o.LockSeconds),
		CPUSeconds:    minusKnown(t.CPUSeconds, o.CPUSeconds),
		Errors:        minus(t.Errors, o.Errors),
		Warnings:      minus(t.Warnings, o.Warnings),
		RowsAffected:  minus(t.RowsAffected, o.RowsAffected),
		RowsSent:      minus(t.RowsSent, o.RowsSent),
		RowsExamined:  minus(t.RowsExamined, o.RowsExamined),
		TmpTables:     minus(t.TmpTables, o.TmpTables),
		TmpDiskTables: minus(t.TmpDiskTables, o.TmpDiskTables),
		FullJoins:     minus(t.FullJoins, o.FullJoins),
		FullScans:     minus(t.FullScans, o.FullScans),
		NoIndexUsed:   minus(t.NoIndexUsed, o.NoIndexUsed),
		NoGoodIndex:   minus(t.NoGoodIndex, o.NoGoodIndex),
		SortRows:      minus(t.SortRows, o.SortRows),
		SortMerges:    minus(t.SortMerges, o.SortMerges),
	}
}

func plus(a, b *float64) *float64 {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	sum := *a + *b
	return &sum
}

func minus[N uint64 | float64](last, first N) N {
	if last < first {
		return 0
	}
	return last - first
}

// minusKnown keeps the processor time of what was not there before.
func minusKnown(last, first *float64) *float64 {
	if last == nil || first == nil {
		return last
	}
	grown := minus(*last, *first)
	return &grown
}
