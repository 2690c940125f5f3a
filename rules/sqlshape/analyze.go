package sqlshape

import (
	"fmt"
	"slices"

	"vitess.io/vitess/go/vt/sqlparser"
)

// maxTables bounds the tables and query blocks of a statement: CTEs that name one another twice double
// with each.
const maxTables = 300

// analyzer fills a shape from a tree.
type analyzer struct {
	shape   *Shape
	catalog Catalog
	// subqueries have been analysed; the value is the column that each selects, if it is one.
	subqueries map[*sqlparser.Subquery]*column
	// rejected are the tables whose columns must not be NULL for a row to pass WHERE.
	rejected map[int]bool
}

// analyze returns the shape of a tree.
func analyze(tree sqlparser.Statement, cat Catalog, partial bool) (*Shape, error) {
	if cat == nil {
		cat = func(string, string) ([]string, bool) { return nil, false }
	}
	a := &analyzer{shape: &Shape{Partial: partial}, catalog: cat, subqueries: map[*sqlparser.Subquery]*column{}, rejected: map[int]bool{}}
	a.statement(tree)
	a.simplifyOuterJoins()
	if a.full() {
		return nil, fmt.Errorf("%w: it has more than %d tables or query blocks", ErrUnparsable, maxTables)
	}
	if partial {
		a.shape.trim()
	}
	if partial && len(a.shape.Tables) == 0 {
		return nil, ErrUnparsable
	}
	return a.shape, nil
}

// trim takes away from a partial shape what the missing end may contradict.
func (s *Shape) trim() {
	for i := range s.Tables {
		t := &s.Tables[i]
		t.All, t.Or, t.Order, t.Group = true, nil, nil, nil
	}
	for i := range s.Blocks {
		b := &s.Blocks[i]
		b.Limited, b.Limit, b.Ordered, b.Grouped = false, 0, false, false
	}
}

// statement analyses the outermost statement.
func (a *analyzer) statement(tree sqlparser.Statement) {
	switch n := tree.(type) {
	case sqlparser.TableStatement:
		a.query(n, nil, -1)
	case *sqlparser.Insert:
		a.insert(n)
	case *sqlparser.Update:
		a.update(n)
	case *sqlparser.Delete:
		a.delete(n)
	}
}

// insert analyses the SELECT of an INSERT, and notes the table that is written.
func (a *analyzer) insert(n *sqlparser.Insert) {
	s := &scope{block: a.newBlock(-1)}
	a.from(n.Table, s, nil)
	for i := range a.shape.Tables {
		a.shape.Tables[i].Write = true
	}
	if rows, ok := n.Rows.(sqlparser.TableStatement); ok {
		a.query(rows, nil, -1)
	}
}

func (a *analyzer) update(n *sqlparser.Update) {
	s := a.block(nil, -1, n.With)
	ons := a.fromAll(n.TableExprs, s)
	for _, e := range n.Exprs {
		if col, ok := a.resolve(e.Name, s); ok {
			t := &a.shape.Tables[col.table]
			t.Write, t.All = true, true
			t.Sets = appendOnce(t.Sets, col.name)
		}
		a.use(e.Expr, s)
	}
	a.where(n.Where, ons, s)
	a.orderLimit(n.OrderBy, n.Limit, s)
}

func (a *analyzer) delete(n *sqlparser.Delete) {
	s := a.block(nil, -1, n.With)
	ons := a.fromAll(n.TableExprs, s)
	for i := range s.sources {
		src := &s.sources[i]
		target := len(n.Targets) == 0 || slices.ContainsFunc(n.Targets, func(t sqlparser.TableName) bool {
			return src.called(t.Qualifier.String(), t.Name.String())
		})
		if src.table >= 0 && target {
			t := &a.shape.Tables[src.table]
			t.Write, t.All = true, true
		}
	}
	a.where(n.Where, ons, s)
	a.orderLimit(n.OrderBy, n.Limit, s)
}

// full reports whether the statement is larger than what is analysed.
func (a *analyzer) full() bool {
	return len(a.shape.Tables) > maxTables || len(a.shape.Blocks) > maxTables
}

// newBlock adds a block.
func (a *analyzer) newBlock(outer int) int {
	a.shape.Blocks = append(a.shape.Blocks, Block{Outer: outer})
	return len(a.shape.Blocks) - 1
}

// block begins a block with the names around it and its own WITH.
func (a *analyzer) block(outer *scope, outerBlock int, with *sqlparser.With) *scope {
	s := &scope{block: a.newBlock(outerBlock), outer: outer}
	s.with(with)
	return s
}

// query analyses a SELECT or a UNION of them inside the block outerBlock. It returns the scope of a
// SELECT, nil of a UNION.
func (a *analyzer) query(n sqlparser.TableStatement, outer *scope, outerBlock int) *scope {
	if a.full() {
		return nil
	}
	switch n := n.(type) {
	case *sqlparser.Select:
		s := a.block(outer, outerBlock, n.With)
		a.selectInto(n, s)
		return s
	case *sqlparser.Union:
		if n.With != nil {
			outer = &scope{outer: outer, block: -1}
			outer.with(n.With)
		}
		a.query(n.Left, outer, outerBlock)
		a.query(n.Right, outer, outerBlock)
	}
	return nil
}

