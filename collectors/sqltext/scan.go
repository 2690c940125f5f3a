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
		if strings.HasPrefix(s.src[s.pos:], "--") && (s.pos+2 == len(s.src) || class[s.src[s.pos+2]] == space) {
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

// digits reads a number, or a name that begins with digits such as 2024_orders. Behind a dot there
// are names only: t.1.
func (s *Scanner) digits(dot bool) Kind {
	start := s.pos
	for s.pos < len(s.src) && class[s.src[s.pos]] == digit {
		s.pos++
	}
	if dot {
		s.skipWord()
		return Word
	}
	if s.pos < len(s.src) && class[s.src[s.pos]] == letter {
		if s.exponent() {
			return Number
		}
		s.skipWord()
		if radix(s.src[start:s.pos]) {
			return Number
		}
		return Word
	}
	if s.pos < len(s.src) && s.src[s.pos] == '.' {
		s.pos++
		s.fraction()
	}
	return Number
}

// fraction reads what stands behind the point of a number.
func (s *Scanner) fraction() {
	for s.pos < len(s.src) && class[s.src[s.pos]] == digit {
		s.pos++
	}
	s.exponent()
}

// exponent reads e10, E-10, and reports whether there was one and no name: 1e10 is a number, 1e10x
// and 1e are names.
func (s *Scanner) exponent() bool {
	i := s.pos
	if i >= len(s.src) || s.src[i]|0x20 != 'e' {
		return false
	}
	i++
	if i < len(s.src) && (s.src[i] == '+' || s.src[i] == '-') {
		i++
	}
	first := i
	for i < len(s.src) && class[s.src[i]] == digit {
		i++
	}
	if i == first || i < len(s.src) && class[s.src[i]] == letter {
		return false
	}
	s.pos = i
	return true
}

// radix reports whether s is a hexadecimal or binary number: 0x1F, 0b01. Servers read 0X1F as a
// name; nobody means one.
func radix(s string) bool {
	if len(s) < 3 || s[0] != '0' {
		return false
	}
	digits := "01"
	switch s[1] | 0x20 {
	case 'x':
		digits = "0123456789abcdefABCDEF"
	case 'b':
	default:
		return false
	}
	return strings.Trim(s[2:], digits) == ""
}

// quoted reads a text in quotes, the first of which is the last of the first skip bytes.
func (s *Scanner) quoted(skip int, quote byte, kind Kind) Kind {
	s.pos += skip
	begin := s.pos
	for {
		i := strings.IndexByte(s.src[s.pos:], quote)
		if i < 0 {
			s.pos, s.cut = len(s.src), true
			return kind
		}
		end := s.pos + i
		s.pos = end + 1
		if kind == String && !s.NoBackslashEscapes && escaped(s.src[begin:end]) {
			begin = s.pos
			continue
		}
		if s.pos < len(s.src) && s.src[s.pos] == quote {
			s.pos++
			begin = s.pos
			continue
		}
		return kind
	}
}

// escaped reports whether what follows s is escaped: s ends in an odd number of backslashes.
func escaped(s string) bool {
	n := len(s)
	for n > 0 && s[n-1] == '\\' {
		n--
	}
	return (len(s)-n)%2 == 1
}

// point reads a dot: of a number (.5), between names (t.a), or of a digest text's list (...).
func (s *Scanner) point(name bool) Kind {
	rest := s.src[s.pos:]
	if strings.HasPrefix(rest, "...") {
		s.pos += 3
		return List
	}
	s.pos++
	if len(rest) > 1 && class[rest[1]] == digit && !name {
		s.fraction()
		return Number
	}
	return Op
}

// placeholder reads ?, or ?+ in front of a parenthesis, which other tools write for a list.
func (s *Scanner) placeholder() Kind {
	s.pos++
	if strings.HasPrefix(s.src[s.pos:], "+)") {
		s.pos++
		return List
	}
	return Param
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

func (s *Scanner) lineComment() Kind {
	if i := strings.IndexByte(s.src[s.pos:], '\n'); i >= 0 {
		s.pos += i + 1
	} else {
		s.pos = len(s.src)
	}
	return Comment
}

// blockComment reads /* … */ and /*+ … */. Of /*!40001 … */ and MariaDB's /*M!100100 … */ it takes
// the beginning only, because servers execute the rest. Whether this server did depends on its
// version; those who write such comments mean it to.
func (s *Scanner) blockComment() Kind {
	body := s.src[s.pos+2:]
	if n := executablePrefix(body); n > 0 {
		s.pos += 2 + n
		s.executable = true
		return Comment
	}
	kind := Comment
	if strings.HasPrefix(body, "+") {
		kind = Hint
	}
	if i := strings.Index(body, "*/"); i >= 0 {
		s.pos += 2 + i + 2
	} else {
		s.pos, s.cut = len(s.src), true
	}
	return kind
}

// executablePrefix returns the length of "!", "M!" and the version behind it; 0 if there is none.
func executablePrefix(s string) int {
	n := 0
	if strings.HasPrefix(s, "M!") {
		n = 2
	} else if strings.HasPrefix(s, "!") {
		n = 1
	}
	for end := n + 6; n > 0 && n < end && n < len(s) && class[s[n]] == digit; {
		n++
	}
	return n
}

// parenthesis reads "(", or what servers print where they have no text for a token: MariaDB shows
// X'41' as (unknown), both show _utf8mb4 as (_charset).
func (s *Scanner) parenthesis() Kind {
	rest := s.src[s.pos:]
	if strings.HasPrefix(rest, "(_charset)") {
		s.pos += len("(_charset)")
		return Charset
	}
	if strings.HasPrefix(rest, "(unknown)") && s.pos > 0 && class[s.src[s.pos-1]] == space {
		s.pos += len("(unknown)")
		return Param
	}
	s.pos++
	return Op
}

// dollar reads MySQL 9's dollar-quoted strings, $$ … $$ and $tag$ … $tag$, or a name.
func (s *Scanner) dollar() Kind {
	start := s.pos
	s.pos++
	for s.pos < len(s.src) && class[s.src[s.pos]] >= digit && s.src[s.pos] != '$' {
		s.pos++
	}
	if s.pos < len(s.src) && s.src[s.pos] == '$' {
		tag := s.src[start : s.pos+1]
		if i := strings.Index(s.src[s.pos+1:], tag); i >= 0 {
			s.pos += 1 + i + len(tag)
			return String
		}
		if tag == "$$" {
			s.pos, s.cut = len(s.src), true
			return String
		}
	}
	s.skipWord()
	return Word
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
