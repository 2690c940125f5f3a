package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"plimsoll/advisor/layout"
)

// FuzzRenderingsAreSafe puts a text into every field of a report, and holds each
// format to what it must never do.
func FuzzRenderingsAreSafe(f *testing.F) {
	for _, a := range attacks {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, seed string) {
		r := hostile(seed)
		checkText(t, r, 0)
		checkHTML(t, r)
		checkMarkdown(t, r)
		checkJSON(t, r)
		checkPlain(t, "Explain", Explain(r.Findings[0]))
	})
}

func TestStoriesAreSafe(t *testing.T) {
	for name, r := range stories() {
		t.Run(name, func(t *testing.T) {
			for _, width := range []int{0, 60, 80, 132} {
				checkText(t, r, width)
			}
			checkHTML(t, r)
			checkMarkdown(t, r)
			checkJSON(t, r)
		})
	}
}

// checkJSON holds JSON to what can be shown anywhere, and to saying the same.
func checkJSON(t *testing.T, r *Report) {
	t.Helper()
	raw, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range string(raw) {
		if c != '\n' && !unicode.IsPrint(c) {
			t.Fatalf("JSON holds %U near %q", c, raw[max(0, i-40):i])
		}
	}
	plain, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got, want Report
	if err := errors.Join(json.Unmarshal(raw, &got), json.Unmarshal(plain, &want)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("JSON says something else (-want +got):\n%s", cmp.Diff(want, got))
	}
}

// FuzzProseIsNoMarkup holds the escaping of Markdown to every text.
func FuzzProseIsNoMarkup(f *testing.F) {
	for _, a := range attacks {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := layout.Prose(layout.Clean(s))
		if found := markupIn(out); found != nil || strings.Contains(out, "|") {
			t.Errorf("prose(%q) = %q lets through %q", s, out, found)
		}
	})
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

// checkPlain holds text to valid UTF-8 without any control or format character
// but line feeds.
func checkPlain(t *testing.T, what string, text []byte) {
	t.Helper()
	if !utf8.Valid(text) {
		t.Errorf("%s is not UTF-8", what)
	}
	for _, r := range string(text) {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%s holds %U", what, r)
			return
		}
	}
}

func checkText(t *testing.T, r *Report, width int) {
	t.Helper()
	text := r.Text(TextOptions{Width: width})
	checkPlain(t, "Text", text)
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
	bare := ansi.ReplaceAllString(string(colour), "")
	if diff := cmp.Diff(string(text), bare); diff != "" {
		t.Errorf("colour changes more than colour:\n%s", diff)
	}
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

// checkHTML holds a page to well-formed XML without scripts, handlers, styles at
// elements, or addresses other than of itself.
func checkHTML(t *testing.T, r *Report) {
	t.Helper()
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	checkPlain(t, "HTML", page)
	d := xml.NewDecoder(bytes.NewReader(page))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("HTML is not well-formed: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok {
			for _, fault := range faultsOf(e) {
				t.Error(fault)
			}
		}
	}
}

func faultsOf(e xml.StartElement) []string {
	elements := strings.Fields("html head meta title link style body a header p svg circle path rect b nav main section h1 h2 h3 h4 " +
		"ul ol li div dl dt dd span br pre code details summary table thead tbody tr th td footer")
	attributes := strings.Fields("lang charset name content http-equiv rel href class id viewBox preserveAspectRatio role x y width height " +
		"cx cy r d title tabindex open scope colspan aria-hidden aria-label aria-labelledby")
	var out []string
	if !slices.Contains(elements, e.Name.Local) {
		out = append(out, fmt.Sprintf("HTML holds the element %s", e.Name.Local))
	}
	for _, a := range e.Attr {
		switch {
		case !slices.Contains(attributes, a.Name.Local):
			out = append(out, fmt.Sprintf("HTML holds the attribute %s of %s", a.Name.Local, e.Name.Local))
		case a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") && a.Value != "data:,":
			out = append(out, fmt.Sprintf("HTML refers to %s", a.Value))
		}
	}
	return out
}

// checkMarkdown holds a document to tables whose rows have as many cells as
// their head, and to prose without markup of a stranger's.
func checkMarkdown(t *testing.T, r *Report) {
	t.Helper()
	text, err := r.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	checkPlain(t, "Markdown", text)
	fence, cells := "", 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if fence != "" {
			if line == fence {
				fence = ""
			}
			continue
		}
		if strings.HasPrefix(line, "```") && !strings.Contains(strings.TrimLeft(line, "`"), "`") {
			fence = strings.Repeat("`", len(line)-len(strings.TrimLeft(line, "`")))
			continue
		}
		if !strings.HasPrefix(line, "|") {
			cells = 0
		} else if n := strings.Count(line, "|"); cells == 0 {
			cells = n
		} else if n != cells {
			t.Errorf("row of %d pipes, want %d: %s", n, cells, line)
		}
		for _, fault := range markupIn(outsideCode(line)) {
			t.Errorf("%q lets through %q", line, fault)
		}
	}
	if fence != "" {
		t.Errorf("a fence of %d backticks is never closed", len(fence))
	}
}

// outsideCode leaves out the code spans of a line (CommonMark 0.31 §6.1).
func outsideCode(line string) string {
	var out strings.Builder
	for i := 0; i < len(line); {
		if line[i] == '\\' && i+1 < len(line) {
			out.WriteString(line[i : i+2])
			i += 2
			continue
		}
		run := len(line[i:]) - len(strings.TrimLeft(line[i:], "`"))
		if run == 0 {
			out.WriteByte(line[i])
			i++
			continue
		}
		i += run
		if end := closing(line[i:], run); end >= 0 {
			i += end + run
		} else {
			out.WriteString(strings.Repeat("`", run))
		}
	}
	return out.String()
}

// closing returns where a run of exactly n backticks begins, or -1.
func closing(s string, n int) int {
	for i := 0; i < len(s); i++ {
		run := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		if run == n {
			return i
		}
		i += run
	}
	return -1
}

// markupIn returns what a renderer would take for markup, a link or a message.
func markupIn(prose string) []string {
	prose = entities.ReplaceAllString(prose, " ")
	prose = escapes.ReplaceAllString(prose, " ")
	prose = blocks.ReplaceAllString(prose, "")
	prose = strings.ReplaceAll(prose, "**", "")
	return markup.FindAllString(prose, -1)
}

var (
	ansi     = regexp.MustCompile(`\x1b\[[0-9]+m`)
	entities = regexp.MustCompile(`<span>\$</span>|&(amp|lt|gt|#124|#8203);`)
	escapes  = regexp.MustCompile(`\\[[:punct:]]`)
	blocks   = regexp.MustCompile(`^(#{1,3}|- |[0-9]\. |\| |  )`)
	markup   = regexp.MustCompile("[&<>$`*_~\\[\\]{}]|://|(?i:www\\.)|@[\\pL\\d]|[#!]\\d")
)

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
