package index

import (
	"math"
	"slices"
)

// mode says which end of an estimate is asked for.
type mode uint8

const (
	likely mode = iota // the middle
	worst              // what is not known is bad for the index
	best               // and good
)

// opposite is the mode that tells how few rows may pass, where that is bad.
func (m mode) opposite() mode {
	if m == best {
		return likely
	}
	return best
}

// What things take in a server, in microseconds. The figures are those of InnoDB in memory on one core
// of 2020; only what they are to one another counts, because the model is held against the time that
// statements took.
const (
	diveMicros    = 2    // from the root of an index to its leaf
	entryMicros   = 0.2  // the next entry of an index
	rowMicros     = 0.2  // the next row of a table …
	byteMicros    = 5e-4 // … and each of its bytes
	lookupMicros  = 1.2  // from an entry of an index to its row
	sortMicros    = 0.05 // a comparison when rows are sorted
	groupMicros   = 0.4  // a row that goes through a temporary table
	compareMicros = 0.02 // a pair of rows in a join without an index
	joinBuffer    = 5000 // rows in a join buffer of 256 KiB
)

// path is one way to read an occurrence of a table, once.
type path struct {
	read    float64 // rows or entries that are read
	out     float64 // rows that pass all conditions
	few     float64 // as few as they may be if that is bad: a LIMIT is then reached late
	micros  float64
	ordered bool    // in the order that the block wants
	design  *design // nil for a scan of the table
}

// known reports whether a condition can be used once the occurrences in bound are read.
func (c condition) known(bound uint64) bool { return c.to < 0 || bound&(1<<c.to) != 0 }

// point reports whether a condition is as good as an equality.
func (c condition) point() bool { return c.by == equal || c.by == list || c.by == null }

// pointOn returns the condition that fixes a column.
func (o *occurrence) pointOn(column int, bound uint64) (condition, bool) {
	for _, c := range o.conditions {
		if c.column == column && c.point() && c.known(bound) {
			return c, true
		}
	}
	return condition{}, false
}

func (o *occurrence) rangeOn(column int) (condition, bool) {
	for _, c := range o.conditions {
		if c.column == column && !c.point() {
			return c, true
		}
	}
	return condition{}, false
}

// openShare is what part of the rows a range leaves if nothing is known of its ends: the optimizers'
// own guesses are a ninth to a third.
func openShare(by comparison, m mode) float64 {
	shares := [3]float64{likely: 0.2, worst: 0.33, best: 0.05}
	if by == beginning {
		shares = [3]float64{likely: 0.02, worst: 0.1, best: 0.001}
	}
	return shares[m]
}

// The ends between which a range lies that evidence tells of.
const widestRange, narrowestRange = 0.9, 1e-5

// share is the part of a table's rows that one condition leaves.
func (o *occurrence) share(c condition, m mode) float64 {
	if c.to < 0 && o.seen != nil {
		return o.seen.between(o.ends(c))
	}
	if !c.point() {
		return openShare(c.by, m)
	}
	v := o.table.values[c.column]
	if c.by == null {
		return v.nulls(m)
	}
	n := v.mean
	switch m {
	case worst:
		n = v.least
	case best:
		n = v.most
	case likely:
	}
	share := c.items * (1 - max(v.null, 0)) / max(n, 1)
	if m == worst && c.to < 0 {
		share = max(share, v.frequent()*c.items)
	}
	return min(share, 1)
}

// frequent is the share of a value that a statement may ask for. Of a column with many values one that
// is very frequent stands for none, such as the customer 0, and statements ask for the others.
func (v values) frequent() float64 {
	const many, times = 50, 5
	if v.least < many {
		return v.top
	}
	return min(v.top, times/v.least)
}

// ends are the most and the fewest rows that a condition can leave, as shares.
func (o *occurrence) ends(c condition) (most, least float64) {
	if !c.point() {
		return widestRange, narrowestRange
	}
	v := o.table.values[c.column]
	if c.by == null {
		if v.null >= 0 {
			return max(v.null, narrowestRange), max(v.null, narrowestRange)
		}
		return 0.9, 1e-3
	}
	most = min(max(v.top, 1/max(v.least, 1))*c.items, 1)
	others := max(1-v.top-max(v.null, 0), 0.01) / max(v.most-1, 1)
	return most, min(others*c.items, most)
}

