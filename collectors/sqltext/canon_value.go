package sqltext

import "strings"

// value appends a value: it takes its introducer and signs with it, joins the string before it, and
// makes a list with the value before the comma.
func (c *canon) value() {
	c.dropIntroducers()
	c.dropSigns()
	last := c.at(1)
	switch {
	case last.isValue():
		return
	case last.isOp(",") && c.at(2).isValue():
		c.dropLast()
		c.toList(c.at(1))
		return
	case last.kw == kwOffset && c.at(2).kind == Param && c.at(3).kw == kwLimit:
		c.dropLast()
		c.toList(c.at(1))
		return
	}
	c.push(item{kind: Param, hash: hashValue, text: "?"})
}

// list appends a folded list. It takes what a value takes, because it is read as one
// when it is printed and read again.
func (c *canon) list() {
	c.dropIntroducers()
	c.dropSigns()
	switch last := c.at(1); {
	case last.isValue():
		c.toList(last)
	case last.isOp(",") && c.at(2).isValue():
		c.dropLast()
		c.toList(c.at(1))
	default:
		c.push(item{kind: List, hash: hashList, text: "..."})
	}
}

func (c *canon) toList(i *item) { *i = item{kind: List, hash: hashList, text: "..."} }

// dropIntroducers takes away the _utf8mb4 or (_charset) in front of a value. No
// statement has two, but a text that is none must not fold once more when it is
// read again.
func (c *canon) dropIntroducers() {
	for {
		last := c.at(1)
		if last.kind != Charset && (last.kind != Word || last.dot || !strings.HasPrefix(last.text, "_")) {
			return
		}
		c.dropLast()
	}
}

func (c *canon) dropSigns() {
	for {
		last := c.at(1)
		if !last.isOp("-") && !last.isOp("+") || !c.at(2).operandNext() {
			return
		}
		c.dropLast()
	}
}

// hidden takes the <secret> whose end comes next for the value that MySQL hides in its logs: a password.
// It stands where a value must, so that it is none of two comparisons with a column of that name.
func (c *canon) hidden() bool {
	if last := c.at(1); last.kind != Word || last.text != "secret" || !c.at(2).isOp("<") || !c.at(3).mustContinue(c.at(4)) {
		return false
	}
	c.dropLast()
	c.dropLast()
	c.value()
	return true
}
