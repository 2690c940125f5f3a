package report

import (
	"bytes"
	"fmt"
	"html"
)

// HTML returns the report as one page without scripts.
func (r *Report) HTML() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Plimsoll</title>\n<pre>%s</pre>\n</html>\n",
		html.EscapeString(string(r.Text(TextOptions{}))))
	return b.Bytes(), nil
}
