package collectors

import "strings"

// Printable makes a name from outside fit for a label and a terminal: what is no UTF-8 and control characters become
// U+FFFD. A mount point may hold any byte but NUL, and so may the title of a process.
func Printable(name string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return '\uFFFD'
		}
		return c
	}, strings.ToValidUTF8(name, "\uFFFD"))
}
