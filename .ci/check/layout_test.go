package check

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mostPackages keeps the tree small enough to know by heart.
const mostPackages = 50

// mostLevels is how deep a package may lie below its top folder.
const mostLevels = 2

func TestTopFoldersAreTheDocumentedOnes(t *testing.T) {
	known := []string{
		"agent", "collectors", "advisor", "dashboards", "rules", "cmd", "fixtures",
		"docs", "packaging", "demo", ".ci",
	}
	for top := range topFolders(t) {
		if !slices.Contains(known, top) {
			t.Errorf("folder %s: not one of %v (docs/architecture.md)", top, known)
		}
	}
}

func TestPackagesAreFewAndFlat(t *testing.T) {
	ps := packages(t)
	if len(ps) > mostPackages {
		t.Errorf("%d packages, want at most %d", len(ps), mostPackages)
	}
	for _, p := range ps {
		if levels := strings.Count(p.path(), "/"); levels > mostLevels {
			t.Errorf("%s lies %d levels below its top folder, want at most %d", p.path(), levels, mostLevels)
		}
	}
}

func TestPackagesAreNamedAfterWhatTheyHold(t *testing.T) {
	empty := []string{"util", "utils", "common", "base", "helper", "helpers", "misc", "shared", "lib"}
	for _, p := range packages(t) {
		if slices.Contains(empty, p.Name) || slices.Contains(empty, filepath.Base(p.Dir)) {
			t.Errorf("%s: the name does not say what the package holds", p.path())
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", p.path())
		}
	}
}

func TestNothingHappensAtImport(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			for _, pos := range inits(t, filepath.Join(p.Dir, name)) {
				t.Errorf("%s: func init: say it in a function that main calls", pos)
			}
		}
	}
}

// inits returns where the file declares an init function.
func inits(t *testing.T, file string) []token.Position {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []token.Position
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			found = append(found, fset.Position(fn.Pos()))
		}
	}
	return found
}
