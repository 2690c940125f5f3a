package index

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	// mostColumns is how many columns an advised index has at most, and mostCovered how many if it is to
	// hold all that a statement reads.
	mostColumns = 4
	mostCovered = 7
	// mostExtra is how many bytes the columns may take that are there only to be read.
	mostExtra = 64
)

// draft is what an index should have: columns in any order, then columns in this order.
type draft struct {
	table *table
	free  []int
	fixed []part
}

// drafts returns what indexes the statements ask for, each once.
func (e *engine) drafts() []draft {
	seen := map[string]bool{}
	var out []draft
	for _, q := range e.queries {
		if !q.relevant {
			continue
		}
		for _, o := range q.occurrences {
			if o == nil || !o.table.worthAnIndex(q) || len(o.source.Hinted) > 0 {
				continue
			}
			for _, d := range o.drafts(q, e.options.Server) {
				if key := d.key(); !seen[key] {
					seen[key] = true
					out = append(out, d)
				}
			}
		}
	}
	return out
}

// leastRows is how many rows a table has at least for an index to be advised; a smaller one is read as
// fast, unless that happens all the time.
const (
	leastRows  = 1000
	fewestRows = 100
	oftenCalls = 1000
)

func (m *table) worthAnIndex(q *query) bool {
	often := float64(q.Calls)/max(q.WindowSeconds, 1e-9) > oftenCalls
	return m.rows >= leastRows || often && m.rows >= fewestRows
}

func (d draft) key() string {
	free := slices.Sorted(slices.Values(d.free))
	return fmt.Sprint(d.table.Schema, "\x00", d.table.Name, "\x00", free, d.fixed)
}

// drafts returns what an occurrence asks for in each of the parts that it can play in a join.
func (o *occurrence) drafts(q *query, s Server) []draft {
	var out []draft
	for _, bound := range o.roles(q) {
		out = append(out, o.draftsIn(q, bound, s)...)
	}
	for _, e := range o.either {
		if e.served {
			out = append(out, o.branchDrafts(e)...)
		}
	}
	return out
}

// roles returns which tables may have been read before this one: none, each that it is joined with, all
// of them.
func (o *occurrence) roles(q *query) []uint64 {
	var outside, all uint64
	for _, c := range o.conditions {
		if c.to < 0 {
			continue
		}
		if other := q.occurrences[c.to]; other == nil || !q.together(o, other) {
			outside |= 1 << c.to
		}
		all |= 1 << c.to
	}
	out := []uint64{outside}
	for _, c := range o.conditions {
		if c.to >= 0 && !slices.Contains(out, outside|1<<c.to) {
			out = append(out, outside|1<<c.to)
		}
	}
	if !slices.Contains(out, all) {
		out = append(out, all)
	}
	return out
}

// together reports whether two occurrences are joined in one block.
func (q *query) together(a, b *occurrence) bool {
	for _, block := range q.blocks {
		if block != nil && slices.Contains(block.occurrences, a) {
			return slices.Contains(block.occurrences, b)
		}
	}
	return false
}

// draftsIn returns what the occurrence asks for once the tables in bound are read.
func (o *occurrence) draftsIn(q *query, bound uint64, s Server) []draft {
	var points, lists, opens []int
	for _, c := range o.conditions {
		if v := o.table.values[c.column]; !c.known(bound) || !o.holdable(c.column) || v.sure && v.most < 2 && c.by != null {
			continue
		}
		switch {
		case c.by == list:
			lists = appendMissing(lists, c.column)
		case c.point():
			points = appendMissing(points, c.column)
		default:
			opens = appendMissing(opens, c.column)
		}
	}
	points = o.most(points)
	var out []draft
	add := func(free []int, fixed ...part) {
		d := draft{table: o.table, free: free, fixed: fixed}
		out = append(out, d)
		if wide, ok := o.withReads(d); ok && o.looksUp(q) {
			out = append(out, wide)
		}
	}
	both := o.most(slices.Concat(points, lists))
	add(points)
	add(both)
	if less := o.telling(points); len(less) < len(points) {
		add(less)
	}
	if o.table.Partitioned {
		opens = nil // its partitions are ranges already, or make a range search each of them
	}
	for _, column := range slices.Concat(opens, lists) {
		if !slices.Contains(points, column) && len(points) < mostColumns {
			add(points, part{column: column})
		}
		if !slices.Contains(both, column) && len(both) < mostColumns {
			add(both, part{column: column})
		}
	}
	if ordered := o.orderParts(points, s); len(ordered) > 0 && len(points)+len(ordered) <= mostColumns+1 {
		add(points, ordered...)
		if less := o.telling(points); len(less) < len(points) {
			add(less, ordered...)
		}
	}
	return slices.DeleteFunc(out, func(d draft) bool { return len(d.free)+len(d.fixed) == 0 })
}

