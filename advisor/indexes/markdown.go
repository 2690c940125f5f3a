package indexes

import (
	"embed"
	"fmt"

	"plimsoll/advisor/layout"
	"plimsoll/rules/index"
)

//go:embed templates
var templates embed.FS

// page is the report in words for a template.
type page struct {
	Headline string
	Notes    []string
	Advice   []adviceView
	Unread   []unreadView
	More     int
}

type adviceView struct {
	Number        int
	Title         string
	Facts         []string
	Reasons       []string
	Effects       []effectView
	DDL, Rollback string
	Card          []string
	Migration     *index.Migration
}

type effectView struct{ Text, Words string }

type unreadView struct{ Share, Reason, Text string }

// Markdown returns the report as GitHub and GitLab show it.
func (r *Report) Markdown() ([]byte, error) {
	v := page{Headline: r.headline(), Notes: r.Notes, More: max(len(r.NotAnalysed)-mostUnread, 0)}
	for i := range r.Advice {
		a := &r.Advice[i]
		out := adviceView{Number: i + 1, Title: title(a), Facts: facts(a), Reasons: a.Reasons, DDL: script(a.DDL), Rollback: script(a.Rollback), Card: a.Card, Migration: a.Migration}
		for n := range a.Digests[:min(len(a.Digests), mostEffects)] {
			out.Effects = append(out.Effects, effectView{shortened(string(a.Digests[n].Text)), effect(&a.Digests[n])})
		}
		v.Advice = append(v.Advice, out)
	}
	for _, n := range r.NotAnalysed[:min(len(r.NotAnalysed), mostUnread)] {
		v.Unread = append(v.Unread, unreadView{percent(n.ShareRatio), fmt.Sprintf("%s: %s", n.Fingerprint, n.Reason), shortened(string(n.Text))})
	}
	return layout.Markdown(templates, "index.md", v)
}

// script is a change of structure to copy.
func script(statement string) string {
	if statement == "" {
		return ""
	}
	return giveUp + "\n" + statement + ";"
}
