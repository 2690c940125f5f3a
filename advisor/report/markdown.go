package report

import (
	"bytes"
	"fmt"
	"text/template"

	"plimsoll/advisor/layout"
)

// Markdown returns the report as GitHub and GitLab show it, in an issue or a
// comment: no text of a Report becomes markup there, a link, or a message to
// somebody.
func (r *Report) Markdown() ([]byte, error) {
	escapes := template.FuncMap{"md": layout.Prose, "code": layout.CodeSpan, "fence": layout.Fence}
	t, err := template.New("").Funcs(escapes).ParseFS(templates, "templates/report.md")
	if err != nil {
		return nil, fmt.Errorf("BUG: parse the Markdown template: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "report.md", look(r)); err != nil {
		return nil, fmt.Errorf("render report as Markdown: %w", err)
	}
	return b.Bytes(), nil
}
