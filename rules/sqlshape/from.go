package sqlshape

import (
	"maps"
	"slices"
	"strings"

	"vitess.io/vitess/go/vt/sqlparser"
)

// on is the condition of a join. Of an outer join, it restricts the tables of the inner side only.
type on struct {
	expr sqlparser.Expr
	only []int // the tables it restricts; nil for all
}

// fromAll adds the tables of a FROM clause to the scope and returns its join conditions.
func (a *analyzer) fromAll(exprs []sqlparser.TableExpr, s *scope) []on {
	var ons []on
	for _, e := range exprs {
		ons = a.from(e, s, ons)
	}
	return ons
}

// from adds a table expression to the scope.
func (a *analyzer) from(e sqlparser.TableExpr, s *scope, ons []on) []on {
	switch e := e.(type) {
	case *sqlparser.AliasedTableExpr:
		return a.aliased(e, s, ons)
	case *sqlparser.ParenTableExpr:
		return append(ons, a.fromAll(e.Exprs, s)...)
	case *sqlparser.JoinTableExpr:
		return a.join(e, s, ons)
	case *sqlparser.JSONTableExpr:
		a.use(e.Expr, s)
		a.addDerived(e.Alias.String(), nil, false, s)
	}
	return ons
}

// join adds both sides of a join and its condition.
func (a *analyzer) join(e *sqlparser.JoinTableExpr, s *scope, ons []on) []on {
	first := len(a.shape.Tables)
	firstSource := len(s.sources)
	ons = a.from(e.LeftExpr, s, ons)
	middle, middleSource := len(a.shape.Tables), len(s.sources)
	ons = a.from(e.RightExpr, s, ons)
	end := len(a.shape.Tables)

	var only []int
	switch e.Join {
	case sqlparser.LeftJoinType, sqlparser.NaturalLeftJoinType:
		only = a.innerSide(middle, end)
	case sqlparser.RightJoinType, sqlparser.NaturalRightJoinType:
		only = a.innerSide(first, middle)
	case sqlparser.StraightJoinType:
		only = indexes(middle, end) // the left side is read first by order of the statement
	default:
	}
	if c := e.Condition; c != nil && c.On != nil {
		ons = append(ons, on{c.On, only})
	} else if c != nil {
		a.using(c.Using, s, firstSource, middleSource, only)
	}
	return ons
}

// innerSide marks the tables that may be missing from a row of an outer join.
func (a *analyzer) innerSide(from, to int) []int {
	for i := from; i < to; i++ {
		a.shape.Tables[i].Outer = true
	}
	return indexes(from, to)
}

