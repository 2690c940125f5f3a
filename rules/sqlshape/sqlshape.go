// Package sqlshape tells what a statement asks of its tables: which columns it compares with what,
// how it joins, in which order it wants the rows, which columns it needs. That is what an index has
// to match.
//
// It reads live SQL, the digest texts of MySQL and MariaDB, and sqltext's normalised texts. The
// parser behind it (Vitess) knows MySQL's grammar only, so the text is repaired first, token by
// token; nothing outside of this package sees the parser.
//
// Names without a table are attributed by the catalog, or to the only table there is. What is not
// certain is left out and counted, never guessed.
package sqlshape

import (
	"errors"
	"fmt"
	"sync"

	"vitess.io/vitess/go/vt/sqlparser"

	"plimsoll/collectors/sqltext"
)

// ErrUnparsable is the error for a text that the parser does not understand even when repaired, or
// that was cut off before it named a table. The caller counts these and says so.
var ErrUnparsable = errors.New("statement is not understood")

// Catalog returns the columns of a table, and whether it knows the table. Schema is empty if the
// statement names none; the caller knows the default. A nil Catalog knows nothing.
type Catalog func(schema, table string) (columns []string, ok bool)

// Parse returns the shape of a statement. Statements that read and change no rows of tables, such
// as SET, COMMIT, CALL or ALTER TABLE, have an empty shape. The error is or wraps [ErrUnparsable].
func Parse(text string, cat Catalog) (*Shape, error) {
	st := sqltext.Parse(text)
	switch st.Class {
	case sqltext.Select, sqltext.LockingSelect, sqltext.DML:
	default:
		return &Shape{}, nil
	}
	toks, cut, ok := tokens(text)
	if !ok {
		return nil, fmt.Errorf("%w: it has more than %d tokens or %d levels", ErrUnparsable, maxTokens, maxDepth)
	}
	if len(toks) > 0 && (toks[0].Is("VALUES") || toks[0].Is("LOAD")) {
		return &Shape{}, nil
	}
	if cut || st.Truncated {
		return parsePartial(toks, cat)
	}
	tree, err := parseTree(repair(toks))
	if err != nil {
		return nil, err
	}
	return analyze(tree, cat, false)
}

// newParser makes the one parser, which has no state.
var newParser = sync.OnceValues(func() (*sqlparser.Parser, error) {
	return sqlparser.New(sqlparser.Options{MySQLServerVersion: "8.4.0"})
})

// parseTree parses a repaired text. The parser's message is not passed on: it quotes the text.
func parseTree(sql string) (tree sqlparser.Statement, err error) {
	parser, err := newParser()
	if err != nil {
		return nil, fmt.Errorf("start the SQL parser: %w", err)
	}
	defer func() {
		if r := recover(); r != nil {
			tree, err = nil, fmt.Errorf("%w: the parser failed", ErrUnparsable)
		}
	}()
	tree, err = parser.Parse(sql)
	if err != nil {
		return nil, ErrUnparsable
	}
	return tree, nil
}