// most keeps the columns that have most values, as many as an index should have.
func (o *occurrence) most(columns []int) []int {
	columns = slices.Clone(columns)
	slices.SortStableFunc(columns, func(a, b int) int { return cmp.Compare(o.table.values[b].mean, o.table.values[a].mean) })
	return columns[:min(len(columns), mostColumns)]
}

// telling leaves out columns that tell few rows from others.
func (o *occurrence) telling(columns []int) []int {
	const few = 4
	return slices.DeleteFunc(slices.Clone(columns), func(c int) bool {
		return o.table.values[c].sure && o.table.values[c].mean <= few
	})
}

// orderParts returns the columns by which the result is ordered, as far as they are not fixed.
func (o *occurrence) orderParts(fixed []int, s Server) []part {
	var out []part
	for _, w := range o.order {
		if slices.Contains(fixed, w.column) {
			continue
		}
		if !o.holdable(w.column) || onlyPrefix(o.table.Columns[w.column]) {
			return nil
		}
		if slices.ContainsFunc(out, func(p part) bool { return p.column == w.column }) {
			continue
		}
		out = append(out, part{column: w.column, desc: w.desc})
	}
	if !slices.ContainsFunc(out, func(p part) bool { return p.desc != out[0].desc }) {
		for i := range out {
			out[i].desc = false // read from its end
		}
	} else if !s.descending() {
		return nil
	}
	return out
}

// leastLookups is from how many rows a call on it pays to keep them out of the table.
const leastLookups = 200

// looksUp reports whether a statement may look up so many rows that an index should hold all that it
// reads: not if it stops after the first ones, or returns every row that matches and these are few.
func (o *occurrence) looksUp(q *query) bool {
	b := q.shape.Blocks[o.source.Block]
	if b.Limited && !b.Grouped && !b.Aggregated {
		return false
	}
	return gathers(b) || len(q.shape.Tables) > 1 || q.returned() >= leastLookups
}

// withReads returns a draft that also holds what else is read; false if that is too much.
func (o *occurrence) withReads(d draft) (draft, bool) {
	if o.all || len(d.free)+len(d.fixed) == 0 {
		return d, false
	}
	wide := draft{table: d.table, free: d.free, fixed: slices.Clone(d.fixed)}
	bytes := 0.0
	for _, column := range o.needed {
		if slices.Contains(d.free, column) || slices.ContainsFunc(d.fixed, func(p part) bool { return p.column == column }) ||
			slices.Contains(o.table.key, column) {
			continue
		}
		c := o.table.Columns[column]
		if !o.holdable(column) || onlyPrefix(c) {
			return d, false
		}
		bytes += width(c, 0)
		wide.fixed = append(wide.fixed, part{column: column})
	}
	total := len(wide.free) + len(wide.fixed)
	return wide, len(wide.fixed) > len(d.fixed) && total <= mostCovered && bytes <= mostExtra
}

// branchDrafts returns an index for each branch of a disjunction.
func (o *occurrence) branchDrafts(e either) []draft {
	var out []draft
	for _, branch := range e.branches {
		d := draft{table: o.table}
		for _, c := range branch {
			if c.point() && o.holdable(c.column) {
				d.free = appendMissing(d.free, c.column)
			}
		}
		for _, c := range branch {
			if !c.point() && o.holdable(c.column) && len(d.fixed) == 0 {
				d.fixed = append(d.fixed, part{column: c.column})
			}
		}
		d.free = o.most(d.free)
		if len(d.free)+len(d.fixed) > 0 {
			out = append(out, d)
		}
	}
	return out
}

func (o *occurrence) holdable(column int) bool { return indexable(o.table.Columns[column]) }

func appendMissing(list []int, column int) []int {
	if slices.Contains(list, column) {
		return list
	}
	return append(list, column)
}

// designs makes indexes of the drafts. The columns that may stand in any order stand in the orders that
// serve others too: first what most of the workload compares, first what has most values, first each
// of them, and first what an index has that exists.
func (e *engine) designs(drafts []draft) []*design {
	weight := e.columnWeights()
	seen := map[string]bool{}
	var out []*design
	for _, d := range drafts {
		for _, order := range d.orders(weight[d.table]) {
			x := e.design(d.table, order, d.fixed)
			if x == nil || seen[x.key()] {
				continue
			}
			seen[x.key()] = true
			out = append(out, x)
		}
	}
	return out
}

