package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plimsoll/fixtures/golden"
)

// pages is the folder with a page for each rule.
const pages = "../docs/rules"

// The list of rules stands in the order of All, with the title of each. -update
// writes it.
func TestTheListOfRulesIsComplete(t *testing.T) {
	path := filepath.Join(pages, "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const head = "| rule | what it looks for | by default from |\n|---|---|---|\n"
	before, list, found := strings.Cut(string(text), head)
	if !found {
		t.Fatalf("%s has no table that begins with:\n%s", path, head)
	}
	_, after, _ := strings.Cut(list, "\n\n")
	var want strings.Builder
	for _, r := range All() {
		fmt.Fprintf(&want, "| [%s](%s.md) | %s | %s |\n", r.ID, r.ID, r.Title, Words(r.Threshold.Value, r.Threshold.Unit))
	}
	golden.Hold(t, path, []byte(before+head+want.String()+"\n"+after))
}

func TestEveryPageHasTheTitleOfItsRule(t *testing.T) {
	for _, r := range All() {
		text, err := os.ReadFile(filepath.Join(pages, string(r.ID)+".md"))
		if os.IsNotExist(err) {
			continue // the check of the conventions says so
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("# %s\n\n`%s`\n", r.Title, r.ID); !strings.HasPrefix(string(text), want) {
			t.Errorf("docs/rules/%s.md begins with %.80q, want %q", r.ID, text, want)
		}
	}
}
