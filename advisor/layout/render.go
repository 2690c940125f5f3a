package layout

import (
	"bytes"
	"embed"
	"fmt"
	html "html/template"
	"io"
	"io/fs"
	text "text/template"
)

//go:embed head.html style.css
var ours embed.FS

// HTML renders the named one of templates/*.html in files as a page that needs no script and fetches
// nothing, light or dark as its reader's system is, and fit to be printed. It is well-formed XML too, so
// that any tool can read it.
//
// Package html/template escapes every text by where it stands, so that no text is ever markup. Templates
// have "head" to begin their head with, "style.css" for all pages, and "brand" for what stands at the top.
func HTML(files fs.FS, name string, v any) ([]byte, error) {
	t, err := html.ParseFS(ours, "*")
	if err == nil {
		t, err = t.ParseFS(files, "templates/*.html")
	}
	return render(t, err, name, v)
}

// Markdown renders the named one of templates/*.md in files as GitHub and GitLab show it, in an issue or a
// comment. Templates write texts with the functions md, which is Prose, code, which is CodeSpan, and fence,
// which is Fence: none then becomes markup, a link, or a message to somebody.
func Markdown(files fs.FS, name string, v any) ([]byte, error) {
	escapes := text.FuncMap{"md": Prose, "code": CodeSpan, "fence": Fence}
	t, err := text.New("").Funcs(escapes).ParseFS(files, "templates/*.md")
	return render(t, err, name, v)
}

// template is what both packages' templates have in common.
type template interface {
	ExecuteTemplate(to io.Writer, name string, v any) error
}

func render(t template, err error, name string, v any) ([]byte, error) {
	if err != nil {
		return nil, fmt.Errorf("BUG: parse the templates of %s: %w", name, err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, v); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return b.Bytes(), nil
}
