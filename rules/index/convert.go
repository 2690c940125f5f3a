package index

import (
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/sqlshape"
)

// forgetConverted takes away the conditions that no index serves because the server has to convert the
// column before it compares it with another table's.
func (q *query) forgetConverted() {
	for _, o := range q.occurrences {
		if o == nil {
			continue
		}
		o.conditions = slices.DeleteFunc(o.conditions, func(c condition) bool {
			if c.to < 0 || q.occurrences[c.to] == nil {
				return false
			}
			other, ok := q.otherColumn(o, c)
			return ok && converted(&o.table.Columns[c.column], other)
		})
	}
}

// otherColumn returns what a condition of a join compares its column with.
func (q *query) otherColumn(o *occurrence, c condition) (*snapshot.Column, bool) {
	other := q.occurrences[c.to]
	for _, j := range o.source.Joins {
		if j.To == c.to && j.ToColumn != "" && strings.EqualFold(j.Column, o.table.Columns[c.column].Name) {
			if at, ok := other.table.position[strings.ToLower(j.ToColumn)]; ok {
				return &other.table.Columns[at], true
			}
		}
	}
	return nil, false
}

// converted reports whether a column is converted to be compared with another: a text that is compared
// with a number, and a text in a smaller character set or of another collation.
func converted(c, other *snapshot.Column) bool {
	if !textual(c) {
		return false
	}
	if !textual(other) {
		return true
	}
	if c.Collation == "" || other.Collation == "" || c.Collation == other.Collation {
		return false
	}
	own, others := charset(c), charset(other)
	return own == others || others == "utf8mb4"
}

// asNumber reports whether a text is compared with a number, and so converted row by row.
func asNumber(p *sqlshape.Predicates, c *snapshot.Column) bool {
	return textual(c) && has(p.Number, c.Name)
}

func textual(c *snapshot.Column) bool {
	k := kind(*c)
	return strings.HasSuffix(k, "char") || strings.HasSuffix(k, "text") || k == "enum" || k == "set"
}

func charset(c *snapshot.Column) string {
	name, _, _ := strings.Cut(c.Collation, "_")
	if name == "utf8" {
		return "utf8mb3"
	}
	return name
}
