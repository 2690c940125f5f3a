package slowlog

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"
)

// plus adds, and stays at the largest number where a hostile log goes beyond.
func plus(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}

// times multiplies, and stays at the largest number.
func times(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	if high != 0 {
		return math.MaxUint64
	}
	return low
}

// mostDigits bounds a number. Counters of MySQL's log_slow_extra are differences, and where the
// statement set them back, as FLUSH STATUS does and a change of the connection's user, they are just
// below 2^64, which has one digit more.
const mostDigits = 19

// parseUint reads a number of nothing but digits.
func parseUint(b []byte) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > mostDigits {
		return 0, false
	}
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// Eight characters are looked at together in a word: what a log holds most of are numbers of a few digits,
// and to find the end of each by steps costs more than to read it.
const (
	eachByte = 0x0101010101010101
	highBits = 0x80 * eachByte
)

// eight loads the eight bytes at pos, the first one lowest. The capacity spares the compiler a case.
func eight(b []byte, pos int) uint64 { return binary.LittleEndian.Uint64(b[pos : pos+8 : pos+8]) }

// leadingDigits returns the values of the digits at the beginning of w, a byte each, and how many there are.
func leadingDigits(w uint64) (digits uint64, n int) {
	w ^= '0' * eachByte
	others := (w + (0x80-10)*eachByte | w) & highBits // the first one is right; it can carry into those behind
	n = bits.TrailingZeros64(others) / 8
	return w & (1<<(8*n) - 1), n
}

// eightDigits returns the number of eight digits, of which neighbours are added to pairs, fours and eights.
func eightDigits(digits uint64) uint64 {
	n := (digits*10 + digits>>8) & 0x00ff00ff00ff00ff
	n = (n*100 + n>>16) & 0x0000ffff0000ffff
	return (n*10_000 + n>>32) & 0xffffffff
}

// shortNumber reads the number of up to seven digits at pos, and returns where it ends; 0 if there is none,
// or b ends soon behind it.
func shortNumber(b []byte, pos int) (n uint64, end int) {
	if len(b)-pos < 8 {
		return 0, 0
	}
	digits, many := leadingDigits(eight(b, pos))
	if many == 0 || many == 8 {
		return 0, 0
	}
	return eightDigits(digits << (64 - 8*many)), pos + many
}

// shortDecimal is shortNumber for a number with a point, in millionths.
func shortDecimal(b []byte, pos int) (n uint64, end int) {
	whole, end := shortNumber(b, pos)
	if end == 0 || len(b)-end < 9 || b[end] != '.' {
		return 0, 0
	}
	decimals, many := leadingDigits(eight(b, end+1))
	if many == 8 {
		return 0, 0
	}
	return whole*1_000_000 + eightDigits(decimals<<(64-8*6)), end + 1 + many
}

// valueEnd returns where the value at pos ends: at a blank, or with the line.
func valueEnd(b []byte, pos int) int {
	for ; len(b)-pos >= 8; pos += 8 {
		w := eight(b, pos)
		if ends := zeros(w^' '*eachByte) | zeros(w^'\n'*eachByte); ends != 0 {
			return pos + bits.TrailingZeros64(ends)/8
		}
	}
	for pos < len(b) && b[pos] != ' ' && b[pos] != '\n' {
		pos++
	}
	return pos
}

// zeros sets the highest bit of the first byte that is zero, and perhaps of some behind it.
func zeros(w uint64) uint64 { return (w - eachByte) &^ w & highBits }

// parseDecimal reads a number with at most places decimals, times ten to the power of places. More
// decimals are cut off.
func parseDecimal(b []byte, places int) (n uint64, ok bool) {
	digits, point := 0, false
	for _, c := range b {
		if c == '.' && !point {
			point = true
			continue
		}
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		digits++
		if point {
			if places == 0 {
				continue
			}
			places--
		}
		if n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	for ; places > 0; places-- {
		n = times(n, 10)
	}
	return n, digits > 0
}

// mostMicros is the longest duration that is believed, some thirty years. A clock that is set back
// while a statement runs gives a duration just below 2^64 µs (MySQL bug 35396).
const mostMicros = 1_000_000_000 * 1_000_000

// parseMicros reads seconds with decimals as microseconds.
func parseMicros(b []byte) (micros uint64, ok bool) {
	n, ok := parseDecimal(b, 6)
	return n, ok && n <= mostMicros
}

// parseTime reads the value of a line "# Time: " as microseconds since 1970. exact says that it names
// its zone: 2026-11-20T13:03:31.439949Z, or with +01:00 under log_timestamps=SYSTEM. Without one,
// 261120 13:03:28, it is the server's local time, read as UTC.
func parseTime(b []byte) (micros int64, exact, ok bool) {
	if len(b) >= 19 && b[10] == 'T' {
		micros, ok = parseISO(b)
		return micros, true, ok
	}
	if len(b) < 14 || b[6] != ' ' {
		return 0, false, false
	}
	year, month, day := digits(b[0:2]), digits(b[2:4]), digits(b[4:6])
	clock, _, ok := parseClock(b[7:])
	if year < 0 || !ok || !isDate(month, day) {
		return 0, false, false
	}
	return date(2000+year, month, day) + clock, false, true
}

// parseISO reads 2026-11-20T13:03:31.439949Z.
func parseISO(b []byte) (micros int64, ok bool) {
	year, month, day := digits(b[0:4]), digits(b[5:7]), digits(b[8:10])
	clock, rest, ok := parseClock(b[11:])
	if year < 0 || !ok || !isDate(month, day) || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	micros = date(year, month, day) + clock
	if len(rest) == 0 || rest[0] == 'Z' {
		return micros, len(rest) == 1
	}
	if len(rest) != 6 || rest[0] != '+' && rest[0] != '-' || rest[3] != ':' {
		return 0, false
	}
	hours, minutes := digits(rest[1:3]), digits(rest[4:6])
	if hours < 0 || minutes < 0 {
		return 0, false
	}
	offset := int64(hours*60+minutes) * time.Minute.Microseconds()
	if rest[0] == '-' {
		offset = -offset
	}
	return micros - offset, true
}

// parseClock reads 13:03:31 or 13:03:31.439949, with a blank in place of a leading zero, and returns
// what follows.
func parseClock(b []byte) (micros int64, rest []byte, ok bool) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0, nil, false
	}
	hour, minute, second := digits(b[0:2]), digits(b[3:5]), digits(b[6:8])
	if b[0] == ' ' {
		hour = digits(b[1:2])
	}
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return 0, nil, false
	}
	micros = int64(hour*3600+minute*60+second) * 1_000_000
	rest = b[8:]
	if len(rest) == 0 || rest[0] != '.' {
		return micros, rest, true
	}
	unit := int64(100_000)
	for rest = rest[1:]; len(rest) > 0 && '0' <= rest[0] && rest[0] <= '9'; rest = rest[1:] {
		micros += int64(rest[0]-'0') * unit
		unit /= 10
	}
	return micros, rest, true
}

// digits reads a small number; -1 if there is something else than digits.
func digits(b []byte) int {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func isDate(month, day int) bool { return 1 <= month && month <= 12 && 1 <= day && day <= 31 }

// date returns the microseconds from 1970 to the beginning of a day.
// Howard Hinnant, chrono-Compatible Low-Level Date Algorithms, days_from_civil.
func date(year, month, day int) int64 {
	if month <= 2 {
		year--
	}
	era := year / 400
	yearOfEra := year - era*400
	dayOfYear := (153*((month+9)%12)+2)/5 + day - 1
	days := era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
	return int64(days) * 24 * 3600 * 1_000_000
}
