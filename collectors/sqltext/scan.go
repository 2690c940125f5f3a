package sqltext

import "strings"

// Scanner cuts a text into tokens. It never fails: what makes no sense becomes an operator of one
// byte, and what has no end goes on to the end of the text.
type Scanner struct {
	Options
	src string
	pos int
	cut bool // a string, name or comment had no end

	executable bool // inside /*! … */
	dot        bool // directly before stands a dot behind a name, so that digits are a name
	dollars    int  // how many $tag$ had no second one
	name       bool // directly before stands a name, so that a dot is no number's
}

// Scanner returns a scanner at the beginning of sql.
func (o Options) Scanner(sql string) Scanner { return Scanner{Options: o, src: sql} }

// NewScanner returns a scanner at the beginning of sql, read as MySQL does by default.
func NewScanner(sql string) *Scanner { return &Scanner{src: sql} }

// Unterminated reports whether the text ended inside a string, a quoted name or a comment.
func (s *Scanner) Unterminated() bool { return s.cut }

// Next returns the next token, comments and hints included; EOF at the end and ever after.
func (s *Scanner) Next() Token {
	dot, name := s.dot, s.name
	s.dot, s.name = false, false
	start := s.pos
	s.skipSpace()
	if s.pos > start {
		dot, name = false, false
	}
	for s.executable && strings.HasPrefix(s.src[s.pos:], "*/") {
		s.executable = false
		s.pos += 2
		s.skipSpace()
		dot, name = false, false
	}
	if s.pos >= len(s.src) {
		return Token{Kind: EOF, Pos: len(s.src)}
	}
	start = s.pos
	kind := s.token(dot, name)
	switch {
	case kind == Word || kind == Name:
		s.name = true
	case kind == Op && s.src[start] == '.':
		s.dot = name
	}
	return Token{Kind: kind, Text: s.src[start:s.pos], Pos: start}
}

// token moves behind the next token and returns its kind.
func (s *Scanner) token(dot, name bool) Kind {
	c := s.src[s.pos]
	switch class[c] {
	case letter:
		return s.word(c)
	case digit:
		return s.digits(dot)
	}
	switch c {
	case '\'':
		return s.quoted(1, '\'', String)
	case '"':
		if s.ANSIQuotes {
			return s.quoted(1, '"', Name)
		}
		return s.quoted(1, '"', String)
	case '`':
		return s.quoted(1, '`', Name)
	case '.':
		return s.point(name)
	case '?':
		return s.placeholder()
	case '@':
		return s.variable()
	case '#':
		return s.lineComment()
	case '-':
		if s.isDashComment() {
			return s.lineComment()
		}
	case '/':
		if strings.HasPrefix(s.src[s.pos:], "/*") {
			return s.blockComment()
		}
	case '(':
		return s.parenthesis()
	case '\\':
		if strings.HasPrefix(s.src[s.pos:], `\N`) {
			s.pos += 2
			return Param
		}
	}
	return s.operator(c)
}

// isDashComment reports whether "--" and a blank, or the end, are next.
func (s *Scanner) isDashComment() bool {
	return strings.HasPrefix(s.src[s.pos:], "--") && (s.pos+2 == len(s.src) || class[s.src[s.pos+2]] == space)
}

func (s *Scanner) skipSpace() {
	for s.pos < len(s.src) && class[s.src[s.pos]] == space {
		s.pos++
	}
}

func (s *Scanner) skipWord() {
	for s.pos < len(s.src) && class[s.src[s.pos]] >= digit {
		s.pos++
	}
}

// word reads a word, or a string that begins with a letter: N'…', X'…', B'…'.
func (s *Scanner) word(c byte) Kind {
	if c == '$' {
		return s.dollar()
	}
	if s.pos+1 < len(s.src) && s.src[s.pos+1] == '\'' {
		switch c {
		case 'n', 'N', 'x', 'X', 'b', 'B':
			return s.quoted(2, '\'', String)
		}
	}
	s.skipWord()
	return Word
}

// variable reads @name, @'name', @"name", @`name`, @?, or the @@ in front of a system variable.
func (s *Scanner) variable() Kind {
	s.pos++
	if s.pos >= len(s.src) {
		return Op
	}
	switch c := s.src[s.pos]; {
	case c == '@':
		s.pos++
		return Op
	case c == '?':
		s.pos++
		return Variable
	case c == '\'' || c == '"' || c == '`':
		return s.quoted(1, c, Variable)
	case class[c] >= digit || c == '.':
		for s.pos < len(s.src) && (class[s.src[s.pos]] >= digit || s.src[s.pos] == '.') {
			s.pos++
		}
		return Variable
	}
	return Op
}

// operator reads the longest operator that begins with c.
func (s *Scanner) operator(c byte) Kind {
	rest := s.src[s.pos:]
	n := 1
	if len(rest) > 1 {
		switch c {
		case '<':
			n = oneOf(rest, "<=>", "<=", "<>", "<<")
		case '>':
			n = oneOf(rest, ">=", ">>")
		case '-':
			n = oneOf(rest, "->>", "->")
		case '!', ':':
			if rest[1] == '=' {
				n = 2
			}
		case '&', '|':
			if rest[1] == c {
				n = 2
			}
		}
	}
	s.pos += n
	return Op
}

// oneOf returns the length of the first of ops with which s begins, or 1.
func oneOf(s string, ops ...string) int {
	for _, op := range ops {
		if strings.HasPrefix(s, op) {
			return len(op)
		}
	}
	return 1
}

// The classes of bytes; those of a word are the largest.
const (
	other = iota
	space
	digit
	letter
)

// class is what each byte may begin. Control characters separate as spaces do; every byte of a
// character beyond ASCII may stand in a name.
var class = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c <= ' ' || c == 0x7f:
			t[c] = space
		case '0' <= c && c <= '9':
			t[c] = digit
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c == '$', c >= 0x80:
			t[c] = letter
		}
	}
	return t
}()
