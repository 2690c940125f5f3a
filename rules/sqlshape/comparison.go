package sqlshape

import (
	"slices"
	"strings"

	"vitess.io/vitess/go/vt/sqlparser"
)

// comparison notes a comparison.
func (k *sink) comparison(e *sqlparser.ComparisonExpr) {
	switch e.Operator {
	case sqlparser.EqualOp, sqlparser.NullSafeEqualOp:
		if e.Modifier == sqlparser.Missing {
			k.equal(e.Left, e.Right)
		}
	case sqlparser.LessThanOp, sqlparser.GreaterThanOp, sqlparser.LessEqualOp, sqlparser.GreaterEqualOp:
		if k.known(e.Right) {
			k.compared(e.Left, addRange)
			k.number(e.Left, e.Right)
		} else if k.known(e.Left) {
			k.compared(e.Right, addRange)
			k.number(e.Right, e.Left)
		}
	case sqlparser.InOp:
		k.in(e)
	case sqlparser.LikeOp:
		k.like(e)
	default: // <>, NOT IN, NOT LIKE, REGEXP
		k.other(e.Left)
		if e.Operator == sqlparser.NotEqualOp {
			k.other(e.Right)
		}
	}
}

// equal notes an equality of columns, values, or rows of them.
func (k *sink) equal(l, r sqlparser.Expr) {
	lt, lok := l.(sqlparser.ValTuple)
	rt, rok := r.(sqlparser.ValTuple)
	if lok && rok && len(lt) == len(rt) {
		for i := range lt {
			k.equal(lt[i], rt[i])
		}
		return
	}
	lc, lok := k.column(l)
	rc, rok := k.column(r)
	switch {
	case lok && rok:
		k.joined(lc, rc)
	case k.known(r):
		k.compared(l, addEqual)
		k.number(l, r)
	case k.known(l):
		k.compared(r, addEqual)
		k.number(r, l)
	case lok:
		k.computed(lc, r)
	case rok:
		k.computed(rc, l)
	}
}

// number notes that a column is compared with a number.
func (k *sink) number(column, value sqlparser.Expr) {
	if signed, ok := value.(*sqlparser.UnaryExpr); ok {
		value = signed.Expr
	}
	l, ok := value.(*sqlparser.Literal)
	if !ok {
		return
	}
	switch l.Type {
	case sqlparser.IntVal, sqlparser.DecimalVal, sqlparser.FloatVal:
		k.add(column, func(p *Predicates, name string) { p.Number = appendOnce(p.Number, name) })
	default:
	}
}

func addEqual(p *Predicates, name string) { p.Equal = appendOnce(p.Equal, name) }

// joined notes that two columns are equal: each is known once the other's row is.
func (k *sink) joined(l, r column) {
	if l.table == r.table {
		return
	}
	k.join(l, Join{To: r.table, ToColumn: r.name})
	k.join(r, Join{To: l.table, ToColumn: l.name})
	k.rejects(l.table)
	k.rejects(r.table)
}

// computed notes that a column equals an expression, if that is computed from one other table.
func (k *sink) computed(col column, e sqlparser.Expr) {
	to := -1
	for _, c := range columnsOf(e) {
		other, ok := k.a.resolve(c, k.scope)
		if !ok || other.table == col.table || to >= 0 && other.table != to {
			return
		}
		to = other.table
	}
	if to >= 0 {
		k.join(col, Join{To: to})
	}
}

// join adds a join to the table of a column, unless this is a branch of an OR.
func (k *sink) join(col column, j Join) {
	if !k.restricts(col.table) || k.branch != nil {
		return
	}
	tables := k.a.shape.Tables
	j.Column = col.name
	j.Correlated = j.Correlated || tables[j.To].Block != tables[col.table].Block && !j.Semi
	t := &tables[col.table]
	if !slices.Contains(t.Joins, j) {
		t.Joins = append(t.Joins, j)
	}
}

// in notes IN with a list or a subquery.
func (k *sink) in(e *sqlparser.ComparisonExpr) {
	switch r := e.Right.(type) {
	case sqlparser.ListArg:
		k.inList(e.Left, 0)
	case sqlparser.ValTuple:
		for _, v := range r {
			if !k.known(v) {
				k.other(e.Left)
				return
			}
		}
		k.inList(e.Left, len(r))
		for _, v := range r {
			k.number(e.Left, v)
		}
	case *sqlparser.Subquery:
		k.semiJoin(e.Left, r)
	}
}

// inList notes col IN (…) and (col, col) IN (…).
func (k *sink) inList(l sqlparser.Expr, values int) {
	columns := sqlparser.ValTuple{l}
	if t, ok := l.(sqlparser.ValTuple); ok {
		columns = t
	}
	for _, c := range columns {
		k.compared(c, func(p *Predicates, name string) { p.addIn(In{name, values}) })
	}
}

