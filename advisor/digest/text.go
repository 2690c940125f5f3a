package digest

import (
	"cmp"
	"strconv"
	"strings"

	"plimsoll/advisor/layout"
)

// TextOptions is how Text writes.
type TextOptions struct {
	// Width is the number of columns; 80 if it is zero, and at least 60.
	Width int
	// Colour allows ANSI colours.
	Colour bool
}

const defaultWidth, leastWidth = 80, 60

// page writes a digest for a terminal.
type page struct{ layout.Page }

func newPage(o TextOptions) *page {
	return &page{layout.Page{Width: max(cmp.Or(o.Width, defaultWidth), leastWidth), Colour: o.Colour}}
}

// Text returns the digest for a terminal. No line is wider than the width.
func (d *Digest) Text(o TextOptions) []byte {
	p, v := newPage(o), look(d)
	p.Para(0, layout.Bold, strings.TrimSpace("SLOW LOG  "+v.Source))
	p.Para(0, layout.Dim, v.Window)
	p.Line("")
	p.Para(2, layout.Bold, v.Headline)
	for _, note := range v.Notes {
		p.Hang("  !", 4, "", note)
	}
	if len(v.Queries) > 0 {
		p.Heading("Statements by " + v.Order)
		p.ranking(v.Queries)
		p.Heading("Each of them")
	}
	for _, q := range v.Queries {
		p.query(q)
	}
	p.files(v)
	p.Line("")
	p.Para(0, layout.Dim, v.Caption)
	return p.Bytes()
}

// ranking writes one line a statement.
func (p *page) ranking(queries []queryView) {
	rows := [][]string{{"", "share", "calls", "total", "mean", "p95", "max", "statement"}}
	for _, q := range queries {
		rows = append(rows, []string{strconv.Itoa(q.Number), q.Share, q.Calls, q.Total, q.Mean, q.P95, q.Max, q.Brief})
	}
	p.columns(tableIndent, rows)
}

// tableIndent is how far tables are indented.
const tableIndent = 2

// columns writes rows as aligned does.
func (p *page) columns(indent int, rows [][]string) {
	for _, line := range p.aligned(indent, rows) {
		p.Line(line)
	}
}

// aligned returns rows as lines. Their last column is text, which is cut to what is left beside the
// figures; the first row is the head.
func (p *page) aligned(indent int, rows [][]string) []string {
	last := len(rows[0]) - 1
	widths := make([]int, last)
	for _, row := range rows {
		for i, cell := range row[:last] {
			widths[i] = max(widths[i], layout.Columns(cell))
		}
	}
	lines := make([]string, len(rows))
	for y, row := range rows {
		line := strings.Repeat(" ", indent-1)
		for i, cell := range row[:last] {
			line += strings.Repeat(" ", 1+min(i, 1)+widths[i]-layout.Columns(cell)) + cell
		}
		line += "  " + layout.Cut(row[last], max(p.Width-layout.Columns(line)-2, 1))
		line = strings.TrimRight(layout.Cut(line, p.Width), " ")
		if y == 0 {
			line = p.In(layout.Dim, line)
		}
		lines[y] = line
	}
	return lines
}

// label is the width of the labels of a statement's figures.
const label = 20

func (p *page) field(name, text string) {
	if text != "" {
		p.Hang("    "+name, label, "", text)
	}
}

// figures writes figures that stand between commas, each of them on one line.
func (p *page) figures(name, text string) {
	line := ""
	for part := range strings.SplitAfterSeq(text, ", ") {
		if line != "" && layout.Columns(line+strings.TrimSpace(part)) > p.Width-label {
			p.field(name, line)
			name, line = "", ""
		}
		line += part
	}
	p.field(name, line)
}

// mostLines is how many lines of a statement are shown: its beginning says what it is.
const mostLines = 6

func (p *page) query(q queryView) {
	p.Line("")
	p.statement(q)
	p.field("fingerprint", q.Fingerprint+", "+q.Class)
	p.figures("time", q.Time())
	p.figures("locks", q.Locks())
	p.figures("rows a call", q.Rows())
	p.field("full scans", q.Scans)
	p.field("tables on disk", q.TmpDisk)
	p.field("databases", q.Databases)
	p.field("users", q.Users)
	p.field("hosts", q.Hosts)
	p.field("seen", q.Seen())
	if s := q.Sample; s != nil {
		p.field("slowest", s.About+"; "+s.Where)
		p.field("", s.Origin)
		if s.SQL != q.Text {
			p.sql(label, s.SQL)
		}
	}
	if q.Plan != nil {
		p.plan(q.Plan)
	}
}

// statement writes the text of a statement behind its number.
func (p *page) statement(q queryView) {
	lead := layout.Pad(layout.Pad("", 2-len(strconv.Itoa(q.Number)))+strconv.Itoa(q.Number), 4)
	for i, line := range p.first(q.Text, 4) {
		if i > 0 {
			lead = "    "
		}
		p.Line(lead + p.In(layout.Bold, line))
	}
}

// sql writes a statement below other text.
func (p *page) sql(indent int, text string) {
	for _, line := range p.first(text, indent) {
		p.Line(strings.Repeat(" ", indent) + p.In(layout.Cyan, line))
	}
}

// first returns the first lines of a text.
func (p *page) first(text string, indent int) []string {
	lines := layout.Wrap(text, p.Width-indent)
	if len(lines) > mostLines {
		lines = lines[:mostLines]
		lines[mostLines-1] = layout.Cut(lines[mostLines-1]+" …", p.Width-indent)
	}
	return lines
}

func (p *page) plan(v *planView) {
	p.field("plan", v.About)
	rows := [][]string{{"id", "type", "rows", "read", "key", "table, what else"}}
	for _, s := range v.Steps {
		rows = append(rows, []string{s.ID, s.Type, s.Rows, s.ReadRows, s.Key, s.What()})
	}
	p.columns(2*tableIndent, rows)
}

func (p *page) files(v view) {
	if len(v.Files) > 1 {
		p.Heading("Files")
		rows := [][]string{}
		for _, f := range v.Files {
			rows = append(rows, []string{f.Name, f.Bytes, f.Entries, f.Skipped, f.Error})
		}
		p.Table([]string{"file", "size", "entries", "skipped", "error"}, rows)
	}
	if len(v.Skipped) > 0 {
		p.Heading("What was skipped")
	}
	for _, s := range v.Skipped {
		p.Hang("  -", 4, "", s.Where+": "+s.Reason)
	}
	p.Para(4, layout.Dim, v.SkipRest)
}
