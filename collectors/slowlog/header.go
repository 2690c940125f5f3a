package slowlog

import "bytes"

// header reads the lines above a statement.
type header struct {
	fields  *fields
	clock   *clock
	local   int64 // # Time without a zone, which following entries inherit
	bad     bool  // there was a Query_time which was no duration
	schema  bool  // there was a Schema, perhaps an empty one
	explain int   // where the lines "# explain: " begin, plus 1
}

// read reads the header at the beginning of b, up to the statement at body, into e.
func (h *header) read(b []byte, body int, e *Entry) reason {
	for pos := 0; pos < body; {
		pos = h.line(b, pos, e)
	}
	_, timed := e.Get(queryTime)
	switch {
	case h.bad:
		return badTimes
	case !timed:
		return untimed
	}
	e.derive()
	return ""
}

// line reads the line at pos, and those behind it that are as expected. It returns where the next one begins.
func (h *header) line(b []byte, pos int, e *Entry) int {
	rest := b[pos:]
	if len(rest) < len("# x") {
		return len(b)
	}
	if rest[1] == '\n' {
		return pos + len("#\n")
	}
	switch rest[2] {
	case 'T':
		if bytes.HasPrefix(rest, []byte(timeLine)) {
			return pos + h.time(rest, e)
		}
	case 'U':
		if bytes.HasPrefix(rest, []byte(accountLine)) {
			return pos + e.account(rest)
		}
	case 'e':
		if bytes.HasPrefix(rest, []byte(explainLine)) {
			return h.plan(b, pos, e)
		}
	case 'W':
		if bytes.HasPrefix(rest, []byte(warnings)) {
			return len(b) // what follows are messages with literals
		}
	}
	return h.pairs(b, pos-1, e)
}

// time reads a line "# Time: ", and returns its length. Old servers wrote the account behind it.
func (h *header) time(b []byte, e *Entry) int {
	if micros, n := h.clock.read(b); n > 0 {
		e.Micros = micros
		return n
	}
	line, rest := cutLine(b)
	value := line[len(timeLine):]
	if i := bytes.Index(value, []byte(accountLine)); i >= 0 {
		e.anyAccount(value[i+len(accountLine):])
		value = value[:i]
	}
	micros, exact, ok := parseTime(bytes.TrimRight(value, " \t"))
	if ok && exact {
		e.Micros = micros
		h.clock.remember(value, micros)
	} else if ok {
		h.local = micros
	}
	return len(b) - len(rest)
}

// plan adds the line "# explain: " at pos to the entry's plan; they stand one below the other. It returns
// where the next line begins.
func (h *header) plan(b []byte, pos int, e *Entry) int {
	if h.explain == 0 {
		h.explain = pos + 1
	}
	end := pos + len(planHead)
	if end > len(b) || string(b[pos:end]) != planHead {
		end = lineEnd(b, pos)
	}
	e.Explain = b[h.explain-1 : end]
	return end
}

// planHead is the first line of each plan.
const planHead = explainLine + "id\tselect_type\ttable\ttype\tpossible_keys\tkey\tkey_len\tref\trows\tr_rows\tfiltered\tr_filtered\tExtra\n"

// lineEnd returns where the line behind the one at pos begins.
func lineEnd(b []byte, pos int) int {
	if i := bytes.IndexByte(b[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(b)
}

// pairs reads lines of names and values. pos is the line end before the first, and pairs returns where the
// first line begins whose names were not expected.
func (h *header) pairs(b []byte, pos int, e *Entry) int {
	begin := pos
	for {
		pos = h.expected(b, pos, e)
		if pos == len(b) || pos > begin && b[pos] == '\n' {
			return lineEnd(b, pos)
		}
		f, value := h.fields.find(b, pos)
		if f == nil {
			return lineEnd(b, pos+1)
		}
		pos = h.value(b, value, f, e)
	}
}

// expected reads the fields that stand at pos as in the headers before, from line to line, and returns where
// the last one ends. Most of a log is read here. Most values are a single digit.
func (h *header) expected(b []byte, pos int, e *Entry) int {
	known, at := h.fields.known, h.fields.at
	for ; at < len(known) && len(b)-pos > longestPrefix+8; at++ {
		f := &known[at]
		tail := pos + f.tail
		differs := (eight(b, pos) ^ f.first | (eight(b, tail) ^ f.last)) & f.mask
		if f.length > 16 {
			differs |= eight(b, pos+8) ^ f.second | (eight(b, tail-8) ^ f.lastButOne)
		}
		if differs != 0 {
			break
		}
		pos += f.length
		value := eight(b, pos)
		digit, next := value&0xff-'0', byte(value>>8)
		if digit <= 9 && next == ' ' && f.form <= inDigits {
			e.set(f.is, digit)
			pos++
			continue
		}
		pos = h.value(b, pos, f, e)
	}
	h.fields.at = at
	return pos
}

func skipBlanks(b []byte) []byte {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return b
}

// derive tells what the readings mean together. InnoDB begins the scan of a table at its first row and goes
// on with Read_rnd_next; the scan of an index goes on with Read_next, and that of a temporary table has no
// Read_first.
func (e *Entry) derive() {
	e.Duration = e.value[queryTime]
	if id, ok := e.Get(threadID); ok {
		e.Thread = id
	}
	if number, ok := e.Get(errorNumber); ok {
		e.set(Failed, min(number, 1))
	}
	if e.told(readFirst) && e.told(readRndNext) {
		e.set(FullScan, min(e.value[readFirst], e.value[readRndNext], 1))
	}
	if e.told(sortRanges) || e.told(sortScans) {
		e.set(Filesort, min(plus(e.value[sortRanges], e.value[sortScans]), 1))
	}
	if e.told(tmpTable) && !e.told(TmpTables) {
		e.set(TmpTables, e.value[tmpTable])
	}
	if e.told(tmpDiskTable) && !e.told(TmpDiskTables) {
		e.set(TmpDiskTables, e.value[tmpDiskTable])
	}
}
