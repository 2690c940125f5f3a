package report

import (
	"path/filepath"
	"testing"

	"plimsoll/fixtures/golden"
)

func TestFormatsShowTheStoriesAsInTheGoldenFiles(t *testing.T) {
	formats := map[string]func(*Report) ([]byte, error){
		"txt":  func(r *Report) ([]byte, error) { return r.Text(TextOptions{}), nil },
		"html": (*Report).HTML, "md": (*Report).Markdown, "json": (*Report).JSON,
	}
	for name, r := range stories() {
		for format, render := range formats {
			t.Run(name+"."+format, func(t *testing.T) {
				got, err := render(r)
				if err != nil {
					t.Fatal(err)
				}
				golden.Hold(t, filepath.Join("testdata", name+"."+format), got)
			})
		}
	}
}

func TestExplainShowsEveryFigure(t *testing.T) {
	e := shopFindings()[1]
	golden.Hold(t, "testdata/explain.txt", Explain(e))
}
