package sqltext

import (
	"slices"
	"strings"
)

// tables returns which tables a statement reads and writes, as far as its tokens tell. It looks for them
// in the room of f.
func (c *canon) tables(class Class, f *tableFinder) (reads, writes []string) {
	if class == Call || class == Other || class == Transaction {
		return nil, nil
	}
	f.begin(c.items, c.items[c.verb()].kw)
	for i := 0; i < len(f.items); {
		i = f.step(i)
	}
	f.resolve()
	for _, t := range f.tables {
		if t.write {
			writes = appendOnce(writes, t.name)
		} else if !f.isCTE(t.name) {
			reads = appendOnce(reads, t.name)
		}
	}
	return reads, writes
}

// maxTables bounds the tables and aliases that are told of one statement.
const maxTables = 256

func appendOnce(names []string, name string) []string {
	if len(names) == maxTables || slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

// table is a table where a statement names it.
type table struct {
	name  string // qualified as in the text
	alias string // by which the rest of the statement calls it
	write bool
}

// clause is where in a statement a level of parentheses is.
type clause uint8

const (
	elsewhere clause = iota
	deleting         // between DELETE and FROM: the names are aliases
	into             // the next name is a table that is written
	written          // behind such a table: a comma or JOIN brings another
	from             // the next name is a table that is read
	joined           // behind such a table: a comma or JOIN brings another
	assigning        // in the SET of an UPDATE
)

type level struct {
	clause clause
	query  bool // SELECT or DELETE stood here, so FROM is followed by tables
}

// tableFinder walks the tokens and keeps for each level of parentheses which clause it is in.
type tableFinder struct {
	items  []item
	verb   keyword
	levels []level
	tables []table
	ctes   []string
	named  []string // the aliases that DELETE a, b FROM … and SET a.x = … write
}

// begin makes f ready for the tokens of a statement, in the room that it has.
func (f *tableFinder) begin(items []item, verb keyword) {
	*f = tableFinder{
		items: items, verb: verb, levels: append(f.levels[:0], level{}),
		tables: f.tables[:0], ctes: f.ctes[:0], named: f.named[:0],
	}
}

func (f *tableFinder) level() *level { return &f.levels[len(f.levels)-1] }

func (f *tableFinder) at(i int) *item {
	if i < 0 || i >= len(f.items) {
		return &item{}
	}
	return &f.items[i]
}

// step looks at token i and returns the index of the next one to look at.
func (f *tableFinder) step(i int) int {
	t, l := f.at(i), f.level()
	switch {
	case t.isOp("("):
		inner := level{}
		if l.clause == from {
			inner.clause, l.clause = from, joined // a derived table, or joins in parentheses
		}
		f.levels = append(f.levels, inner)
	case t.isOp(")"):
		if len(f.levels) > 1 {
			f.levels = f.levels[:len(f.levels)-1]
		}
	case t.isOp(","):
		f.comma(i)
	case t.word != nil && !t.dot && (t.word.reserved || t.kw != kwAny):
		f.keyword(i)
	case t.named() && !t.dot:
		return f.name(i)
	}
	return i + 1
}

func (f *tableFinder) comma(i int) {
	switch l := f.level(); l.clause {
	case joined:
		l.clause = from
	case written:
		l.clause = into
	case assigning:
		f.assigned(i + 1)
	case elsewhere, deleting, into, from:
	}
}

// name reads a name that is not behind a dot, and more of it if it is a table's.
func (f *tableFinder) name(i int) int {
	l := f.level()
	f.cte(i)
	switch l.clause {
	case deleting:
		end := f.qualified(i)
		f.named = appendOnce(f.named, f.items[end-1].text)
		return end
	case from, into:
		return f.table(i)
	case elsewhere, written, joined, assigning:
	}
	return i + 1
}

// table reads a table's name and alias.
func (f *tableFinder) table(i int) int {
	l := f.level()
	end := f.qualified(i)
	t := table{name: f.nameOf(i, end), alias: f.items[end-1].text, write: l.clause == into}
	if l.clause == from && f.at(end).isOp("(") {
		l.clause = joined // a function such as JSON_TABLE
		return end
	}
	next := end
	if f.at(next).kw == kwAs {
		next++
	}
	if a := f.at(next); a.named() && (a.word == nil || !a.word.reserved && a.kw == kwAny) && (t.write || l.clause == from) {
		t.alias, end = a.text, next+1
	}
	f.tables = append(f.tables, t)
	switch {
	case l.clause == from:
		l.clause = joined
	case f.verb == kwUpdate || f.verb == kwDelete || f.verb == kwDrop || f.verb == kwRename:
		l.clause = written
	default:
		l.clause = elsewhere
	}
	return end
}

// qualified returns the index behind the name that begins at i: t, or db.t.
func (f *tableFinder) qualified(i int) int {
	i++
	for f.at(i).isOp(".") && f.at(i+1).named() {
		i += 2
	}
	return i
}

// nameOf joins the parts of a qualified name.
func (f *tableFinder) nameOf(begin, end int) string {
	if end == begin+1 {
		return tableName(f.items[begin].text)
	}
	var parts []string
	for i := begin; i < end; i += 2 {
		parts = append(parts, tableName(f.items[i].text))
	}
	return strings.Join(parts, ".")
}

// tableName takes the doubling off the backticks in a name.
func tableName(s string) string { return strings.ReplaceAll(s, "``", "`") }

// keyword changes the clause.
func (f *tableFinder) keyword(i int) {
	l, before, next := f.level(), f.at(i-1).kw, f.at(i+1)
	top := len(f.levels) == 1
	switch f.at(i).kw {
	case kwSelect:
		*l = level{query: true}
	case kwDelete:
		if before != kwOn {
			*l = level{query: true, clause: deleting}
		}
	case kwFrom:
		f.from(l, top)
	case kwUsing:
		if f.verb == kwDelete && top && l.clause == written && !next.isOp("(") {
			f.deleteUsing(l)
		}
	case kwJoin, kwStraightJoin:
		f.join(l, before)
	case kwUpdate:
		if before == kwFor || before == kwKey || before == kwOn {
			l.clause = elsewhere
		} else {
			l.clause = into
		}
	case kwInsert, kwReplace, kwTruncate:
		if !next.isOp("(") && before != kwOn {
			l.clause = into
		}
	case kwInto, kwTable, kwTo, kwOn:
		f.target(i, l, top)
	case kwSet:
		if f.verb == kwUpdate && top {
			l.clause = assigning
			f.assigned(i + 1)
		} else {
			l.clause = elsewhere
		}
	case kwFor:
		if next.kw != kwJoin && next.kw != kwOrder && next.kw != kwGroup && next.kw != kwAny {
			l.clause = elsewhere
		}
	case kwGroup, kwOrder:
		if before != kwFor {
			l.clause = elsewhere
		}
	case kwWhere, kwHaving, kwLimit, kwValues, kwWindow, kwUnion, kwExcept, kwIntersect, kwLock, kwReturning:
		l.clause = elsewhere
	case kwDual:
		l.clause = joined
	default:
		if l.clause == from && f.at(i).word.text == "JSON_TABLE" {
			l.clause = joined
		}
		if l.clause == written && f.verb != kwUpdate && f.verb != kwDelete {
			l.clause = elsewhere // ALTER TABLE t ADD …
		}
	}
}

// from begins a list of tables where there is a query, and none in EXTRACT(DAY FROM x).
func (f *tableFinder) from(l *level, top bool) {
	switch {
	case !l.query:
	case f.verb == kwDelete && top && l.clause == deleting && len(f.named) == 0:
		l.clause = into
	default:
		l.clause = from
	}
}

// join brings the next table. FORCE INDEX FOR JOIN (i) brings none.
func (f *tableFinder) join(l *level, before keyword) {
	switch {
	case before == kwFor:
	case l.clause == joined:
		l.clause = from
	case l.clause == written:
		l.clause = into
	}
}

// target begins the name of a table that is written, if this word does so in this statement.
func (f *tableFinder) target(i int, l *level, top bool) {
	switch kw := f.at(i).kw; {
	case f.verb == kwSelect || !top:
	case kw == kwTable && f.verb == kwTable:
		l.clause = from
	case kw == kwTable,
		kw == kwTo && f.verb == kwRename,
		kw == kwTo && f.at(i-1).kw == kwRename,
		kw == kwInto && (f.verb == kwInsert || f.verb == kwReplace || f.verb == kwLoad),
		kw == kwOn && len(f.tables) == 0 && (f.verb == kwCreate || f.verb == kwDrop):
		l.clause = into
	}
}

// deleteUsing turns the tables of DELETE FROM a, b USING … to the aliases that they are.
func (f *tableFinder) deleteUsing(l *level) {
	for _, t := range f.tables {
		f.named = appendOnce(f.named, t.alias)
	}
	f.tables = nil
	l.clause = from
}

// assigned notes whose column an assignment at i writes.
func (f *tableFinder) assigned(i int) {
	if !f.at(i).named() {
		return
	}
	if end := f.qualified(i); end-i >= 3 {
		f.named = appendOnce(f.named, f.items[end-3].text)
	}
}

// maxColumns is how far behind WITH x ( its AS is looked for.
const maxColumns = 4096

// cte notes the name that WITH gives if one stands at i: x AS (…), x (a, b) AS (…).
func (f *tableFinder) cte(i int) {
	before := f.at(i - 1)
	if before.kw != kwWith && !before.isOp(",") && (before.word == nil || before.word.text != "RECURSIVE") {
		return
	}
	end := i + 1
	if f.at(end).isOp("(") && before.kw != kwNone {
		for end < min(i+maxColumns, len(f.items)) && !f.items[end].isOp(")") {
			end++
		}
		end++
	}
	if f.at(end).kw == kwAs && f.at(end+1).isOp("(") && len(f.ctes) < maxTables {
		f.ctes = append(f.ctes, f.items[i].text)
	}
}

func (f *tableFinder) isCTE(name string) bool {
	return slices.ContainsFunc(f.ctes, func(cte string) bool { return strings.EqualFold(cte, name) })
}

// resolve decides which tables of a statement over several are written, by the aliases it names.
// An UPDATE that names none may write any of them.
func (f *tableFinder) resolve() {
	if len(f.named) == 0 || f.verb == kwUpdate && !f.severalWritten() {
		return
	}
	for i := range f.tables {
		t := &f.tables[i]
		t.write = slices.ContainsFunc(f.named, func(n string) bool { return strings.EqualFold(n, t.alias) })
	}
}

func (f *tableFinder) severalWritten() bool {
	n := 0
	for _, t := range f.tables {
		if t.write {
			n++
		}
	}
	return n > 1
}
