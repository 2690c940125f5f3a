package fleet

import (
	"cmp"
	"slices"

	"plimsoll/collectors/snapshot"
)

// minus returns how much a total grew; a total that fell within an epoch is a
// fault of its source, and counts as no growth rather than as a huge one.
func minus[N uint64 | float64](last, first N) N {
	if last < first {
		return 0
	}
	return last - first
}

func statusWindow(first, last *snapshot.Status, w Window) *StatusWindow {
	out := &StatusWindow{Window: w, Delta: map[string]float64{}, Now: last.Values}
	for name, v := range last.Values {
		if before, ok := first.Values[name]; ok {
			out.Delta[name] = minus(v, before)
		}
	}
	return out
}

// digestWindow returns nil for copies in which the server did not let its
// statements be counted: it then has no rows, and none for those without a place.
// What a slow log alone shows of the slow ones is no load either.
func digestWindow(first, last *snapshot.Digests, w Window) *DigestWindow {
	for _, d := range []*snapshot.Digests{first, last} {
		if d.Partial || len(d.Rows) == 0 && d.Overflow == nil {
			return nil
		}
	}
	type key struct{ schema, fingerprint string }
	before := make(map[key]snapshot.DigestTotals, len(first.Rows))
	for _, d := range first.Rows {
		before[key{d.Schema, d.Fingerprint}] = d.DigestTotals
	}
	texts := make(map[string]snapshot.DigestText, len(last.Texts))
	for _, t := range last.Texts {
		texts[t.Fingerprint] = t
	}
	out := &DigestWindow{Window: w}
	for _, d := range last.Rows {
		grown := d.DigestTotals.Minus(before[key{d.Schema, d.Fingerprint}])
		if grown.Calls == 0 {
			continue
		}
		out.Rows = append(out.Rows, digest(d, grown, texts[d.Fingerprint]))
		out.Total = out.Total.Plus(grown)
	}
	out.Overflow = overflow(first, last)
	out.Total = out.Total.Plus(out.Overflow)
	slices.SortFunc(out.Rows, func(a, b Digest) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.Schema, b.Schema))
	})
	return out
}

func digest(d snapshot.Digest, grown snapshot.DigestTotals, text snapshot.DigestText) Digest {
	return Digest{
		Fingerprint: d.Fingerprint, Schema: d.Schema, Aliases: d.Aliases,
		Text: text.Text, Class: text.Class, Reads: text.Reads, Writes: text.Writes,
		Truncated: text.Truncated, Own: text.Own, DigestTotals: grown,
	}
}

func overflow(first, last *snapshot.Digests) snapshot.DigestTotals {
	if last.Overflow == nil {
		return snapshot.DigestTotals{}
	}
	if first.Overflow == nil {
		return *last.Overflow
	}
	return last.Overflow.Minus(*first.Overflow)
}

func coverageWindow(first, last *snapshot.Coverage, w Window) *CoverageWindow {
	out := &CoverageWindow{
		Window:             w,
		Statements:         minus(last.Statements, first.Statements),
		Digested:           minus(last.Digested, first.Digested),
		PreparedExecutions: minus(last.PreparedExecutions, first.PreparedExecutions),
		PreparedHidden:     last.PreparedHidden,
		PreparedLogged:     minus(last.PreparedLogged, first.PreparedLogged),
	}
	hidden, all := difference(first.HiddenSeconds, last.HiddenSeconds), difference(first.Seconds, last.Seconds)
	if hidden != nil && all != nil && *all > 0 {
		ratio := min(*hidden / *all, 1)
		out.HiddenRatio = &ratio
	}
	return out
}

