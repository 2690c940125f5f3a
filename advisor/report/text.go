package report

import (
	"math"
	"strconv"
	"strings"

	"plimsoll/advisor/layout"
	"plimsoll/rules"
)

// TextOptions is how Text writes.
type TextOptions struct {
	// Width is the number of columns; 80 if it is zero, and at least 60.
	Width int
	// Colour allows ANSI colours.
	Colour bool
}

const defaultWidth, leastWidth = 80, 60

// page writes a report for a terminal.
type page struct{ layout.Page }

// Text returns the report for a terminal. No line is wider than the width, but
// for a statement to copy that cannot be broken without changing it.
func (r *Report) Text(o TextOptions) []byte {
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	p := &page{layout.Page{Width: max(o.Width, leastWidth), Colour: o.Colour}}
	v := look(r)
	p.top(v)
	p.php(v.PHP)
	p.load(v.Load)
	p.actions(v.Actions)
	p.routes(v.PHP)
	p.findings(v)
	p.replication(v)
	p.pools(v)
	p.coverage(v)
	p.unseen(v.Unseen)
	p.thresholds(v.Thresholds)
	return p.Bytes()
}

func (p *page) top(v view) {
	p.Ends(layout.Bold, strings.TrimSpace("PLIMSOLL  "+v.Site), v.Generated)
	p.Para(0, layout.Dim, strings.TrimSpace(v.Window+". "+v.Zone+" "+v.Peak))
	if v.Login != "" {
		p.Para(0, layout.Dim, "Logged in through "+v.Login+".")
	}
	p.Line("")
	p.Para(2, toneStyle(v.Verdict.Tone), v.Verdict.Headline)
	if v.Verdict.Next != "" {
		p.Para(2, layout.Bold, v.Verdict.Next)
	}
	if v.Verdict.Counts != "" {
		p.Para(2, "", v.Verdict.Counts)
	}
	for _, s := range v.Caveats() {
		p.Hang("  !", 4, "", s)
	}
}

// barCaption says how bar draws.
const barCaption = "Digits are the statements below, dots all others, question marks executions that no digest shows."

func toneStyle(tone string) layout.Style {
	switch tone {
	case string(rules.Critical), string(rules.High):
		return layout.Red
	case string(rules.Medium), toneUnknown:
		return layout.Yellow
	case toneOK:
		return layout.Green
	}
	return layout.Cyan
}

func (p *page) load(l load) {
	if len(l.Bars)+len(l.Unknown) == 0 {
		return
	}
	p.Heading("Where the database's time goes")
	if len(l.Bars) > 0 {
		p.Para(2, layout.Dim, loadCaption+" "+barCaption)
	}
	p.bars(l.Bars)
	for _, s := range l.Unknown {
		p.Para(2, "", s+": unknown, because its statements were not seen twice")
	}
	for _, s := range l.Statements {
		p.statement(s)
	}
}

// bars draws bars below each other, each behind its name and its figure.
func (p *page) bars(all []loadBar) {
	rows, name, number := p.Width-6, 0, 0
	for _, b := range all {
		name = max(name, layout.Columns(b.Server+" "+b.Role))
		number = max(number, layout.Columns(b.Load))
	}
	name, number = min(name, p.Width/3), min(number, p.Width/4)
	for _, b := range all {
		label := layout.Pad(layout.Cut(strings.TrimSpace(b.Server+" "+b.Role), name), name) + "  " + layout.Pad(layout.Cut(b.Load, number), number)
		p.Line("  " + label + "  " + p.bar(b, rows-name-number))
	}
}

// bar draws each segment by its sign.
func (p *page) bar(b loadBar, width int) string {
	out, drawn := "", 0
	for _, s := range b.Segments {
		end := int(math.Round((s.From + s.Ratio) * float64(width)))
		out += strings.Repeat(s.Sign, max(end-drawn, 0))
		drawn = max(end, drawn)
	}
	return p.In(layout.Cyan, out)
}

func (p *page) statement(s statement) {
	p.Line("")
	p.Hang("  "+strconv.Itoa(s.Mark), 5, layout.Bold, s.Share+" of the time: "+s.Calls+" of "+s.Mean+"; rows a call: "+
		s.Examined+" examined, "+s.Sent+" sent")
	lines := layout.Wrap(s.Short(), p.Width-5)
	for i, l := range lines[:min(len(lines), 2)] {
		if i == 1 && len(lines) > 2 {
			l = layout.Cut(l+" "+lines[2], p.Width-5)
		}
		p.Line("     " + l)
	}
}
