package indexes

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// maxDefinition is how long the definition of a table may be: one of 4,096 columns, the most that a
// server allows, has less than half of it.
const maxDefinition = 4 << 20

// ErrNoTables says that a file defines no table.
var ErrNoTables = errors.New("it defines no table; write it with mysqldump --no-data")

// ReadDump reads the tables of a dump, as mysqldump, mariadb-dump and SHOW CREATE TABLE write them, and
// ALTER TABLE … ADD KEY as phpMyAdmin does. Rows of a dump are skipped. Tables have the schema that a
// USE before them names, none if there is none. How many rows there are is at most what AUTO_INCREMENT
// says; nil without.
func ReadDump(src io.Reader) ([]snapshot.Table, error) {
	d := dump{lines: bufio.NewReaderSize(src, 1<<16)}
	for {
		statement, err := d.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		d.take(statement)
	}
	if len(d.tables) == 0 {
		return nil, ErrNoTables
	}
	return d.tables, nil
}

// dump is a dump that is being read.
type dump struct {
	lines  *bufio.Reader
	line   int
	schema string
	tables []snapshot.Table
}

// next returns the next statement that defines something: from a line that begins with it to one that
// ends it. All other lines are skipped, however long they are.
func (d *dump) next() (string, error) {
	var b strings.Builder
	begun := 0
	for {
		line, whole, err := d.readLine()
		if err != nil {
			if b.Len() > 0 && errors.Is(err, io.EOF) {
				return b.String(), nil // SHOW CREATE TABLE ends without a semicolon
			}
			return "", err
		}
		if b.Len() == 0 {
			if !defines(line) {
				continue
			}
			begun = d.line
		}
		b.WriteString(line)
		b.WriteByte('\n')
		if b.Len() > maxDefinition || !whole {
			return "", fmt.Errorf("line %d: a definition of more than %d bytes", begun, maxDefinition)
		}
		if strings.HasSuffix(strings.TrimRight(line, " \t\r"), ";") {
			return b.String(), nil
		}
	}
}

// readLine returns a line, or if it is too long its beginning.
func (d *dump) readLine() (line string, whole bool, err error) {
	part, err := d.lines.ReadSlice('\n')
	line, whole = strings.TrimRight(string(part), "\n"), true
	for errors.Is(err, bufio.ErrBufferFull) {
		part, err = d.lines.ReadSlice('\n')
		if len(line)+len(part) <= maxDefinition && defines(line) {
			line += strings.TrimRight(string(part), "\n")
		} else {
			whole = false
		}
	}
	d.line++
	if errors.Is(err, io.EOF) && line != "" {
		return line, whole, nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", false, fmt.Errorf("line %d: %w", d.line, err)
	}
	return line, whole, err
}

// defines reports whether a line begins a statement that is looked at.
func defines(line string) bool {
	const longest = 64
	head := strings.ToUpper(strings.TrimLeft(line[:min(len(line), longest)], " \t"))
	for _, word := range []string{"CREATE TABLE", "CREATE TEMPORARY TABLE", "ALTER TABLE", "USE "} {
		if strings.HasPrefix(head, word) {
			return true
		}
	}
	return false
}

// take reads one statement; what it does not understand it leaves out.
func (d *dump) take(statement string) {
	p := &definition{tokens: tokensOf(statement)}
	switch {
	case p.words("USE"):
		d.schema = p.name()
	case p.words("CREATE", "TABLE"), p.words("CREATE", "TEMPORARY", "TABLE"):
		p.words("IF", "NOT", "EXISTS")
		t := snapshot.Table{Schema: d.schema, Engine: "InnoDB"}
		p.table(&t)
		if t.Name != "" && len(t.Columns) > 0 {
			d.tables = append(d.tables, t)
		}
	case p.words("ALTER", "TABLE"):
		d.alter(p)
	}
}

// alter adds the keys of an ALTER TABLE.
func (d *dump) alter(p *definition) {
	schema, name := p.qualified()
	for i := range d.tables {
		t := &d.tables[i]
		if t.Name == name && (schema == "" && t.Schema == d.schema || t.Schema == schema) {
			for !p.end() {
				if p.words("ADD") {
					p.element(t)
				}
				p.skipTo(",")
				p.next()
			}
			resolve(t)
		}
	}
}

// tokensOf returns the tokens of a statement that say something.
func tokensOf(text string) []sqltext.Token {
	var out []sqltext.Token
	for s := sqltext.NewScanner(text); ; {
		t := s.Next()
		switch t.Kind {
		case sqltext.EOF:
			return out
		case sqltext.Comment, sqltext.Hint:
		default:
			out = append(out, t)
		}
	}
}
