package sqlshape

import (
	"slices"

	"vitess.io/vitess/go/vt/sqlparser"
)

// sink takes the conditions of one WHERE, ON or branch of an OR.
type sink struct {
	a     *analyzer
	scope *scope
	only  []int // the tables that the condition restricts; nil for all
	where bool  // the condition is WHERE's: it holds after outer joins
	// branch collects by table what one branch of an OR asks; nil outside of one.
	branch map[int]*Predicates
}

// restricts reports whether a condition on the table belongs here: the table is of this block, and
// not on the outer side of the outer join whose ON this is.
func (k *sink) restricts(table int) bool {
	return k.a.shape.Tables[table].Block == k.scope.block && (k.only == nil || slices.Contains(k.only, table))
}

// predicates returns where the predicates of a table go.
func (k *sink) predicates(table int) *Predicates {
	if k.branch == nil {
		return &k.a.shape.Tables[table].Predicates
	}
	if k.branch[table] == nil {
		k.branch[table] = &Predicates{}
	}
	return k.branch[table]
}

// condition sorts a condition that must hold into what it asks of its tables.
func (a *analyzer) condition(e sqlparser.Expr, k *sink) {
	switch e := e.(type) {
	case *sqlparser.AndExpr:
		a.condition(e.Left, k)
		a.condition(e.Right, k)
	case *sqlparser.OrExpr:
		k.or(e)
	case *sqlparser.ComparisonExpr:
		k.comparison(e)
	case *sqlparser.BetweenExpr:
		k.between(e)
	case *sqlparser.IsExpr:
		k.is(e)
	case *sqlparser.MatchExpr:
		for _, c := range e.Columns {
			k.add(c, func(p *Predicates, name string) { p.Match = appendOnce(p.Match, name) })
		}
	case *sqlparser.NotExpr:
		k.other(e.Expr)
	case *sqlparser.ColName, *sqlparser.FuncExpr, *sqlparser.XorExpr, *sqlparser.MemberOfExpr:
		k.other(e)
	}
}

// add notes something of the column that an expression is, if it is one that this condition restricts.
func (k *sink) add(e sqlparser.Expr, note func(*Predicates, string)) {
	if col, ok := k.column(e); ok && k.restricts(col.table) {
		note(k.predicates(col.table), col.name)
	}
}

// column returns the column that an expression is.
func (k *sink) column(e sqlparser.Expr) (column, bool) {
	c, ok := e.(*sqlparser.ColName)
	if !ok {
		return column{}, false
	}
	return k.a.resolve(c, k.scope)
}

// other notes the columns of a condition that no index serves.
func (k *sink) other(e sqlparser.Expr) {
	if is, ok := e.(*sqlparser.IsExpr); ok && is.Right == sqlparser.IsNullOp {
		k.add(is.Left, func(p *Predicates, name string) { p.NotNull = appendOnce(p.NotNull, name) })
		return
	}
	for _, c := range columnsOf(e) {
		if f, ok := e.(*sqlparser.FuncExpr); ok {
			k.wrapped(c, f.Name.Lowered())
			continue
		}
		k.add(c, func(p *Predicates, name string) { p.Other = appendOnce(p.Other, name) })
	}
}

func (k *sink) wrapped(c *sqlparser.ColName, by string) {
	k.add(c, func(p *Predicates, name string) {
		if w := (Wrapped{name, by}); !slices.Contains(p.Wrapped, w) {
			p.Wrapped = append(p.Wrapped, w)
		}
	})
}

// columnsOf returns the columns in an expression, those of subqueries excepted.
func columnsOf(e sqlparser.Expr) []*sqlparser.ColName {
	var out []*sqlparser.ColName
	_ = sqlparser.Walk(func(n sqlparser.SQLNode) (bool, error) {
		switch n := n.(type) {
		case *sqlparser.ColName:
			out = append(out, n)
		case *sqlparser.Subquery:
			return false, nil
		}
		return true, nil
	}, e)
	return out
}

// known reports whether the value of an expression is known before the tables of this block are read:
// it names no column of them. A subquery is taken to be; one that is correlated costs, but its value
// is looked up all the same.
func (k *sink) known(e sqlparser.Expr) bool {
	for _, c := range columnsOf(e) {
		col, ok := k.a.resolve(c, k.scope)
		if !ok || k.a.shape.Tables[col.table].Block == k.scope.block {
			return false
		}
	}
	return true
}

// between notes col BETWEEN a AND b, and a BETWEEN col AND col.
func (k *sink) between(e *sqlparser.BetweenExpr) {
	if !e.IsBetween {
		k.other(e.Left)
		return
	}
	if k.known(e.From) && k.known(e.To) {
		k.compared(e.Left, addRange)
		return
	}
	if k.known(e.Left) {
		k.compared(e.From, addRange)
		k.compared(e.To, addRange)
	}
}

func addRange(p *Predicates, name string) { p.Range = appendOnce(p.Range, name) }

// compared notes a comparison of an expression with something known: of its column, or that the
// column is inside of more.
func (k *sink) compared(e sqlparser.Expr, note func(*Predicates, string)) {
	if _, ok := e.(*sqlparser.ColName); ok {
		k.add(e, note)
		k.rejectsNull(e)
		return
	}
	for _, c := range columnsOf(e) {
		k.wrapped(c, wrapper(e))
	}
}

// is notes IS NULL and IS NOT NULL. WHERE inner.id IS NULL behind an outer join asks for rows that
// have no partner, not for rows with NULL.
func (k *sink) is(e *sqlparser.IsExpr) {
	switch e.Right {
	case sqlparser.IsNullOp:
		if col, ok := k.column(e.Left); !ok || !k.where || !k.a.shape.Tables[col.table].Outer {
			k.add(e.Left, func(p *Predicates, name string) { p.Null = appendOnce(p.Null, name) })
		}
	case sqlparser.IsNotNullOp:
		k.compared(e.Left, func(p *Predicates, name string) { p.NotNull = appendOnce(p.NotNull, name) })
	default:
		k.other(e.Left)
	}
}

// wrapper names what stands around a column.
func wrapper(e sqlparser.Expr) string {
	switch e := e.(type) {
	case *sqlparser.FuncExpr:
		return e.Name.Lowered()
	case *sqlparser.BinaryExpr:
		return e.Operator.ToString()
	case *sqlparser.CollateExpr:
		return "collate"
	case *sqlparser.CastExpr:
		return "cast"
	case *sqlparser.ConvertExpr, *sqlparser.ConvertUsingExpr:
		return "convert"
	case *sqlparser.SubstrExpr:
		return "substring"
	case *sqlparser.ExtractFuncExpr:
		return "extract"
	case *sqlparser.TrimFuncExpr:
		return "trim"
	case *sqlparser.CaseExpr:
		return "case"
	case *sqlparser.UnaryExpr:
		return lower(e.Operator.ToString())
	}
	return "expression"
}
