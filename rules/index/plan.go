package index

import "math"

// estimate is what a call takes.
type estimate struct {
	micros, read, out float64
	// few is as few rows as there may be.
	few float64
}

// cost estimates a call with the indexes that its tables have now.
func (q *query) cost(m mode) estimate {
	total := estimate{micros: q.call}
	done := make([]estimate, len(q.blocks))
	for i, b := range q.blocks {
		if b == nil || len(b.occurrences) == 0 {
			continue
		}
		one := b.cost(m)
		times := 1.0
		if b.correlated && b.outer >= 0 && b.outer < i {
			times = max(done[b.outer].out, 1)
		}
		one.micros *= times
		one.read *= times
		done[i] = one
		total.micros += one.micros
		total.read += one.read
	}
	return total
}

// cost estimates one execution of a block: the best order in which its tables are joined, each being
// tried as the first, with the table next that leaves fewest rows.
func (b *block) cost(m mode) estimate {
	found := estimate{micros: math.Inf(1)}
	for _, first := range b.occurrences {
		if first.source.Outer && len(b.occurrences) > 1 && b.hasInner() {
			continue
		}
		cheapest, sorted := first.ways(b.outerMask, m)
		if e := b.finish(b.chain(first, cheapest, m), cheapest, first); e.micros < found.micros {
			found = e
		}
		if sorted != nil && !cheapest.ordered {
			if e := b.finish(b.chain(first, *sorted, m), *sorted, first); e.micros < found.micros {
				found = e
			}
		}
	}
	if math.IsInf(found.micros, 1) {
		return estimate{}
	}
	return found
}

// hasInner reports whether a table can be read first.
func (b *block) hasInner() bool {
	for _, o := range b.occurrences {
		if !o.source.Outer {
			return true
		}
	}
	return false
}

// chain joins the other tables to the first.
func (b *block) chain(first *occurrence, p path, m mode) estimate {
	e := estimate{micros: p.micros, read: p.read, out: max(p.out, minOut), few: max(p.few, minOut)}
	var read uint64 = 1 << first.at
	for range len(b.occurrences) - 1 {
		var next *occurrence
		var after estimate
		for _, o := range b.occurrences {
			if read&(1<<o.at) != 0 {
				continue
			}
			step := o.joined(e, read|b.outerMask, m)
			if next == nil || b.before(o, step, next, after, read) {
				next, after = o, step
			}
		}
		e, read = after, read|1<<next.at
	}
	return e
}

// minOut keeps products of shares from vanishing.
const minOut = 1e-3

// before reports whether a table is better joined next than another: one that has a condition with
// those before, then the one that leaves fewer rows, then the cheaper.
func (b *block) before(o *occurrence, step estimate, other *occurrence, otherStep estimate, read uint64) bool {
	if x, y := o.connected(read), other.connected(read); x != y {
		return x
	}
	if step.out != otherStep.out {
		return step.out*joinAhead+step.micros < otherStep.out*joinAhead+otherStep.micros
	}
	return step.micros < otherStep.micros
}

// joinAhead is what a row costs in the joins that are still to come.
const joinAhead = diveMicros + lookupMicros

func (o *occurrence) connected(read uint64) bool {
	for _, c := range o.conditions {
		if c.to >= 0 && read&(1<<c.to) != 0 {
			return true
		}
	}
	return false
}

// joined is what has been read once a table is joined to what was read before: by an index once for
// each row, or by a join buffer.
func (o *occurrence) joined(e estimate, bound uint64, m mode) estimate {
	p, _ := o.ways(bound, m)
	if o.source.Outer {
		p.out, p.few = max(p.out, 1), max(p.few, 1)
	}
	byIndex := e.out * p.micros
	scan := o.scan(bound, m)
	passes := math.Ceil(e.out / joinBuffer)
	buffered := passes*scan.micros + e.out*o.table.rows*compareMicros
	after := estimate{micros: e.micros + byIndex, read: e.read + e.out*p.read, out: max(e.out*p.out, minOut), few: max(e.few*p.few, minOut)}
	if buffered < byIndex {
		after.micros, after.read = e.micros+buffered, e.read+passes*scan.read
	}
	return after
}

// finish adds what follows the joins: sorting, grouping, and the rows that a LIMIT spares.
func (b *block) finish(e estimate, p path, first *occurrence) estimate {
	wants := b.ordered || b.grouped
	sorted := !wants || p.ordered && len(first.order) > 0
	if b.limited && sorted && !b.gathers || b.limited && b.grouped && p.ordered {
		part := min(1, b.limit/max(e.few, minOut))
		if part < 1 {
			e.micros = diveMicros + e.micros*part
			e.read *= part
		}
	}
	if !sorted {
		n := max(e.out, 1)
		e.micros += n * (sortMicros*math.Log2(n+1) + sortMicros)
		if b.grouped {
			e.micros += n * groupMicros
		}
	}
	return e
}
