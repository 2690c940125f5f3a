package layout

import (
	"bytes"
	"slices"
	"strings"
)

// Page writes text of a fixed width. What it is given must have been through Clean.
type Page struct {
	bytes.Buffer
	// Width is the number of columns.
	Width int
	// Colour allows ANSI colours.
	Colour bool
}

// Style is an ANSI attribute (ECMA-48, SGR).
type Style string

// The styles.
const (
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
	Cyan   Style = "36"
)

// In returns s in a style, if the page may be coloured.
func (p *Page) In(st Style, s string) string {
	if !p.Colour || st == "" || s == "" {
		return s
	}
	return "\x1b[" + string(st) + "m" + s + "\x1b[0m"
}

// Line writes a line as it is.
func (p *Page) Line(s string) { p.WriteString(strings.TrimRight(s, " ") + "\n") }

// Heading opens a section.
func (p *Page) Heading(s string) {
	p.Line("")
	p.Line(p.In(Bold, strings.ToUpper(s)))
}

// Para writes s wrapped and indented.
func (p *Page) Para(indent int, st Style, s string) { p.Hang("", indent, st, s) }

// Hang writes s behind a label in a column of its own, wrapped beneath itself.
func (p *Page) Hang(label string, indent int, st Style, s string) {
	lead := Pad(label, indent)
	for _, l := range Wrap(s, p.Width-indent) {
		p.Line(lead + p.In(st, l))
		lead = strings.Repeat(" ", indent)
	}
}

// Ends writes two texts at the ends of a line, or on lines of their own where
// they do not fit on one.
func (p *Page) Ends(st Style, left, right string) {
	if room := p.Width - Columns(left) - Columns(right); room >= 2 {
		p.Line(p.In(st, left) + strings.Repeat(" ", room) + right)
		return
	}
	p.Para(0, st, left)
	p.Para(0, "", right)
}

// A table stands indented, with room between its columns.
const tableIndent, tableGap = "  ", "  "

// Table writes rows in columns, the widest of them wrapped until all fit.
func (p *Page) Table(head []string, rows [][]string) {
	all := filled(append([][]string{head}, rows...))
	widths := make([]int, len(all[0]))
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], Columns(cell))
		}
	}
	for total(widths)+len(tableGap)*(len(widths)-1) > p.Width-len(tableIndent) {
		widths[widest(widths)]--
	}
	for i, row := range all {
		st := Style("")
		if i == 0 {
			st = Dim
		}
		p.row(widths, st, row)
	}
}

func (p *Page) row(widths []int, st Style, row []string) {
	cells, height := make([][]string, len(row)), 1
	for i, cell := range row {
		cells[i] = Wrap(cell, widths[i])
		height = max(height, len(cells[i]))
	}
	for y := range height {
		line := make([]string, len(cells))
		for i, c := range cells {
			if y < len(c) {
				line[i] = c[y]
			}
			line[i] = Pad(line[i], widths[i])
		}
		p.Line(tableIndent + p.In(st, strings.TrimRight(strings.Join(line, tableGap), " ")))
	}
}

// filled leaves out columns that are empty below their head.
func filled(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for x := range rows[0] {
		if slices.ContainsFunc(rows[1:], func(row []string) bool { return row[x] != "" }) {
			for y, row := range rows {
				out[y] = append(out[y], row[x])
			}
		}
	}
	return out
}

func total(widths []int) int {
	n := 0
	for _, w := range widths {
		n += w
	}
	return n
}

func widest(widths []int) int {
	at := 0
	for i, w := range widths {
		if w > widths[at] {
			at = i
		}
	}
	return at
}
