package sqltext

import (
	"math/bits"
	"strings"
)

// The functions of this file take and return places in the text, because rows of values are most of the
// bytes of a log, and a place in a register is faster than in pos. What that is behind them says nothing.

// none is the place of what is not there.
const none = -1

// parentheses reads rows of values, (1, 'a'), (2, NULL), if there are any here, else the parenthesis.
func (s *skeleton) parentheses() {
	start := s.pos
	end, mark := s.rowEnd(start)
	if mark == 0 {
		s.pos = start + 1
		return
	}
	var more uint64
	for next := s.nextRow(end); next >= 0; next = s.nextRow(end) {
		nextEnd, nextMark := s.rowEnd(next)
		if nextMark != mark {
			break
		}
		end, more = nextEnd, 2
	}
	s.pos = end
	s.leaveOut(start, mark+more)
}

// nextRow returns where the parenthesis behind a comma is.
func (s *skeleton) nextRow(pos int) int {
	if pos = s.blanks(pos); pos >= len(s.src) || s.src[pos] != ',' {
		return none
	}
	if pos = s.blanks(pos + 1); pos >= len(s.src) || s.src[pos] != '(' {
		return none
	}
	return pos
}

// rowEnd returns the end of the row of values that begins at pos, and its mark; 0 if there is none.
func (s *skeleton) rowEnd(pos int) (end int, mark uint64) {
	for mark = markRow; ; mark = markRows {
		pos = s.blanks(pos + 1)
		if last := s.lastInteger(pos); last > pos {
			pos, mark = s.blanks(last), markRows
		}
		if pos = s.valueEnd(pos); pos < 0 {
			return none, 0
		}
		pos = s.blanks(pos)
		switch {
		case pos >= len(s.src):
			return none, 0
		case s.src[pos] == ')':
			return pos + 1, mark
		case s.src[pos] != ',':
			return none, 0
		}
	}
}

func (s *skeleton) blanks(pos int) int {
	for pos < len(s.src) && class[s.src[pos]] == space {
		pos++
	}
	return pos
}

// lastInteger returns the end of the numbers from start on that have nothing but digits and a comma
// directly behind them; start if there is none. It is for long lists of ids.
func (s *skeleton) lastInteger(start int) int {
	src, pos := s.src, start
	if pos >= len(src) || src[pos]-'0' > 9 {
		return start
	}
	for before := uint64(0); pos+8 <= len(src); pos += 8 {
		w := load(src[pos : pos+8])
		commas := bytesIn(w, ',', ',')
		others := (^(commas ^ bytesIn(w, '0', '9')) | w | commas&(commas<<8|before)) & highBits
		if others != 0 {
			pos += bits.TrailingZeros64(others) / 8
			break
		}
		before = commas & highBits >> 56
	}
	for pos < len(src) && (src[pos]-'0' <= 9 || src[pos] == ',' && src[pos-1] != ',') {
		pos++
	}
	for pos > start && src[pos-1] != ',' {
		pos--
	}
	return pos
}

// valueEnd returns the end of a value behind a comma or parenthesis: a number perhaps with a sign, a
// string, NULL.
func (s *skeleton) valueEnd(pos int) int {
	if pos >= len(s.src) {
		return none
	}
	switch c := s.src[pos]; {
	case class[c] == digit:
		return s.numberEnd(pos)
	case c == '\'', c == '"' && !s.ANSIQuotes:
		return s.stringEnd(pos)
	case c == '-', c == '+':
		if pos++; pos < len(s.src) && class[s.src[pos]] == digit {
			return s.numberEnd(pos)
		}
	case c|0x20 == 'n':
		s.pos = pos
		s.skipWord()
		if equalName(s.src[pos:s.pos], "NULL") {
			return s.pos
		}
	}
	return none
}

// numberEnd returns the end of the number that begins with the digit at start; none for a name.
func (s *skeleton) numberEnd(start int) int {
	for pos := start; pos+8 <= len(s.src); {
		w := load(s.src[pos : pos+8])
		others := (^bytesIn(w, '0', '9') | w) & highBits
		pos += bits.TrailingZeros64(others) / 8
		if others == 0 {
			continue
		}
		if c := s.src[pos]; class[c] == letter || c == '.' {
			break
		}
		return pos
	}
	s.pos = start
	if s.digits(false) != Number {
		return none
	}
	return s.pos
}

// stringEnd returns the end of the string that begins with the quote at start.
func (s *skeleton) stringEnd(start int) int {
	quote := s.src[start]
	for pos := start + 1; ; pos += 2 {
		end := s.indexByte(pos, quote)
		switch {
		case end < 0:
			return none
		case s.src[end-1] == '\\' && !s.NoBackslashEscapes && escaped(s.src[pos:end]):
			pos = end - 1
		case end+1 < len(s.src) && s.src[end+1] == quote:
			pos = end
		default:
			return end + 1
		}
	}
}

// indexByte returns where the next byte c is from pos on. Many strings are so short that the call of
// IndexByte takes longer.
func (s *skeleton) indexByte(pos int, c byte) int {
	if pos+8 <= len(s.src) {
		w := load(s.src[pos:pos+8]) ^ eachByte*uint64(c)
		if zeros := (w - eachByte) &^ w & highBits; zeros != 0 {
			return pos + bits.TrailingZeros64(zeros)/8
		}
		pos += 8
	}
	if i := strings.IndexByte(s.src[pos:], c); i >= 0 {
		return pos + i
	}
	return none
}
