package sqltext

// tokenBytes is what a token takes of a server's digest (sql_digest.cc, SIZE_OF_A_TOKEN). A name takes
// as much again, and its bytes.
const tokenBytes = 2

// digestBytes returns how much of max_digest_length a digest text takes. A server stops at the first
// token that does not fit and leaves no mark, so a digest with no room for one more is cut off: what
// follows a statement's end is never a name.
func digestBytes(text string) int {
	n := 0
	s := NewScanner(text)
	var last, before Token
	for t := s.Next(); t.Kind != EOF; t = s.Next() {
		switch {
		case t.Kind == Comment:
			continue // (...) /* , ... */ is one token
		case t.Kind == Name:
			n += 2*tokenBytes + len(t.Text) - len("``")
		case t.Kind == Variable:
			n += 2 * tokenBytes
		case t.Kind == List && last.Is(","):
			n -= tokenBytes // "?, ..." is one token
		case t.Is(")") && last.Value() && before.Is("("):
			n -= tokenBytes // so are (?) and (...)
		default:
			n += tokenBytes
		}
		before, last = last, t
	}
	return n
}
