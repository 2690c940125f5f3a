package digest

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"

	"plimsoll/collectors/slowlog"
	"plimsoll/fixtures/golden"
)

// rendering is what Digest and Comparison have in common.
type rendering interface {
	Text(o TextOptions) []byte
	JSON(to io.Writer) error
	Markdown() ([]byte, error)
	HTML() ([]byte, error)
}

// renderings returns the stories, and two of them compared.
func renderings(t *testing.T) map[string]rendering {
	t.Helper()
	out := map[string]rendering{"compared": compared(t)}
	for name, d := range stories(t) {
		out[name] = d
	}
	return out
}

// jsonOf returns JSON as the other formats are.
func jsonOf(r rendering) func() ([]byte, error) {
	return func() ([]byte, error) {
		var raw bytes.Buffer
		err := r.JSON(&raw)
		return raw.Bytes(), err
	}
}

func compared(t *testing.T) *Comparison {
	t.Helper()
	c, err := Compare(
		read(t, slowlog.Options{}, Options{}, [2]string{"before.log", shopLog(false)}),
		read(t, slowlog.Options{}, Options{}, [2]string{"after.log", shopLog(true)}), 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFormatsShowTheStoriesAsInTheGoldenFiles(t *testing.T) {
	for name, r := range renderings(t) {
		formats := map[string]func() ([]byte, error){
			"txt":  func() ([]byte, error) { return r.Text(TextOptions{}), nil },
			"html": r.HTML, "md": r.Markdown, "json": jsonOf(r),
		}
		for format, render := range formats {
			t.Run(name+"."+format, func(t *testing.T) {
				got, err := render()
				if err != nil {
					t.Fatal(err)
				}
				golden.Hold(t, filepath.Join("testdata", name+"."+format), got)
			})
		}
	}
}