func (d *design) key() string {
	return fmt.Sprint(d.table.Schema, "\x00", d.table.Name, "\x00", d.parts)
}

// columnWeights returns how much of the load compares each column with one value.
func (e *engine) columnWeights() map[*table]map[int]float64 {
	out := map[*table]map[int]float64{}
	for _, q := range e.queries {
		for _, o := range q.occurrences {
			if o == nil {
				continue
			}
			if out[o.table] == nil {
				out[o.table] = map[int]float64{}
			}
			for _, c := range o.conditions {
				if c.point() {
					out[o.table][c.column] += q.load
				}
			}
		}
	}
	return out
}

// orders returns the orders in which the free columns are tried.
func (d draft) orders(weight map[int]float64) [][]int {
	byWeight, byValues := slices.Clone(d.free), slices.Clone(d.free)
	slices.SortStableFunc(byWeight, func(a, b int) int {
		return cmp.Or(cmp.Compare(weight[b], weight[a]), cmp.Compare(d.table.values[b].mean, d.table.values[a].mean), cmp.Compare(a, b))
	})
	slices.SortStableFunc(byValues, func(a, b int) int {
		return cmp.Or(cmp.Compare(d.table.values[b].mean, d.table.values[a].mean), cmp.Compare(a, b))
	})
	out := [][]int{byWeight, byValues}
	const mostTurned = 3
	if len(d.free) <= mostTurned {
		for _, first := range d.free {
			out = append(out, firstOf([]int{first}, byWeight))
		}
	}
	for _, x := range d.table.designs {
		var first []int
		for _, p := range x.parts {
			if p.prefix > 0 || p.desc || !slices.Contains(d.free, p.column) {
				break
			}
			first = append(first, p.column)
		}
		if len(first) > 0 && len(first) == len(x.parts) {
			out = append(out, firstOf(first, byWeight))
		}
	}
	return out
}

// firstOf returns the columns, some of them first.
func firstOf(first, columns []int) []int {
	out := slices.Clone(first)
	for _, c := range columns {
		out = appendMissing(out, c)
	}
	return out
}

// design returns an index, with the prefixes that it needs; nil if one that exists is the same or
// longer, or if the primary key is.
func (e *engine) design(t *table, free []int, fixed []part) *design {
	d := &design{table: t}
	for _, column := range free {
		d.parts = append(d.parts, part{column: column})
	}
	d.parts = append(d.parts, fixed...)
	d.setPrefixes(e.workload)
	d.trimKey()
	if len(d.parts) == 0 {
		return nil
	}
	for _, x := range t.designs {
		if d.begins(x) || x.unique && len(x.parts) <= len(d.parts) && x.begins(d) {
			return nil
		}
	}
	d.measure(e.workload)
	return d
}

// setPrefixes gives long texts the length that tells nearly all of them apart.
func (d *design) setPrefixes(w *Workload) {
	names := d.names()
	for i, p := range parts(d.table.Table, names) {
		if p.Prefix > 0 {
			d.parts[i].prefix = w.prefixOf(d.table, d.parts[i].column, p.Prefix)
		}
	}
}

// prefixOf is the shortest beginning that tells 95 of 100 values apart, as far as that is known.
func (w *Workload) prefixOf(t *table, column, otherwise int) int {
	const enough = 0.95
	s, ok := w.Statistics[ColumnKey{t.Schema, t.Name, t.Columns[column].Name}]
	if !ok {
		return otherwise
	}
	for _, p := range s.Prefixes {
		if p.Distinct >= enough*s.Distinct {
			return p.Characters
		}
	}
	return otherwise
}

// trimKey leaves out the columns of the primary key at the end, which InnoDB keeps there anyway.
func (d *design) trimKey() {
	if !strings.EqualFold(d.table.Engine, "InnoDB") || slices.ContainsFunc(d.parts, func(p part) bool { return p.desc }) {
		return
	}
	for len(d.parts) > 0 {
		last := len(d.parts) - 1
		start := last
		for start > 0 && slices.Contains(d.table.key, d.parts[start-1].column) {
			start--
		}
		tail := d.parts[start:]
		if !slices.Contains(d.table.key, d.parts[last].column) || !keyBegins(d.table.key, tail) {
			return
		}
		d.parts = d.parts[:start]
	}
}

// keyBegins reports whether parts are the first columns of a primary key.
func keyBegins(key []int, parts []part) bool {
	if len(parts) > len(key) {
		return false
	}
	for i, p := range parts {
		if p.column != key[i] || p.prefix > 0 {
			return false
		}
	}
	return true
}
