package layout

import (
	"strings"
	"unicode"
)

// Clean returns s as one line that can be shown anywhere: what is not Printable
// (control characters, marks that turn the direction of text, bytes that are not
// UTF-8) becomes U+FFFD, and every run of white space one space.
//
// Names and statements come from servers whose users may choose them, and they
// end on terminals and web pages: every text of theirs goes through Clean or
// CleanBlock before it is rendered.
//
// Nobody reads a name or a reason of more than a few lines: beyond longestText
// characters it is cut.
func Clean(s string) string {
	s = strings.Join(strings.Fields(strings.Map(Printable, s)), " ")
	n := 0
	for i := range s {
		if n++; n > longestText {
			return s[:i] + "…"
		}
	}
	return s
}

const longestText = 2000

// CleanBlock is Clean for text whose lines matter, such as a configuration.
func CleanBlock(s string) []string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\r\n", "\n")
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		out = append(out, strings.TrimRight(strings.Map(Printable, line), " "))
	}
	return out
}

// Printable returns what stands for a character in a line: a space for white space, U+FFFD for what
// cannot be printed.
func Printable(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsPrint(r):
		return r
	}
	return unicode.ReplacementChar
}
