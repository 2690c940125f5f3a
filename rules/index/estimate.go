package index

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/sqlshape"
)

// rowsAfter estimates what a statement will examine a call with an index on
// columns. It is sure where the statement itself shows how many rows match: all
// its conditions are in the index, and every row that matches is returned.
func rowsAfter(s Statement, shape *sqlshape.Shape, t *snapshot.Table, o sqlshape.Table, columns []string) (Interval, bool) {
	returned := max(s.returned(), 1)
	block := shape.Blocks[o.Block]
	if readsOnlyWhatItReturns(block, o, columns) && len(shape.Tables) == 1 {
		return Interval{returned, returned}, true
	}
	if block.Limited && len(o.Order) > 0 && coversOrder(o, columns) && covered(o, columns) {
		return Interval{returned, returned}, true
	}
	// Where nothing is known, ten distinct values are the least for which an
	// index is of use at all.
	least := Interval{returned, max(rows(t)/10, returned)}
	distinct, known := distinctOf(t, columns, o)
	if !known {
		return least, false
	}
	per := max(rows(t)/distinct, 1) * lookups(s, o)
	if len(o.Joins) > 0 && gathers(block) {
		return Interval{per, max(3*per, least.Hi)}, false
	}
	return Interval{per, 3 * per}, true
}

// gathers is true if more rows go into a block's result than are returned: how
// often the tables behind a join are looked up is then not known.
func gathers(b sqlshape.Block) bool { return b.Aggregated || b.Grouped || b.Distinct || b.Limited }

// readsOnlyWhatItReturns is true if every row that the index finds is returned.
func readsOnlyWhatItReturns(b sqlshape.Block, o sqlshape.Table, columns []string) bool {
	return !gathers(b) && covered(o, columns)
}

// covered is true if no condition of the occurrence is left for after the index.
func covered(o sqlshape.Table, columns []string) bool {
	n := needOf(o)
	for _, name := range append(n.equal, n.ranges...) {
		if !has(columns, name) {
			return false
		}
	}
	return len(n.ranges) <= 1 && len(o.Or)+len(o.Wrapped)+len(o.Other)+len(o.Like)+len(o.NotNull)+len(o.Match) == 0
}

func coversOrder(o sqlshape.Table, columns []string) bool {
	for _, by := range o.Order {
		if !has(columns, by.Column) && !has(o.Equal, by.Column) {
			return false
		}
	}
	return true
}

// lookups is how often the index is asked in a call: once, or once for each value
// of a list, or for each row of the table that it is joined to.
func lookups(s Statement, o sqlshape.Table) float64 {
	n := 1.0
	for _, in := range o.In {
		n *= max(float64(in.Values), 1)
	}
	if len(o.Joins) > 0 {
		n *= max(s.returned(), 1)
	}
	return n
}

// distinctOf returns how many distinct values the columns have together, as far
// as indexes tell: at least those of the one that has most.
func distinctOf(t *snapshot.Table, columns []string, o sqlshape.Table) (float64, bool) {
	most, known := 0.0, false
	for _, c := range columns {
		if has(o.Range, c) || has(o.PrefixLike, c) {
			continue
		}
		if d, ok := distinct(t, c); ok {
			most, known = max(most, d), true
		}
	}
	return most, known
}

// distinct returns how many values a column has, from an index that begins with
// it.
func distinct(t *snapshot.Table, column string) (float64, bool) {
	for _, i := range t.Indexes {
		if len(i.Parts) == 0 || !strings.EqualFold(i.Parts[0].Column, column) || i.Parts[0].Prefix != nil {
			continue
		}
		if c := i.Parts[0].Cardinality; c != nil && *c > 0 {
			return float64(*c), true
		}
		if i.Unique && len(i.Parts) == 1 {
			return rows(t), true
		}
	}
	return 0, false
}

// unknownDistinct ranks a column of which nothing is known: before one that is
// known to have few values, after one that is known to have many.
const unknownDistinct = 100

// bySelectivity puts the columns with most values first; equal ones keep the
// order of the statement.
func bySelectivity(t *snapshot.Table, columns []string) []string {
	rank := func(column string) float64 {
		if d, known := distinct(t, column); known {
			return d
		}
		return unknownDistinct
	}
	out := slices.Clone(columns)
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(rank(b), rank(a)) })
	return out
}

// benefit holds what a statement gains. The time of a scan is in proportion to
// its rows; a row found by an index costs up to ten times one of a scan, because
// it is looked up by itself.
func benefit(s Statement, before float64, after Interval) Benefit {
	load := max(s.Seconds-s.LockSeconds, 0) / s.WindowSeconds
	share := before / max(s.examined(), 1)
	saved := func(rows, cost float64) float64 { return load * share * max(1-cost*rows/before, 0) }
	others := max(s.examined()-before, 0) // rows of the other tables, which stay
	return Benefit{
		Statement: s, ExaminedAfter: Interval{others + after.Lo, others + after.Hi},
		SecondsFreed: Interval{saved(after.Hi, 10), saved(after.Lo, 1)},
	}
}

func rows(t *snapshot.Table) float64 {
	if t.Rows == nil {
		return math.Inf(1)
	}
	return float64(*t.Rows)
}
