package index

import (
	"slices"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/sqlshape"
)

// maxColumns is how many columns an advised index has at most: more make writes
// dearer than they make reads cheaper.
const maxColumns = 4

// adviseStatement returns the candidate that saves a statement most rows.
func adviseStatement(s Statement, shape *sqlshape.Shape, tables catalog) (Advice, bool) {
	var best Advice
	found := false
	for i := range shape.Tables {
		a, ok := adviseTable(s, shape, i, tables)
		if ok && (!found || a.Freed().Lo > best.Freed().Lo) {
			best, found = a, true
		}
	}
	return best, found
}

// adviseTable looks at one occurrence of a table.
func adviseTable(s Statement, shape *sqlshape.Shape, at int, tables catalog) (Advice, bool) {
	occurrence := shape.Tables[at]
	t := tables.find(s.Schema, occurrence.Schema, occurrence.Name)
	if t == nil || occurrence.Derived || len(occurrence.Hinted) > 0 || rows(t) < MinExamined {
		return Advice{}, false
	}
	columns := candidate(t, shape, occurrence)
	if len(columns) == 0 {
		return Advice{}, false
	}
	need := needOf(occurrence)
	before := bestExisting(t, need)
	if before.serves(columns) {
		return Advice{}, false
	}
	after, sure := rowsAfter(s, shape, t, occurrence, columns)
	scanned := min(before.rows, s.examined())
	if after.Hi > (1-MinGain)*scanned {
		return Advice{}, false
	}
	a := Advice{Table: t, Columns: parts(t, columns), Hidden: hidden(t, columns)}
	a.Sure = sure && !slices.ContainsFunc(a.Columns, func(p Part) bool { return p.Prefix > 0 })
	a.SizeBytes = size(t, a.Columns)
	a.Benefits = []Benefit{benefit(s, scanned, after)}
	return a, true
}

// candidate returns the columns of the index that the occurrence asks for:
// equalities, in the order in which they are most selective, then one range, or
// the order of the result if nothing is left to filter.
func candidate(t *snapshot.Table, shape *sqlshape.Shape, o sqlshape.Table) []string {
	need := needOf(o)
	equal := bySelectivity(t, usable(t, need.equal))
	if len(equal) > maxColumns {
		equal = equal[:maxColumns]
	}
	columns := equal
	if len(columns) < maxColumns {
		switch ordered := orderColumns(t, shape, o, equal); {
		case len(ordered) > 0:
			columns = append(columns, ordered...)
		default:
			if ranges := bySelectivity(t, usable(t, need.ranges)); len(ranges) > 0 {
				columns = append(columns, ranges[0])
			}
		}
	}
	return columns[:min(len(columns), maxColumns)]
}

// need is what an occurrence asks of an index.
type need struct{ equal, ranges []string }

// needOf takes a comparison with a list for an equality, and a join for one too:
// the table is then read once for each row of the other.
func needOf(o sqlshape.Table) need {
	var n need
	add := func(list []string, names ...string) []string {
		for _, name := range names {
			if !has(list, name) {
				list = append(list, name)
			}
		}
		return list
	}
	n.equal = add(n.equal, o.Equal...)
	n.equal = add(n.equal, o.Null...)
	for _, in := range o.In {
		n.equal = add(n.equal, in.Column)
	}
	for _, j := range o.Joins {
		n.equal = add(n.equal, j.Column)
	}
	n.ranges = add(n.ranges, o.Range...)
	n.ranges = add(n.ranges, o.PrefixLike...)
	return n
}

// orderColumns returns the order of the result if an index gives it for nothing:
// all rows that match are wanted in one direction, only the first few are read,
// and no list stands before.
func orderColumns(t *snapshot.Table, shape *sqlshape.Shape, o sqlshape.Table, equal []string) []string {
	if !shape.Blocks[o.Block].Limited || len(o.Order) == 0 || len(o.In) > 0 || len(o.Range)+len(o.PrefixLike) > 0 {
		return nil
	}
	if slices.ContainsFunc(equal, func(name string) bool { return onlyPrefix(*columnOf(t, name)) }) {
		return nil // rows of one beginning are not in the order of what stands behind
	}
	var out []string
	for _, by := range o.Order {
		if c := columnOf(t, by.Column); by.Desc != o.Order[0].Desc || c == nil || onlyPrefix(*c) {
			return nil
		}
		if !has(equal, by.Column) && !has(primaryKey(t), by.Column) {
			out = append(out, by.Column)
		}
	}
	return usable(t, out)
}

// usable leaves out columns that an index cannot hold in a useful way.
func usable(t *snapshot.Table, list []string) []string {
	var out []string
	for _, name := range list {
		if c := columnOf(t, name); c != nil && indexable(*c) {
			out = append(out, c.Name)
		}
	}
	return out
}
