package sqltext

import "strings"

// A log repeats itself: a program sends the same bytes again and again, but for the literals. The
// skeleton of a text is what is left without its literals and comments, as it stands there, and rows
// of values folded. It takes far less time than canonical tokens, and texts with the same skeleton have
// the same tokens, so a [Digester] makes those only of skeletons that it has not seen.
//
// The way back does not hold, and need not: a blank more makes another skeleton and the same tokens.
// So whatever is rare and hard to tell (variables, executable comments, dollar quotes) has none at all.
type skeleton struct {
	Scanner
	key   skeletonKey
	hash  uint64
	begin int   // of the bytes that are not hashed yet
	ticks uint8 // how many backticks were skipped: an odd number inside a name
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

// skeletonOf returns the hash of the skeleton of sql, and whether it has one.
func (o Options) skeletonOf(sql string, key skeletonKey) (hash uint64, ok bool) {
	s := skeleton{Scanner: Scanner{Options: o, src: sql}, key: key}
	for {
		s.skipPlain()
		if s.pos >= len(s.src) {
			s.leaveOut(s.pos, markEnding)
			return s.hash, !s.inName()
		}
		if !s.step() || s.cut {
			return 0, false
		}
	}
}

// step reads what begins with a special byte, and reports whether there still is a skeleton.
func (s *skeleton) step() bool {
	if s.inName() {
		return s.skipName()
	}
	start := s.pos
	switch c := s.src[start]; c {
	case '\'', '"':
		if c == '"' && s.ANSIQuotes {
			s.quoted(1, '"', Name)
			return true
		}
		s.pos = s.stringEnd(start)
		if s.pos < 0 {
			return false
		}
		s.leaveOut(start, markValue)
	case '(':
		s.parentheses()
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

// skipName goes on to the end of a name in backticks.
func (s *skeleton) skipName() bool {
	i := strings.IndexByte(s.src[s.pos:], '`')
	s.pos += i
	return i >= 0
}

// number reads the number that begins here, or the name. Behind a dot or @ it depends on what stands
// before that.
func (s *skeleton) number() bool {
	start := s.pos
	if start > 0 && (s.src[start-1] == '.' || s.src[start-1] == '@') {
		return false
	}
	if end := s.numberEnd(start); end >= 0 {
		s.pos = end
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
