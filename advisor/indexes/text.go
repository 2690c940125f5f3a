package indexes

import (
	"fmt"
	"slices"

	"plimsoll/advisor/layout"
	"plimsoll/rules/index"
)

// mostEffects is how many statements of an advice are shown, mostUnread how many of those that were not
// analysed; JSON has all.
const mostEffects, mostUnread = 5, 10

// textWidth is the number of columns of text.
const textWidth = 80

// Text returns the report for a terminal.
func (r *Report) Text(colour bool) []byte {
	p := &layout.Page{Width: textWidth, Colour: colour}
	p.Para(0, layout.Bold, "INDEXES")
	p.Line("")
	p.Para(2, layout.Bold, r.headline())
	for _, note := range r.Notes {
		p.Hang("  !", 4, "", layout.Clean(note))
	}
	for i := range r.Advice {
		textAdvice(p, i+1, &r.Advice[i])
	}
	if len(r.NotAnalysed) > 0 {
		p.Heading("Not analysed")
		p.Para(2, "", fmt.Sprintf("%s: nothing is said of what they need.", counted(len(r.NotAnalysed), "statement", "statements")))
		for _, n := range r.NotAnalysed[:min(len(r.NotAnalysed), mostUnread)] {
			p.Hang("  "+percent(n.ShareRatio), 8, "", layout.Clean(n.Fingerprint+": "+n.Reason))
			p.Para(8, layout.Dim, shortened(string(n.Text)))
		}
	}
	return p.Bytes()
}

func percent(ratio float64) string { return fmt.Sprintf("%.0f %%", 100*ratio) }

func textAdvice(p *layout.Page, number int, a *index.Advised) {
	p.Line("")
	p.Hang(fmt.Sprintf("%2d", number), 4, layout.Bold, layout.Clean(title(a)))
	for _, fact := range facts(a) {
		p.Hang("    ·", 6, "", layout.Clean(fact))
	}
	for _, reason := range a.Reasons {
		p.Hang("    ·", 6, "", layout.Clean(reason))
	}
	for i := range a.Digests[:min(len(a.Digests), mostEffects)] {
		f := &a.Digests[i]
		p.Para(6, layout.Dim, shortened(string(f.Text)))
		p.Para(8, "", effect(f))
	}
	if more := len(a.Digests) - mostEffects; more > 0 {
		p.Para(6, layout.Dim, counted(more, "more statement", "more statements"))
	}
	if a.DDL != "" {
		p.Line("      " + p.In(layout.Cyan, giveUp))
		p.Line("      " + p.In(layout.Cyan, a.DDL+";"))
	}
	for _, line := range a.Card {
		p.Hang("    !", 6, "", layout.Clean(line))
	}
	if a.Rollback != "" {
		p.Line("      " + p.In(layout.Dim, "back: "+a.Rollback+";"))
	}
	textMigration(p, a.Migration)
}

func textMigration(p *layout.Page, m *index.Migration) {
	if m == nil {
		return
	}
	p.Hang("    ·", 6, "", layout.Clean("The tables are "+m.Framework+"'s: put it into "+m.File+"."))
	for _, line := range layout.CleanBlock(m.Code) {
		p.Line("      " + p.In(layout.Cyan, line))
	}
	if m.Note != "" {
		p.Hang("    !", 6, "", layout.Clean(m.Note))
	}
}

// giveUp lets a change of structure fail where a transaction is in its way: it would wait for that for a
// day on MariaDB and a year on MySQL, and every statement on the table behind it.
const giveUp = "SET SESSION lock_wait_timeout = 5;"

// SQL returns the statements of the advice, with what to know of each as comments before it.
func (r *Report) SQL() []byte {
	p := &layout.Page{Width: textWidth}
	comment := func(text string) {
		for _, line := range layout.Wrap(layout.Clean(text), textWidth-3) {
			p.Line("-- " + line)
		}
	}
	comment(r.headline())
	for i := range r.Advice {
		a := &r.Advice[i]
		p.Line("")
		comment(fmt.Sprintf("%d. %s", i+1, title(a)))
		for _, fact := range facts(a) {
			comment(fact)
		}
		for _, line := range append(slices.Clip(a.Reasons), a.Card...) {
			comment(line)
		}
		if a.DDL != "" {
			p.Line(giveUp)
			p.Line(a.DDL + ";")
		}
		if a.Rollback != "" {
			p.Line("-- back: " + a.Rollback + ";")
		}
	}
	return p.Bytes()
}
