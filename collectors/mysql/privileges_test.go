package mysql

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// An operator who grants by the page must find in it what is really asked for.
func TestThePrivilegesPageNamesWhatIsRead(t *testing.T) {
	page, err := os.ReadFile("../../docs/privileges.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	named := regexp.MustCompile("`(@@[a-z_]+|SHOW [A-Z ]+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 8 {
		t.Errorf("the page names %d statements and variables, want those of every grant", len(named))
	}
	for _, name := range named {
		read := regexp.MustCompile(strings.Replace(name[1], "@@", `@@GLOBAL\.`, 1) + `\b`)
		if !read.MatchString(code.String()) {
			t.Errorf("docs/privileges.md names %s, which is not read", name[1])
		}
	}
}
