package advisor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plimsoll/advisor/store"
)

// fixtures goes to the folder of configurations, so that golden errors name files
// without a path, and returns those that match.
func fixtures(t *testing.T, pattern string) []string {
	t.Helper()
	t.Chdir("../fixtures/config/advisor")
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("fixtures %s: %d files, %v", pattern, len(files), err)
	}
	return files
}

func TestGoodFilesAreAccepted(t *testing.T) {
	for _, name := range fixtures(t, "*.good.yml") {
		if _, err := ReadConfig(name, true); err != nil {
			t.Errorf("ReadConfig: %v", err)
		}
	}
}

func TestBadFilesAreRefusedWithTheErrorsTheyState(t *testing.T) {
	for _, name := range fixtures(t, "*.bad.yml") {
		t.Run(name, func(t *testing.T) {
			_, err := ReadConfig(name, true)
			if err == nil {
				t.Fatal("ReadConfig succeeded, want an error")
			}
			if diff := cmp.Diff(stated(t, name), err.Error()); diff != "" {
				t.Errorf("ReadConfig (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Error("the error quotes a password")
			}
		})
	}
}

// stated returns the lines "# error: " of a bad file.
func stated(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var errs []string
	for line := range strings.Lines(string(text)) {
		if e, ok := strings.CutPrefix(line, "# error: "); ok {
			errs = append(errs, strings.TrimSuffix(e, "\n"))
		}
	}
	return strings.Join(errs, "\n")
}

func TestWithoutAFileTheLocalAgentIsWatched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nowhere.yml")
	got, err := ReadConfig(path, false)
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Data: "/var/lib/plimsoll", Listen: "127.0.0.1:9898", Acks: "/var/lib/plimsoll/acks.yml",
		Interval: Duration{time.Minute}, Window: Duration{24 * time.Hour},
		Agents: []store.Agents{{Static: []store.StaticAgents{{Targets: []string{"unix:/run/plimsoll/agent.sock"}}}}},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if _, err := ReadConfig(path, true); err == nil {
		t.Error("a file that was named and is missing is no error")
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	fixtures(t, "full.good.yml")
	c, err := ReadConfig("full.good.yml", true)
	if err != nil {
		t.Fatal(err)
	}
	if c.Window.Duration != 7*24*time.Hour || c.Store.Embedded.MaxBytes.Bytes != 20e9 || c.Store.Embedded.Retention.Duration != 35*24*time.Hour {
		t.Errorf("window %s, store %+v; want 7 days, 35 days and 20 GB", c.Window, c.Store.Embedded)
	}
	if s := c.Settings()["mysql/long-transaction"]; s.Threshold != "1m" || s.MinWindow != 10*time.Minute || s.Window != 24*time.Hour {
		t.Errorf("settings = %+v", s)
	}
	if len(c.Agents) != 4 || c.Agents[0].ScrapeInterval != 15*time.Second || c.Agents[2].DNS[0].Port != 9897 {
		t.Errorf("agents = %+v", c.Agents)
	}
}