func (p *Predicates) addIn(in In) {
	for _, old := range p.In {
		if strings.EqualFold(old.Column, in.Column) {
			return
		}
	}
	p.In = append(p.In, in)
}

// semiJoin notes col IN (SELECT col …): the server looks the value up in the subquery, or begins with
// the subquery and looks its values up here.
func (k *sink) semiJoin(l sqlparser.Expr, sub *sqlparser.Subquery) {
	inner := k.a.subquery(sub, k.scope)
	col, ok := k.column(l)
	if inner == nil || !ok {
		k.other(l)
		return
	}
	k.join(col, Join{To: inner.table, ToColumn: inner.name, Semi: true})
	if k.restricts(col.table) && k.branch == nil {
		t := &k.a.shape.Tables[inner.table]
		t.Joins = append(t.Joins, Join{Column: inner.name, To: col.table, ToColumn: col.name, Correlated: true, Semi: true})
	}
}

// like notes LIKE by what is known of its pattern.
func (k *sink) like(e *sqlparser.ComparisonExpr) {
	if !k.known(e.Right) {
		k.other(e.Left)
		return
	}
	l, ok := e.Right.(*sqlparser.Literal)
	switch {
	case !ok:
		k.compared(e.Left, func(p *Predicates, name string) { p.Like = appendOnce(p.Like, name) })
	case l.Val == "" || l.Val[0] == '%' || l.Val[0] == '_':
		k.other(e.Left)
	default:
		k.compared(e.Left, func(p *Predicates, name string) { p.PrefixLike = appendOnce(p.PrefixLike, name) })
	}
}

// or notes a disjunction. On one column it is an IN.
func (k *sink) or(e *sqlparser.OrExpr) {
	branches := k.branches(e)
	for table := range k.a.shape.Tables {
		if slices.ContainsFunc(branches, func(b map[int]*Predicates) bool { return b[table] != nil }) {
			k.disjunction(branches, table)
		}
	}
}

// branches sorts the conditions of each branch of a disjunction.
func (k *sink) branches(e sqlparser.Expr) []map[int]*Predicates {
	if or, ok := e.(*sqlparser.OrExpr); ok {
		return append(k.branches(or.Left), k.branches(or.Right)...)
	}
	b := &sink{a: k.a, scope: k.scope, only: k.only, where: k.where, branch: map[int]*Predicates{}}
	k.a.condition(e, b)
	return []map[int]*Predicates{b.branch}
}

// implied returns the columns of a table that every branch compares with values: whatever branch a row
// passes, its value is one of them all.
func implied(branches []map[int]*Predicates, table int) []In {
	var out []In
	for _, in := range branches[0][table].values() {
		for _, b := range branches[1:] {
			in = in.or(b[table].values())
		}
		if in.Column != "" {
			out = append(out, in)
		}
	}
	return out
}

// values returns the columns that are compared with values, equalities as lists of one.
func (p *Predicates) values() []In {
	if p == nil {
		return nil
	}
	out := slices.Clone(p.In)
	for _, c := range p.Equal {
		out = append(out, In{c, 1})
	}
	return out
}

// or returns what remains known of in if the row may pass another branch instead.
func (in In) or(branch []In) In {
	for _, other := range branch {
		if !strings.EqualFold(other.Column, in.Column) {
			continue
		}
		if in.Values == 0 || other.Values == 0 {
			return In{in.Column, 0}
		}
		return In{in.Column, in.Values + other.Values}
	}
	return In{}
}

// disjunction notes the branches at a table. A disjunction of one column's values is an IN and no
// more.
func (k *sink) disjunction(branches []map[int]*Predicates, table int) {
	ins := implied(branches, table)
	for _, in := range ins {
		k.predicates(table).addIn(in)
		k.rejects(table)
	}
	or := Or{Complete: true}
	more := false
	for _, b := range branches {
		p := Predicates{}
		if b[table] != nil {
			p = *b[table]
		}
		or.Branches = append(or.Branches, p)
		or.Complete = or.Complete && p.Sargable()
		more = more || len(b) != 1 || len(ins) != 1 || !p.only(ins[0].Column)
	}
	if k.branch == nil && more {
		t := &k.a.shape.Tables[table]
		t.Or = append(t.Or, or)
	}
}

// only reports whether all that p asks is an equality or IN of this column.
func (p *Predicates) only(column string) bool {
	if len(p.Null)+len(p.Range)+len(p.NotNull)+len(p.PrefixLike)+len(p.Like)+len(p.Match)+len(p.Wrapped)+len(p.Other) > 0 {
		return false
	}
	v := p.values()
	return len(v) == 1 && strings.EqualFold(v[0].Column, column)
}
