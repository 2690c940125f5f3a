package sqlshape

import (
	"strconv"

	"vitess.io/vitess/go/vt/sqlparser"
)

// alias returns the expression of the select list that a name stands for, nil if it is none.
func (s *scope) alias(c *sqlparser.ColName) sqlparser.Expr {
	if !c.Qualifier.IsEmpty() {
		return nil
	}
	return s.aliases[lower(c.Name.String())]
}

// groupBy notes GROUP BY.
func (a *analyzer) groupBy(n *sqlparser.GroupBy, s *scope) {
	if n == nil || len(n.Exprs) == 0 {
		return
	}
	a.shape.Blocks[s.block].Grouped = true
	list := make([]*sqlparser.Order, len(n.Exprs))
	for i, e := range n.Exprs {
		list[i] = &sqlparser.Order{Expr: e}
	}
	if table, columns := a.ordered(list, s); columns != nil {
		a.shape.Tables[table].Group = columns
	}
}

// orderLimit notes ORDER BY and LIMIT.
func (a *analyzer) orderLimit(order sqlparser.OrderBy, limit *sqlparser.Limit, s *scope) {
	b := &a.shape.Blocks[s.block]
	if limit != nil {
		b.Limited, b.Limit = true, number(limit.Rowcount)
	}
	if len(order) == 0 || isNull(order[0].Expr) {
		return // ORDER BY NULL says that no order is wanted
	}
	b.Ordered = true
	if table, columns := a.ordered(order, s); columns != nil {
		a.shape.Tables[table].Order = columns
	}
}

// ordered returns the table and columns of a list if they are columns of one table of this block.
func (a *analyzer) ordered(list []*sqlparser.Order, s *scope) (table int, columns []Ordered) {
	one := true
	for i, o := range list {
		a.useLate(o.Expr, s)
		col, ok := a.orderColumn(o.Expr, s)
		if i == 0 {
			table = col.table
		}
		if !ok || col.table != table || a.shape.Tables[col.table].Block != s.block {
			one = false
			continue
		}
		columns = append(columns, Ordered{Column: col.name, Desc: o.Direction == sqlparser.DescOrder})
	}
	if !one {
		return 0, nil
	}
	return table, columns
}

// orderColumn returns the column that an element of ORDER BY or GROUP BY means, by name, alias or
// position.
func (a *analyzer) orderColumn(e sqlparser.Expr, s *scope) (column, bool) {
	if n := number(e); n > 0 && n <= len(s.list) {
		e = s.list[n-1]
	}
	c, ok := e.(*sqlparser.ColName)
	if !ok {
		return column{}, false
	}
	if aliased := s.alias(c); aliased != nil {
		if c, ok = aliased.(*sqlparser.ColName); !ok {
			return column{}, false
		}
	}
	return a.resolve(c, s)
}

// number returns the value of an integer literal, 0 if it is none.
func number(e sqlparser.Expr) int {
	l, ok := e.(*sqlparser.Literal)
	if !ok || l.Type != sqlparser.IntVal {
		return 0
	}
	n, err := strconv.Atoi(l.Val)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func isNull(e sqlparser.Expr) bool {
	_, ok := e.(*sqlparser.NullVal)
	return ok
}
