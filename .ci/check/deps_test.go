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
	reviewed := reviewedModules(t)
	if len(reviewed) > mostModules {
		t.Errorf("%s lists %d modules, want at most %d", agentList, len(reviewed), mostModules)
	}
	if diff := cmp.Diff(reviewed, linkedModules(t)); diff != "" {
		t.Errorf("modules of the agent (-%s +linked):\n%s", agentList, diff)
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

// reviewedModules reads the agent's list and wants a reason on every line.
func reviewedModules(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(root + "/" + agentList)
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		module, reason, _ := strings.Cut(line, " ")
		if strings.TrimSpace(reason) == "" {
			t.Errorf("%s: %s has no reason", agentList, module)
		}
		modules = append(modules, module)
	}
	slices.Sort(modules)
	return modules
}
