package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"

	"plimsoll/advisor/layout"
)

//go:embed templates
var templates embed.FS

// HTML returns the report as one page that needs no script and fetches nothing,
// light or dark as its reader's system is, and fit to be printed. It is
// well-formed XML too, so that any tool can read it.
//
// Package html/template escapes every text by where it stands; no text of a
// Report is ever markup.
func (r *Report) HTML() ([]byte, error) {
	t, err := template.New("style.css").Parse(layout.Stylesheet)
	if err == nil {
		t, err = t.ParseFS(templates, "templates/report.html")
	}
	if err != nil {
		return nil, fmt.Errorf("BUG: parse the page's template: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "report.html", look(r)); err != nil {
		return nil, fmt.Errorf("render report as HTML: %w", err)
	}
	return b.Bytes(), nil
}
