package index

import (
	"fmt"
	"slices"
	"strings"

	"plimsoll/rules/sqlshape"
)

// lints returns the statements that no index serves as they are written, and how to write them.
func (e *engine) lints() []Advised {
	found := map[string]*Advised{}
	var order []string
	for _, q := range e.queries {
		if !q.relevant || q.examined() < MinExamined {
			continue
		}
		for _, l := range q.lints(e.options.Server) {
			key := l.table.Schema + "\x00" + l.table.Name + "\x00" + l.column + "\x00" + l.reason
			a := found[key]
			if a == nil {
				a = &Advised{
					Kind: Rewrite, Schema: l.table.Schema, Table: l.table.Name, Columns: []Part{{Column: l.column}},
					Tier: Estimated, Confidence: 0.6, Reasons: []string{l.reason, l.remedy},
				}
				found[key] = a
				order = append(order, key)
			}
			a.Digests = append(a.Digests, Effect{
				Fingerprint: q.Fingerprint, Schema: q.Schema, Text: q.Text, CallsPerSecond: float64(q.Calls) / max(q.WindowSeconds, 1e-9),
				SecondsBefore: q.Seconds / float64(q.Calls), SecondsAfter: Interval{0, q.Seconds / float64(q.Calls)},
				RowsBefore: q.examined(), RowsAfter: Interval{q.returned(), q.examined()},
			})
			a.Gain.Hi += q.load
		}
	}
	var out []Advised
	for _, key := range order {
		out = append(out, *found[key])
	}
	return out
}

// lint is one reason why an index does not serve.
type lint struct {
	table          *table
	column         string
	reason, remedy string
}

func (q *query) lints(s Server) []lint {
	var out []lint
	for _, o := range q.occurrences {
		if o == nil || o.table.rows < leastRows || o.narrow() {
			continue
		}
		for _, w := range o.source.Wrapped {
			out = append(out, lint{o.table, w.Column, wrappedReason(w), s.unwrap(w)})
		}
		for _, name := range o.source.Number {
			if c := columnOf(o.table.Table, name); c != nil && asNumber(&o.source.Predicates, c) {
				out = append(out, lint{
					o.table, c.Name, fmt.Sprintf("it compares %s (%s) with a number, and the server converts each row's text, past any index", c.Name, c.Type),
					"write the number in quotes, or bind it as a text",
				})
			}
		}
		out = append(out, q.conversions(o)...)
	}
	return out
}

// narrow reports whether other conditions leave few rows anyway.
func (o *occurrence) narrow() bool {
	return slices.ContainsFunc(o.conditions, func(c condition) bool { return c.point() })
}

func wrappedReason(w sqlshape.Wrapped) string {
	return fmt.Sprintf("it compares %s inside of %s, which an index on the column does not serve", w.Column, w.By)
}

// unwrap says how to write a comparison so that an index serves it.
func (s Server) unwrap(w sqlshape.Wrapped) string {
	c := w.Column
	switch w.By {
	case "date":
		return fmt.Sprintf("write %s >= ? AND %s < ? + INTERVAL 1 DAY", c, c)
	case "year", "month", "date_format", "extract", "unix_timestamp", "to_days", "from_unixtime":
		return fmt.Sprintf("compare %s itself with the first moment and the one after the last: %s >= ? AND %s < ?", c, c, c)
	case "lower", "upper", "lcase", "ucase":
		return fmt.Sprintf("compare %s itself: a collation that ends in _ci takes upper and lower case for the same", c)
	case "+", "-", "*", "/":
		return fmt.Sprintf("bring the arithmetic to the other side: %s alone, compared with a value that is worked out before", c)
	case "cast", "convert", "collate":
		return fmt.Sprintf("give %s the type and collation of what it is compared with, and compare it as it is", c)
	case "json_extract", "json_unquote", "json_value", "->", "->>":
		return fmt.Sprintf("make the path of %s a generated column, and index that", c)
	}
	if s.functional() {
		return fmt.Sprintf("compare %s itself, or index the expression: ADD INDEX ((%s(%s)))", c, w.By, c)
	}
	return fmt.Sprintf("compare %s itself, or make the expression a generated column and index that", c)
}

// conversions returns the joins that compare columns of different types or collations.
func (q *query) conversions(o *occurrence) []lint {
	var out []lint
	for _, j := range o.source.Joins {
		other := q.occurrences[j.To]
		if other == nil || j.ToColumn == "" {
			continue
		}
		at, ok := o.table.position[strings.ToLower(j.Column)]
		to, known := other.table.position[strings.ToLower(j.ToColumn)]
		if !ok || !known || !converted(&o.table.Columns[at], &other.table.Columns[to]) {
			continue
		}
		a, b := o.table.Columns[at], other.table.Columns[to]
		out = append(out, lint{
			o.table, a.Name,
			fmt.Sprintf("it joins %s.%s (%s) with %s.%s (%s), and the server converts the first for each row, past any index",
				o.table.Name, a.Name, described(a.Type, a.Collation), other.table.Name, b.Name, described(b.Type, b.Collation)),
			"give both columns one type, character set and collation",
		})
	}
	return out
}

func described(columnType, collation string) string {
	return strings.TrimSpace(columnType + " " + collation)
}
