package digest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"plimsoll/advisor/layout"
	"plimsoll/collectors/slowlog"
	"plimsoll/fixtures/harmless"
)

// checkAll holds every rendering to what it must never do.
func checkAll(t *testing.T, r rendering, widths ...int) {
	t.Helper()
	for _, width := range widths {
		text := r.Text(TextOptions{Width: width})
		harmless.Plain(t, text)
		for line := range strings.Lines(string(text)) {
			if n := layout.Columns(strings.TrimSuffix(line, "\n")); n > max(width, 80) || width == 60 && n > 60 {
				t.Errorf("line of %d columns at width %d: %q", n, width, line)
			}
		}
		harmless.Coloured(t, text, r.Text(TextOptions{Width: width, Colour: true}))
	}
	harmless.Pages(t, r)
	var raw bytes.Buffer
	if err := r.JSON(&raw); err != nil {
		t.Fatal(err)
	}
	harmless.JSON(t, raw.Bytes(), r)
}

func TestStoriesAreSafe(t *testing.T) {
	for name, r := range renderings(t) {
		t.Run(name, func(t *testing.T) { checkAll(t, r, 0, 60, 132) })
	}
}

// FuzzRenderingsAreSafe puts a text into every field of a digest and of a comparison.
func FuzzRenderingsAreSafe(f *testing.F) {
	for _, a := range harmless.Attacks() {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, seed string) {
		at := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
		d, c := &Digest{}, &Comparison{}
		harmless.Fill(d, seed, at)
		harmless.Fill(c, seed, at)
		for i, kind := range kinds() {
			if i < len(c.Changes) {
				c.Changes[i].Kind = kind
			}
			c.Counts[kind] = 3
		}
		checkAll(t, d, 0)
		checkAll(t, c, 0)
	})
}

func TestNoRenderingShowsALiteralUnlessFullSamplesAreAskedFor(t *testing.T) {
	const secret = "S3CRET"
	log := strings.NewReplacer("4711", "'"+secret+"4711'", "4712", `"`+secret+`\""`).Replace(plainLog) + strings.ReplaceAll(plainLog, "4711", "'"+secret)
	for _, how := range SampleKinds() {
		for name, body := range bodies(t, read(t, slowlog.Options{}, Options{Samples: how, Plans: true}, [2]string{"slow.log", log})) {
			if shown := bytes.Contains(body, []byte(secret)); shown != (how == Full) {
				t.Errorf("--samples %s, %s: literals shown: %v", how, name, shown)
			}
		}
	}
}

// bodies returns all renderings by format.
func bodies(t *testing.T, r rendering) map[string][]byte {
	t.Helper()
	out := map[string][]byte{"text": r.Text(TextOptions{})}
	for name, render := range map[string]func() ([]byte, error){"json": jsonOf(r), "md": r.Markdown, "html": r.HTML} {
		body, err := render()
		if err != nil {
			t.Fatal(err)
		}
		out[name] = body
	}
	return out
}
