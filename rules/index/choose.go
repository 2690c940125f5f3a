package index

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
)

// move is what is tried together: one index, or one for each branch of a disjunction.
type move struct {
	designs []*design
	worth
	score float64
	// round is that in which the score was found: it can only have fallen since.
	round int
}

// worth is what indexes do to the workload, in seconds a second.
type worth struct {
	gain, writes float64
	// most is the largest part that one statement gains of its time.
	most float64
	// bytes is how much larger the indexes are together.
	bytes float64
}

// value is what is gained less what is paid.
func (w worth) value() float64 { return w.gain - w.writes }

// moves are sorted by score; the zero value is an empty heap.
type moves []*move

func (m moves) Len() int           { return len(m) }
func (m moves) Less(i, j int) bool { return m[i].score > m[j].score }
func (m moves) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }

// Push adds a move; heap.Push calls it.
func (m *moves) Push(x any) { *m = append(*m, x.(*move)) }

// Pop removes the last move; heap.Pop calls it.
func (m *moves) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

// choose picks indexes: always the one that is worth most for its size, as long as one is worth it, and
// then looks at each again, now that the others are there.
func (e *engine) choose(candidates []*move) {
	queue := make(moves, 0, len(candidates))
	for _, m := range candidates {
		e.rate(m, 0)
		if m.value() > 0 {
			queue = append(queue, m)
		}
	}
	heap.Init(&queue)
	for round := 1; len(queue) > 0; {
		m := heap.Pop(&queue).(*move)
		if m.round < round {
			e.rate(m, round)
			if m.value() > 0 {
				heap.Push(&queue, m)
			}
			continue
		}
		if e.worthIt(m) && e.fits(m) {
			e.take(m)
			round++
		}
	}
	e.refine(candidates)
}

// rate finds what a move is worth on top of what was chosen.
func (e *engine) rate(m *move, round int) {
	m.worth, m.round = e.try(m.designs), round
	size := max(m.bytes, leastBytes)
	if e.options.BudgetBytes == 0 {
		size = math.Sqrt(size) // what is worth little is not taken because it is small
	}
	m.score = m.value() / size
}

// leastBytes is the size from which on it counts: a tablespace grows by megabytes.
const leastBytes = 1 << 20

// try puts designs in, sees what statements take, and takes them out again.
func (e *engine) try(designs []*design) worth {
	var w worth
	undo := e.put(designs)
	for _, q := range affected(designs) {
		if now, reads := q.state(); now < q.now {
			w.gain += q.load * (q.now - now)
			if q.relevant && reads <= q.reads*(1-leastRowGain) {
				w.most = max(w.most, (q.now-now)/q.now)
			}
		}
	}
	undo()
	for _, d := range designs {
		w.writes += d.writeCost() * e.unit
		w.bytes += d.bytes
		for _, old := range e.extended(d) {
			w.writes -= old.writeCost() * e.unit
			w.bytes -= old.bytes
		}
		if d.replaces != nil {
			w.writes -= d.replaces.writeCost() * e.unit
			w.bytes -= d.replaces.bytes
		}
	}
	return w
}

// state is what a call takes as a part of what it took before anything was changed, and the rows that
// it reads: whether what is not known is as it is likely to be or bad, whichever spares less.
func (q *query) state() (ratio, reads float64) {
	for _, m := range []mode{likely, worst} {
		e := q.cost(m)
		ratio, reads = max(ratio, min(e.micros/q.before[m], 1)), max(reads, e.read)
	}
	return ratio, reads
}

// put adds designs to their tables, in the place of chosen ones that they begin with.
func (e *engine) put(designs []*design) (undo func()) {
	before := map[*table][]*design{}
	for _, d := range designs {
		if _, saved := before[d.table]; !saved {
			before[d.table] = d.table.designs
		}
		d.table.designs = append(slices.Clone(d.table.designs), d)
	}
	return func() {
		for t, old := range before {
			t.designs = old
		}
	}
}

