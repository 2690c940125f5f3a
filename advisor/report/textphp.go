package report

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"plimsoll/advisor/layout"
)

// php writes where the time of PHP's workers goes.
func (p *page) php(v php) {
	if len(v.Apps)+len(v.Blind) == 0 {
		return
	}
	p.Heading("Where a PHP second goes")
	if len(v.Apps) > 0 {
		p.Para(2, layout.Dim, phpCaption+" "+signs)
	}
	for _, a := range v.Apps {
		p.Line("")
		p.app(a)
	}
	p.note(v.Rest)
	if len(v.Blind) > 0 {
		p.Line("")
	}
	for _, b := range v.Blind {
		p.Hang("  -", 4, "", b.Places()+": "+b.Reason)
		if b.Remedy != "" {
			p.Hang("    to do", 14, "", b.Remedy)
		}
	}
	p.note(v.Adds)
}

func (p *page) app(a phpApp) {
	p.Para(2, layout.Bold, a.Verdict)
	p.Para(2, "", a.Figures)
	var parts []string
	for _, s := range a.Parts {
		parts = append(parts, s.Share+" "+s.Name)
	}
	if len(parts) > 0 {
		p.Para(2, "", strings.Join(parts, ", ")+".")
	}
	p.bars(a.Bars)
	p.note(a.Rest)
	if a.Peers != "" {
		p.Para(2, layout.Dim, "Whom they wait for: "+a.Peers+".")
	}
	if a.Unknown != "" {
		p.Hang("  !", 4, "", a.Unknown)
	}
}

// routes writes which requests take the time, and what they wait for.
func (p *page) routes(v php) {
	if len(v.Routes()) > 0 {
		p.Heading("Which requests take the time")
		p.Para(2, layout.Dim, routesCaption)
	}
	for _, a := range v.Routes() {
		p.Para(2, layout.Dim, a.Name)
		for i, r := range a.Routes {
			p.Line("")
			p.route(strconv.Itoa(i+1), r)
		}
	}
}

func (p *page) route(mark string, r phpRoute) {
	const indent = 5
	p.Hang("  "+mark, indent, layout.Bold, r.Name)
	p.Para(indent, "", r.Figures)
	if bar := p.bar(r.Bar, p.Width-indent); bar != "" {
		p.Line(strings.Repeat(" ", indent) + bar)
	}
	for _, s := range r.Statements {
		below := indent + max(8, utf8.RuneCountInString(s.Share)+2)
		p.Hang(strings.Repeat(" ", indent)+s.Share, below, "", s.Text)
		if s.Code != "" {
			p.Para(below, layout.Dim, s.Code)
		}
		if len(s.Findings) > 0 {
			p.Para(below, layout.Cyan, "finding "+enumerate(s.Findings))
		}
	}
	if r.More != "" {
		p.Para(indent, layout.Dim, r.More)
	}
}

// pools writes the figures of every pool.
func (p *page) pools(v view) {
	if len(v.Pools) == 0 {
		return
	}
	p.Heading("PHP pools")
	rows := [][]string{}
	for _, r := range v.Pools {
		rows = append(rows, []string{r.Name, r.Version, r.Busy, r.Max, r.Running, r.Requests, r.Queue, r.Peak, r.Full})
	}
	p.Table([]string{"pool", "PHP", "busy", "of", "run", "requests", "queue", "99th pct", "none free"}, rows)
	p.note(v.Rest.Pools)
}
