package sqlshape

import (
	"slices"
	"strings"

	"plimsoll/collectors/sqltext"
)

// The bounds of what is parsed. The parser and the walk over its tree recurse, so that a hostile
// text could otherwise exhaust the stack.
const (
	maxTokens = 20_000
	maxDepth  = 100
)

// tokens returns the tokens of a text without comments and hints, up to the end of the first
// statement, and whether the text was cut off.
func tokens(text string) (toks []sqltext.Token, cut, ok bool) {
	text, _ = sqltext.TrimMark(text)
	s := sqltext.NewScanner(text)
	depth := 0
	for t := s.Next(); t.Kind != sqltext.EOF && !t.Is(";"); t = s.Next() {
		switch {
		case t.Kind == sqltext.Comment || t.Kind == sqltext.Hint || t.Kind == sqltext.Charset:
			continue
		case t.Is("("):
			depth++
		case t.Is(")"):
			depth--
		}
		toks = append(toks, t)
		if len(toks) > maxTokens || depth > maxDepth {
			return nil, false, false
		}
	}
	return toks, s.Unterminated(), true
}

// repairer writes tokens of live SQL, of a digest text of either server, or of a normalised text as
// SQL that the parser understands. What it takes away says nothing of which rows are read how: lists
// of values, lock clauses, RETURNING, limits of MariaDB's own.
type repairer struct {
	toks  []sqltext.Token
	i     int // the token to write next
	depth int
	verb  string
	body  bool // the SELECT or SET of an INSERT has begun
	out   strings.Builder
}

// repair returns the repaired statement.
func repair(toks []sqltext.Token) string {
	r := repairer{toks: toks}
	r.prefix()
	r.verb = r.keyword()
	for r.i < len(r.toks) && r.token() {
	}
	return r.out.String()
}

// at returns the token n behind the next one; a zero token outside.
func (r *repairer) at(n int) sqltext.Token {
	if i := r.i + n; i >= 0 && i < len(r.toks) {
		return r.toks[i]
	}
	return sqltext.Token{}
}

// keyword returns the canonical keyword of the next token, empty behind a dot.
func (r *repairer) keyword() string {
	if r.at(-1).Is(".") {
		return ""
	}
	return r.at(0).Keyword()
}

// next reports whether the tokens ahead are these words or operators.
func (r *repairer) next(words ...string) bool {
	for n, w := range words {
		if !r.at(n).Is(w) {
			return false
		}
	}
	return true
}

// write writes text for n tokens.
func (r *repairer) write(text string, n int) bool {
	if text != "" && r.out.Len() > 0 && !r.at(-1).Is(".") && !r.at(-1).Is("@@") && text != "." {
		r.out.WriteByte(' ')
	}
	r.out.WriteString(text)
	r.i += n
	return true
}

func (r *repairer) skip(n int) bool {
	r.i += n
	return true
}

// prefix skips what MariaDB and MySQL put in front of a statement.
func (r *repairer) prefix() {
	if r.next("SET", "STATEMENT") {
		for r.i < len(r.toks) && !r.next("FOR") {
			r.i++
		}
		r.i++
	}
	if slices.Contains([]string{"EXECUTE", "PREPARE", "DEALLOCATE"}, r.keyword()) && r.at(1).Keyword() != "" || r.next("EXECUTE", "(") {
		r.i++
	}
}

// token writes the next token and what belongs to it; it returns false at the end of what matters.
func (r *repairer) token() bool {
	t := r.at(0)
	switch t.Kind {
	case sqltext.Word:
		if k := r.keyword(); k != "" {
			return r.word(k)
		}
		return r.write(quote(t.Ident()), 1)
	case sqltext.Name:
		return r.write(quote(t.Ident()), 1)
	case sqltext.Variable:
		return r.write("@v", 1)
	case sqltext.Op:
		return r.op(t.Text)
	default:
		return r.value()
	}
}

// quote writes a name so that the parser cannot take it for one of its own keywords.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// op writes an operator.
func (r *repairer) op(text string) bool {
	switch text {
	case "(":
		r.depth++
	case ")":
		r.depth--
	case "&&":
		text = "AND"
	case "{": // {d '2026-01-01'}, {ts …}, {fn …}, {oj …}
		if r.at(2).Value() {
			return r.write("?", 3)
		}
		return r.skip(2)
	case "}":
		return r.skip(1)
	}
	return r.write(text, 1)
}

// value writes a literal, a placeholder or a list.
func (r *repairer) value() bool {
	t, before := r.at(0), r.at(-1)
	switch {
	case before.Is("AS"):
		return r.write("`alias`", 1)
	case before.Kind == sqltext.Name, before.Is(")"), before.Value(),
		before.Kind == sqltext.Word && (before.Keyword() == "" || r.at(-2).Is(".")):
		return r.skip(1) // an alias in quotes, or a string that belongs to the one before
	case before.Is("(") && typeOrTime(r.at(-2).Keyword()):
		return r.write(strings.Repeat("6, ", count(t)-1)+"6", 1)
	case t.Kind == sqltext.List && before.Is(","):
		return r.write("?", 1) // the dots of "?, ..."
	case t.Kind == sqltext.List:
		return r.write("?, ?", 1)
	case t.Kind == sqltext.String:
		return r.write(stringLiteral(t.Text), 1)
	case t.Kind == sqltext.Number:
		return r.write(strings.TrimSuffix(t.Text, "."), 1)
	}
	return r.write("?", 1)
}

// count returns how many values a token stands for at least.
func count(t sqltext.Token) int {
	if t.Kind == sqltext.List {
		return 2
	}
	return 1
}

// typeOrTime reports whether a number in parentheses behind a word is a length or a precision, where
// the parser wants a number and no placeholder.
func typeOrTime(keyword string) bool {
	switch keyword {
	case "DECIMAL", "CHAR", "NCHAR", "BINARY", "VARCHAR", "VARBINARY", "DATETIME", "TIME", "FLOAT", "DOUBLE",
		"CURRENT_TIMESTAMP", "CURRENT_TIME", "UTC_TIMESTAMP", "UTC_TIME", "SYSDATE":
		return true
	}
	return false
}

// stringLiteral writes a string so that the parser reads it as the server does.
func stringLiteral(text string) string {
	switch {
	case strings.HasPrefix(text, "$"):
		return "?"
	case text[0] == 'n' || text[0] == 'N':
		return text[1:]
	}
	return text
}
