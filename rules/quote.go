package rules

import (
	"strings"
	"unicode"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// quoteName quotes an identifier for a statement to copy: the one way in which
// names of tables and columns get into SQL. Characters that do not show, which
// no statement needs, are taken out.
func quoteName(name string) string {
	return "`" + strings.ReplaceAll(printable(name), "`", "``") + "`"
}

// quoteText quotes a text for a statement to copy. A quote is doubled and not
// escaped, so that it ends the text in no sql_mode.
func quoteText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(printable(text)) + "'"
}

// shellWord quotes a word for a command to copy.
func shellWord(word string) string {
	return "'" + strings.ReplaceAll(printable(word), "'", `'\''`) + "'"
}

// statementRunes is how much of a statement is shown within a sentence: enough to
// know it again.
const statementRunes = 100

// statement is the text of a statement within a sentence.
func statement(text snapshot.Redacted) string {
	return sqltext.Clip(printable(string(text)), statementRunes)
}

// printable takes out of a server's words what does not show: control and format
// characters, such as those that turn the direction of writing, and what ends a
// line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
