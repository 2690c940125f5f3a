package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"plimsoll/advisor/layout"
	"plimsoll/fixtures/harmless"
)

// FuzzRenderingsAreSafe puts a text into every field of a report, and holds each
// format to what it must never do.
func FuzzRenderingsAreSafe(f *testing.F) {
	for _, a := range harmless.Attacks() {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, seed string) {
		r := hostile(seed)
		checkAll(t, r, 0)
		harmless.Plain(t, Explain(r.Findings[0]))
	})
}

func TestStoriesAreSafe(t *testing.T) {
	for name, r := range stories() {
		t.Run(name, func(t *testing.T) {
			checkAll(t, r, 0, 60, 80, 132)
		})
	}
}

// checkAll holds every rendering of a report to what it must never do.
func checkAll(t *testing.T, r *Report, widths ...int) {
	t.Helper()
	for _, width := range widths {
		checkText(t, r, width)
	}
	harmless.Pages(t, r)
	raw, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	harmless.JSON(t, raw, r)
}

// FuzzWrapSQLChangesNoStatement holds wrapping to white space outside of quotes.
func FuzzWrapSQLChangesNoStatement(f *testing.F) {
	f.Add("SELECT `a b`, 'c  d' FROM t WHERE x = \"e ' f\"")
	f.Add("SELECT 1 -- to the end")
	f.Add(`SELECT 'it''s  here', '\' or not'`)
	f.Fuzz(func(t *testing.T, s string) {
		line := layout.CleanBlock(s)[0]
		wrapped := wrapSQL(line, 20)
		if len(wrapped) == 1 && wrapped[0] == line {
			return
		}
		if got, want := tokens(strings.Join(wrapped, "\n")), tokens(line); got != want {
			t.Errorf("wrapSQL(%q) = %q", line, wrapped)
		}
	})
}

// tokens returns s with single spaces outside of its quotes.
func tokens(s string) string {
	var out strings.Builder
	quote := rune(0)
	for _, r := range s {
		switch {
		case quote == r:
			quote = 0
		case quote == 0 && strings.ContainsRune("'\"`", r):
			quote = r
		}
		if quote != 0 || (r != ' ' && r != '\n') {
			out.WriteRune(r)
		} else if !strings.HasSuffix(out.String(), " ") {
			out.WriteRune(' ')
		}
	}
	return strings.TrimSpace(out.String())
}

func checkText(t *testing.T, r *Report, width int) {
	t.Helper()
	text := r.Text(TextOptions{Width: width})
	harmless.Plain(t, text)
	if width == 0 {
		width = defaultWidth
	}
	copyable := copyableWords(r)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if layout.Columns(line) > width && !copyable[strings.TrimSpace(line)] {
			t.Errorf("line of %d columns, want at most %d: %q", layout.Columns(line), width, line)
		}
	}
	colour := r.Text(TextOptions{Width: width, Colour: true})
	harmless.Coloured(t, text, colour)
}

// copyableWords are the pieces of statements that may be wider than the page.
func copyableWords(r *Report) map[string]bool {
	out := map[string]bool{}
	v := look(r)
	for _, f := range slices.Concat(v.Findings, v.Acknowledged) {
		for _, s := range slices.Concat(f.Remedy, f.Rollback) {
			for _, line := range s.Lines {
				out[strings.TrimSpace(line)] = true
				for _, word := range sqlWords(line) {
					out[strings.TrimSpace(word)] = true
				}
			}
		}
	}
	return out
}

func TestAThousandHostsMakeAReportThatCanBeRead(t *testing.T) {
	r := thousandHosts()
	text := r.Text(TextOptions{})
	if n := bytes.Count(text, []byte("\n")); n > 600 {
		t.Errorf("Text has %d lines, want at most 600", n)
	}
	for _, want := range []string{
		"973 more, with less load, stand in the report's JSON form.",
		"973 more, of which more was seen, stand in the report's JSON form.",
		"972 more, with less lag, stand in the report's JSON form.",
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("Text lacks %q", want)
		}
	}
}
