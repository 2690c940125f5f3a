package indexes

import (
	"slices"
	"strconv"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// definition is the statement that makes a table, while it is being read. It is read as the servers
// write it; a clause that is not known is skipped up to the next comma.
type definition struct {
	tokens []sqltext.Token
	at     int
}

func (p *definition) end() bool { return p.at >= len(p.tokens) }

func (p *definition) peek() sqltext.Token {
	if p.end() {
		return sqltext.Token{}
	}
	return p.tokens[p.at]
}

func (p *definition) next() sqltext.Token {
	t := p.peek()
	p.at++
	return t
}

// words reads these words if all of them are next.
func (p *definition) words(list ...string) bool {
	for i, w := range list {
		if p.at+i >= len(p.tokens) || !p.tokens[p.at+i].Is(w) {
			return false
		}
	}
	p.at += len(list)
	return true
}

// name reads a name; empty if there is none.
func (p *definition) name() string {
	switch t := p.peek(); t.Kind {
	case sqltext.Word, sqltext.Name:
		p.at++
		return t.Ident()
	default:
		return ""
	}
}

// qualified reads a name that may have its schema before it.
func (p *definition) qualified() (schema, name string) {
	name = p.name()
	if p.words(".") {
		schema, name = name, p.name()
	}
	return schema, name
}

// skipTo goes to one of these marks outside of parentheses, or to a parenthesis that closes what is
// around.
func (p *definition) skipTo(marks ...string) {
	for depth := 0; !p.end(); p.at++ {
		t := p.peek()
		if depth == 0 {
			if t.Is(")") {
				return
			}
			if slices.ContainsFunc(marks, t.Is) {
				return
			}
		}
		switch {
		case t.Is("("):
			depth++
		case t.Is(")"):
			depth--
		}
	}
}

// table reads what follows CREATE TABLE.
func (p *definition) table(t *snapshot.Table) {
	schema, name := p.qualified()
	t.Name = name
	if schema != "" {
		t.Schema = schema
	}
	if !p.words("(") {
		return // LIKE, or a SELECT
	}
	for !p.end() {
		p.element(t)
		p.skipTo(",")
		if !p.words(",") {
			break
		}
	}
	p.words(")")
	p.options(t)
	resolve(t)
}

// element reads a column, an index or a constraint.
func (p *definition) element(t *snapshot.Table) {
	constraint := ""
	if p.words("CONSTRAINT") && !p.peek().Is("PRIMARY") && !p.peek().Is("UNIQUE") && !p.peek().Is("FOREIGN") && !p.peek().Is("CHECK") {
		constraint = p.name()
	}
	switch {
	case p.words("PRIMARY", "KEY"):
		p.index(t, snapshot.Index{Name: "PRIMARY", Unique: true, Type: "BTREE"})
	case p.words("UNIQUE"):
		p.keyword()
		p.index(t, snapshot.Index{Name: constraint, Unique: true, Type: "BTREE"})
	case p.words("FULLTEXT"):
		p.keyword()
		p.index(t, snapshot.Index{Type: "FULLTEXT"})
	case p.words("SPATIAL"):
		p.keyword()
		p.index(t, snapshot.Index{Type: "SPATIAL"})
	case p.words("FOREIGN", "KEY"):
		p.foreignKey(t, constraint)
	case p.words("CHECK"), p.words("PERIOD"):
	case p.peek().Is("KEY"), p.peek().Is("INDEX"):
		p.keyword()
		p.index(t, snapshot.Index{Type: "BTREE"})
	default:
		p.words("COLUMN")
		p.column(t)
	}
}

func (p *definition) keyword() {
	if !p.words("KEY") {
		p.words("INDEX")
	}
}

// index reads an index from its name on.
func (p *definition) index(t *snapshot.Table, i snapshot.Index) {
	if name := ""; !p.peek().Is("(") && !p.peek().Is("USING") {
		name = p.name()
		if i.Name != "PRIMARY" && name != "" {
			i.Name = name
		}
	}
	p.using(&i)
	i.Parts = p.parts()
	for !p.end() && !p.peek().Is(",") && !p.peek().Is(")") {
		switch {
		case p.words("INVISIBLE"), p.words("IGNORED"):
			i.Ignored = true
		case p.words("NOT", "IGNORED"):
		case p.peek().Is("USING"):
			p.using(&i)
		case p.peek().Is("("):
			p.next()
			p.skipTo()
			p.next()
		default:
			p.next()
		}
	}
	if len(i.Parts) == 0 {
		return
	}
	if i.Name == "" {
		i.Name = i.Parts[0].Column
	}
	t.Indexes = append(t.Indexes, i)
}

func (p *definition) using(i *snapshot.Index) {
	if p.words("USING") {
		if p.next().Is("HASH") {
			i.Type = "HASH"
		}
	}
}

// parts reads the columns of an index.
func (p *definition) parts() []snapshot.IndexPart {
	if !p.words("(") {
		return nil
	}
	var out []snapshot.IndexPart
	for !p.end() && !p.peek().Is(")") {
		var part snapshot.IndexPart
		if !p.peek().Is("(") { // an expression has no name
			part.Column = p.name()
		}
		if part.Column != "" && p.words("(") {
			if n, err := strconv.Atoi(p.next().Text); err == nil {
				part.Prefix = &n
			}
			p.skipTo()
			p.next()
		}
		for !p.end() && !p.peek().Is(",") && !p.peek().Is(")") {
			if p.words("DESC") {
				part.Descending = true
				continue
			}
			if p.words("(") {
				p.skipTo()
			}
			p.next()
		}
		out = append(out, part)
		p.words(",")
	}
	p.next()
	return out
}

// names reads a list of columns.
func (p *definition) names() []string {
	var out []string
	for _, part := range p.parts() {
		out = append(out, part.Column)
	}
	return out
}

func (p *definition) foreignKey(t *snapshot.Table, name string) {
	fk := snapshot.ForeignKey{Name: name}
	if !p.peek().Is("(") {
		fk.Name = p.name()
	}
	fk.Columns = p.names()
	if !p.words("REFERENCES") {
		return
	}
	fk.ReferencedSchema, fk.ReferencedTable = p.qualified()
	if fk.ReferencedSchema == "" {
		fk.ReferencedSchema = t.Schema
	}
	fk.ReferencedColumns = p.names()
	t.ForeignKeys = append(t.ForeignKeys, fk)
}

// column reads a column.
func (p *definition) column(t *snapshot.Table) {
	c := snapshot.Column{Name: p.name(), Nullable: true}
	if c.Name == "" {
		return
	}
	c.Type = p.columnType()
	charset := ""
	var unique, primary bool
	for !p.end() && !p.peek().Is(",") && !p.peek().Is(")") {
		switch {
		case p.words("NOT", "NULL"):
			c.Nullable = false
		case p.words("COLLATE"):
			c.Collation = p.value()
		case p.words("CHARACTER", "SET"), p.words("CHARSET"):
			charset = p.value()
		case p.words("AS"), p.words("GENERATED"):
			c.Generated = true
		case p.words("PRIMARY"):
			primary = true
		case p.words("UNIQUE"):
			unique = true
		case p.words("("):
			p.skipTo()
			p.next()
		default:
			p.next()
		}
	}
	if c.Collation == "" && charset != "" {
		c.Collation = charset + "_"
	}
	t.Columns = append(t.Columns, c)
	own := []snapshot.IndexPart{{Column: c.Name}}
	if primary {
		t.Indexes = append(t.Indexes, snapshot.Index{Name: "PRIMARY", Unique: true, Type: "BTREE", Parts: own})
	} else if unique {
		t.Indexes = append(t.Indexes, snapshot.Index{Name: c.Name, Unique: true, Type: "BTREE", Parts: own})
	}
}

// value reads a name, a text or a number.
func (p *definition) value() string {
	if name := p.name(); name != "" {
		return name
	}
	return strings.Trim(p.next().Text, `'"`)
}

// columnType reads a type as information_schema writes it: varchar(64), int(10) unsigned.
func (p *definition) columnType() string {
	var b strings.Builder
	b.WriteString(strings.ToLower(p.next().Text))
	if p.peek().Is("PRECISION") {
		p.next()
	}
	if p.words("(") {
		b.WriteByte('(')
		for !p.end() && !p.peek().Is(")") {
			b.WriteString(p.next().Text)
		}
		p.next()
		b.WriteByte(')')
	}
	for p.peek().Is("UNSIGNED") || p.peek().Is("ZEROFILL") {
		b.WriteString(" " + strings.ToLower(p.next().Text))
	}
	return b.String()
}

// options reads what stands behind the columns.
func (p *definition) options(t *snapshot.Table) {
	charset, collation := "", ""
	for !p.end() {
		switch {
		case p.words("ENGINE"):
			p.words("=")
			t.Engine = p.value()
		case p.words("COLLATE"):
			p.words("=")
			collation = p.value()
		case p.words("CHARSET"), p.words("CHARACTER", "SET"):
			p.words("=")
			charset = p.value()
		case p.words("AUTO_INCREMENT"):
			p.words("=")
			if n, err := strconv.ParseUint(p.next().Text, 10, 63); err == nil && n > 0 {
				t.Rows = new(n - 1)
			}
		case p.words("PARTITION", "BY"):
			t.Partitioned = true
		default:
			p.next()
		}
	}
	if collation == "" && charset != "" {
		collation = charset + "_"
	}
	for i := range t.Columns {
		if c := &t.Columns[i]; characters(c.Type) > 0 && c.Collation == "" {
			c.Collation = collation
		}
	}
}

// resolve sets what follows from all of a definition: how long texts are in bytes, and that a column of
// the primary key is not NULL.
func resolve(t *snapshot.Table) {
	for i := range t.Columns {
		c := &t.Columns[i]
		if n := characters(c.Type); n > 0 {
			c.MaxBytes = new(n * bytesOf(*c))
		}
	}
	for _, i := range t.Indexes {
		if i.Name != "PRIMARY" {
			continue
		}
		for _, p := range i.Parts {
			for at := range t.Columns {
				if strings.EqualFold(t.Columns[at].Name, p.Column) {
					t.Columns[at].Nullable = false
				}
			}
		}
	}
}

// characters is how long a value of a type of characters or bytes may be; 0 for other types.
func characters(columnType string) uint64 {
	name, rest, sized := strings.Cut(columnType, "(")
	switch name {
	case "tinytext", "tinyblob":
		return 255
	case "text", "blob":
		return 65535
	case "mediumtext", "mediumblob":
		return 1<<24 - 1
	case "longtext", "longblob", "json":
		return 1<<32 - 1
	case "char", "varchar", "binary", "varbinary", "nchar", "nvarchar":
		if !sized {
			return 1
		}
		n, err := strconv.ParseUint(strings.TrimSuffix(rest, ")"), 10, 31)
		if err != nil {
			return 1
		}
		return n
	}
	return 0
}

// bytesOf is how many bytes a character of a column takes at most. The lengths of texts are in bytes.
func bytesOf(c snapshot.Column) uint64 {
	if !strings.HasSuffix(strings.SplitN(c.Type, "(", 2)[0], "char") {
		return 1
	}
	switch charset, _, _ := strings.Cut(c.Collation, "_"); charset {
	case "latin1", "ascii", "latin2", "cp1251", "binary", "latin5", "latin7":
		return 1
	case "ucs2":
		return 2
	case "utf8", "utf8mb3":
		return 3
	}
	return 4
}
