package index

import "plimsoll/rules/sqlshape"

// Compared returns the columns whose values decide about indexes: those that statements compare, join,
// group or order by.
func Compared(w Workload) map[ColumnKey]bool {
	tables := newCatalog(w.Tables)
	out := map[ColumnKey]bool{}
	for i := range w.Statements {
		s := &w.Statements[i]
		shape, err := sqlshape.Parse(string(s.Text), tables.columns(s.Schema))
		if err != nil || s.Own {
			continue
		}
		for _, o := range shape.Tables {
			t := tables.find(s.Schema, o.Schema, o.Name)
			if t == nil {
				continue
			}
			for _, name := range comparedIn(o) {
				if c := columnOf(t, name); c != nil {
					out[ColumnKey{t.Schema, t.Name, c.Name}] = true
				}
			}
		}
	}
	return out
}

// comparedIn returns the names of the columns that a mention of a table compares, groups or orders by.
func comparedIn(o sqlshape.Table) []string {
	n := needOf(o)
	out := append(n.equal, n.ranges...)
	for _, or := range o.Or {
		for _, p := range or.Branches {
			out = append(out, p.Equal...)
			out = append(out, p.Null...)
			out = append(out, p.Range...)
			for _, in := range p.In {
				out = append(out, in.Column)
			}
		}
	}
	for _, by := range o.Order {
		out = append(out, by.Column)
	}
	for _, by := range o.Group {
		out = append(out, by.Column)
	}
	return out
}
