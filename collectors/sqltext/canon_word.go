package sqltext

import "strings"

// word appends a keyword or a name without quotes.
func (c *canon) word(text string) {
	folded, exact := hashWord(text)
	i := item{kind: Word, hash: exact, text: text, dot: c.at(1).isOp(".")}
	w := words.lookup(text, folded)
	switch {
	case w == nil:
		i.text, i.hash = clean(text, exact)
	case i.dot:
		i.hash = folded
	default:
		c.keyword(i, w, folded)
		return
	}
	c.push(i)
}

// keyword appends a word that servers know.
func (c *canon) keyword(i item, w *word, folded uint64) {
	i.word, i.kw, i.hash = w, w.kw, w.hash
	if w.function && (!w.bare || !upper(i.text)) {
		i.hash = folded // a name until a parenthesis follows
	}
	switch last := c.at(1); {
	case w.kw == kwNull && last.operandNext() && (last.word == nil || !last.word.noValueNext):
		c.value()
		return
	case w.kw == kwFor && c.inSetStatement():
		c.restart()
		return
	case len(c.items) == 1 && w.startsStatement() && last.runsPrepared():
		c.command = c.at(1).word.text
		c.restart()
	case w.kw == kwUnion:
		c.foldUnion()
		c.groups[len(c.groups)-1].union++
	}
	c.push(i)
}

// inSetStatement reports whether all so far is SET STATEMENT and what it sets, which MariaDB accepts
// in front of any statement.
func (c *canon) inSetStatement() bool {
	return len(c.items) >= 2 && c.items[0].kw == kwSet && c.items[1].kw == kwStatement && len(c.groups) == 1
}

// restart forgets what stands in front of the statement itself.
func (c *canon) restart() {
	c.items = c.items[:0]
	c.groups[0] = group{open: -1, last: -1}
}

// upper reports whether a word is written as servers write keywords. Digest texts show
// CURRENT_TIMESTAMP as NOW, while a column now stays in quotes.
func upper(s string) bool {
	for i := 0; i < len(s); i++ {
		if 'a' <= s[i] && s[i] <= 'z' {
			return false
		}
	}
	return true
}

// runsPrepared reports whether i is a word that MySQL 9 puts in front of a prepared statement.
func (i *item) runsPrepared() bool {
	return i.kind == Word && (i.kw == kwExecute || i.kw == kwPrepare || i.kw == kwDeallocate)
}

// startsStatement reports whether a prepared statement can begin with w.
func (w *word) startsStatement() bool {
	switch w.kw {
	case kwSelect, kwInsert, kwUpdate, kwDelete, kwReplace, kwWith, kwCall, kwSet, kwShow, kwCreate, kwAlter,
		kwDrop, kwTruncate, kwCommit, kwRollback, kwStart, kwBegin, kwTable, kwValues, kwAnalyze, kwOptimize,
		kwRepair, kwRename, kwLoad, kwDo, kwExplain:
		return true
	default:
		return false
	}
}

// name appends a name in quotes. The word a server does not know may be a keyword of another, which
// shows it in upper case (MariaDB: id), so keywords compare without case in quotes too.
func (c *canon) name(quoted string) {
	text := unquote(quoted)
	folded, exact := hashWord(text)
	i := item{kind: Name, hash: exact, dot: c.at(1).isOp(".")}
	if words.lookup(text, folded) != nil {
		i.hash, i.text = folded, text
	} else {
		i.text, i.hash = clean(text, exact)
	}
	c.push(i)
}

// unquote returns what stands between the quotes, with backticks inside doubled.
func unquote(s string) string {
	q := s[:1]
	inner := s[1:]
	if len(inner) > 0 && inner[len(inner)-1] == q[0] && strings.Count(inner, q)%2 == 1 {
		inner = inner[:len(inner)-1]
	}
	if q == `"` {
		inner = strings.ReplaceAll(inner, `""`, `"`)
		return strings.ReplaceAll(inner, "`", "``")
	}
	return inner
}