// affected returns the statements that can gain by designs.
func affected(designs []*design) []*query {
	var out []*query
	for i, d := range designs {
		for _, q := range d.table.queries {
			if i > 0 && slices.Contains(out, q) {
				continue
			}
			if q.load > 0 && slices.ContainsFunc(q.occurrences, func(o *occurrence) bool {
				return o != nil && o.table == d.table && o.gainsBy(d)
			}) {
				out = append(out, q)
			}
		}
	}
	return out
}

// extended returns the chosen designs that another makes redundant.
func (e *engine) extended(d *design) []*design {
	var out []*design
	for _, c := range e.chosen {
		if c != d && c.table == d.table && c.begins(d) {
			out = append(out, c)
		}
	}
	return out
}

// remaining is what statements take with all that was chosen, in seconds a second.
func (e *engine) remaining() float64 {
	var sum float64
	for _, q := range e.queries {
		sum += q.load * q.now
	}
	return sum
}

func (e *engine) worthIt(m *move) bool {
	return m.most >= leastDigestGain && m.gain >= leastTotalGain*e.remaining() && m.gain >= writesWorth*m.writes
}

// fits reports whether a move is within the bounds.
func (e *engine) fits(m *move) bool {
	if b := e.options.BudgetBytes; b > 0 && m.bytes > 0 && e.bytes+m.bytes > b {
		return false
	}
	if e.writes()+m.writes > e.options.MaxWriteRatio*e.load && m.writes > 0 {
		return false
	}
	for _, d := range m.designs {
		more := 1 - len(e.extended(d))
		if d.replaces != nil {
			more--
		}
		if more > 0 && e.count(d.table)+more > e.options.MaxPerTable {
			return false
		}
	}
	return true
}

// writes is what the chosen designs take to be kept up to date.
func (e *engine) writes() float64 {
	var sum float64
	for _, d := range e.chosen {
		sum += d.writeCost() * e.unit
		if d.replaces != nil {
			sum -= d.replaces.writeCost() * e.unit
		}
	}
	return sum
}

// count is how many secondary indexes a table has with those that were chosen.
func (e *engine) count(t *table) int {
	n := 0
	for _, d := range t.designs {
		if !d.primary() {
			n++
		}
		if d.replaces != nil {
			n--
		}
	}
	return n
}

// take makes a move.
func (e *engine) take(m *move) {
	e.bytes += m.bytes
	for _, d := range m.designs {
		for _, old := range e.extended(d) {
			e.remove(old)
		}
		d.table.designs = append(slices.Clone(d.table.designs), d)
		e.chosen = append(e.chosen, d)
	}
	e.settle(m.designs)
}

// remove takes a chosen design out again.
func (e *engine) remove(d *design) {
	same := func(x *design) bool { return x == d }
	e.chosen = slices.DeleteFunc(slices.Clone(e.chosen), same)
	d.table.designs = slices.DeleteFunc(slices.Clone(d.table.designs), same)
}

// settle finds anew what the statements take that can gain by designs.
func (e *engine) settle(designs []*design) {
	for _, q := range affected(designs) {
		q.now, q.reads = q.state()
		q.reads = min(q.reads, q.mostReads())
	}
}

// refine looks at each chosen design once more: whether it is still worth it, and whether another one in
// its place is worth more.
func (e *engine) refine(candidates []*move) {
	const rounds = 2
	for range rounds {
		changed := false
		for _, d := range slices.Clone(e.chosen) {
			if slices.Contains(e.chosen, d) {
				changed = e.reconsider(d, candidates) || changed
			}
		}
		if !changed {
			return
		}
	}
}