func lockWindow(first, last *snapshot.Locks, w Window) *LockWindow {
	type key struct {
		kind                                  snapshot.LockKind
		schema, table, index, blocker, waiter string
	}
	of := func(t snapshot.LockTotal) key {
		return key{t.Kind, t.Schema, t.Table, t.Index, t.Blocker, t.Waiter}
	}
	before := map[key]snapshot.LockTotal{}
	for _, t := range first.Totals {
		before[of(t)] = t
	}
	out := &LockWindow{
		Window:         w,
		RowLockWaits:   minus(last.RowLockWaits, first.RowLockWaits),
		RowLockSeconds: minus(last.RowLockSeconds, first.RowLockSeconds),
	}
	for _, t := range last.Totals {
		past, listed := before[of(t)]
		if !listed {
			past.Waits, past.Seconds = t.PastWaits, t.PastSeconds
		}
		t.Waits, t.Seconds = minus(t.Waits, past.Waits), minus(t.Seconds, past.Seconds)
		t.PastWaits, t.PastSeconds = 0, 0
		if t.Seconds > 0 || t.Waits > 0 {
			out.Totals = append(out.Totals, t)
		}
	}
	slices.SortStableFunc(out.Totals, func(a, b snapshot.LockTotal) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return out
}

func transactionWindow(first, last *snapshot.Transactions, w Window) *TransactionWindow {
	out := &TransactionWindow{Window: w, Isolation: map[string]uint64{}}
	out.LargestRows, out.Largest = largest(first, last)
	for level, n := range last.Isolation {
		out.Isolation[level] = minus(n, first.Isolation[level])
	}
	if a, b := first.Reads, last.Reads; a != nil && b != nil {
		out.Reads = &snapshot.ReadSamples{Outside: minus(b.Outside, a.Outside), Inside: minus(b.Inside, a.Inside)}
	}
	before := map[float64]uint64{}
	for _, b := range first.Ages {
		before[b.UpToSeconds] = b.Count
	}
	for _, b := range last.Ages {
		out.Ages = append(out.Ages, snapshot.Bucket{UpToSeconds: b.UpToSeconds, Count: minus(b.Count, before[b.UpToSeconds])})
	}
	if a, b := first.Chatter, last.Chatter; a != nil && b != nil {
		out.Chatter = &snapshot.Chatter{
			Writes: minus(b.Writes, a.Writes), Explicit: minus(b.Explicit, a.Explicit),
			Commits: difference(a.Commits, b.Commits), SingleWrites: difference(a.SingleWrites, b.SingleWrites),
			SingleWritesLeast: difference(a.SingleWritesLeast, b.SingleWritesLeast),
		}
	}
	return out
}

// largest is the record of the epoch if it was set within the window, and else
// the largest transaction that is open now: an old record must not be found for
// ever.
func largest(first, last *snapshot.Transactions) (*uint64, *snapshot.Transaction) {
	if last.LargestRows == nil || first.LargestRows == nil || *last.LargestRows > *first.LargestRows {
		return last.LargestRows, last.Largest
	}
	var most snapshot.Transaction
	for _, t := range last.Longest {
		if t.RowsModified > most.RowsModified {
			most = t
		}
	}
	if most.RowsModified == 0 {
		return new(uint64), nil
	}
	return &most.RowsModified, &most
}

func deadlockWindow(first, last *snapshot.Deadlocks, w Window) *DeadlockWindow {
	total := difference(first.Total, last.Total)
	if total == nil {
		return nil
	}
	type key struct{ a, b string }
	before := map[key]uint64{}
	for _, p := range first.Pairs {
		before[key{p.A, p.B}] = p.Count
	}
	out := &DeadlockWindow{Window: w, Total: *total, Timeouts: difference(first.Timeouts, last.Timeouts), Last: last.Last}
	for _, p := range last.Pairs {
		if p.Count = minus(p.Count, before[key{p.A, p.B}]); p.Count > 0 {
			out.Pairs = append(out.Pairs, p)
		}
	}
	return out
}

func useWindow(first, last *snapshot.Use, w Window) *UseWindow {
	type key struct{ schema, table string }
	before := map[key]snapshot.TableUse{}
	for _, t := range first.Tables {
		before[key{t.Schema, t.Table}] = t
	}
	out := &UseWindow{Window: w, Since: last}
	for _, t := range last.Tables {
		b := before[key{t.Schema, t.Table}]
		out.Tables = append(out.Tables, snapshot.TableUse{
			Schema: t.Schema, Table: t.Table,
			Reads: minus(t.Reads, b.Reads), Inserts: minus(t.Inserts, b.Inserts),
			Updates: minus(t.Updates, b.Updates), Deletes: minus(t.Deletes, b.Deletes),
			ScanReads: difference(b.ScanReads, t.ScanReads), Seconds: difference(b.Seconds, t.Seconds),
		})
	}
	return out
}

func binlogWindow(first, last *snapshot.Binlog, w Window) *BinlogWindow {
	use, disk := difference(first.CacheUse, last.CacheUse), difference(first.CacheDiskUse, last.CacheDiskUse)
	if use == nil || disk == nil {
		return nil
	}
	return &BinlogWindow{Window: w, CacheUse: *use, CacheDiskUse: *disk}
}

func machineWindow(first, last *snapshot.Machine, w Window) *MachineWindow {
	busy, total := cpuSeconds(first.CPU, last.CPU)
	out := &MachineWindow{Window: w, Disks: diskWindows(first, last, w.Seconds()), Mounts: mountWindows(first, last, w.Seconds())}
	if total > 0 {
		out.CPUBusyRatio = busy / total
		out.StealRatio = minus(last.CPU.Steal, first.CPU.Steal) / total
		out.IOWaitRatio = minus(last.CPU.IOWait, first.CPU.IOWait) / total
	}
	return out
}

// cpuSeconds returns the time in which processors worked, and all time. Stolen
// time is in neither part of "busy": the host could not have used it.
func cpuSeconds(first, last snapshot.CPUTime) (busy, total float64) {
	busy = minus(last.User, first.User) + minus(last.Nice, first.Nice) + minus(last.System, first.System) +
		minus(last.IRQ, first.IRQ) + minus(last.SoftIRQ, first.SoftIRQ)
	idle := minus(last.Idle, first.Idle) + minus(last.IOWait, first.IOWait) + minus(last.Steal, first.Steal)
	return busy, busy + idle
}

func diskWindows(first, last *snapshot.Machine, seconds float64) []DiskWindow {
	before := map[string]snapshot.Disk{}
	for _, d := range first.Disks {
		before[d.Device] = d
	}
	var out []DiskWindow
	for _, d := range last.Disks {
		b, ok := before[d.Device]
		if !ok {
			continue
		}
		out = append(out, DiskWindow{
			Device: d.Device, BusyRatio: min(minus(d.BusySeconds, b.BusySeconds)/seconds, 1),
			ReadsPerSecond: float64(minus(d.Reads, b.Reads)) / seconds,
			ReadLatency:    mean(minus(d.ReadSeconds, b.ReadSeconds), minus(d.Reads, b.Reads)),
			WriteLatency:   mean(minus(d.WriteSeconds, b.WriteSeconds), minus(d.Writes, b.Writes)),
		})
	}
	return out
}

func mountWindows(first, last *snapshot.Machine, seconds float64) []MountWindow {
	before := map[string]snapshot.Mount{}
	for _, m := range first.Mounts {
		before[m.Path] = m
	}
	var out []MountWindow
	for _, m := range last.Mounts {
		mw := MountWindow{Mount: m}
		if b := before[m.Path]; b.AvailableBytes != nil && m.AvailableBytes != nil {
			growth := (float64(*b.AvailableBytes) - float64(*m.AvailableBytes)) / seconds
			mw.GrowthBytesPerSecond = &growth
		}
		out = append(out, mw)
	}
	return out
}

// difference is minus for totals that may be unknown.
func difference[N uint64 | float64](first, last *N) *N {
	if first == nil || last == nil {
		return nil
	}
	d := minus(*last, *first)
	return &d
}

func mean(sum float64, n uint64) *float64 {
	if n == 0 {
		return nil
	}
	m := sum / float64(n)
	return &m
}
