package sqltext

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

// maxFoldDepth is how deep inside parentheses lists and branches are folded. Each level looks at all
// that is inside of it, so that without a bound a hostile text would take quadratic time.
const maxFoldDepth = 64

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
	c := canon{items: room.items[:0], groups: room.groups[:0]}
	o.readInto(&c, sql, cut)
	return c
}

// readInto makes c the canonical tokens of sql, in the room that it has.
func (o Options) readInto(c *canon, sql string, cut bool) {
	c.items, c.groups, c.command = c.items[:0], c.groups[:0], ""
	c.enter()
	c.groups[0].open = -1
	sql, c.truncated = TrimMark(sql)
	if cut || o.MaxDigestLength > 0 && digestBytes(sql)+tokenBytes > o.MaxDigestLength {
		c.truncated = true
	}
	s := o.Scanner(sql)
	for t := s.Next(); t.Kind != EOF; t = s.Next() {
		for t.Kind == Op && t.Text == "," && c.at(1).kind == List {
			if t = s.Next(); !t.Value() { // most tokens of a log are values of long lists
				c.op(",")
			} else {
				t = s.Next()
			}
		}
		c.add(t)
	}
	c.finish(s.cut)
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
		bigger := make([]item, n, max(2*n, 64))
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
		bigger := make([]group, n, max(2*n, 8))
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

// op appends an operator or a mark.
func (c *canon) op(text string) {
	switch text {
	case "(":
		c.open()
	case ")":
		c.close()
	case ">":
		if !c.hidden() {
			c.push(item{kind: Op, hash: hashText(">"), text: ">"})
		}
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
	if c.atOpen(g.open, 1).kw == kwIn && len(c.groups) < maxFoldDepth {
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

// sum is the identity of the collected tokens.
func (c *canon) sum() Sum {
	h := uint64(fnvOffset)
	for i := range c.items {
		h = mix(h, c.items[i].hash)
	}
	return Sum{hash: finish(h), truncated: c.truncated}
}

func (c *canon) fingerprint() string { return c.sum().Fingerprint() }
