package report

import (
	"embed"

	"plimsoll/advisor/layout"
)

//go:embed templates
var templates embed.FS

// HTML returns the report as one page that needs no script and fetches nothing,
// light or dark as its reader's system is, and fit to be printed. No text of a
// Report is ever markup.
func (r *Report) HTML() ([]byte, error) { return layout.HTML(templates, "report.html", look(r)) }

// Markdown returns the report as GitHub and GitLab show it, in an issue or a
// comment: no text of a Report becomes markup there, a link, or a message to
// somebody.
func (r *Report) Markdown() ([]byte, error) { return layout.Markdown(templates, "report.md", look(r)) }
