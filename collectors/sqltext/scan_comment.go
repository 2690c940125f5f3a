package sqltext

import "strings"

func (s *Scanner) lineComment() Kind {
	if i := strings.IndexByte(s.src[s.pos:], '\n'); i >= 0 {
		s.pos += i + 1
	} else {
		s.pos = len(s.src)
	}
	return Comment
}

// blockComment reads /* … */ and /*+ … */. Of /*!40001 … */ and MariaDB's /*M!100100 … */ it takes
// the beginning only, because servers execute the rest. Whether this server did depends on its
// version; those who write such comments mean it to.
func (s *Scanner) blockComment() Kind {
	body := s.src[s.pos+2:]
	if n := executablePrefix(body); n > 0 {
		s.pos += 2 + n
		s.executable = true
		return Comment
	}
	kind := Comment
	if strings.HasPrefix(body, "+") {
		kind = Hint
	}
	if i := strings.Index(body, "*/"); i >= 0 {
		s.pos += 2 + i + 2
	} else {
		s.pos, s.cut = len(s.src), true
	}
	return kind
}

// executablePrefix returns the length of "!", "M!" and the version behind it; 0 if there is none.
func executablePrefix(s string) int {
	n := 0
	if strings.HasPrefix(s, "M!") {
		n = 2
	} else if strings.HasPrefix(s, "!") {
		n = 1
	}
	for end := n + 6; n > 0 && n < end && n < len(s) && class[s[n]] == digit; {
		n++
	}
	return n
}
