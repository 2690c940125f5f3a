package digest

import (
	"bytes"
	"embed"
	"fmt"
	html "html/template"
	text "text/template"

	"plimsoll/advisor/layout"
)

//go:embed templates
var templates embed.FS

// HTML returns the digest as one page that needs no script and fetches nothing, light or dark as its
// reader's system is, and fit to be printed.
func (d *Digest) HTML() ([]byte, error) { return renderHTML("digest.html", look(d)) }

// HTML returns the comparison as a page.
func (c *Comparison) HTML() ([]byte, error) {
	return renderHTML("comparison.html", lookAtComparison(c))
}

// Markdown returns the digest as GitHub and GitLab show it, in an issue or a comment: no text of a log
// becomes markup there.
func (d *Digest) Markdown() ([]byte, error) { return renderMarkdown("digest.md", look(d)) }

// Markdown returns the comparison as GitHub and GitLab show it.
func (c *Comparison) Markdown() ([]byte, error) {
	return renderMarkdown("comparison.md", lookAtComparison(c))
}

func renderHTML(name string, v any) ([]byte, error) {
	t, err := html.New("style.css").Parse(layout.Stylesheet)
	if err == nil {
		t, err = t.ParseFS(templates, "templates/*.html")
	}
	if err != nil {
		return nil, fmt.Errorf("BUG: parse the page's template: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, v); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return b.Bytes(), nil
}

func renderMarkdown(name string, v any) ([]byte, error) {
	escapes := text.FuncMap{"md": layout.Prose, "code": layout.CodeSpan, "fence": layout.Fence}
	t, err := text.New("").Funcs(escapes).ParseFS(templates, "templates/*.md")
	if err != nil {
		return nil, fmt.Errorf("BUG: parse the Markdown template: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, v); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return b.Bytes(), nil
}
