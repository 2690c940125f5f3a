package index

import (
	"math"
	"slices"

	"plimsoll/collectors/snapshot"
)

// access is how the best index that exists would read a table.
type access struct {
	// used are the columns of it that serve.
	used []string
	// rows is what is read, at most, by one look-up.
	rows float64
}

// serves reports whether the access uses everything that the columns of a
// candidate would offer.
func (a access) serves(columns []string) bool {
	for _, c := range columns {
		if !has(a.used, c) {
			return false
		}
	}
	return true
}

// bestExisting returns the best access by an index that exists, or a scan of the
// whole table.
func bestExisting(t *snapshot.Table, n need) access {
	best := access{rows: rows(t)}
	for _, i := range t.Indexes {
		if i.Ignored || i.Type != "BTREE" {
			continue
		}
		if a := accessBy(t, i, n); a.rows < best.rows || (a.rows == best.rows && len(a.used) > len(best.used)) {
			best = a
		}
	}
	return best
}

func accessBy(t *snapshot.Table, i snapshot.Index, n need) access {
	a := access{rows: rows(t)}
	for _, p := range i.Parts {
		if has(n.equal, p.Column) {
			a.used = append(a.used, p.Column)
			a.rows = rowsAt(t, p, a.rows)
			continue
		}
		if has(n.ranges, p.Column) {
			a.used = append(a.used, p.Column)
			a.rows *= rangeShare
		}
		break
	}
	if len(a.used) == len(i.Parts) && i.Unique {
		a.rows = 1
	}
	return a
}

// rangeShare is what part of the rows a range is taken to leave, where nothing is
// known of its ends: the optimizer's own guess for BETWEEN is a ninth to a third.
const rangeShare = 0.3

// rowsAt is how many rows have one value of an index up to a part.
func rowsAt(t *snapshot.Table, p snapshot.IndexPart, otherwise float64) float64 {
	if p.Cardinality == nil || *p.Cardinality == 0 {
		return otherwise
	}
	return math.Max(rows(t)/float64(*p.Cardinality), 1)
}

// findReplaced fills in which index each new one makes redundant. What is asked of
// indexes by name and by order is looked up only then: it takes all statements.
func (w Workload) findReplaced(missing []Advice) {
	if len(missing) == 0 {
		return
	}
	used := usesOf(w)
	for i := range missing {
		missing[i].Replaces = missing[i].replaces(used)
	}
}

// replaces returns an index that a new one makes redundant.
func (a Advice) replaces(used uses) string {
	columns := a.columnNames()
	for _, i := range a.Table.Indexes {
		if i.Unique || i.Ignored || i.Type != "BTREE" || len(i.Parts) >= len(columns) || used.needs(a.Table, i) {
			continue
		}
		if beginsWith(columns, names(i)) && plain(i) {
			return i.Name
		}
	}
	return ""
}

// hidden returns an index that would serve all that one on columns does, if the
// optimizer were allowed to use it.
func hidden(t *snapshot.Table, columns []string) string {
	for _, i := range t.Indexes {
		if i.Ignored && i.Type == "BTREE" && beginsWith(names(i), columns) && plain(i) {
			return i.Name
		}
	}
	return ""
}

func beginsWith(columns, start []string) bool {
	for i, name := range start {
		if i >= len(columns) || !has(columns[i:i+1], name) {
			return false
		}
	}
	return true
}

// plain reports whether an index holds whole columns, smallest first.
func plain(i snapshot.Index) bool {
	return !slices.ContainsFunc(i.Parts, func(p snapshot.IndexPart) bool { return p.Prefix != nil || p.Descending })
}
