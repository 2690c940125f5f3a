package layout

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Prose escapes one line of text for Markdown as GitHub and GitLab show it: it reads the same within a
// paragraph, a heading, an item and a cell of a table, and becomes no markup, no link and no message.
func Prose(s string) string {
	var b strings.Builder
	for i, r := range s {
		b.WriteString(escape(s[:i], r, s[i+len(string(r)):]))
	}
	return b.String()
}

// apart is a space without width. It keeps a sign from what follows: @name, #1,
// !1 and addresses become links, and the first a message, although none of them
// is markup.
const apart = "&#8203;"

// escape returns how r is written between what stands before and after it.
//
// CommonMark 0.31 §2.4 lets a backslash stand before any ASCII punctuation. A
// pipe splits the cells of a table before escapes are looked at, and a dollar
// sign begins a formula even behind a backslash.
func escape(before string, r rune, after string) string {
	c := string(r)
	switch r {
	case '\\', '`', '*', '_', '[', ']', '{', '}', '~':
		return `\` + c
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '&':
		return "&amp;"
	case '|':
		return "&#124;"
	case '$':
		return "<span>$</span>"
	}
	if begins(before, r, after) {
		c = `\` + c
	}
	switch {
	case r == '.' && strings.HasSuffix(strings.ToLower(before), "www"):
		return apart + c
	case links(r, after):
		return c + apart
	}
	return c
}

// begins reports whether r, at the start of a line, makes it a heading, an item
// or a command (GitLab runs a line that begins with a slash).
func begins(before string, r rune, after string) bool {
	switch r {
	case '#', '-', '+', '=', '/':
		return before == ""
	case '.', ')':
		return before != "" && strings.Trim(before, "0123456789") == "" && (after == "" || after[0] == ' ')
	}
	return false
}

// links reports whether r makes a link of what comes after it.
func links(r rune, after string) bool {
	next, _ := utf8.DecodeRuneInString(after)
	switch r {
	case '@':
		return unicode.IsLetter(next) || unicode.IsDigit(next)
	case '#', '!':
		return unicode.IsDigit(next)
	case ':':
		return strings.HasPrefix(after, "//")
	}
	return false
}

// CodeSpan writes s as code within a line. It does not belong into a table,
// whose cells a pipe splits even there.
func CodeSpan(s string) string {
	if s == "" {
		return ""
	}
	ticks := strings.Repeat("`", longestRun(s)+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

// Fence writes lines as a block of code, between more backticks than it holds.
func Fence(language, text string) string {
	ticks := strings.Repeat("`", max(3, longestRun(text)+1))
	return ticks + language + "\n" + text + "\n" + ticks
}

// longestRun returns the length of the longest run of backticks.
func longestRun(s string) int {
	longest, run := 0, 0
	for _, r := range s {
		run++
		if r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}