// selectInto analyses a SELECT into the scope of its block.
func (a *analyzer) selectInto(n *sqlparser.Select, s *scope) {
	ons := a.fromAll(n.From, s)
	a.selectList(n, s)
	a.where(n.Where, ons, s)
	for _, w := range n.Windows {
		a.use(w, s)
	}
	a.groupBy(n.GroupBy, s)
	if n.Having != nil {
		a.useLate(n.Having.Expr, s)
	}
	a.orderLimit(n.OrderBy, n.Limit, s)
	a.shape.Blocks[s.block].Distinct = a.shape.Blocks[s.block].Distinct || n.Distinct
}

// selectList notes what the select list reads, and its aliases.
func (a *analyzer) selectList(n *sqlparser.Select, s *scope) {
	s.aliases = map[string]sqlparser.Expr{}
	star := false
	for _, e := range n.GetColumns() {
		switch e := e.(type) {
		case *sqlparser.StarExpr:
			star = true
			a.star(e, s)
		case *sqlparser.AliasedExpr:
			if !star {
				s.list = append(s.list, e.Expr)
			}
			if e.As.NotEmpty() {
				s.aliases[lower(e.As.String())] = e.Expr
			}
			a.use(e.Expr, s)
		}
	}
}

// star marks the tables of which all columns are read.
func (a *analyzer) star(e *sqlparser.StarExpr, s *scope) {
	q := e.TableName.Name.String()
	for i := range s.sources {
		src := &s.sources[i]
		if q == "" || src.called(e.TableName.Qualifier.String(), q) {
			a.allOf(src)
		}
	}
}

// allOf marks a source, or what a merged derived table gives.
func (a *analyzer) allOf(src *source) {
	if src.merged == nil {
		a.shape.Tables[src.table].All = true
		return
	}
	for _, col := range src.output {
		a.need(col)
	}
}

// where analyses ON and WHERE.
func (a *analyzer) where(w *sqlparser.Where, ons []on, s *scope) {
	for _, o := range ons {
		a.use(o.expr, s)
		a.condition(o.expr, &sink{a: a, scope: s, only: o.only})
	}
	if w != nil {
		a.use(w.Expr, s)
		a.condition(w.Expr, &sink{a: a, scope: s, where: true})
	}
}

// use notes the columns that an expression reads and analyses the subqueries inside it.
func (a *analyzer) use(e sqlparser.SQLNode, s *scope) {
	if e == nil {
		return
	}
	_ = sqlparser.Walk(func(n sqlparser.SQLNode) (bool, error) {
		switch n := n.(type) {
		case *sqlparser.Subquery:
			a.subquery(n, s)
			return false, nil
		case *sqlparser.ExistsExpr:
			a.exists(n.Subquery, s)
			return false, nil
		case *sqlparser.ColName:
			a.useColumn(n, s)
		case sqlparser.AggrFunc:
			a.shape.Blocks[s.block].Aggregated = true
		}
		return true, nil
	}, e)
}

func (a *analyzer) useColumn(c *sqlparser.ColName, s *scope) {
	if col, ok := a.resolve(c, s); ok {
		a.need(col)
	} else {
		a.shape.Unresolved++
	}
}

func (a *analyzer) need(c column) {
	t := &a.shape.Tables[c.table]
	t.Needed = appendOnce(t.Needed, c.name)
}

// useLate is use for HAVING, ORDER BY and GROUP BY, which see the aliases of the select list: what
// those stand for was noted there.
func (a *analyzer) useLate(e sqlparser.SQLNode, s *scope) {
	_ = sqlparser.Walk(func(n sqlparser.SQLNode) (bool, error) {
		c, ok := n.(*sqlparser.ColName)
		switch {
		case ok && s.alias(c) == nil:
			a.useColumn(c, s)
		case !ok && isQuery(n):
			a.use(n, s)
			return false, nil
		}
		return true, nil
	}, e)
}

func isQuery(n sqlparser.SQLNode) bool {
	switch n.(type) {
	case *sqlparser.Subquery, *sqlparser.ExistsExpr:
		return true
	}
	return false
}

// exists analyses an EXISTS, whose select list reads nothing.
func (a *analyzer) exists(n *sqlparser.Subquery, s *scope) {
	sel, ok := n.Select.(*sqlparser.Select)
	if !ok {
		a.subquery(n, s)
		return
	}
	bare := *sel
	bare.SelectExprs = &sqlparser.SelectExprs{}
	a.query(&bare, s, s.block)
}

// subquery analyses a subquery once and remembers the column that it selects.
func (a *analyzer) subquery(n *sqlparser.Subquery, s *scope) *column {
	if col, done := a.subqueries[n]; done {
		return col
	}
	a.subqueries[n] = nil
	inner := a.query(n.Select, s, s.block)
	sel, ok := n.Select.(*sqlparser.Select)
	if inner == nil || !ok || sel.GetColumnCount() != 1 || sel.GroupBy != nil || sel.Limit != nil {
		return nil
	}
	if e, ok := sel.GetColumns()[0].(*sqlparser.AliasedExpr); ok {
		if c, ok := e.Expr.(*sqlparser.ColName); ok {
			if col, ok := a.resolve(c, inner); ok && a.shape.Tables[col.table].Block == inner.block {
				a.subqueries[n] = &col
			}
		}
	}
	return a.subqueries[n]
}
