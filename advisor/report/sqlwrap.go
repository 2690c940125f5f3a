package report

import (
	"strings"

	"plimsoll/advisor/layout"
)

// wrapSQL breaks one line of SQL at spaces outside of quotes, which changes
// nothing for the server. A line that holds a comment, which may end with its
// line, or a backslash, whose meaning depends on sql_mode, stays whole, however
// wide it is: what is copied must be what was meant.
func wrapSQL(line string, width int) []string {
	if layout.Columns(line) <= width || strings.Contains(line, "--") || strings.Contains(line, "/*") || strings.ContainsAny(line, `#\`) {
		return []string{line}
	}
	const indent = "  "
	var lines []string
	current := ""
	for _, word := range sqlWords(line) {
		if current != "" && layout.Columns(current)+1+layout.Columns(word) > width {
			lines = append(lines, current)
			current = indent + word
			continue
		}
		if current != "" {
			current += " "
		}
		current += word
	}
	return append(lines, current)
}

// sqlWords splits at spaces outside of quotes. A quote that is doubled inside
// its string closes and opens it, which comes to the same.
func sqlWords(line string) []string {
	var words []string
	start, quote := 0, rune(0)
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"' || r == '`':
			quote = r
		case r == ' ':
			if i > start {
				words = append(words, line[start:i])
			}
			start = i + 1
		}
	}
	return append(words, line[start:])
}
