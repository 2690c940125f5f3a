package slowlog

import "bytes"

// plain finds the end of an entry as nearly all are, at the beginning of data, and counts its lines: a
// statement with one semicolon at the end of a line, behind which a header stands, and with quotes in
// pairs, so that no literal can hold that header. It returns 0 for all others: they take end.
func (r *bounds) plain(data []byte, head head, how ending) (end, lines int) {
	if head.broken != "" {
		return 0, 0
	}
	body := data[head.body:]
	n, lines := plainText(body, how)
	if n == 0 || n > r.statement || bytes.Count(body[:n], singleQuote)%2 != 0 || bytes.Count(body[:n], doubleQuote)%2 != 0 {
		return 0, 0
	}
	end = head.body + n
	next, state := r.header(data[end:], how)
	if state == partial {
		return 0, 0
	}
	r.known, r.knownAt = next, end
	return end, head.lines + lines
}

// plainText returns the length of the text in front of the first header in b, and its lines; 0 if it does
// not end as a statement does, or a line within the statement does.
func plainText(b []byte, how ending) (end, lines int) {
	begin, lines := prefix(b)
	for end = begin; end < len(b); lines++ {
		ended := endsStatement(b[:end])
		switch st := startsEntry(b[end:], how); {
		case st == whole && ended:
			return end, lines
		case st != absent, ended && end > begin:
			return 0, 0
		}
		i := bytes.IndexByte(b[end:], '\n')
		if i < 0 {
			break
		}
		end += i + 1
	}
	return 0, 0
}

// prefix returns the length of what the server writes between a header and a statement, and its lines.
func prefix(b []byte) (n, lines int) {
	rest := b
	if _, behind, ok := use(rest); ok {
		rest = behind
		lines++
	}
	if _, behind, ok := setTimestamp(rest); ok {
		rest = behind
		lines++
	}
	return len(b) - len(rest), lines
}
