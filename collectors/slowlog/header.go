package slowlog

import "bytes"

// header reads the lines above a statement.
type header struct {
	fields   *fields
	local    int64 // # Time without a zone, which following entries inherit
	timed    bool  // there was a Query_time
	bad      bool  // which was no duration
	schema   bool  // there was a Schema, perhaps an empty one
	limit    uint64
	explain  int // where the lines "# explain: " begin, plus 1
	readings     // of log_slow_extra
}

// readings are the counters of log_slow_extra that tell something only together.
type readings struct {
	first, rndNext uint64 // Read_first and Read_rnd_next
	sorts          uint64 // Sort_range_count and Sort_scan_count
	seen           uint8
}

const (
	seenFirst = 1 << iota
	seenRndNext
	seenSorts
)

// read reads a header into e.
func (h *header) read(b []byte, e *Entry) reason {
	for rest := b; len(rest) > 0; {
		begin := len(b) - len(rest)
		line, behind := cutLine(rest)
		rest = behind
		switch {
		case len(line) < len("# x"):
		case line[2] == 'T' && bytes.HasPrefix(line, []byte(timeLine)):
			h.time(line, e)
		case line[2] == 'U' && bytes.HasPrefix(line, []byte(accountLine)):
			h.account(line, e)
		case line[2] == 'e' && bytes.HasPrefix(line, []byte(explainLine)):
			h.plan(b, begin, len(b)-len(rest), e)
		case line[2] == 'W' && bytes.HasPrefix(line, []byte(warnings)):
			rest = nil // what follows are messages with literals
		default:
			h.pairs(line[1:], e)
		}
	}
	switch {
	case h.bad:
		return badTimes
	case !h.timed:
		return untimed
	}
	h.derive(e)
	return ""
}

// time reads a line "# Time: ". Old servers wrote the account behind it.
func (h *header) time(line []byte, e *Entry) {
	value := line[len(timeLine):]
	if i := bytes.Index(value, []byte(accountLine)); i >= 0 {
		h.account(value[i:], e)
		value = value[:i]
	}
	micros, exact, ok := parseTime(bytes.TrimRight(value, " \t"))
	if ok && exact {
		e.Micros = micros
	} else if ok {
		h.local = micros
	}
}

// account reads a line such as
//
//	# User@Host: shop[shop] @ web1 [10.0.0.7]  Id:    10
//
// The first name is the account's, the second the user's who logged in. Replication has the second only.
func (h *header) account(line []byte, e *Entry) {
	line = line[len(accountLine):]
	at := bytes.LastIndexByte(line, '@') // which cannot be in the name of a host
	if at < 1 || at+1 >= len(line) {
		return
	}
	e.User = userOf(line[:at-1])
	host, address, _ := bytes.Cut(line[at+2:], []byte("["))
	address, id, _ := bytes.Cut(address, []byte("]"))
	if e.Host = bytes.TrimRight(host, " "); len(e.Host) == 0 {
		e.Host = address
	}
	if _, n, ok := bytes.Cut(id, []byte(":")); ok {
		e.Thread, _ = parseUint(skipBlanks(n))
	}
}

// userOf returns the user of a text such as shop[shop]. Names can hold brackets themselves, and are
// mostly twice the same.
func userOf(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("]"))
	if n := len(b) / 2; len(b)%2 == 1 && b[n] == '[' && bytes.Equal(b[:n], b[n+1:]) {
		return b[:n]
	}
	_, user, ok := bytes.Cut(b, []byte("["))
	if !ok {
		return b
	}
	return user
}

// plan adds a line "# explain: " to the entry's plan; they stand one below the other.
func (h *header) plan(b []byte, begin, end int, e *Entry) {
	if h.explain == 0 {
		h.explain = begin + 1
	}
	e.Explain = b[h.explain-1 : end]
}

// pairs reads a line of names and values.
func (h *header) pairs(b []byte, e *Entry) {
	for {
		b = skipBlanks(b)
		f := h.fields.next(b)
		if f == nil {
			return
		}
		b = b[len(f.name):]
		if f.name == "Schema:" {
			b = h.database(b, e)
			continue
		}
		b = skipBlanks(b)
		end := 0
		for end < len(b) && b[end] != ' ' {
			end++
		}
		if f.read != nil {
			f.read(h, b[:end], e)
		}
		b = b[end:]
	}
}

func skipBlanks(b []byte) []byte {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return b
}

// database reads the value of Schema, which can hold blanks, and returns what follows it.
func (h *header) database(b []byte, e *Entry) (rest []byte) {
	h.schema = true
	b = bytes.TrimPrefix(b, []byte(" "))
	end := len(b)
	for _, next := range []string{"  QC_hit: ", "  Last_errno: "} {
		if i := bytes.LastIndex(b, []byte(next)); i >= 0 {
			end = i
		}
	}
	e.Database = b[:end]
	return b[end:]
}

// derive tells what the counters of log_slow_extra mean together. InnoDB begins the scan of a table at
// its first row and goes on with Read_rnd_next; the scan of an index goes on with Read_next, and that
// of a temporary table has no Read_first.
func (h *header) derive(e *Entry) {
	if h.seen&(seenFirst|seenRndNext) == seenFirst|seenRndNext {
		e.set(FullScan, min(h.first, h.rndNext, 1))
	}
	if h.seen&seenSorts != 0 {
		e.set(Filesort, min(h.sorts, 1))
	}
}
