package slowlog

import (
	"bytes"
	"strings"

	"plimsoll/collectors/sqltext"
)

// statementText finds out whether a header that stands in or behind a statement is text of it.
type statementText struct {
	*bounds
	data        []byte
	body, limit int
	how         ending
	counted     int // up to where quotes are counted; 0 at the beginning
	single, dbl int // how many there are
	lexed       int // how often the lexer was asked
}

// mostLexed bounds the work that a hostile statement can make.
const mostLexed = 64

// ends decides whether the statement ends at the candidate at. If not, absent, it returns from where
// to look for the next one.
func (t *statementText) ends(at int) (int, state) {
	head, st := t.header(t.data[at:], t.how)
	if st == partial {
		return 0, partial
	}
	t.known, t.knownAt = head, at
	if end, how := t.banner(at); how != absent {
		return end, how
	}
	clean := endsStatement(t.data[t.body:at])
	if clean && t.even(at) {
		return at, whole
	}
	open := t.open(at)
	switch {
	case open == 0 && (clean || st == whole):
		return at, whole
	case open == 0 || st != whole:
		return at, absent
	}
	closed, found := t.closes(open, at)
	switch {
	case found == whole:
		return closed, absent
	case found == partial:
		return 0, partial
	default:
		return at, whole
	}
}

// banner looks for banners in front of at. The statement ends before them, for sure: a server that
// starts has no statement left.
func (t *statementText) banner(at int) (int, state) {
	rest, isTorn := trimBanners(t.data[t.body:at])
	switch {
	case len(rest) == at-t.body:
		return at, absent
	case isTorn:
		return t.body + len(rest), torn
	default:
		return t.body + len(rest), whole
	}
}

// even reports whether up to at both quotes occur in pairs, so that none can be open.
func (t *statementText) even(at int) bool {
	from := max(t.counted, t.body)
	t.single += bytes.Count(t.data[from:at], singleQuote)
	t.dbl += bytes.Count(t.data[from:at], doubleQuote)
	t.counted = at
	return t.single%2 == 0 && t.dbl%2 == 0
}

// open returns with which byte what is open at end began: a quote, or / for a comment; 0 if nothing is.
func (t *statementText) open(end int) byte {
	if t.lexed++; t.lexed > mostLexed {
		return 0
	}
	text := t.data[t.body:end]
	_, text, _ = use(text)
	open, _ := t.lex(text)
	return open
}

// lex reads the beginning of a statement. open is with which byte what is open at its end began, and 0 if
// nothing is. routine says that it creates a routine, or is the block of one.
func (r *bounds) lex(text []byte) (open byte, routine bool) {
	s := r.sql.Scanner(string(text))
	var last sqltext.Token
	words := 0
	for t := s.Next(); t.Kind != sqltext.EOF; t = s.Next() {
		last = t
		if t.Kind == sqltext.Word && words == 0 {
			words++
			routine = t.Is("CREATE") || t.Is("ALTER") || t.Is("BEGIN") || t.Is("DECLARE")
		}
	}
	if !s.Unterminated() {
		return 0, routine
	}
	if i := strings.IndexAny(last.Text, "'\"`"); i >= 0 && last.Kind != sqltext.Comment {
		return last.Text[i], routine
	}
	return '/', routine
}

// closes looks behind at for the end of what is open. It returns whole and where that is, if it can be
// the end: where a statement was cut within a literal, the next quote is the beginning of another one.
func (t *statementText) closes(open byte, at int) (int, state) {
	var end int
	var found state
	if open == '/' {
		end, found = closesComment(t.data[at:t.limit])
	} else {
		end, found = closesQuote(t.data[at:t.limit], open, !t.sql.NoBackslashEscapes && open != '`')
	}
	if found == partial && (t.how != unended || t.limit < len(t.data) || t.limit == t.body+t.statement) {
		found = absent
	}
	return at + end, found
}

// closesComment finds the end of a comment. Where another one begins first, the first has none.
func closesComment(b []byte) (int, state) {
	for from := 0; ; {
		i := bytes.IndexByte(b[from:], '/')
		if i < 0 {
			return 0, partial
		}
		i += from
		if i > 0 && b[i-1] == '*' {
			return i, whole
		}
		if i+1 < len(b) && b[i+1] == '*' {
			return 0, absent
		}
		from = i + 1
	}
}

// closesQuote finds the first quote that is not escaped. It can be the end of a literal if what
// follows can follow one, and what stands before is not what stands before the beginning of one.
func closesQuote(b []byte, quote byte, escapes bool) (int, state) {
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\' && escapes:
			i++
		case b[i] != quote:
		case i+1 == len(b):
			return 0, partial
		case b[i+1] == quote:
			i++
		case bytes.IndexByte([]byte(" \t\r\n,);=<>+-*/|&}"), b[i+1]) < 0:
			return 0, absent
		default:
			before := bytes.TrimRight(b[:i], " \t\r\n")
			if n := len(before); n > 0 && bytes.IndexByte([]byte("=(,<>"), before[n-1]) >= 0 {
				return 0, absent
			}
			return i, whole
		}
	}
	return 0, partial
}

// settle decides at the end of what is there.
func (t *statementText) settle() (int, state) {
	if t.how == unended {
		return 0, partial
	}
	return t.last()
}

// last decides where the entry ends behind which no other stands.
func (t *statementText) last() (int, state) {
	if len(t.data) > t.body+t.statement {
		return t.body + t.statement, cutOff
	}
	end, banner := t.banner(len(t.data))
	clean := endsStatement(t.data[t.body:end])
	switch {
	case t.how == settled && banner == absent && (!clean || t.data[end-1] != '\n' || !t.even(end)):
		return 0, partial
	case t.how == unended:
		return 0, partial
	case banner == absent && !clean:
		return end, openEnd
	case banner == absent:
		return end, whole
	default:
		return end, banner
	}
}

// endsStatement reports whether b ends as servers end a statement.
func endsStatement(b []byte) bool {
	_, ended := cutEnd(b)
	return ended
}

// wholeStatement returns how much of b, which stands between two entries, is a statement with something
// behind it that is none; 0 if all of it is the statement. Servers log one statement at a time, so that
// no semicolon can be in it but in literals, comments and routines.
func (r *bounds) wholeStatement(b []byte) int {
	_, text, _ := use(b)
	_, text, _ = setTimestamp(text)
	if i := bytes.IndexByte(text, '\n'); i < 0 || i == len(text)-1 {
		return 0 // as nearly all
	}
	end := 0
	for range mostLexed {
		i := bytes.Index(text[end:], []byte(";\n"))
		if crlf := bytes.Index(text[end:], []byte(";\r\n")); i < 0 || crlf >= 0 && crlf < i {
			i = crlf
		}
		if i < 0 {
			return 0
		}
		end += i + 1
		_, rest := cutLine(text[end:])
		if len(bytes.TrimSpace(rest)) == 0 {
			return 0
		}
		if open, routine := r.lex(text[:end]); routine {
			return 0
		} else if open == 0 {
			return len(b) - len(rest)
		}
	}
	return 0
}
