package check

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// agentList names every module that the agent links, a line each with the reason.
const agentList = "cmd/plimsoll-agent/deps.txt"

// mostModules is what the agent may link: it runs beside somebody's database, and each module is code
// that they have to trust.
const mostModules = 40

func TestAgentLinksTheReviewedModulesOnly(t *testing.T) {
	if _, err := os.Stat(root + "/cmd/plimsoll-agent/main.go"); os.IsNotExist(err) {
		t.Skip("there is no cmd/plimsoll-agent/main.go yet")
	}
	want := reviewed(t, agentList)
	if len(want) > mostModules {
		t.Errorf("%s lists %d modules, want at most %d", agentList, len(want), mostModules)
	}
	if diff := cmp.Diff(want, linkedModules(t)); diff != "" {
		t.Errorf("modules of the agent (-%s +linked):\n%s", agentList, diff)
	}
}

// probeList names every package that the probe links beside the standard library's, ours too.
const probeList = "cmd/plimsoll-probe/deps.txt"

// The probe has privileges, so that each package in it is reviewed.
func TestProbeLinksTheReviewedPackagesOnly(t *testing.T) {
	out := run(t, "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./cmd/plimsoll-probe")
	linked := strings.Fields(string(out))
	slices.Sort(linked)
	if diff := cmp.Diff(reviewed(t, probeList), linked); diff != "" {
		t.Errorf("packages of the probe (-%s +linked):\n%s", probeList, diff)
	}
}

// linkedModules returns the modules that the agent's packages come from, sorted, without our own.
func linkedModules(t *testing.T) []string {
	t.Helper()
	out := run(t, "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./cmd/plimsoll-agent")
	linked := map[string]bool{}
	for path := range strings.FieldsSeq(string(out)) {
		linked[path] = true
	}
	delete(linked, "plimsoll")
	return slices.Sorted(maps.Keys(linked))
}

// reviewed reads a list and wants a reason on every line.
func reviewed(t *testing.T, list string) []string {
	t.Helper()
	text, err := os.ReadFile(root + "/" + list)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, _ := strings.Cut(line, " ")
		if strings.TrimSpace(reason) == "" {
			t.Errorf("%s: %s has no reason", list, name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
