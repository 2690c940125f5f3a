package sqltext

import (
	"slices"
	"strings"
)

// item is one canonical token.
type item struct {
	kind Kind // Word, Name, Param (a value), List, Charset, Variable or Op
	kw   keyword
	dot  bool   // a name behind a dot
	word *word  // nil for names
	hash uint64 // of the canonical spelling
	text string // as given; of a Name what stands between its quotes
}

// group is a parenthesis that is open, and what closed before it beside it.
type group struct {
	open  int // index of its "(" in items; -1 for the whole statement
	last  int // index of the "(" of the last group closed inside it; -1 if there is none
	union int // how many UNIONs stand directly in it
}

// canonRoom is memory for the tokens of a usual statement, so that it can live on the caller's stack.
type canonRoom struct {
	items  [128]item
	groups [24]group
}

// canon collects the canonical tokens of a text, folding while it goes.
type canon struct {
	items     []item
	groups    []group
	command   string // EXECUTE, PREPARE or DEALLOCATE that stood in front
	truncated bool
}

// The hashes of what has no text of its own.
const (
	hashValue    = 0x5ca1ab1e00000001
	hashList     = 0x5ca1ab1e00000002
	hashCharset  = 0x5ca1ab1e00000003
	hashVariable = 0x5ca1ab1e00000004
)

// canonical reads sql into room; only statements beyond its size allocate. A text known to be cut is
// one even if it does not show.
func (o Options) canonical(sql string, room *canonRoom, cut bool) canon {
	room.groups[0] = group{open: -1, last: -1}
	c := canon{items: room.items[:0], groups: room.groups[:1]}
	sql, c.truncated = TrimMark(sql)
	if cut || o.MaxDigestLength > 0 && digestBytes(sql)+tokenBytes > o.MaxDigestLength {
		c.truncated = true
	}
	s := o.Scanner(sql)
	for t := s.Next(); t.Kind != EOF; t = s.Next() {
		c.add(t)
	}
	c.finish(s.cut)
	return c
}

// TrimMark removes the mark of a text that was cut off, and reports whether there was one: "..." as
// servers put it behind SQL_TEXT and we behind a normalised text, or the "…" of [Clip]. The dots of
// a list, "?, ..." and "(...)", are no mark.
func TrimMark(sql string) (string, bool) {
	sql = strings.TrimRight(sql, " \t\r\n;\x00")
	if rest, ok := strings.CutSuffix(sql, "…"); ok {
		return rest, true
	}
	rest, ok := strings.CutSuffix(sql, "...")
	if !ok || strings.HasSuffix(rest, "?, ") {
		return sql, false
	}
	return rest, true
}

// add appends a token, folded into those before it.
func (c *canon) add(t Token) {
	switch t.Kind {
	case String, Number, Param:
		c.value()
	case List:
		c.list()
	case Word:
		c.word(t.Text)
	case Name:
		c.name(t.Text)
	case Op:
		c.op(t.Text)
	case Charset:
		c.push(item{kind: Charset, hash: hashCharset, text: t.Text})
	case Variable:
		c.push(item{kind: Variable, hash: hashVariable, text: t.Text})
	case Hint, Comment, EOF:
	}
}

// push appends a token. It is written without append so that the compiler sees that the room behind
// items does not escape: no usual statement allocates.
func (c *canon) push(i item) {
	n := len(c.items)
	if n == cap(c.items) {
		bigger := make([]item, n, 2*n)
		copy(bigger, c.items)
		c.items = bigger
	}
	c.items = c.items[:n+1]
	c.items[n] = i
}

// enter begins a group at the next token.
func (c *canon) enter() {
	n := len(c.groups)
	if n == cap(c.groups) {
		bigger := make([]group, n, 2*n)
		copy(bigger, c.groups)
		c.groups = bigger
	}
	c.groups = c.groups[:n+1]
	c.groups[n] = group{open: len(c.items), last: -1}
}

// at returns the n-th item from the end, 1 being the last; a zero item before the beginning.
func (c *canon) at(n int) *item {
	if n > len(c.items) {
		return &item{}
	}
	return &c.items[len(c.items)-n]
}

func (c *canon) dropLast() { c.items = c.items[:len(c.items)-1] }

func (i *item) isOp(s string) bool { return i.kind == Op && i.text == s }

func (i *item) isValue() bool { return i.kind == Param || i.kind == List }

// operandNext reports whether an expression may begin behind i, so that + and - there are signs.
func (i *item) operandNext() bool {
	switch i.kind {
	case EOF:
		return true
	case Op:
		return i.text != ")" && i.text != "." && i.text != "}" && i.text != "@@"
	case Word:
		return i.word != nil && i.word.operandNext
	default:
		return false
	}
}

// value appends a value: it takes its introducer and signs with it, joins the string before it, and
// makes a list with the value before the comma.
func (c *canon) value() {
	c.dropIntroducer()
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

func (c *canon) list() {
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

// dropIntroducer takes away the _utf8mb4 or (_charset) in front of a value.
func (c *canon) dropIntroducer() {
	last := c.at(1)
	if last.kind == Charset || last.kind == Word && !last.dot && strings.HasPrefix(last.text, "_") {
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

// op appends an operator or a mark.
func (c *canon) op(text string) {
	switch text {
	case "(":
		c.open()
	case ")":
		c.close()
	case "<>":
		c.push(item{kind: Op, hash: hashText("!="), text: "!="})
	case "&&":
		w := words.find("AND")
		c.push(item{kind: Word, hash: w.hash, text: "AND", word: w, kw: w.kw})
	default:
		c.push(item{kind: Op, hash: hashText(text), text: text})
	}
}

// open appends "(". The word before it is a function if it can be one.
func (c *canon) open() {
	if f := c.at(1); f.word != nil && f.word.function {
		f.hash = f.word.hash
	}
	if len(c.items) == 1 && c.at(1).runsPrepared() {
		c.command = c.at(1).word.text
		c.restart()
	}
	c.enter()
	c.push(item{kind: Op, hash: hashText("("), text: "("})
}

// close appends ")" and folds what it closes.
func (c *canon) close() {
	if len(c.groups) == 1 {
		c.push(item{kind: Op, hash: hashText(")"), text: ")"})
		return
	}
	c.foldUnion()
	g := c.groups[len(c.groups)-1]
	c.groups = c.groups[:len(c.groups)-1]
	outer := &c.groups[len(c.groups)-1]
	if c.atOpen(g.open, 1).kw == kwIn {
		c.foldElements(g.open)
	}
	c.push(item{kind: Op, hash: hashText(")"), text: ")"})
	if !c.foldRow(g.open, outer.last) {
		outer.last = g.open
	}
}

// atOpen returns the n-th item before the parenthesis at index open.
func (c *canon) atOpen(open, n int) *item {
	if open < n {
		return &item{}
	}
	return &c.items[open-n]
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
		n := len(c.items)
		if last := c.at(1); last.isOp(",") || last.isOp(";") || last.kind == Charset ||
			(last.isOp("-") || last.isOp("+")) && c.at(2).operandNext() ||
			last.kw == kwOffset && c.at(2).kind == Param && c.at(3).kw == kwLimit {
			c.dropLast()
		}
		c.dropRow()
		c.dropBranch()
		if len(c.items) == n {
			return
		}
	}
}

func (c *canon) fingerprint() string {
	h := uint64(fnvOffset)
	for i := range c.items {
		h = mix(h, c.items[i].hash)
	}
	if c.truncated {
		return name("fp1t:", finish(h))
	}
	return name("fp1:", finish(h))
}
