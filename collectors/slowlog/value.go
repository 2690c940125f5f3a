package slowlog

import "bytes"

// value reads the value at pos for f, and returns where it ends.
func (h *header) value(b []byte, pos int, f *field, e *Entry) int {
	var n uint64
	end := 0
	switch f.form {
	case inDigits:
		n, end = shortNumber(b, pos)
	case inSeconds:
		n, end = shortDecimal(b, pos)
	case inMilliseconds:
		n, end = shortDecimal(b, pos)
		n /= 1000
	case asName:
		return h.database(b, pos, e)
	case unread:
		end = valueEnd(b, pos)
	case yesOrNo:
		n, end = flag(b, pos)
	}
	if end > pos && end < len(b) && (b[end] == ' ' || b[end] == '\n') {
		e.set(f.is, n)
		return end
	}
	return h.anyValue(b, pos, f, e)
}

// flag reads Yes as 1 and all else as 0.
func flag(b []byte, pos int) (n uint64, end int) {
	if pos < len(b) && b[pos] == 'Y' {
		n = 1
	}
	return n, valueEnd(b, pos)
}

// anyValue is value for what is no short number.
func (h *header) anyValue(b []byte, pos int, f *field, e *Entry) int {
	for pos < len(b) && b[pos] == ' ' {
		pos++
	}
	end := valueEnd(b, pos)
	n, ok := f.form.parse(bytes.TrimSuffix(b[pos:end], []byte("\r")))
	if ok {
		e.set(f.is, n)
	} else if f.is == queryTime {
		h.bad = true
	}
	return end
}

// parse reads a value that is no name.
func (f form) parse(b []byte) (n uint64, ok bool) {
	switch f {
	case inDigits:
		return parseUint(b)
	case inSeconds:
		return parseMicros(b)
	case inMilliseconds:
		return parseDecimal(b, 3)
	case yesOrNo:
		n, _ = flag(b, 0)
		return n, true
	case unread, asName:
	}
	return 0, false
}

// database reads the value of Schema, which can hold blanks, and returns where it ends.
func (h *header) database(b []byte, pos int, e *Entry) (end int) {
	h.schema = true
	end = valueEnd(b, pos)
	if !endsSchema(b[end:]) {
		line, _ := cutLine(b[pos:])
		end = pos + nameEnd(line)
	}
	e.Database = b[pos:end]
	return end
}

// endsSchema reports whether b begins with what mostly stands behind the value of Schema in its line.
func endsSchema(b []byte) bool {
	return bytes.HasPrefix(b, []byte("  QC_hit: No\n")) || bytes.HasPrefix(b, []byte("  QC_hit: Yes\n")) ||
		bytes.HasPrefix(b, []byte("  Last_errno: 0  Killed: 0\n"))
}

// nameEnd returns where in the rest of a line the name of a database ends.
func nameEnd(line []byte) int {
	end := len(line)
	for _, next := range []string{"  QC_hit: ", "  Last_errno: "} {
		if i := bytes.LastIndex(line, []byte(next)); i >= 0 {
			end = i
		}
	}
	return end
}
