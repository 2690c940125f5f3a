package packaging

import (
	"os"
	"regexp"
	"testing"

	"plimsoll/agent/config"
)

// example matches the mark before a line of a sample that is there to be uncommented. One space after
// the mark makes a line explanation.
var example = regexp.MustCompile(`(?m)^#(\S|  )`)

func TestSampleOfTheAgentIsValid(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", t.TempDir())
	text, err := os.ReadFile("agent.yml")
	if err != nil {
		t.Fatal(err)
	}
	jobs := []string{"mysql/digests", "mysql/schema"}
	for name, text := range map[string][]byte{
		"as installed":       text,
		"with every example": example.ReplaceAll(text, []byte("$1")),
	} {
		if _, err := config.Parse("agent.yml", text, jobs); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}
