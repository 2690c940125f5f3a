package check

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/rules"
)

// pages is the folder that has a page for each rule, at the rule's ID.
const pages = root + "/docs/rules"

// stories is the folder of fleets, each with the findings that are expected of it.
const stories = root + "/fixtures/fleets"

// headings are those of a rule's page, in their order.
var headings = []string{
	"What it looks at",
	"Why it matters",
	"Example",
	"Thresholds and their sources",
	"When not to follow",
	"How to silence",
}

var heading = regexp.MustCompile(`(?m)^## (.*)$`)

func TestEveryRuleHasItsPage(t *testing.T) {
	needFolder(t, pages)
	for _, rule := range rules.All() {
		text, err := os.ReadFile(filepath.Join(pages, string(rule.ID)+".md"))
		if err != nil {
			t.Errorf("%s has no page: %v", rule.ID, err)
			continue
		}
		var got []string
		for _, match := range heading.FindAllStringSubmatch(string(text), -1) {
			got = append(got, match[1])
		}
		if diff := cmp.Diff(headings, got); diff != "" {
			t.Errorf("headings of docs/rules/%s.md (-want +got):\n%s", rule.ID, diff)
		}
	}
}

func TestEveryPageHasItsRule(t *testing.T) {
	needFolder(t, pages)
	known := map[string]bool{"README": true}
	for _, rule := range rules.All() {
		known[string(rule.ID)] = true
	}
	for _, page := range filesBelow(t, pages, ".md") {
		if id := strings.TrimSuffix(page, ".md"); !known[id] {
			t.Errorf("docs/rules/%s: there is no rule %s", page, id)
		}
	}
}

func TestEveryRuleFiresInAStory(t *testing.T) {
	needFolder(t, stories)
	var expected strings.Builder
	for _, name := range filesBelow(t, stories, "want.json") {
		text, err := os.ReadFile(filepath.Join(stories, name))
		if err != nil {
			t.Fatal(err)
		}
		expected.Write(text)
	}
	for _, rule := range rules.All() {
		if !strings.Contains(expected.String(), `"`+string(rule.ID)+`"`) {
			t.Errorf("%s: no want.json in fixtures/fleets expects a finding of it", rule.ID)
		}
	}
}

// needFolder skips the test while nothing of the folder exists.
func needFolder(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(dir); os.IsNotExist(err) {
		t.Skipf("there is no %s yet", dir)
	}
}

// filesBelow returns the paths of the files below dir whose names end so, relative to dir.
func filesBelow(t *testing.T, dir, end string) []string {
	t.Helper()
	var found []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, end) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
