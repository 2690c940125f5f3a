package sqltext

import (
	"strings"
	"unsafe"
)

// text prints the canonical tokens for people, so that reading the result gives the same tokens.
func (c *canon) text() string {
	b := c.appendText(make([]byte, 0, len(c.items)*8))
	return unsafe.String(unsafe.SliceData(b), len(b)) // nobody else has b
}

// appendText is text for those who have room.
func (c *canon) appendText(b []byte) []byte {
	for i := range c.items {
		if i > 0 && c.spaced(i) {
			b = append(b, ' ')
		}
		b = c.appendItem(b, i)
	}
	if c.truncated {
		if len(c.items) > 0 {
			b = append(b, ' ')
		}
		b = append(b, "..."...)
	}
	return b
}

// spaced reports whether a blank stands before item i: none around the dot of a.b, none inside
// parentheses, none before a comma, none between a function and its parenthesis.
func (c *canon) spaced(i int) bool {
	this, before := &c.items[i], &c.items[i-1]
	switch {
	case c.joins(i) || c.joins(i-1):
		return false
	case before.isOp("("), before.isOp("@@"):
		return false
	case this.isOp(")"), this.isOp(","), this.isOp(";"):
		return false
	case this.isOp("("):
		return !c.called(i - 1)
	}
	return true
}

// joins reports whether item i is the dot between two names.
func (c *canon) joins(i int) bool {
	if i < 1 || i+1 >= len(c.items) || !c.items[i].isOp(".") {
		return false
	}
	next := &c.items[i+1]
	return c.items[i-1].named() && (next.named() || next.isOp("*"))
}

func (i *item) named() bool { return i.kind == Word || i.kind == Name }

// called reports whether item i, in front of a parenthesis, is the name of a function or type.
func (c *canon) called(i int) bool {
	f := &c.items[i]
	if !f.named() {
		return f.isOp("@@")
	}
	if f.word != nil {
		return f.word.function || f.word.call || !f.word.reserved
	}
	for i >= 2 && c.items[i-1].isOp(".") {
		i -= 2
	}
	if i == 0 {
		return true
	}
	switch before := &c.items[i-1]; before.kw {
	case kwInto, kwTable, kwIndex, kwKey, kwOn, kwAs, kwInsert, kwReplace, kwIgnore, kwExists, kwWith:
		return false
	default:
		return true
	}
}

// appendItem prints item i.
func (c *canon) appendItem(b []byte, i int) []byte {
	t := &c.items[i]
	switch t.kind {
	case List:
		return append(b, c.listText(i)...)
	case Variable:
		return append(b, "@?"...)
	case Word:
		if t.word != nil {
			return append(b, c.wordText(i)...)
		}
		if t.bareAmbiguous() {
			return appendQuoted(b, t.text)
		}
	case Name:
		if t.needsQuotes() || i == 0 && words.find(t.text) != nil { // the first word is read as a keyword
			return appendQuoted(b, t.text)
		}
	default:
	}
	return append(b, t.text...)
}

func appendQuoted(b []byte, name string) []byte {
	return append(append(append(b, '`'), name...), '`')
}

// listText returns how the list at i is printed.
func (c *canon) listText(i int) string {
	switch {
	case i > 0 && c.items[i-1].kw == kwLimit:
		return "? OFFSET ?"
	case i > 0 && c.items[i-1].isOp("(") && i+1 < len(c.items) && c.items[i+1].isOp(")"):
		return "..."
	}
	return "?, ..."
}

// wordText returns how the keyword at i is printed.
func (c *canon) wordText(i int) string {
	t := &c.items[i]
	w := t.word
	called := i+1 < len(c.items) && c.items[i+1].isOp("(")
	switch {
	case w.function && !called && (!w.bare || !upper(t.text)):
		return t.text
	case called && w.canonical == "CURRENT_TIMESTAMP":
		return "NOW"
	case called && w.canonical == "CURRENT_DATE":
		return "CURDATE"
	case called && w.canonical == "CURRENT_TIME":
		return "CURTIME"
	case w.reserved, w.spoken, w.function, i == 0, strings.HasPrefix(w.text, "SQL_TSI_"):
		return w.canonical
	}
	return t.text
}

// bareAmbiguous reports whether a name that stood without quotes needs them when printed: behind a
// dot digits are a name, elsewhere a number; "…" at the end would mark a cut text.
func (i *item) bareAmbiguous() bool {
	return class[i.text[0]] == digit && i.dot || i.text[0] == '$' ||
		i.text == "_charset" && !i.dot || strings.HasSuffix(i.text, "…")
}

// needsQuotes reports whether a name would be read differently without quotes.
func (i *item) needsQuotes() bool {
	if !regular(i.text) || i.text[0] == '_' && !i.dot || strings.HasSuffix(i.text, "…") {
		return true
	}
	w := words.find(i.text)
	return w != nil && !i.dot && (w.reserved || w.spoken || w.bare || w.operandNext || w.kw != kwAny || w.canonical != w.text)
}

// regular reports whether a name can stand without quotes.
func regular(s string) bool {
	if s == "" || class[s[0]] != letter || s[0] == '$' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if class[s[i]] < digit {
			return false
		}
	}
	return true
}
