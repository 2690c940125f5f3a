package slowlog

import (
	"bytes"

	"plimsoll/collectors/sqltext"
)

var (
	newline     = []byte("\n")
	singleQuote = []byte("'")
	doubleQuote = []byte(`"`)
)

// bounds finds where entries begin and end.
type bounds struct {
	sql       sqltext.Options
	statement int // the longest statement that is kept, in bytes
	// known is the header that was found last, and where in the data: it is that of the next entry.
	known   head
	knownAt int
}

// state is what is known of a place in the log.
type state uint8

const (
	absent  state = iota // there is none
	partial              // that depends on bytes which are not there yet
	damaged              // there is one, and something of it is missing
	whole                // there is one
	openEnd              // an entry that ends with the log, and not as entries end
	cutOff               // an entry whose statement goes on beyond the limit
	torn                 // an entry that ends with a banner, and not as entries end
)

// maxHeader bounds a header, in bytes. Plans of sixty tables have some 10 kB.
const maxHeader = 64 << 10

// head is the header of an entry.
type head struct {
	body   int    // where the statement begins
	lines  int    // how many are above it
	broken reason // why it is damaged
}

const (
	timeLine    = "# Time: "
	accountLine = "# User@Host: "
	queryLine   = "# Query_time: "
	adminLine   = "# administrator command: "
	warnings    = "# Warnings"
)

// header looks at the lines from the beginning of data to a statement.
func (r *bounds) header(data []byte, how ending) (head, state) {
	begins := startsEntry(data, how)
	if begins != whole {
		return head{}, begins
	}
	h := walk{}
	lines := 0
	for pos := 0; pos < len(data) && pos <= maxHeader; {
		rest := data[pos:]
		switch h.line(rest, pos, how) {
		case partial:
			return head{}, partial
		case absent:
			return h.head(pos, lines)
		case damaged:
			return head{body: pos, broken: bodiless}, damaged
		case whole, openEnd, cutOff, torn:
		}
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			break
		}
		pos += end + 1
		lines++
	}
	if how != ended && len(data) <= maxHeader {
		return head{}, partial
	}
	if len(data) > maxHeader {
		return head{body: maxHeader, broken: longHeader}, damaged
	}
	return head{body: len(data), broken: halfWritten}, damaged
}

// walk goes through the lines of a header.
type walk struct {
	timed, warned bool
	account       bool
}

// line says what the line at the beginning of b is: whole for a line of the header, absent for the
// first one behind it, damaged for the first of another entry.
func (w *walk) line(b []byte, pos int, how ending) state {
	if b[0] != '#' {
		return w.behind(b, how)
	}
	if len(b) < len(adminLine) && how == unended {
		return partial
	}
	if len(b) < len("# Time") {
		return whole
	}
	switch b[2] { // most lines are none of these
	case 'Q':
		w.timed = w.timed || bytes.HasPrefix(b, []byte(queryLine))
	case 'a':
		if bytes.HasPrefix(b, []byte(adminLine)) {
			return absent
		}
	case 'T':
		if pos > 0 && bytes.HasPrefix(b, []byte(timeLine)) {
			return damaged
		}
	case 'U':
		if bytes.HasPrefix(b, []byte(accountLine)) {
			if w.account || w.timed {
				return damaged
			}
			w.account = true
		}
	case 'W':
		w.warned = w.warned || bytes.HasPrefix(b, []byte(warnings))
	}
	return whole
}

// behind says what a line is that does not begin as those of a header do. Messages hold line ends.
func (w *walk) behind(b []byte, how ending) state {
	switch {
	case !w.warned, bytes.HasPrefix(b, []byte("SET ")), bytes.HasPrefix(b, []byte("use ")):
		return absent
	case len(b) < len("SET ") && how == unended:
		return partial
	default:
		return whole
	}
}

// head is the header of so many lines whose statement begins at pos.
func (w *walk) head(pos, lines int) (head, state) {
	if !w.timed {
		return head{body: pos, broken: untimed}, damaged
	}
	return head{body: pos, lines: lines}, whole
}

// startsEntry reports whether b begins with the first line of a header.
func startsEntry(b []byte, how ending) state {
	if len(b) >= len(accountLine) {
		if string(b[:len(timeLine)]) == timeLine || string(b[:len(accountLine)]) == accountLine {
			return whole
		}
		return absent
	}
	for _, prefix := range []string{timeLine, accountLine} {
		if len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix {
			return whole
		}
		if len(b) < len(prefix) && how != ended && string(b) == prefix[:len(b)] {
			return partial
		}
	}
	return absent
}

// candidate returns where in data, at from or later, the first line of a header stands behind a line
// end, and whether it is whole or partial; absent if there is none.
func candidate(data []byte, from int, how ending) (int, state) {
	for {
		i := bytes.Index(data[from:], []byte("\n# "))
		if i < 0 {
			break
		}
		from += i + 1
		if st := startsEntry(data[from:], how); st != absent {
			return from, st
		}
	}
	rest := data[from:]
	switch {
	case how == ended:
	case bytes.HasSuffix(rest, newline):
		return len(data), partial
	case bytes.HasSuffix(rest, []byte("\n#")):
		return len(data) - 1, partial
	}
	return len(data), absent
}

// end returns where the entry at the beginning of data ends, whose statement begins at body.
func (r *bounds) end(data []byte, body int, how ending) (int, state) {
	text := statementText{bounds: r, data: data, body: body, limit: min(body+r.statement, len(data)), how: how}
	for from := max(body-1, 0); ; {
		at, st := candidate(data, from, how)
		if at > body+r.statement {
			return body + r.statement, cutOff
		}
		if st == absent {
			return text.last()
		}
		if st == partial {
			return text.settle()
		}
		next, st := text.ends(at)
		if st != absent {
			return next, st
		}
		from = next
	}
}

// next returns the first place in data, behind a line end, at which a whole header is, or how much
// has none.
func (r *bounds) next(data []byte, how ending) (int, bool) {
	for from := 0; ; {
		at, st := candidate(data, from, how)
		if st == whole {
			_, st = r.header(data[at:], how)
		}
		switch st {
		case whole:
			return at, true
		case absent:
			return at, false
		case partial:
			return at - 1, false // with the line end
		case damaged, openEnd, cutOff, torn:
		}
		from = at
	}
}
