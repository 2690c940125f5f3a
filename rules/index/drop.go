package index

import (
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/sqlshape"
)

// Redundant is an index whose columns begin another one.
type Redundant struct {
	Table *snapshot.Table
	Index snapshot.Index
	// By serves everything that Index does.
	By snapshot.Index
	// KeyBehind says that Index is By with the primary key behind it, which InnoDB keeps in every index;
	// else By begins with the columns of Index.
	KeyBehind bool
	// SizeBytes is estimated; nil if the rows are not known.
	SizeBytes *float64
}

// FindRedundant returns indexes that can go because another one serves what they
// do. What a statement names in a hint stays, and so does an index whose order by
// the primary key a statement uses: the longer one has another order.
func FindRedundant(w Workload) []Redundant {
	var out []Redundant
	used := usesOf(w)
	for i := range w.Tables {
		t := &w.Tables[i]
		for _, x := range t.Indexes {
			by, found := coveredBy(t, x)
			if found && !used.hints(x.Name) && (!used.ordersBy(t) || endsInKey(t, x, by)) {
				out = append(out, Redundant{Table: t, Index: x, By: by, KeyBehind: endsInKey(t, x, by), SizeBytes: size(t, partsOf(x))})
			}
		}
	}
	return out
}

// coveredBy returns the shortest index that begins with all of x. Of two equal
// ones the first stays.
func coveredBy(t *snapshot.Table, x snapshot.Index) (snapshot.Index, bool) {
	var best snapshot.Index
	found := false
	if x.Unique || x.Ignored || x.Type != "BTREE" {
		return best, false
	}
	for at, y := range t.Indexes {
		if y.Name == x.Name || y.Ignored || y.Type != "BTREE" || !begins(x, y) && !endsInKey(t, x, y) {
			continue
		}
		if !y.Unique && endsInKey(t, y, x) {
			continue // the two are the same, and y is the one that has more to say than it needs
		}
		if len(y.Parts) == len(x.Parts) && !y.Unique && at > slices.IndexFunc(t.Indexes, func(i snapshot.Index) bool { return i.Name == x.Name }) {
			continue
		}
		if !found || len(y.Parts) < len(best.Parts) {
			best, found = y, true
		}
	}
	return best, found
}

// endsInKey reports whether x is y with the primary key behind it, which InnoDB keeps there anyway.
func endsInKey(t *snapshot.Table, x, y snapshot.Index) bool {
	rest := len(x.Parts) - len(y.Parts)
	if !strings.EqualFold(t.Engine, "InnoDB") || rest <= 0 || !begins(y, x) {
		return false
	}
	key := primaryKey(t)
	return rest <= len(key) && slices.Equal(names(x)[len(y.Parts):], key[:rest]) && begins(snapshot.Index{Parts: x.Parts[len(y.Parts):]}, ascending(key))
}

// ascending is an index of whole columns.
func ascending(columns []string) snapshot.Index {
	var out snapshot.Index
	for _, c := range columns {
		out.Parts = append(out.Parts, snapshot.IndexPart{Column: c})
	}
	return out
}

// begins reports whether the parts of x are the first of y: the same columns,
// prefixes and directions.
func begins(x, y snapshot.Index) bool {
	if len(x.Parts) > len(y.Parts) || len(x.Parts) == 0 {
		return false
	}
	for i, p := range x.Parts {
		q := y.Parts[i]
		if p.Column == "" || !strings.EqualFold(p.Column, q.Column) || p.Descending != q.Descending || !samePrefix(p.Prefix, q.Prefix) {
			return false
		}
	}
	return true
}

func samePrefix(a, b *int) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}

// Unused is an index that no server used for as long as it counted.
type Unused struct {
	Table *snapshot.Table
	Index snapshot.Index
	// SizeBytes is estimated; nil if the rows are not known.
	SizeBytes *float64
}

// Usage tells how often an index was read, on all servers that hold the table;
// false if one of them does not tell.
type Usage func(schema, table, index string) (reads uint64, known bool)

