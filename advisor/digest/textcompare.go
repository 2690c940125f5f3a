package digest

import "plimsoll/advisor/layout"

// Text returns the comparison for a terminal.
func (c *Comparison) Text(o TextOptions) []byte {
	p, v := newPage(o), lookAtComparison(c)
	p.Para(0, layout.Bold, "SLOW LOGS COMPARED")
	p.side("before", v.Before)
	p.side("after", v.After)
	p.Line("")
	p.Para(2, layout.Bold, v.Headline)
	for _, s := range v.Sections {
		p.section(s)
	}
	p.Line("")
	p.Para(0, layout.Dim, v.Caption)
	return p.Bytes()
}

func (p *page) side(name string, s sideView) {
	const label = 10
	p.Hang("  "+name, label, "", s.Source+": "+s.Headline)
	p.Para(label, layout.Dim, s.Window)
}

func (p *page) section(s sectionView) {
	p.Heading(s.Title)
	p.Para(2, layout.Dim, s.About)
	rows := [][]string{{"total", "share", "calls", "mean", "p95", "max", ""}}
	if s.Both {
		rows[0] = []string{"extra", "mean ×", "calls", "after", "mean", "after", "p95", "after", ""}
	}
	for _, c := range s.Changes {
		rows = append(rows, c.row())
	}
	for i, line := range p.aligned(tableIndent, rows) {
		p.Line(line)
		if i > 0 {
			c := s.Changes[i-1]
			p.Line(layout.Cut("    "+c.Fingerprint+"  "+c.Text, p.Width))
		}
	}
	p.Para(2, layout.Dim, s.Rest)
}

// row returns the cells of a change.
func (v *changeView) row() []string {
	if f := v.Only; f != nil {
		return []string{f.Total, f.Share, f.Calls, f.Mean, f.P95, f.Max, ""}
	}
	b, a := v.Before, v.After
	return []string{v.Extra, v.Factor, b.Calls, a.Calls, b.Mean, a.Mean, b.P95, a.P95, ""}
}
