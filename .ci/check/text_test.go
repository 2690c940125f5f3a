package check

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// foreign are texts that belong to the machine on which somebody wrote the code. Hosts of package
// registries come from the clients' own configuration, which a user may have pointed at a mirror.
var foreign = map[string]*regexp.Regexp{
	"the host of a package registry": regexp.MustCompile(`\b(?:(?:proxy|sum)[.]golang[.]org|(?:deb|ftp|security|snapshot|archive)[.](?:debian[.]org|ubuntu[.]com)|registry[.]npmjs[.]org|pypi[.]org)\b`),
	"a path of somebody's machine":   regexp.MustCompile(`(?:^|[^.[:alnum:]])/(?:work|builds?|workspace|home/[a-z]\w*|Users/\w+|root/(?:go|[.]cache|src))/`),
}

func TestNoFileNamesARegistryOrSomebodysMachine(t *testing.T) {
	for _, name := range trackedFiles(t) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // Deleted, and the deletion not committed yet.
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			continue // Not text.
		}
		for number, line := range bytes.Split(text, []byte("\n")) {
			for what, pattern := range foreign {
				if found := pattern.Find(line); found != nil {
					t.Errorf("%s:%d names %s: %s", name, number+1, what, found)
				}
			}
		}
	}
}

func TestForeignTextsAreRecognised(t *testing.T) {
	// Put together here, so that this file does not contain what it looks for.
	samples := map[string][]string{
		"the host of a package registry": {"http://deb." + "debian.org/debian", "https://proxy." + "golang.org"},
		"a path of somebody's machine":   {"see /wo" + "rk/notes.md", "/ho" + "me/ann/src/x.go"},
	}
	for what, lines := range samples {
		for _, line := range lines {
			if !foreign[what].MatchString(line) {
				t.Errorf("%q is not seen as %s", line, what)
			}
		}
	}
}
