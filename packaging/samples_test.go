package packaging

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"plimsoll/advisor"
	"plimsoll/agent"
	"plimsoll/agent/config"
)

func TestSampleOfTheAgentIsValid(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", t.TempDir())
	for name, file := range samples(t, "agent.yml") {
		if _, err := config.Read(file, agent.JobNames()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSampleOfTheAdvisorIsValid(t *testing.T) {
	for name, file := range samples(t, "plimsoll.yml") {
		if _, err := advisor.ReadConfig(file, true); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// example matches the mark before a line of a sample that is there to be uncommented. One space after
// the mark makes a line explanation.
var example = regexp.MustCompile(`(?m)^#(\S|  )`)

// samples returns a sample's file as it is installed, and one with every example in force.
func samples(t *testing.T, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(t.TempDir(), name)
	writeFile(t, full, example.ReplaceAllString(string(text), "$1"), 0o644)
	return map[string]string{"as installed": name, "with every example": full}
}
