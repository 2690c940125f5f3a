package check

import (
	"slices"
	"strings"
	"testing"
)

// plain are the packages that agent and advisor share: what a snapshot, a series and a statement are.
var plain = []string{"collectors/metric", "collectors/snapshot", "collectors/sqltext"}

// mayImport says, for each top folder of the product, which of our packages its packages may import.
// An entry covers the packages below it too. Test files may import what they like.
var mayImport = map[string][]string{
	"collectors": {"collectors"},
	"agent":      {"agent", "collectors"},
	"rules":      append([]string{"rules"}, plain...),
	"dashboards": append([]string{"dashboards", "rules"}, plain...),
	"advisor":    append([]string{"advisor", "collectors/slowlog", "dashboards", "rules"}, plain...),
	"cmd":        {"agent", "advisor", "collectors", "dashboards", "rules"},
	"fixtures":   {"fixtures", "agent", "advisor", "collectors", "dashboards", "rules"},
	"demo":       {"demo", "fixtures", "agent", "advisor", "collectors", "dashboards", "rules"},
}

// standardLibraryOnly are the packages that import nothing else: the agreed data between two programs,
// what the agent shares with a program that has privileges, and a launcher that several build on.
var standardLibraryOnly = []string{"collectors/snapshot", "agent/service", "advisor/verify/scratch"}

func TestImportsRunOneWay(t *testing.T) {
	for _, p := range packages(t) {
		allowed, governed := mayImport[p.top()]
		if !governed {
			continue
		}
		for _, imported := range p.Imports {
			if topOf(imported) != "" && !covers(allowed, strings.TrimPrefix(imported, "plimsoll/")) {
				t.Errorf("%s imports %s, may import %v only", p.path(), imported, allowed)
			}
		}
	}
}

// covers reports whether path is one of the entries or lies below one.
func covers(entries []string, path string) bool {
	return slices.ContainsFunc(entries, func(e string) bool {
		return path == e || strings.HasPrefix(path, e+"/")
	})
}

func TestRulesAndWhatTheyReadDoNoIO(t *testing.T) {
	io := []string{"database/sql", "io/ioutil", "net", "net/http", "net/rpc", "os", "os/exec", "os/signal", "syscall"}
	for _, p := range packages(t) {
		if p.top() != "rules" && !slices.Contains(plain, p.path()) {
			continue
		}
		for _, imported := range p.Imports {
			if slices.Contains(io, imported) {
				t.Errorf("%s imports %s: it must be a pure function of its arguments", p.path(), imported)
			}
		}
	}
}

func TestSharedGroundImportsTheStandardLibraryOnly(t *testing.T) {
	for _, p := range packages(t) {
		if !slices.Contains(standardLibraryOnly, p.path()) {
			continue
		}
		for _, imported := range p.Imports {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") || first == "plimsoll" {
				t.Errorf("%s imports %s, may import the standard library only", p.path(), imported)
			}
		}
	}
}