// FindUnused returns indexes that were never read. Unique indexes, and those that
// a foreign key needs, have work to do that is not reading.
func FindUnused(w Workload, usage Usage) []Unused {
	var out []Unused
	used := usesOf(w)
	for i := range w.Tables {
		t := &w.Tables[i]
		for _, x := range t.Indexes {
			if x.Unique || x.Ignored || x.Type != "BTREE" || used.needs(t, x) {
				continue
			}
			if _, redundant := coveredBy(t, x); redundant {
				continue
			}
			if reads, known := usage(t.Schema, t.Name, x.Name); known && reads == 0 && !w.backsForeignKey(t, x) {
				out = append(out, Unused{Table: t, Index: x, SizeBytes: size(t, partsOf(x))})
			}
		}
	}
	return out
}

// backsForeignKey reports whether a foreign key may need an index, of the table or
// of one that points to it: InnoDB lets that point to columns that are not unique.
func (w Workload) backsForeignKey(t *snapshot.Table, x snapshot.Index) bool {
	for i := range w.Tables {
		other := &w.Tables[i]
		for _, fk := range other.ForeignKeys {
			own := other == t && beginsWith(names(x), fk.Columns)
			to := strings.EqualFold(fk.ReferencedSchema, t.Schema) && strings.EqualFold(fk.ReferencedTable, t.Name)
			if own || to && beginsWith(names(x), fk.ReferencedColumns) {
				return true
			}
		}
	}
	return false
}

// uses is what statements ask of indexes by name, or by the hidden order of the
// primary key.
type uses struct {
	hinted  map[string]bool
	ordered map[[2]string]bool
}

func usesOf(w Workload) uses {
	u := uses{hinted: map[string]bool{}, ordered: map[[2]string]bool{}}
	tables := newCatalog(w.Tables)
	for _, s := range w.Statements {
		shape, err := sqlshape.Parse(string(s.Text), tables.columns(s.Schema))
		if err != nil {
			u.mayHint(string(s.Text))
			continue
		}
		for _, o := range shape.Tables {
			for _, name := range o.Hinted {
				u.hinted[strings.ToLower(name)] = true
			}
			if t := tables.find(s.Schema, o.Schema, o.Name); t != nil && inKeyOrder(t, shape.Blocks[o.Block], o) {
				u.ordered[[2]string{t.Schema, t.Name}] = true
			}
		}
	}
	return u
}

// mayHint takes all words of a statement that is not understood for indexes, if it
// names any.
func (u uses) mayHint(text string) {
	text = strings.ToLower(text)
	hints := []string{"index (", "key (", "index for ", "key for "} // FOR JOIN, FOR ORDER BY, FOR GROUP BY
	if !slices.ContainsFunc(hints, func(hint string) bool { return strings.Contains(text, hint) }) {
		return
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" `(),.", r) }) {
		u.hinted[word] = true
	}
}

// inKeyOrder reports whether a statement gains by rows in the order of the primary
// key: it wants them so, pages through them, or asks for the first or last.
func inKeyOrder(t *snapshot.Table, b sqlshape.Block, o sqlshape.Table) bool {
	var columns []string
	for _, by := range slices.Concat(o.Order, o.Group) {
		columns = append(columns, by.Column)
	}
	columns = append(columns, o.Range...)
	if b.Aggregated {
		columns = append(columns, o.Needed...)
	}
	return slices.ContainsFunc(primaryKey(t), func(name string) bool { return has(columns, name) && !has(o.Equal, name) })
}

func (u uses) needs(t *snapshot.Table, x snapshot.Index) bool {
	return u.hints(x.Name) || u.ordersBy(t)
}

// hints reports whether a statement names an index.
func (u uses) hints(name string) bool { return u.hinted[strings.ToLower(name)] }

// ordersBy reports whether a statement uses that rows of an index are in the order of the primary key.
func (u uses) ordersBy(t *snapshot.Table) bool { return u.ordered[[2]string{t.Schema, t.Name}] }

// needsName is needs for an index of that name.
func (u uses) needsName(t *snapshot.Table, name string) bool {
	return u.needs(t, snapshot.Index{Name: name})
}

func partsOf(x snapshot.Index) []Part {
	var out []Part
	for _, p := range x.Parts {
		if p.Column == "" {
			continue
		}
		part := Part{Column: p.Column, Descending: p.Descending}
		if p.Prefix != nil {
			part.Prefix = *p.Prefix
		}
		out = append(out, part)
	}
	return out
}
