package slowlog

import "bytes"

// plain finds the end of an entry as nearly all are, at the beginning of data, and counts its lines: one
// whose statement ends with a semicolon, has no other at the end of a line, and has quotes in pairs, so that
// no literal can hold the header behind it. It returns 0 for all others: they take end.
func (r *bounds) plain(data []byte, head head, how ending) (end, lines int) {
	if head.broken != "" {
		return 0, 0
	}
	text := data[head.body:]
	text = text[:toHeader(text[:min(len(text), r.statement+1)], how)]
	if len(text) == 0 || bytes.Count(text, singleQuote)%2 != 0 || bytes.Count(text, doubleQuote)%2 != 0 {
		return 0, 0
	}
	lines = bytes.Count(text, newline)
	if lines > 1+prefixLines(text) && r.wholeStatement(text) != 0 {
		return 0, 0
	}
	end = head.body + len(text)
	next, state := r.header(data[end:], how)
	if state == partial {
		return 0, 0
	}
	r.known, r.knownAt = next, end
	return end, head.lines + lines
}

// toHeader returns the length of the text in front of the first header in b; 0 if it does not end as a
// statement does. Most statements hold no other #, so that one search finds it.
func toHeader(b []byte, how ending) int {
	for end := 0; ; end++ {
		i := bytes.IndexByte(b[end:], '#')
		if i < 0 {
			return 0
		}
		end += i
		if end == 0 || b[end-1] != '\n' {
			continue
		}
		state := startsEntry(b[end:], how)
		if state == whole && endsStatement(b[:end]) {
			return end
		}
		if state != absent {
			return 0
		}
	}
}

// prefixLines counts the lines that the server writes between a header and a statement.
func prefixLines(b []byte) int {
	n := 0
	if _, rest, ok := use(b); ok {
		b = rest
		n++
	}
	if _, _, ok := setTimestamp(b); ok {
		n++
	}
	return n
}
