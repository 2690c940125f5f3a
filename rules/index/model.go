package index

import (
	"math"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
)

// table is one table as the cost model sees it.
type table struct {
	*snapshot.Table
	rows     float64
	rowBytes float64
	position map[string]int // of columns, by their name in lower case
	values   []values       // by position
	key      []int          // the primary key
	designs  []*design      // the indexes that there are, and those that are being tried
	groups   []group        // what indexes tell of columns together
	queries  []*query       // those that read it
	writes   writes
}

// design is an index, one that exists or one that could.
type design struct {
	table  *table
	parts  []part
	unique bool
	// name is that of an index that exists; empty for others.
	name string
	// entry is the bytes of an entry, bytes those of the whole index.
	entry, bytes float64
	// replaces is an index that exists and that nothing asks for once this one is there.
	replaces *design
}

// part is a column of a design.
type part struct {
	column int
	prefix int // characters; 0 for the whole column
	desc   bool
}

// group is how many different values columns have together.
type group struct {
	columns []int
	values  float64
	unique  bool
}

func (w *Workload) newTable(t *snapshot.Table) *table {
	m := &table{Table: t, rows: rows(t), position: map[string]int{}}
	for i := range t.Columns {
		m.position[strings.ToLower(t.Columns[i].Name)] = i
		m.values = append(m.values, w.valuesOf(t, &t.Columns[i]))
	}
	m.key = m.positions(primaryKey(t))
	m.rowBytes = m.guessRowBytes(w)
	for _, i := range t.Indexes {
		m.addGroups(i)
		if d := m.existing(w, i); d != nil {
			m.designs = append(m.designs, d)
		}
	}
	return m
}

// guessRowBytes is the mean bytes of a row.
func (m *table) guessRowBytes(w *Workload) float64 {
	if m.DataBytes != nil && m.rows > 0 {
		return min(float64(*m.DataBytes)/m.rows, 8192)
	}
	var sum float64
	for i := range m.Columns {
		sum += w.widthOf(m.Table, &m.Columns[i], 0)
	}
	return sum
}

// positions returns where columns are; nil if one is not there.
func (m *table) positions(names []string) []int {
	var out []int
	for _, name := range names {
		at, ok := m.position[strings.ToLower(name)]
		if !ok {
			return nil
		}
		out = append(out, at)
	}
	return out
}

// addGroups takes what an index tells of its columns together.
func (m *table) addGroups(i snapshot.Index) {
	columns := m.positions(names(i))
	for n := range columns {
		p := i.Parts[n]
		last := n == len(columns)-1 && i.Unique
		if p.Prefix != nil {
			return
		}
		switch {
		case last:
			m.groups = append(m.groups, group{columns: columns[:n+1], values: max(m.rows, 1), unique: true})
		case p.Cardinality != nil && *p.Cardinality > 0 && n > 0:
			m.groups = append(m.groups, group{columns: columns[:n+1], values: float64(*p.Cardinality)})
		}
	}
}

// existing returns an index that the optimizer may use; nil for any other.
func (m *table) existing(w *Workload, i snapshot.Index) *design {
	columns := m.positions(names(i))
	if i.Ignored || i.Type != "BTREE" || columns == nil {
		return nil
	}
	d := &design{table: m, name: i.Name, unique: i.Unique}
	for n, p := range i.Parts {
		to := part{column: columns[n], desc: p.Descending}
		if p.Prefix != nil {
			to.prefix = *p.Prefix
		}
		d.parts = append(d.parts, to)
	}
	d.measure(w)
	return d
}

// measure sets how large the design is.
func (d *design) measure(w *Workload) {
	d.entry = 5
	for _, p := range d.parts {
		d.entry += w.widthOf(d.table.Table, &d.table.Columns[p.column], p.prefix)
	}
	for _, column := range d.table.key {
		if !d.holds(column) {
			d.entry += w.widthOf(d.table.Table, &d.table.Columns[column], 0)
		}
	}
	// As size does: pages are 15/16 full, and lose 15 % more.
	d.bytes = reserved(d.table.rows * d.entry / 0.9375 * 1.15)
}

// reserved is what InnoDB sets aside for so many bytes: single pages for the first 32, then 64 at once.
func reserved(bytes float64) float64 {
	const page, single, extent = 16384, 32, 64
	pages := math.Ceil(bytes/page) + 1
	if pages > single {
		pages = single + math.Ceil((pages-single)/extent)*extent
	}
	return pages * page
}

// primary reports whether the design is the table itself.
func (d *design) primary() bool { return d.name == "PRIMARY" }

// holds reports whether the whole value of a column is a part of the design.
func (d *design) holds(column int) bool {
	return slices.ContainsFunc(d.parts, func(p part) bool { return p.column == column && p.prefix == 0 })
}

// tells reports whether a value can be read from the design: InnoDB keeps the primary key in each.
func (d *design) tells(column int) bool {
	return d.primary() || d.holds(column) || slices.Contains(d.table.key, column)
}

// begins reports whether the parts of d are the first of another.
func (d *design) begins(other *design) bool {
	return len(d.parts) <= len(other.parts) && slices.Equal(d.parts, other.parts[:len(d.parts)])
}

func (d *design) names() []string {
	var out []string
	for _, p := range d.parts {
		out = append(out, d.table.Columns[p.column].Name)
	}
	return out
}

// together returns the largest number of values that an index knows columns to have, and which of
// them it speaks of.
func (m *table) together(columns []int) (best group) {
	for _, g := range m.groups {
		if g.values <= best.values && !g.unique || best.unique {
			continue
		}
		if !slices.ContainsFunc(g.columns, func(c int) bool { return !slices.Contains(columns, c) }) {
			best = g
		}
	}
	return best
}