func indexes(from, to int) []int {
	out := make([]int, 0, to-from) // not nil: it restricts even if it is empty
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// using joins the two sides by columns of the same name.
func (a *analyzer) using(names sqlparser.Columns, s *scope, first, middle int, only []int) {
	left := &scope{block: s.block, sources: s.sources[first:middle]}
	right := &scope{block: s.block, sources: s.sources[middle:]}
	for _, n := range names {
		c := sqlparser.NewColName(n.String())
		l, lok := a.resolve(c, left)
		r, rok := a.resolve(c, right)
		if !lok || !rok {
			a.shape.Unresolved++
			continue
		}
		a.need(l)
		a.need(r)
		k := &sink{a: a, scope: s, only: only}
		k.joined(l, r)
	}
}

// aliased adds a table, derived table or CTE.
func (a *analyzer) aliased(e *sqlparser.AliasedTableExpr, s *scope, ons []on) []on {
	alias := e.As.String()
	switch x := e.Expr.(type) {
	case sqlparser.TableName:
		if alias == "" {
			alias = x.Name.String()
		}
		if c := s.cte(x.Name.String()); c != nil && x.Qualifier.IsEmpty() {
			return a.derived(c.query, c.columns, alias, s.inside(x.Name.String(), c), s, ons)
		}
		if x.Qualifier.IsEmpty() && strings.EqualFold(x.Name.String(), "dual") {
			return ons
		}
		a.addTable(x, alias, e.Hints, s)
	case *sqlparser.DerivedTable:
		inner := s.within()
		if x.Lateral {
			inner = &scope{block: s.block, outer: s}
		}
		return a.derived(x.Select, columnNames(e.Columns), alias, inner, s, ons)
	}
	return ons
}

// addTable adds an occurrence of a table.
func (a *analyzer) addTable(n sqlparser.TableName, alias string, hints sqlparser.IndexHints, s *scope) {
	t := Table{Schema: n.Qualifier.String(), Name: n.Name.String(), Alias: alias, Block: s.block}
	for _, h := range hints {
		for _, i := range h.Indexes {
			t.Hinted = appendOnce(t.Hinted, i.String())
		}
	}
	columns, known := a.catalog(t.Schema, t.Name)
	s.sources = append(s.sources, source{
		alias: alias, schema: t.Schema, table: len(a.shape.Tables), columns: columns, known: known,
	})
	a.shape.Tables = append(a.shape.Tables, t)
}

// addDerived adds an occurrence of a derived table that is not merged.
func (a *analyzer) addDerived(alias string, columns []string, known bool, s *scope) {
	s.sources = append(s.sources, source{
		alias: alias, table: len(a.shape.Tables), columns: columns, known: known,
	})
	a.shape.Tables = append(a.shape.Tables, Table{Alias: alias, Derived: true, Block: s.block})
}

// derived adds a derived table or CTE: merged into this block if the optimizer would, else as a table
// of its own beside the block that makes it.
func (a *analyzer) derived(q sqlparser.TableStatement, names []string, alias string, inner, s *scope, ons []on) []on {
	sel, ok := q.(*sqlparser.Select)
	if ok && mergeable(sel) && len(names) == 0 && !a.full() {
		return a.merge(sel, alias, inner, s, ons)
	}
	if q != nil {
		a.query(q, inner, s.block)
	}
	known := len(names) > 0
	if !known && ok {
		names, known = outputNames(sel)
	}
	a.addDerived(alias, names, known, s)
	return ons
}

// mergeable reports whether servers merge a derived table into the query around it: no aggregation,
// DISTINCT, LIMIT, HAVING, UNION, or WITH of its own.
func mergeable(n *sqlparser.Select) bool {
	if n.Distinct || n.GroupBy != nil || n.Having != nil || n.Limit != nil || n.With != nil || len(n.Windows) > 0 || len(n.From) == 0 {
		return false
	}
	plain := true
	_ = sqlparser.Walk(func(node sqlparser.SQLNode) (bool, error) {
		switch node.(type) {
		case sqlparser.AggrFunc, *sqlparser.Subquery, *sqlparser.OverClause, *sqlparser.AssignmentExpr:
			plain = false
		}
		return plain, nil
	}, n.SelectExprs)
	return plain
}

// merge makes the tables and conditions of a derived table those of this block.
func (a *analyzer) merge(n *sqlparser.Select, alias string, inner, s *scope, ons []on) []on {
	innerOns := a.fromAll(n.From, inner)
	src := source{alias: alias, table: -1, merged: inner, output: map[string]column{}}
	for _, e := range n.GetColumns() {
		switch e := e.(type) {
		case *sqlparser.StarExpr:
			a.mergeStar(e, inner, src.output)
		case *sqlparser.AliasedExpr:
			a.use(e.Expr, inner)
			if c, ok := e.Expr.(*sqlparser.ColName); ok {
				if col, ok := a.resolve(c, inner); ok {
					src.output[lower(outputName(e))] = col
				}
			}
		}
	}
	a.where(n.Where, innerOns, inner)
	s.sources = append(s.sources, src)
	return ons
}

// mergeStar adds the columns that * gives to a merged derived table's output, as far as they are known.
func (a *analyzer) mergeStar(e *sqlparser.StarExpr, inner *scope, output map[string]column) {
	a.star(e, inner)
	q := e.TableName.Name.String()
	for i := range inner.sources {
		src := &inner.sources[i]
		if q != "" && !src.called(e.TableName.Qualifier.String(), q) {
			continue
		}
		for _, c := range src.columns {
			output[lower(c)] = column{src.table, c}
		}
		maps.Copy(output, src.output)
	}
}

// outputName returns the name of a column of a derived table.
func outputName(e *sqlparser.AliasedExpr) string {
	if e.As.NotEmpty() {
		return e.As.String()
	}
	if c, ok := e.Expr.(*sqlparser.ColName); ok {
		return c.Name.String()
	}
	return ""
}

// outputNames returns the names of the columns of a derived table, unless there is a *.
func outputNames(n *sqlparser.Select) ([]string, bool) {
	var names []string
	for _, e := range n.GetColumns() {
		ae, ok := e.(*sqlparser.AliasedExpr)
		if !ok {
			return nil, false
		}
		names = append(names, outputName(ae))
	}
	return names, true
}

func columnNames(columns sqlparser.Columns) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.String())
	}
	return names
}

func lower(s string) string { return strings.ToLower(s) }

// appendOnce appends a name that is not there yet.
func appendOnce(names []string, name string) []string {
	if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
		return names
	}
	return append(names, name)
}
