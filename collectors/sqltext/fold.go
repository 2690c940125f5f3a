package sqltext

// foldRow folds the group that was just closed into the one before it, beside it: "(?), (?)" always,
// as servers do, and equal rows of any kind behind VALUES. It reports whether it did.
func (c *canon) foldRow(open, last int) bool {
	if last < 0 || last >= open-1 || !c.items[open-1].isOp(",") || !c.items[open-2].isOp(")") {
		return false
	}
	row, before := c.items[open:], c.items[last:open-1]
	literal := len(row) == 3 && row[1].isValue()
	if !literal && c.atOpen(last, 1).kw != kwValues || !equal(row, before) {
		return false
	}
	c.items = c.items[:open-1]
	return true
}

// foldElements folds equal elements, side by side, of the IN list that begins at open: the values of
// IN (?) to a list, IN (f(?), f(?)) to IN (f(?)).
func (c *canon) foldElements(open int) {
	if len(c.items) == open+2 && c.at(1).kind == Param {
		c.toList(c.at(1))
		return
	}
	items := c.items[open+1:]
	kept, end := 0, 0 // the last element kept is items[kept:end]
	for begin := 0; begin <= len(items); {
		next := elementEnd(items, begin)
		switch {
		case begin == 0:
			end = next
		case equal(items[begin:next], items[kept:end]):
		default:
			items[end] = items[begin-1] // the comma
			kept = end + 1
			end = kept + copy(items[kept:], items[begin:next])
		}
		begin = next + 1
	}
	c.items = c.items[:open+1+end]
}

// elementEnd returns the index of the comma behind the element that begins at i, or the length.
func elementEnd(items []item, i int) int {
	for depth := 0; i < len(items); i++ {
		switch {
		case items[i].isOp("("):
			depth++
		case items[i].isOp(")"):
			depth--
		case items[i].isOp(",") && depth == 0:
			return i
		}
	}
	return i
}

// foldUnion takes the branch that just ended away if the two before it are equal to it: how often a
// program repeats a branch is as little part of a statement as the length of a list. It reports
// whether it did.
func (c *canon) foldUnion() bool {
	g := &c.groups[len(c.groups)-1]
	if g.union < 2 || len(c.groups) > maxFoldDepth {
		return false
	}
	third := c.branch(len(c.items), g.open)
	second := c.branch(third, g.open)
	if second < 0 {
		return false
	}
	// No UNION stands in front of the first branch, but perhaps INSERT INTO t.
	branch := c.items[third:]
	head := unionHead(branch)
	first := second - (len(branch) - head)
	if len(branch) == head || first <= g.open ||
		!equal(branch, c.items[second:third]) || !equal(branch[head:], c.items[first:second]) {
		return false
	}
	c.items = c.items[:third]
	g.union--
	g.last = -1
	return true
}

// branch returns the index of the UNION, directly in the group at open, that begins the last branch
// before end; -1 if there is none.
func (c *canon) branch(end, open int) int {
	depth := 0
	for i := end - 1; i > open; i-- {
		switch {
		case c.items[i].isOp(")"):
			depth++
		case c.items[i].isOp("("):
			depth--
		case depth == 0 && c.items[i].kw == kwUnion:
			return i
		}
	}
	return -1
}

// unionHead returns how many words stand in front of a branch: UNION, and ALL or DISTINCT.
func unionHead(branch []item) int {
	if len(branch) > 1 && branch[1].word != nil && (branch[1].kw == kwAll || branch[1].word.canonical == "DISTINCT") {
		return 2
	}
	return 1
}

// equal reports whether two runs of tokens are the same.
func equal(a, b []item) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].hash != b[i].hash {
			return false
		}
	}
	return true
}
