// Package layout is what all that Plimsoll writes for people has in common: texts of strangers made fit
// to be shown, lines of a terminal, Markdown, and pages.
package layout
