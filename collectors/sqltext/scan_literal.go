package sqltext

import "strings"

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

// maxDollars is how many $tag$ without a second one are taken for names. Each costs a search to the
// end of the text; behind so many, the rest counts as a string without an end.
const maxDollars = 16

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
		if s.dollars++; tag == "$$" || s.dollars > maxDollars {
			s.pos, s.cut = len(s.src), true
			return String
		}
	}
	s.skipWord()
	return Word
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
