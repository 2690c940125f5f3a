package digest

import (
	"embed"

	"plimsoll/advisor/layout"
)

//go:embed templates
var templates embed.FS

// HTML returns the digest as one page that needs no script and fetches nothing, light or dark as its
// reader's system is, and fit to be printed.
func (d *Digest) HTML() ([]byte, error) { return layout.HTML(templates, "digest.html", look(d)) }

// HTML returns the comparison as a page.
func (c *Comparison) HTML() ([]byte, error) {
	return layout.HTML(templates, "comparison.html", lookAtComparison(c))
}

// Markdown returns the digest as GitHub and GitLab show it, in an issue or a comment: no text of a log
// becomes markup there.
func (d *Digest) Markdown() ([]byte, error) { return layout.Markdown(templates, "digest.md", look(d)) }

// Markdown returns the comparison as GitHub and GitLab show it.
func (c *Comparison) Markdown() ([]byte, error) {
	return layout.Markdown(templates, "comparison.md", lookAtComparison(c))
}
