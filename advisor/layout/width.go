package layout

import (
	"strings"
	"unicode"
)

// Columns returns how many columns of a terminal s takes.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		n += cells(r)
	}
	return n
}

// cells returns the columns of one Printable character: none for a mark on the
// one before it, two for those of East Asia and for pictures. The ranges are
// those of Markus Kuhn's wcwidth and of Unicode's EastAsianWidth.
func cells(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case r >= 0x1100 && wide(r):
		return 2
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	}
	return 1
}

func wide(r rune) bool {
	return r <= 0x115f || r == 0x231a || r == 0x231b ||
		0x23e9 <= r && r <= 0x23f3 || 0x25fd <= r && r <= 0x25fe || 0x2614 <= r && r <= 0x27bf || 0x2b1b <= r && r <= 0x2b55 ||
		0x2e80 <= r && r <= 0x3029 || 0x302e <= r && r <= 0x3098 || 0x309b <= r && r <= 0xa4cf ||
		0xa960 <= r && r <= 0xa97c || 0xac00 <= r && r <= 0xd7a3 ||
		0xf900 <= r && r <= 0xfaff || 0xfe10 <= r && r <= 0xfe19 || 0xfe30 <= r && r <= 0xfe6f ||
		0xff00 <= r && r <= 0xff60 || 0xffe0 <= r && r <= 0xffe6 ||
		0x16fe5 <= r && r <= 0x18cff || 0x1aff0 <= r && r <= 0x1b2ff || 0x1f000 <= r && r <= 0x1faff || 0x20000 <= r && r <= 0x3fffd
}

// Wrap breaks s at spaces into lines of at most width columns; a longer word is
// cut where it must be.
func Wrap(s string, width int) []string {
	width = max(width, 2) // the widest character must fit
	var lines []string
	line, used := "", 0
	flush := func() {
		if line != "" {
			lines = append(lines, line)
		}
		line, used = "", 0
	}
	for word := range strings.FieldsSeq(s) {
		n := Columns(word)
		if used > 0 && used+1+n <= width {
			line, used = line+" "+word, used+1+n
			continue
		}
		flush()
		for n > width {
			var head string
			head, word = split(word, width)
			lines = append(lines, head)
			n = Columns(word)
		}
		line, used = word, n
	}
	flush()
	return lines
}

// split cuts s after at most width columns, behind a mark of punctuation if one
// stands in the second half.
func split(s string, width int) (head, tail string) {
	n, at := 0, 0
	for i, r := range s {
		if n += cells(r); n > width {
			if at == 0 {
				at = i
			}
			return s[:at], s[at:]
		}
		if n > width/2 && strings.ContainsRune("-/.,:;_", r) {
			at = i + len(string(r))
		}
	}
	return s, ""
}

// Cut shortens s to width columns, and says so by an ellipsis.
func Cut(s string, width int) string {
	if Columns(s) <= width {
		return s
	}
	head, _ := split(s, max(width-1, 0))
	return strings.TrimRight(head, " ") + "…"
}

// Pad fills s with spaces to width columns.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-Columns(s), 0))
}
