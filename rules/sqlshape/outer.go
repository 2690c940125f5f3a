package sqlshape

import (
	"slices"

	"vitess.io/vitess/go/vt/sqlparser"
)

// rejectsNull notes that WHERE compares the column that e is.
func (k *sink) rejectsNull(e sqlparser.Expr) {
	if col, ok := k.column(e); ok {
		k.rejects(col.table)
	}
}

// rejects notes that no row passes WHERE in which the table is missing.
func (k *sink) rejects(table int) {
	if k.where && k.branch == nil && k.restricts(table) {
		k.a.rejected[table] = true
	}
}

// simplifyOuterJoins makes inner joins of the outer joins whose inner side WHERE compares with
// something, as servers do before they look for an order: WordPress asks for the posts of a category
// by LEFT JOIN wp_term_relationships … WHERE term_taxonomy_id IN (7), and the good plan begins there.
func (a *analyzer) simplifyOuterJoins() {
	for changed := true; changed; {
		changed = false
		for i := range a.shape.Tables {
			if t := &a.shape.Tables[i]; t.Outer && a.rejected[i] {
				t.Outer, changed = false, true
				a.joinBack(i)
			}
		}
	}
}

// joinBack gives the tables that table i is joined to the way back. Their columns cannot be NULL
// either, since they equal some of table i.
func (a *analyzer) joinBack(i int) {
	for _, j := range a.shape.Tables[i].Joins {
		if j.Correlated || j.Semi || j.ToColumn == "" {
			continue
		}
		a.rejected[j.To] = true
		other := &a.shape.Tables[j.To]
		if back := (Join{Column: j.ToColumn, To: i, ToColumn: j.Column}); !slices.Contains(other.Joins, back) {
			other.Joins = append(other.Joins, back)
		}
	}
}
