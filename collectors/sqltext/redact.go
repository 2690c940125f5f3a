package sqltext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// RedactMessage returns what may leave the host of a server's message, which quotes names, values
// and whole statements within one another ("Error 'Duplicate entry 'x' for key 'k” on query …"), so
// that no quote in it can be trusted: everything from the first quote to the last becomes ?, and so
// does every number outside.
func RedactMessage(message string) string {
	const quotes = "'\"`"
	text := message
	if first := strings.IndexAny(text, quotes); first >= 0 {
		last := strings.LastIndexAny(text, quotes)
		text = text[:first] + "?" + text[last+1:]
	}
	text, _ = clean(text, 0)
	return foldDigits(text)
}

// foldDigits replaces each run of digits by ?.
func foldDigits(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if class[s[i]] != digit {
			b.WriteByte(s[i])
		} else if i == 0 || class[s[i-1]] != digit {
			b.WriteByte('?')
		}
	}
	return b.String()
}

// Clip returns text if it has at most that many runes, else its beginning and "…" in as many.
func Clip(text string, runes int) string {
	if runes <= 0 {
		return ""
	}
	n, end := 0, 0
	for i := range text {
		if n == runes-1 {
			end = i
		}
		if n == runes {
			return text[:end] + "…"
		}
		n++
	}
	return text
}

// clean replaces what must not be shown, invalid UTF-8, control and formatting characters, by U+FFFD
// and returns the hash of the result; hash is that of s.
func clean(s string, hash uint64) (string, uint64) {
	if !suspicious(s) {
		return s, hash
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return utf8.RuneError
		}
		return r
	}, s)
	return s, hashText(s)
}

// suspicious reports whether s has bytes other than printable ASCII.
func suspicious(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return true
		}
	}
	return false
}
