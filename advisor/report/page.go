package report

import (
	"bytes"
	"slices"
	"strings"
)

// page writes text of a fixed width.
type page struct {
	bytes.Buffer
	width  int
	colour bool
}

// style is an ANSI attribute (ECMA-48, SGR).
type style string

const (
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
)

// in returns s in a style, if the page may be coloured.
func (p *page) in(st style, s string) string {
	if !p.colour || st == "" || s == "" {
		return s
	}
	return "\x1b[" + string(st) + "m" + s + "\x1b[0m"
}

func (p *page) line(s string) { p.WriteString(strings.TrimRight(s, " ") + "\n") }

// heading opens a section.
func (p *page) heading(s string) {
	p.line("")
	p.line(p.in(bold, strings.ToUpper(s)))
}

// para writes s wrapped and indented.
func (p *page) para(indent int, st style, s string) { p.hang("", indent, st, s) }

// hang writes s behind a label in a column of its own, wrapped beneath itself.
func (p *page) hang(label string, indent int, st style, s string) {
	lead := pad(label, indent)
	for _, l := range wrap(s, p.width-indent) {
		p.line(lead + p.in(st, l))
		lead = strings.Repeat(" ", indent)
	}
}

// ends writes two texts at the ends of a line, or on lines of their own where
// they do not fit on one.
func (p *page) ends(st style, left, right string) {
	if room := p.width - columns(left) - columns(right); room >= 2 {
		p.line(p.in(st, left) + strings.Repeat(" ", room) + right)
		return
	}
	p.para(0, st, left)
	p.para(0, "", right)
}

// A table stands indented, with room between its columns.
const tableIndent, tableGap = "  ", "  "

// table writes rows in columns, the widest of them wrapped until all fit.
func (p *page) table(head []string, rows [][]string) {
	all := filled(append([][]string{head}, rows...))
	widths := make([]int, len(all[0]))
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
		}
	}
	for total(widths)+len(tableGap)*(len(widths)-1) > p.width-len(tableIndent) {
		widths[widest(widths)]--
	}
	for i, row := range all {
		st := style("")
		if i == 0 {
			st = dim
		}
		p.row(widths, st, row)
	}
}

func (p *page) row(widths []int, st style, row []string) {
	cells, height := make([][]string, len(row)), 1
	for i, cell := range row {
		cells[i] = wrap(cell, widths[i])
		height = max(height, len(cells[i]))
	}
	for y := range height {
		line := make([]string, len(cells))
		for i, c := range cells {
			if y < len(c) {
				line[i] = c[y]
			}
			line[i] = pad(line[i], widths[i])
		}
		p.line(tableIndent + p.in(st, strings.TrimRight(strings.Join(line, tableGap), " ")))
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
