package packaging

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackagesWorkOnABootedDebian(t *testing.T) {
	if os.Getenv("PLIMSOLL_FULL") != "1" {
		t.Skip("boots a Debian: make test-full")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	guest := debian(t)
	bin := build(t)
	for _, version := range []string{"1", "2"} {
		copyDebs(t, pack(t, version+".0.0", bin), filepath.Join(guest, "packages", version))
	}
	report := boot(t, guest, "testdata/boot.sh")

	if !strings.HasSuffix(report, "\nend\n") {
		t.Errorf("the guest did not come to its end")
	}
	for line := range strings.Lines(report) {
		if why, failed := strings.CutPrefix(line, "FAIL "); failed {
			t.Error(strings.TrimSpace(why))
		}
	}
	t.Log("\n" + report)
}

// build returns a folder with the programs.
func build(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	command(t, "go", "build", "-ldflags=-s -w", "-o", bin, "plimsoll/cmd/plimsoll-agent", "plimsoll/cmd/plimsoll-probe", "plimsoll/cmd/plimsoll")
	return bin
}

func copyDebs(t *testing.T, from, to string) {
	t.Helper()
	for name, content := range files(t, from) {
		if filepath.Ext(name) == ".deb" {
			writeFile(t, filepath.Join(to, name), content, 0o644)
		}
	}
}
