package report

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

// Markdown returns the report as GitHub and GitLab show it, in an issue or a
// comment: no text of a Report becomes markup there, a link, or a message to
// somebody.
func (r *Report) Markdown() ([]byte, error) {
	escapes := template.FuncMap{"md": prose, "code": codeSpan, "fence": fence}
	t, err := template.New("").Funcs(escapes).ParseFS(templates, "templates/report.md")
	if err != nil {
		return nil, fmt.Errorf("BUG: parse the Markdown template: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "report.md", look(r)); err != nil {
		return nil, fmt.Errorf("render report as Markdown: %w", err)
	}
	return b.Bytes(), nil
}

// prose escapes one line of text, so that it reads the same within a paragraph,
// a heading, an item and a cell of a table.
func prose(s string) string {
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

// codeSpan writes s as code within a line. It does not belong into a table,
// whose cells a pipe splits even there.
func codeSpan(s string) string {
	if s == "" {
		return ""
	}
	ticks := strings.Repeat("`", longestRun(s)+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

// fence writes lines as a block of code, between more backticks than it holds.
func fence(language, text string) string {
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
