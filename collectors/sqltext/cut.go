package sqltext

import (
	"slices"
	"strings"
)

// TrimMark removes the mark of a text that was cut off, and reports whether there was one: "..." as
// servers put it behind SQL_TEXT and we behind a normalised text, or the "…" of [Clip]. The dots of
// a list, "?, ..." and "(...)", are no mark.
func TrimMark(sql string) (string, bool) {
	sql = sql[:ending(sql)]
	if rest, ok := strings.CutSuffix(sql, "…"); ok {
		return rest, true
	}
	rest, ok := strings.CutSuffix(sql, "...")
	if !ok || strings.HasSuffix(rest, "?, ") {
		return sql, false
	}
	return rest, true
}

// ending returns where the blanks and semicolons at the end of sql begin.
func ending(sql string) int {
	n := len(sql)
	for n > 0 {
		switch sql[n-1] {
		case ' ', '\t', '\r', '\n', ';', 0:
			n--
			continue
		}
		break
	}
	return n
}

// finish folds what the end closes, and judges whether the text was cut off.
func (c *canon) finish(unterminated bool) {
	for len(c.items) > 0 && c.at(1).isOp(";") {
		c.dropLast()
	}
	if unterminated || len(c.groups) > 1 || c.at(1).mustContinue(c.at(2)) {
		c.truncated = true
	}
	c.foldUnion()
	if c.truncated {
		c.dropTail()
	}
}

// mustContinue reports whether no statement ends with i.
func (i *item) mustContinue(before *item) bool {
	switch i.kind {
	case Op:
		return !slices.Contains([]string{")", "*", "}", ";"}, i.text)
	case Word:
		return !i.dot && i.word != nil && i.word.mustContinue && !before.isOp("=")
	case Charset:
		return true
	default:
		return false
	}
}

// dropTail takes away the end of a cut text that says nothing by itself: a comma, a sign, the begin
// of a row, element or UNION branch like the one before it.
func (c *canon) dropTail() {
	for {
		for c.endsInMark() {
			c.dropLast()
		}
		if !c.dropRow() && !c.dropBranch() && !c.foldUnion() {
			return
		}
	}
}

// endsInMark reports whether the last token says nothing without the next one.
func (c *canon) endsInMark() bool {
	switch last := c.at(1); {
	case last.isOp(","), last.isOp(";"), last.kind == Charset:
		return true
	case last.isOp("-"), last.isOp("+"):
		return c.at(2).operandNext()
	default:
		return last.kw == kwOffset && c.at(2).kind == Param && c.at(3).kw == kwLimit
	}
}

// dropRow takes away the unfinished row of a cut text if it begins like the row before it, so that
// the text is a prefix of the statement with its rows folded. It reports whether it did.
func (c *canon) dropRow() bool {
	if len(c.groups) < 2 {
		return false
	}
	outer, g := c.groups[len(c.groups)-2], c.groups[len(c.groups)-1]
	open, last := g.open, outer.last
	if last < 0 || last >= open-1 || open > len(c.items) || c.atOpen(last, 1).kw != kwValues || !c.items[open-1].isOp(",") {
		return false
	}
	row, before := c.items[open:], c.items[last:open-1]
	if len(row) >= len(before) || !equal(row, before[:len(row)]) {
		return false
	}
	c.items = c.items[:open-1]
	c.groups = c.groups[:len(c.groups)-1]
	return true
}

// dropBranch takes away the unfinished branch of a cut text if it begins like the one before it,
// behind which it would have been folded. It reports whether it did.
func (c *canon) dropBranch() bool {
	g := &c.groups[len(c.groups)-1]
	last := c.branch(len(c.items), g.open)
	before := c.branch(last, g.open)
	if before < 0 {
		return false
	}
	n := len(c.items) - last
	if n >= last-before || !equal(c.items[last:], c.items[before:before+n]) {
		return false
	}
	c.items = c.items[:last]
	g.last = -1
	return true
}