// nulls is the part of a column that is NULL.
func (v values) nulls(m mode) float64 {
	if v.null >= 0 {
		return v.null
	}
	return [3]float64{likely: 0.1, worst: 0.5, best: 0.01}[m]
}

// shareOf is the part of a table's rows that conditions leave together: what indexes know of their
// columns, and for the others the product of shares that count less and less, as values go together
// more often than not; at best they do not.
func (o *occurrence) shareOf(conditions []condition, m mode) float64 {
	var columns []int
	for _, c := range conditions {
		if c.by == equal {
			columns = append(columns, c.column)
		}
	}
	known := o.table.together(columns)
	var shares []float64
	if known.values > 0 {
		n := known.values
		if m == worst && !known.unique {
			n = max(n/1.5, 1)
		}
		shares = append(shares, 1/n)
	}
	for _, c := range conditions {
		if c.by == equal && slices.Contains(known.columns, c.column) {
			continue
		}
		shares = append(shares, o.share(c, m))
	}
	slices.Sort(shares)
	product, exponent := 1.0, 1.0
	for _, s := range shares {
		product *= math.Pow(s, exponent)
		if m != best {
			exponent /= 2
		}
	}
	return math.Pow(product, o.seen.exponent())
}

// rowsOut is how many rows pass all conditions that can be checked once bound is read.
func (o *occurrence) rowsOut(bound uint64, m mode) float64 {
	var usable []condition
	for _, c := range o.conditions {
		if c.known(bound) {
			usable = append(usable, c)
		}
	}
	out := o.table.rows * o.shareOf(usable, m) * math.Pow(o.residual, o.seen.exponent())
	for _, e := range o.either {
		out *= math.Pow(o.anyOf(e, m), o.seen.exponent())
	}
	if o.semi && bound != 0 {
		out = min(out, 1)
	}
	return out
}

// anyOf is the part of rows that pass one branch of a disjunction.
func (o *occurrence) anyOf(e either, m mode) float64 {
	var sum float64
	for _, branch := range e.branches {
		s := 1.0
		for _, c := range branch {
			s *= o.share(c, m)
		}
		if len(branch) == 0 {
			s = 0.3
		}
		sum += s
	}
	return min(sum, 1)
}

// scan reads the whole table.
func (o *occurrence) scan(bound uint64, m mode) path {
	t := o.table
	return path{read: t.rows, out: o.rowsOut(bound, m), few: o.rowsOut(bound, m.opposite()), micros: t.rows * (rowMicros + t.rowBytes*byteMicros), ordered: o.inKeyOrder()}
}

// inKeyOrder reports whether the table itself is in the order that is wanted.
func (o *occurrence) inKeyOrder() bool {
	if len(o.order) == 0 || len(o.order) > len(o.table.key) {
		return false
	}
	for i, w := range o.order {
		if w.column != o.table.key[i] || w.desc != o.order[0].desc {
			return false
		}
	}
	return true
}

// along reads by a design; false if it is of no use.
func (o *occurrence) along(d *design, bound uint64, scan path, m mode) (path, bool) {
	var used []condition
	probes, at := 1.0, 0
	for ; at < len(d.parts); at++ {
		c, ok := o.pointOn(d.parts[at].column, bound)
		if !ok {
			break
		}
		used = append(used, c)
		probes *= c.items
	}
	ordered := probes == 1 && o.inOrder(d, at, bound)
	if at < len(d.parts) {
		if c, ok := o.rangeOn(d.parts[at].column); ok {
			used = append(used, c)
		}
	}
	covered := o.covered(d)
	if len(used) == 0 && !ordered && !(covered && !d.primary()) {
		return path{}, false
	}
	p := path{read: o.table.rows * o.shareOf(used, m), out: scan.out, few: scan.few, ordered: ordered, design: d}
	if d.unique && at == len(d.parts) && !slices.ContainsFunc(used, func(c condition) bool { return c.by == null }) {
		p.read = min(p.read, probes)
	}
	p.micros = probes*diveMicros + p.read*entryMicros
	switch {
	case d.primary():
		p.micros = probes*diveMicros + p.read*(rowMicros+o.table.rowBytes*byteMicros)
	case !covered:
		p.micros += p.read * o.pushed(d, used, m) * lookupMicros * lookupFactor(m)
	}
	return p, true
}

