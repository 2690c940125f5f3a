package indexes

import (
	"path/filepath"
	"strings"
	"testing"

	"plimsoll/fixtures/golden"
	"plimsoll/rules/index"
)

func TestFormatsShowTheAdviceAsInTheGoldenFiles(t *testing.T) {
	r := New(factsOfOrders(), index.Options{}, "devel")
	for format, render := range map[string]func() ([]byte, error){
		"txt": func() ([]byte, error) { return r.Text(false), nil },
		"sql": func() ([]byte, error) { return r.SQL(), nil },
		"md":  r.Markdown,
	} {
		t.Run(format, func(t *testing.T) {
			got, err := render()
			if err != nil {
				t.Fatal(err)
			}
			golden.Hold(t, filepath.Join("testdata", "orders."+format), got)
		})
	}
}

func TestNoTextOfAServerBecomesSQLOrMarkup(t *testing.T) {
	f := factsOfOrders()
	evil := "x`; DROP TABLE y; --\n<script>"
	f.Tables[0].Name = evil
	for i := range f.Statements {
		f.Statements[i].Text = "SELECT * FROM `x``; DROP TABLE y; --\n<script>` WHERE customer_id = ?"
	}
	r := New(f, index.Options{}, "devel")
	for line := range strings.Lines(string(r.SQL())) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "--") && !strings.HasPrefix(line, "ALTER TABLE `") && line != giveUp {
			t.Errorf("a line of SQL that is no statement of ours: %s", line)
		}
	}
	for _, a := range r.Advice {
		if a.DDL != "" {
			t.Errorf("%s: a name that ends a line is not to be written", a.DDL)
		}
	}
}
