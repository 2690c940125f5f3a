package report

import (
	"bytes"
	"strings"
)

// Markdown returns the report as GitHub and GitLab show it.
func (r *Report) Markdown() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# Plimsoll\n\n")
	for line := range strings.Lines(string(r.Text(TextOptions{}))) {
		b.WriteString("    " + line) // an indented block shows everything as it is
	}
	return b.Bytes(), nil
}
