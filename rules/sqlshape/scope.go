package sqlshape

import (
	"slices"
	"strings"

	"vitess.io/vitess/go/vt/sqlparser"
)

// column is a column of an occurrence of a table.
type column struct {
	table int // index in Shape.Tables
	name  string
}

// source is what a name in FROM stands for: one table, or the tables of a merged derived table.
type source struct {
	alias   string
	schema  string
	table   int      // index in Shape.Tables; -1 for a merged derived table
	columns []string // of a table or derived table; meaningless unless known
	known   bool
	merged  *scope            // of a merged derived table
	output  map[string]column // its columns that are plain columns inside, by lower-case name
}

// scope is the names that a query block can use.
type scope struct {
	block   int
	sources []source
	outer   *scope
	ctes    map[string]*cte // by lower-case name; nil hides one further out
	// aliases are the expressions of the select list, which ORDER BY, GROUP BY and HAVING may use.
	aliases map[string]sqlparser.Expr
	// list are the expressions of the select list, which ORDER BY may name by position, up to
	// the first *.
	list []sqlparser.Expr
}

// cte is a common table expression. Inside its own recursive query it has no query.
type cte struct {
	query     sqlparser.TableStatement
	columns   []string
	recursive bool
}

// cte finds a common table expression, nil if the name is that of a table.
func (s *scope) cte(name string) *cte {
	for ; s != nil; s = s.outer {
		if c, ok := s.ctes[strings.ToLower(name)]; ok {
			return c
		}
	}
	return nil
}

// with adds the common table expressions of a WITH.
func (s *scope) with(with *sqlparser.With) {
	if with == nil {
		return
	}
	s.ctes = map[string]*cte{}
	for _, c := range with.CTEs {
		s.ctes[lower(c.ID.String())] = &cte{c.Subquery, columnNames(c.Columns), with.Recursive}
	}
}

// inside returns the scope for the query of a CTE: what it calls by the CTE's name is itself if it is
// recursive, else a table.
func (s *scope) inside(name string, c *cte) *scope {
	inner := s.within()
	own := map[string]*cte{lower(name): nil}
	if c.recursive {
		own[lower(name)] = &cte{columns: c.columns, recursive: true}
	}
	inner.outer = &scope{block: -1, ctes: own, outer: inner.outer}
	return inner
}

// within returns the scope of a query inside s that s's own names are not visible to: that of a
// derived table or CTE.
func (s *scope) within() *scope {
	return &scope{block: s.block, outer: &scope{ctes: s.ctes, outer: s.cteOuter(), block: -1}}
}

// cteOuter strips all but the CTEs from the scopes around s.
func (s *scope) cteOuter() *scope {
	if s.outer == nil {
		return nil
	}
	return &scope{ctes: s.outer.ctes, outer: s.outer.cteOuter(), block: -1}
}

// resolve finds the column that a name means, in this block or in those around it. Where there is
// only one table it is that one's, even if the catalog does not know it yet.
func (a *analyzer) resolve(c *sqlparser.ColName, s *scope) (column, bool) {
	var only []*source
	for ; s != nil; s = s.outer {
		col, state := a.resolveIn(c, s)
		if state != absent {
			return col, state == found
		}
		for i := range s.sources {
			only = append(only, &s.sources[i])
		}
	}
	if len(only) != 1 || !c.Qualifier.IsEmpty() {
		return column{}, false
	}
	col, state := a.in(only[0], c.Name.String())
	return col, state == found
}

// lookup is the outcome of resolving a name in one scope.
type lookup uint8

const (
	absent  lookup = iota // look further out
	found                 //
	unclear               // it is here or further out, and nothing tells which
)

// resolveIn finds the column in one block.
func (a *analyzer) resolveIn(c *sqlparser.ColName, s *scope) (column, lookup) {
	name := c.Name.String()
	if q := c.Qualifier.Name.String(); q != "" {
		for i := range s.sources {
			if src := &s.sources[i]; src.called(c.Qualifier.Qualifier.String(), q) {
				return a.in(src, name)
			}
		}
		return column{}, absent
	}
	return a.unqualified(name, s)
}

// called reports whether a qualifier names the source.
func (src *source) called(schema, name string) bool {
	return strings.EqualFold(src.alias, name) && (schema == "" || strings.EqualFold(src.schema, schema))
}

// in returns the column of a source.
func (a *analyzer) in(src *source, name string) (column, lookup) {
	if src.merged != nil {
		if col, ok := src.output[strings.ToLower(name)]; ok {
			return col, found
		}
		return column{}, unclear
	}
	return column{src.table, src.spelled(name)}, found
}

// spelled returns the catalog's spelling of a name.
func (src *source) spelled(name string) string {
	for _, c := range src.columns {
		if strings.EqualFold(c, name) {
			return c
		}
	}
	return name
}

// unqualified finds a name without a table: in the first source that is known to have it, else in the
// only one that is not known.
func (a *analyzer) unqualified(name string, s *scope) (column, lookup) {
	var unknown []*source
	for i := range s.sources {
		src := &s.sources[i]
		switch has, sure := src.has(name); {
		case has:
			return a.in(src, name)
		case !sure:
			unknown = append(unknown, src)
		}
	}
	switch {
	case len(unknown) == 0:
		return column{}, absent
	case len(unknown) == 1:
		return a.in(unknown[0], name)
	}
	return column{}, unclear
}

// has reports whether the source has the column, and whether that is sure.
func (src *source) has(name string) (has, sure bool) {
	if src.merged != nil {
		_, ok := src.output[strings.ToLower(name)]
		return ok, true
	}
	return slices.ContainsFunc(src.columns, func(c string) bool { return strings.EqualFold(c, name) }), src.known
}
