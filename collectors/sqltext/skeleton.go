package sqltext

import (
	"hash/maphash"
	"strings"
)

// A log repeats itself: a program sends the same bytes again and again, but for the literals. The
// skeleton of a text is what is left without its literals and comments, as it stands there, and rows
// of values folded. It takes far less time than canonical tokens, and texts with the same skeleton have
// the same tokens, so a [Digester] makes those only of skeletons that it has not seen.
//
// The way back does not hold, and need not: a blank more makes another skeleton and the same tokens.
// So whatever is rare and hard to tell (variables, executable comments, dollar quotes) has none at all.
type skeleton struct {
	Scanner
	seed  maphash.Seed
	hash  uint64
	begin int // of the bytes that are not hashed yet
}

// What stands in a skeleton for what was left out. Line comments end in a space, others do not.
const (
	markValue = 1 + iota
	markLineComment
	markBlockComment
	markRow    // a parenthesis with one value; if there are two or more such rows, plus 2
	markRows   // the same with several values; and plus 2
	markEnding = markRows + 3
)

// skeletonOf returns the hash of the skeleton of sql, and whether it has one. The seed is random so
// that nobody can write two statements that are taken for one.
func (o Options) skeletonOf(sql string, seed maphash.Seed) (hash uint64, ok bool) {
	s := skeleton{Scanner: Scanner{Options: o, src: sql}, seed: seed}
	for {
		s.skipPlain()
		if s.pos >= len(s.src) {
			s.leaveOut(s.pos, markEnding)
			return s.hash, true
		}
		if !s.step() || s.cut {
			return 0, false
		}
	}
}

// skipPlain skips what is not special.
func (s *skeleton) skipPlain() {
	src, pos := s.src, s.pos
	for pos < len(src) && !special[src[pos]] {
		pos++
	}
	s.pos = pos
}

// special are the bytes that may begin what is left out, or what has to be read to know that.
var special = func() (t [256]bool) {
	for _, c := range []byte("'\"`0123456789(-/#@$\\") {
		t[c] = true
	}
	return t
}()

// step reads what begins with a special byte, and reports whether there still is a skeleton.
func (s *skeleton) step() bool {
	start := s.pos
	switch c := s.src[start]; c {
	case '`':
		s.quoted(1, '`', Name)
	case '\'', '"':
		if c == '"' && s.ANSIQuotes {
			s.quoted(1, '"', Name)
			return true
		}
		s.quoted(1, c, String)
		s.leaveOut(start, markValue)
	case '(':
		s.rows()
	case '-', '#':
		s.dash(c)
	case '/':
		return s.slash()
	case '@':
		return s.at()
	case '$':
		s.pos++
		return start > 0 && class[s.src[start-1]] == letter // else it may begin $$ … $$
	case '\\':
		return false
	default:
		return s.number()
	}
	return true
}

// leaveOut hashes the bytes before start and a mark for those from there to here.
func (s *skeleton) leaveOut(start int, mark uint64) {
	s.hash = mix(s.hash, maphash.String(s.seed, s.src[s.begin:start]))
	s.hash = mix(s.hash, mark)
	s.begin = s.pos
}

// number reads the number that begins here, unless the digit belongs to a word. Behind a dot or @ it
// depends on what stands before that.
func (s *skeleton) number() bool {
	start := s.pos
	if start > 0 {
		switch before := s.src[start-1]; {
		case class[before] >= digit:
			s.skipWord()
			return true
		case before == '.', before == '@':
			return false
		}
	}
	if s.digits(false) == Number {
		s.leaveOut(start, markValue)
	}
	return true
}

// dash reads a comment to the end of the line, or the minus that it was not.
func (s *skeleton) dash(c byte) {
	start := s.pos
	if c == '-' && !s.isDashComment() {
		s.pos++
		return
	}
	s.lineComment()
	s.leaveOut(start, markLineComment)
}

// slash reads a comment or a division.
func (s *skeleton) slash() bool {
	start := s.pos
	if !strings.HasPrefix(s.src[start:], "/*") {
		s.pos++
		return true
	}
	if s.blockComment(); s.executable {
		return false
	}
	s.leaveOut(start, markBlockComment)
	return true
}

// at reads @@ or the @ of a plain name.
func (s *skeleton) at() bool {
	s.pos++
	if s.pos < len(s.src) && s.src[s.pos] == '@' {
		s.pos++
	}
	return s.pos < len(s.src) && class[s.src[s.pos]] == letter && s.src[s.pos] != '$'
}

// rows reads rows of values, (1, 'a'), (2, NULL), if there are any here, else the parenthesis.
func (s *skeleton) rows() {
	start := s.pos
	mark := s.row()
	if mark == 0 {
		s.pos = start + 1
		return
	}
	var more uint64
	for s.pos < len(s.src) {
		end := s.pos
		if !s.mark(',') || s.row() != mark {
			s.pos = end
			break
		}
		more = 2
	}
	s.leaveOut(start, mark+more)
}

// row reads a row of values and returns its mark; 0 if there is none.
func (s *skeleton) row() uint64 {
	if !s.mark('(') {
		return 0
	}
	mark := uint64(markRow)
	for {
		if s.integers() {
			mark = markRows
		}
		if !s.value() {
			return 0
		}
		if !s.mark(',') {
			break
		}
		mark = markRows
	}
	if !s.mark(')') {
		return 0
	}
	return mark
}

// integers reads numbers of nothing but digits, each with a comma directly behind it, and reports
// whether there were any. They are most of the bytes of a log: long lists of ids.
func (s *skeleton) integers() bool {
	src, end := s.src, s.pos
	for i := end; i < len(src); i++ {
		if c := src[i]; c-'0' <= 9 {
			continue
		} else if c != ',' || i == end {
			break
		}
		end = i + 1
	}
	found := end > s.pos
	s.pos = end
	return found
}

// mark reads blanks and the mark c, and reports whether there was one.
func (s *skeleton) mark(c byte) bool {
	s.skipSpace()
	if s.pos < len(s.src) && s.src[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// value reads blanks and a value behind a comma or parenthesis: a number perhaps with a sign, a
// string, NULL. It reports whether there was one.
func (s *skeleton) value() bool {
	s.skipSpace()
	rest := s.src[s.pos:]
	if rest == "" {
		return false
	}
	switch c := rest[0]; {
	case class[c] == digit:
		return s.digits(false) == Number
	case c == '\'', c == '"' && !s.ANSIQuotes:
		s.quoted(1, c, String)
		return !s.cut
	case c == '-', c == '+':
		s.pos++
		return len(rest) > 1 && class[rest[1]] == digit && s.digits(false) == Number
	case c|0x20 == 'n':
		s.skipWord()
		return s.pos == len(s.src)-len(rest)+4 && equalUpper(rest[:4], "NULL")
	}
	return false
}
