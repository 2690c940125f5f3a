package report

import (
	"math"
	"strconv"
	"strings"

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

// Text returns the report for a terminal. No line is wider than the width, but
// for a statement to copy that cannot be broken without changing it.
func (r *Report) Text(o TextOptions) []byte {
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	p := &page{width: max(o.Width, leastWidth), colour: o.Colour}
	v := look(r)
	p.top(v)
	p.load(v.Load)
	p.actions(v.Actions)
	p.findings(v)
	p.replication(v)
	p.coverage(v)
	p.unseen(v.Unseen)
	p.thresholds(v.Thresholds)
	return p.Bytes()
}

func (p *page) top(v view) {
	p.ends(bold, strings.TrimSpace("PLIMSOLL  "+v.Site), v.Generated)
	p.para(0, dim, strings.TrimSpace(v.Window+". "+v.Zone+" "+v.Peak))
	if v.Login != "" {
		p.para(0, dim, "Logged in through "+v.Login+".")
	}
	p.line("")
	p.para(2, toneStyle(v.Verdict.Tone), v.Verdict.Headline)
	if v.Verdict.Next != "" {
		p.para(2, bold, v.Verdict.Next)
	}
	if v.Verdict.Counts != "" {
		p.para(2, "", v.Verdict.Counts)
	}
	for _, s := range v.Caveats() {
		p.hang("  !", 4, "", s)
	}
}

// barCaption says how bar draws.
const barCaption = "Digits are the statements below, dots all others, question marks executions that no digest shows."

func toneStyle(tone string) style {
	switch tone {
	case string(rules.Critical), string(rules.High):
		return red
	case string(rules.Medium), toneUnknown:
		return yellow
	case toneOK:
		return green
	}
	return cyan
}

func (p *page) load(l load) {
	if len(l.Bars)+len(l.Unknown) == 0 {
		return
	}
	p.heading("Where the time goes")
	if len(l.Bars) > 0 {
		p.para(2, dim, loadCaption+" "+barCaption)
	}
	rows, name, number := p.width-6, 0, 0
	for _, b := range l.Bars {
		name = max(name, columns(b.Server+" "+b.Role))
		number = max(number, columns(b.Load))
	}
	name = min(name, p.width/3)
	for _, b := range l.Bars {
		label := pad(cut(b.Server+" "+b.Role, name), name) + "  " + pad(b.Load, number)
		p.line("  " + label + "  " + p.bar(b, rows-name-number))
	}
	for _, s := range l.Unknown {
		p.para(2, "", s+": unknown, because its statements were not seen twice")
	}
	for _, s := range l.Statements {
		p.statement(s)
	}
}

// bar draws each statement's share by its number, others by dots, and what no
// digest shows by question marks.
func (p *page) bar(b loadBar, width int) string {
	out, drawn := "", 0
	for _, s := range b.Segments {
		end := int(math.Round((s.From + s.Ratio) * float64(width)))
		mark := "."
		switch {
		case s.Mark > 0:
			mark = strconv.Itoa(s.Mark)
		case s.Mark == hidden:
			mark = "?"
		}
		out += strings.Repeat(mark, max(end-drawn, 0))
		drawn = max(end, drawn)
	}
	return p.in(cyan, out)
}

func (p *page) statement(s statement) {
	p.line("")
	p.hang("  "+strconv.Itoa(s.Mark), 5, bold, s.Share+" of the time: "+s.Calls+" of "+s.Mean+"; rows a call: "+
		s.Examined+" examined, "+s.Sent+" sent")
	lines := wrap(s.Short(), p.width-5)
	for i, l := range lines[:min(len(lines), 2)] {
		if i == 1 && len(lines) > 2 {
			l = cut(l+" "+lines[2], p.width-5)
		}
		p.line("     " + l)
	}
}
