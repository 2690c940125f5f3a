package index

import (
	"cmp"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/sqlshape"
)

// catalog finds tables by name. MariaDB writes names that look like keywords in
// upper case in its digest texts, so that a name is compared exactly first, and
// then in any case; columns are compared in any case.
type catalog map[[2]string]*snapshot.Table

func newCatalog(tables []snapshot.Table) catalog {
	c := catalog{}
	for i := range tables {
		t := &tables[i]
		c[[2]string{t.Schema, t.Name}] = t
		if folded := fold(t.Schema, t.Name); c[folded] == nil {
			c[folded] = t
		}
	}
	return c
}

// find returns the table that a statement means, with its session's schema as the
// default.
func (c catalog) find(session, schema, table string) *snapshot.Table {
	if schema == "" {
		schema = session
	}
	if t := c[[2]string{schema, table}]; t != nil {
		return t
	}
	return c[fold(schema, table)]
}

func fold(schema, table string) [2]string {
	return [2]string{strings.ToLower(schema), strings.ToLower(table)}
}

func (c catalog) columns(session string) sqlshape.Catalog {
	return func(schema, table string) ([]string, bool) {
		t := c.find(session, schema, table)
		if t == nil {
			return nil, false
		}
		var names []string
		for _, column := range t.Columns {
			names = append(names, column.Name)
		}
		return names, true
	}
}

// know reports whether all tables and compared columns of a statement are known.
// Those of the server itself are nobody's to index.
func (c catalog) know(session string, shape *sqlshape.Shape) bool {
	for _, o := range shape.Tables {
		if o.Derived || system(cmp.Or(o.Schema, session)) {
			continue
		}
		t := c.find(session, o.Schema, o.Name)
		if t == nil {
			return false
		}
		n := needOf(o)
		for _, name := range slices.Concat(n.equal, n.ranges) {
			if columnOf(t, name) == nil {
				return false
			}
		}
	}
	return true
}

func system(schema string) bool {
	switch strings.ToLower(schema) {
	case "mysql", "sys", "information_schema", "performance_schema":
		return true
	}
	return false
}

func columnOf(t *snapshot.Table, name string) *snapshot.Column {
	for i := range t.Columns {
		if strings.EqualFold(t.Columns[i].Name, name) {
			return &t.Columns[i]
		}
	}
	return nil
}

func primaryKey(t *snapshot.Table) []string {
	for _, i := range t.Indexes {
		if i.Name == "PRIMARY" {
			return names(i)
		}
	}
	return nil
}

// names returns the columns of an index; an expression has an empty name.
func names(i snapshot.Index) []string {
	var out []string
	for _, p := range i.Parts {
		out = append(out, p.Column)
	}
	return out
}

func has(list []string, name string) bool {
	for _, n := range list {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
