package rules

import "strings"

// quoteName quotes an identifier for a statement to copy: the one way in which
// names of tables and columns get into SQL. Control characters, which no
// statement needs, are taken out.
func quoteName(name string) string {
	return "`" + strings.ReplaceAll(printable(name), "`", "``") + "`"
}

// shellWord quotes a word for a command to copy.
func shellWord(word string) string {
	return "'" + strings.ReplaceAll(printable(word), "'", `'\''`) + "'"
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || (r >= 0x80 && r < 0xa0) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
