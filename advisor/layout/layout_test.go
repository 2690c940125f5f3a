package layout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/fixtures/harmless"
)

func TestCleanShowsWhatIsPrintableAndNothingElse(t *testing.T) {
	for in, want := range map[string]string{
		"  two\n lines\t":        "two lines",
		"\x1b[31mred\x07":        "�[31mred�",
		"\u202eabc\u200b":        "�abc�",
		"bad\xff":                "bad�",
		"naïve 漢字 µs":            "naïve 漢字 µs",
		strings.Repeat("x", 3e3): strings.Repeat("x", longestText) + "…",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWrapKeepsToTheWidth(t *testing.T) {
	for in, want := range map[string][]string{
		"":                           nil,
		"one two three":              {"one two", "three"},
		"10.11.14-MariaDB-log":       {"10.11.14-", "MariaDB-", "log"},
		"漢字漢字漢字":                     {"漢字漢字", "漢字"},
		strings.Repeat("e\u0301", 9): {strings.Repeat("e\u0301", 9)},
	} {
		if diff := cmp.Diff(want, Wrap(in, 9)); diff != "" {
			t.Errorf("Wrap(%q): %s", in, diff)
		}
	}
}

// FuzzProseIsNoMarkup holds the escaping of Markdown to every text.
func FuzzProseIsNoMarkup(f *testing.F) {
	for _, a := range harmless.Attacks() {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := Prose(Clean(s))
		if found := harmless.MarkupIn(out); found != nil || strings.Contains(out, "|") {
			t.Errorf("prose(%q) = %q lets through %q", s, out, found)
		}
	})
}
