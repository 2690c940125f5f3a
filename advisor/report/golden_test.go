package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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
				golden(t, name+"."+format, got)
			})
		}
	}
}

func TestExplainShowsEveryFigure(t *testing.T) {
	e := shopFindings()[1]
	golden(t, "explain.txt", Explain(e))
}

// golden holds got against a file of testdata, or writes it under -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs from its golden file (-update rewrites it):\n%s", name, cmp.Diff(string(want), string(got)))
	}
}
