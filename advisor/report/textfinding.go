package report

import (
	"cmp"
	"strconv"
	"strings"

	"plimsoll/advisor/layout"
	"plimsoll/rules"
)

// label is the column of a finding's labels, field that of what they name.
const label, field = 3, 16

func (p *page) actions(fs []finding) {
	if len(fs) == 0 {
		return
	}
	p.Heading("What to do first")
	for _, f := range fs {
		p.Line("")
		p.title(strconv.Itoa(f.Number), f)
		p.Para(label, "", f.Summary)
		p.worth(f)
		if len(f.Waiters) > 0 {
			p.field("who waits", strings.TrimSpace(f.Waiters[0]+" "+f.MoreWaiters()))
		}
		if s := f.Copy(); s != nil {
			p.step(*s)
		}
		if f.MoreSteps() > 0 {
			p.Para(label, layout.Dim, f.More()+" with its evidence below.")
		}
	}
}

func (p *page) findings(v view) {
	if len(v.Findings) > 0 {
		p.Heading("Findings and their evidence")
		p.Para(2, layout.Dim, findingCaption)
	}
	for _, f := range v.Findings {
		p.Line("")
		p.finding(f)
	}
	if len(v.Acknowledged) > 0 {
		p.Heading("Acknowledged")
	}
	for _, f := range v.Acknowledged {
		p.Line("")
		p.title("-", f)
		p.Para(label, "", f.Summary)
		p.field("acknowledged", f.Acknowledged)
		p.field("finding", f.Fingerprint+" by "+f.Rule+", "+f.Life)
	}
	if len(v.Gone) > 0 {
		p.Heading("Gone")
	}
	for _, f := range v.Gone {
		p.Hang(" -", label, "", f.Title+": "+f.Subject+"; "+f.Life)
	}
	p.note(v.Rest.Gone)
}

// finding writes all of f; what an action already said is not said again.
func (p *page) finding(f finding) {
	if f.Number > 0 {
		p.title(strconv.Itoa(f.Number), f)
	} else {
		p.title("-", f)
		p.Para(label, "", f.Summary)
		p.worth(f)
	}
	for _, g := range f.Gains[min(len(f.Gains), 1):] {
		p.field("also", g)
	}
	for _, d := range f.Doubts {
		p.field("less sure", d)
	}
	p.waiters(f)
	p.evidence(f.Evidence)
	p.steps("to do", f.remaining())
	p.steps("to undo", f.Rollback)
	for _, r := range f.Risks {
		p.field("risk", r)
	}
	p.field("verify", f.Verify)
	p.field("finding", f.Fingerprint+" by "+f.Rule+", "+f.Life)
}

// waiters writes who waits, but for the one that the action already named if it is the only one.
func (p *page) waiters(f finding) {
	if f.Number > 0 && len(f.Waiters) == 1 {
		return
	}
	name := "who waits"
	for _, w := range f.Waiters {
		p.field(name, w)
		name = ""
	}
}

func (p *page) title(mark string, f finding) {
	text := f.Title + ": " + f.Subject
	severity := strings.ToUpper(f.Severity)
	st := toneStyle(f.Severity)
	if room := p.Width - label - layout.Columns(text) - layout.Columns(severity); room >= 2 {
		p.Line(layout.Pad(mark, label) + p.In(layout.Bold, text) + strings.Repeat(" ", room) + p.In(st, severity))
		return
	}
	p.Hang(mark, label, layout.Bold, text)
	p.Para(label, st, severity)
}

// field writes a labelled text; nothing without a text.
func (p *page) field(name, text string) {
	p.Hang(strings.Repeat(" ", label)+name, field, "", text)
}

// worth writes what a finding frees, what it takes, and how sure it is.
func (p *page) worth(f finding) {
	if len(f.Gains) > 0 {
		p.field("gain", f.Gains[0])
	}
	effort := f.Effort
	if effort == "" {
		effort = unknown
	}
	p.field("effort", effort+"; confidence "+f.Confidence)
}

func (p *page) evidence(all []evidence) {
	name, last := "evidence", ""
	for _, e := range all {
		text := e.What + ": " + e.Value
		if e.Threshold != "" {
			text += " (limit " + e.Threshold + ")"
		}
		p.field(name, text)
		name = ""
		if from := e.Source + "; " + e.Window; from != last {
			p.Para(field, layout.Dim, from)
			last = from
		}
		if e.Threshold != "" && e.ThresholdSource != "" {
			p.Para(field, layout.Dim, "limit: "+e.ThresholdSource)
		}
	}
}

func (p *page) steps(name string, all []step) {
	for _, s := range all {
		about := strings.TrimSpace(on(s) + " " + s.Note)
		if !s.Copyable() {
			p.field(name, strings.TrimSpace(about+" "+s.Sentence()))
			continue
		}
		p.field(name, cmp.Or(about, "Copy:"))
		p.lines(s)
	}
}

// step writes where a step is done, what to know before, and what to copy.
func (p *page) step(s step) {
	about := strings.TrimSpace(on(s) + " " + s.Note)
	if !s.Copyable() {
		about, s.Lines = strings.TrimSpace(about+" "+s.Sentence()), nil
	}
	p.Para(label, layout.Dim, about)
	p.lines(s)
}

func on(s step) string {
	if s.Target == "" {
		return ""
	}
	return "On " + s.Target + "."
}

func (p *page) lines(s step) {
	const indent = 5
	for _, l := range s.Lines {
		parts := []string{l}
		if s.Kind == string(rules.SQL) {
			parts = wrapSQL(l, p.Width-indent)
		}
		for _, part := range parts {
			p.Line(strings.Repeat(" ", indent) + p.In(layout.Cyan, part))
		}
	}
}

// Explain returns a finding with every figure behind it, its thresholds and
// their sources, as text of 80 columns.
func Explain(e Entry) []byte {
	p := &page{layout.Page{Width: defaultWidth}}
	f := lookAtFinding(e)
	p.finding(f)
	p.field("acknowledged", f.Acknowledged)
	for _, d := range f.Digests {
		p.field("statement", d)
	}
	if e.Open() {
		p.field("to leave it", "plimsoll ack "+f.Fingerprint+" --why REASON --until DATE")
	}
	return p.Bytes()
}
