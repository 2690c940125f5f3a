package sqlshape

import (
	"fmt"
	"slices"
	"strings"

	"plimsoll/collectors/sqltext"
)

// maxCuts bounds how often a text that was cut off is cut back and tried again.
const maxCuts = 60

// parsePartial parses what is left of a text that was cut off, cut back to where a condition or
// clause ends and with its parentheses closed.
func parsePartial(toks []sqltext.Token, cat Catalog) (*Shape, error) {
	for _, end := range cutPoints(toks) {
		tree, err := parseTree(repair(toks[:end]) + closing(toks[:end]))
		if err == nil {
			return analyze(tree, cat, true)
		}
	}
	return nil, ErrUnparsable
}

// cutPoints returns where the text may end, the latest first: in front of AND, and in front of what
// begins a clause or a join. No point leaves a condition whose OR is cut off: what is left would seem
// to hold for all rows.
func cutPoints(toks []sqltext.Token) []int {
	levels := levels(toks)
	var points []int
	or := -1 // the level of an OR behind i that belongs to a condition before i
	for i := len(toks) - 1; i > 0 && len(points) < maxCuts; i-- {
		level := levels[i]
		switch toks[i].Keyword() {
		case "OR", "XOR":
			if or < 0 || level < or {
				or = level
			}
			continue
		case "WHERE", "ON", "HAVING", "UNION", "EXCEPT", "INTERSECT":
			if level == or {
				or = -1
			}
		case "VALUES":
			points = append(points, i+1) // of an INSERT, whose values do not matter
			continue
		case "AND", "GROUP", "ORDER", "LIMIT", "LEFT", "RIGHT", "INNER", "CROSS", "NATURAL", "JOIN", "STRAIGHT_JOIN":
		default:
			if toks[i].Is("(") && level == or-1 {
				or = -1
			}
			continue
		}
		if or < 0 || level < or {
			points = append(points, i)
		}
	}
	return points
}

// levels returns how many parentheses are open around each token.
func levels(toks []sqltext.Token) []int {
	out := make([]int, len(toks))
	level := 0
	for i, t := range toks {
		if t.Is(")") {
			level--
		}
		out[i] = level
		if t.Is("(") {
			level++
		}
	}
	return out
}

// closing returns the parentheses that are missing at the end, with the aliases that the parser wants
// for derived tables.
func closing(toks []sqltext.Token) string {
	var open []int
	for i, t := range toks {
		switch {
		case t.Is("("):
			open = append(open, i)
		case t.Is(")") && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	var b strings.Builder
	for n, i := range slices.Backward(open) {
		b.WriteString(" )")
		if i > 0 && derived(toks[i-1], toks[i+1:]) {
			fmt.Fprintf(&b, " `cut off %d`", n)
		}
	}
	return b.String()
}

// derived reports whether a parenthesis behind before holds a derived table.
func derived(before sqltext.Token, inside []sqltext.Token) bool {
	if k := before.Keyword(); k != "FROM" && k != "JOIN" && k != "STRAIGHT_JOIN" && k != "LATERAL" {
		return false
	}
	for _, t := range inside {
		if !t.Is("(") {
			return t.Is("SELECT") || t.Is("WITH")
		}
	}
	return false
}
