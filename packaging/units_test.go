package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var units = []string{"plimsoll-agent.service", "plimsoll-probe.service", "plimsoll.service"}

// mostExposure is the exposure by systemd-analyze's count, in tenths, that a unit may have. An unconfined
// unit has 96.
const mostExposure = "15"

func TestUnitsAreConfined(t *testing.T) {
	for _, unit := range units {
		if out, err := systemdAnalyze(t, "security", "--offline=true", "--threshold="+mostExposure, unit); err != nil {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
	}
}

func TestUnitsAndDropInsAreUnderstoodBySystemd(t *testing.T) {
	dir := t.TempDir()
	for _, unit := range units {
		install(t, unit, filepath.Join(dir, unit), dir)
	}
	dropIns, err := filepath.Glob("drop-ins/*.conf")
	if err != nil || len(dropIns) == 0 {
		t.Fatalf("drop-ins: %v, %v", dropIns, err)
	}
	for _, dropIn := range dropIns {
		install(t, dropIn, filepath.Join(dir, "plimsoll-agent.service.d", filepath.Base(dropIn)), dir)
	}
	for _, unit := range units {
		out, err := systemdAnalyze(t, "verify", "--man=no", "--recursive-errors=no", filepath.Join(dir, unit))
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
	}
}

// install copies a unit's file; its programs are then a stand-in's in dir, which systemd finds.
func install(t *testing.T, from, to, dir string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, strings.ReplaceAll(string(text), "/usr/bin/", dir+"/"), 0o644)
	for _, program := range programs {
		writeFile(t, filepath.Join(dir, program), "#!/bin/sh\n", 0o755)
	}
}

// systemdAnalyze returns all that the program prints. Without it the test is skipped.
func systemdAnalyze(t *testing.T, args ...string) (string, error) {
	t.Helper()
	need(t, "systemd-analyze")
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", append([]string{"--no-pager"}, args...)...).CombinedOutput()
	return string(out), err
}

// need skips the test where a program is missing, and fails it where none may be.
func need(t *testing.T, program string) {
	t.Helper()
	_, err := exec.LookPath(program)
	if err != nil && os.Getenv("PLIMSOLL_REQUIRE_SERVERS") == "1" {
		t.Fatal(err)
	} else if err != nil {
		t.Skip(err)
	}
}

func writeFile(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
