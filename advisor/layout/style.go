package layout

import _ "embed"

// Stylesheet is a template for package html/template with the style of all pages, which is to be called
// style.css: light or dark as the reader's system is, and fit to be printed.
//
//go:embed style.css
var Stylesheet string