// reconsider takes a design out and puts in what is best in its place: it again, another, or none.
func (e *engine) reconsider(d *design, candidates []*move) (changed bool) {
	e.drop(d)
	options := []*move{{designs: []*design{d}}}
	for _, m := range candidates {
		if len(m.designs) == 1 && m.designs[0].table == d.table && m.designs[0] != d && shareColumn(m.designs[0], d) {
			options = append(options, &move{designs: m.designs})
		}
	}
	for _, m := range options {
		e.rate(m, 0)
	}
	own := options[0]
	options = slices.DeleteFunc(options, func(m *move) bool { return !e.worthIt(m) || !e.fits(m) })
	if len(options) == 0 {
		return true
	}
	chosen := slices.MinFunc(options, func(a, b *move) int { return cmp.Compare(b.value(), a.value()) })
	if own.value() >= chosen.value()*(1-leastSwap) && slices.Contains(options, own) {
		chosen = own
	}
	e.take(robust(chosen, options))
	return e.chosen[len(e.chosen)-1] != d
}

// leastSwap is how much more another design must be worth to take the place of one.
const leastSwap = 0.03

// robust prefers, of designs that are worth the same, the one with more of the columns that are compared:
// what is estimated of few columns is more often wrong.
func robust(chosen *move, options []*move) *move {
	const same, larger = 0.98, 1.3
	d := chosen.designs[0]
	for _, m := range options {
		x := m.designs[0]
		if x.contains(d) && x.points() > d.points() &&
			m.value() >= same*chosen.value() && x.bytes <= larger*d.bytes {
			chosen, d = m, x
		}
	}
	return chosen
}

// contains reports whether a design has all columns of another, and more.
func (d *design) contains(other *design) bool {
	return len(d.parts) > len(other.parts) && !slices.ContainsFunc(other.parts, func(p part) bool { return !slices.Contains(d.parts, p) })
}

// points is how many of the first columns a statement compares with one value.
func (d *design) points() int {
	most := 0
	for _, q := range d.table.queries {
		for _, o := range q.occurrences {
			if o == nil || o.table != d.table {
				continue
			}
			n := 0
			for n < len(d.parts) && slices.ContainsFunc(o.conditions, func(c condition) bool { return c.column == d.parts[n].column && c.point() }) {
				n++
			}
			most = max(most, n)
		}
	}
	return most
}

// drop takes a chosen design out, and finds anew what statements take.
func (e *engine) drop(d *design) {
	e.remove(d)
	e.bytes -= d.bytes
	if d.replaces != nil {
		e.bytes += d.replaces.bytes
	}
	e.settle([]*design{d})
}

func shareColumn(a, b *design) bool {
	return slices.ContainsFunc(a.parts, func(p part) bool { return p.column == b.parts[0].column }) ||
		slices.ContainsFunc(b.parts, func(p part) bool { return p.column == a.parts[0].column })
}

// moves returns what can be tried: each design, and those together that serve a disjunction.
func (e *engine) moves() []*move {
	var out []*move
	for _, d := range e.designs(e.drafts()) {
		d.replaces = e.replacedBy(d)
		out = append(out, &move{designs: []*design{d}})
	}
	for _, q := range e.queries {
		if !q.relevant {
			continue
		}
		for _, o := range q.occurrences {
			if o == nil || !o.table.worthAnIndex(q) || len(o.source.Hinted) > 0 {
				continue
			}
			for _, or := range o.either {
				if m := e.branchMove(o, or); m != nil {
					out = append(out, m)
				}
			}
		}
	}
	return out
}

// branchMove returns indexes for all branches of a disjunction that have none.
func (e *engine) branchMove(o *occurrence, or either) *move {
	if !or.served {
		return nil
	}
	m := &move{}
	for _, d := range o.branchDrafts(or) {
		if x := e.design(d.table, d.free, d.fixed); x != nil {
			m.designs = append(m.designs, x)
		}
	}
	if len(m.designs) < 2 {
		return nil
	}
	return m
}

// replacedBy returns the index that a new one makes redundant, if nothing else asks for it.
func (e *engine) replacedBy(d *design) *design {
	for _, x := range d.table.designs {
		if x.name != "" && !x.unique && len(x.parts) < len(d.parts) && x.begins(d) && !e.uses.needsName(d.table.Table, x.name) {
			return x
		}
	}
	return nil
}
