package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// root is the repository's top folder as seen from this package.
const root = "../.."

// A pkg is what go list says of one package of ours.
type pkg struct {
	Dir, ImportPath, Name, Doc string
	GoFiles, Imports           []string
}

// path returns the package's folder below the top folder: "collectors/mysql".
func (p pkg) path() string { return strings.TrimPrefix(p.ImportPath, "plimsoll/") }

// top returns the top folder that the package lies in: "collectors".
func (p pkg) top() string { return topOf(p.ImportPath) }

// topOf returns the top folder of an import path of ours, and "" for any other import.
func topOf(importPath string) string {
	below, ours := strings.CutPrefix(importPath, "plimsoll/")
	if !ours {
		return ""
	}
	top, _, _ := strings.Cut(below, "/")
	return top
}

// packages lists the product's packages. It leaves out folders that git does not track: they are
// somebody's scratch.
func packages(t *testing.T) []pkg {
	t.Helper()
	tracked := topFolders(t)
	var ps []pkg
	dec := json.NewDecoder(bytes.NewReader(run(t, "go", "list", "-e", "-json=Dir,ImportPath,Name,Doc,GoFiles,Imports", "./...")))
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return ps
		} else if err != nil {
			t.Fatal(err)
		}
		if tracked[p.top()] {
			ps = append(ps, p)
		}
	}
}

// topFolders returns the names at the top that hold tracked files.
func topFolders(t *testing.T) map[string]bool {
	t.Helper()
	tops := map[string]bool{}
	for _, f := range trackedFiles(t) {
		if top, _, below := strings.Cut(f, "/"); below {
			tops[top] = true
		}
	}
	return tops
}

// trackedFiles returns the paths of the files that git tracks, below the top folder. Without git, as in
// an unpacked archive, the test is skipped.
func trackedFiles(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat(root + "/.git"); err != nil {
		t.Skip("this tree is no git checkout: nothing says which files belong to it")
	}
	return strings.FieldsFunc(string(run(t, "git", "ls-files", "-z")), func(r rune) bool { return r == 0 })
}

// run returns what a command prints that is started in the top folder, and fails the test if it fails.
func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.Bytes())
	}
	return out
}