// lookupFactor allows for look-ups that have to wait for a disk.
func lookupFactor(m mode) float64 {
	if m == worst {
		return 2
	}
	return 1
}

// pushed is the part of entries whose row has to be looked up: conditions on the index's other columns
// are checked first.
func (o *occurrence) pushed(d *design, used []condition, m mode) float64 {
	share := 1.0
	for _, p := range d.parts {
		for _, c := range o.conditions {
			isUsed := slices.ContainsFunc(used, func(u condition) bool { return u.column == c.column })
			if c.column == p.column && p.prefix == 0 && c.to < 0 && !isUsed {
				share *= o.share(c, m)
			}
		}
	}
	return share
}

// inOrder reports whether what the parts of a design from at on give is the order that is wanted.
func (o *occurrence) inOrder(d *design, at int, bound uint64) bool {
	if len(o.order) == 0 {
		return false
	}
	parts := d.parts[at:]
	if !d.primary() {
		for _, column := range o.table.key {
			if !d.holds(column) {
				parts = append(slices.Clip(parts), part{column: column})
			}
		}
	}
	turned, first := false, true
	for _, w := range o.order {
		if c, fixed := o.pointOn(w.column, bound); fixed && c.items == 1 {
			continue
		}
		if len(parts) == 0 || parts[0].column != w.column || parts[0].prefix > 0 {
			return false
		}
		if t := parts[0].desc != w.desc; first {
			turned, first = t, false
		} else if t != turned {
			return false
		}
		parts = parts[1:]
	}
	return true
}

// ways returns the cheapest path, and the cheapest that gives the order that is wanted.
func (o *occurrence) ways(bound uint64, m mode) (cheapest path, sorted *path) {
	scan := o.scan(bound, m)
	cheapest = scan
	if cheapest.ordered {
		sorted = new(cheapest)
	}
	for _, d := range o.table.designs {
		p, ok := o.along(d, bound, scan, m)
		if !ok {
			continue
		}
		if p.micros < cheapest.micros {
			cheapest = p
		}
		if p.ordered && (sorted == nil || p.micros < sorted.micros) {
			sorted = &p
		}
	}
	for _, e := range o.either {
		if p, ok := o.merged(e, m); ok && p.micros < cheapest.micros {
			p.out, p.few = scan.out, scan.few
			cheapest = p
		}
	}
	return cheapest, sorted
}

// merged reads each branch of a disjunction by an index of its own.
func (o *occurrence) merged(e either, m mode) (path, bool) {
	var p path
	if !e.served {
		return p, false
	}
	for _, branch := range e.branches {
		read, ok := o.branch(branch, m)
		if !ok {
			return p, false
		}
		p.read += read
	}
	p.micros = float64(len(e.branches))*diveMicros + p.read*(entryMicros+lookupMicros*lookupFactor(m))
	return p, true
}

// branch returns how many rows the best index for one branch reads.
func (o *occurrence) branch(conditions []condition, m mode) (read float64, ok bool) {
	read = math.Inf(1)
	for _, d := range o.table.designs {
		var used []condition
		for _, p := range d.parts {
			at := slices.IndexFunc(conditions, func(c condition) bool { return c.column == p.column })
			if at < 0 {
				break
			}
			used = append(used, conditions[at])
			if !conditions[at].point() {
				break
			}
		}
		if len(used) > 0 {
			read = min(read, o.table.rows*o.shareOf(used, m))
		}
	}
	return read, !math.IsInf(read, 1)
}
