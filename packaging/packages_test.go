package packaging

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// programs are what the packages install, one each.
var programs = []string{"plimsoll-agent", "plimsoll-probe", "plimsoll"}

func TestPackagesAreTheSameBytesEachTime(t *testing.T) {
	bin := standIns(t)
	first, second := files(t, pack(t, "1.2.3", bin)), files(t, pack(t, "1.2.3", bin))
	if !maps.Equal(first, second) {
		t.Error("two builds of the same files differ")
	}
	if got, want := len(first), 2*len(programs); got != want {
		t.Errorf("%d packages, want a .deb and a .rpm of each of %v", got, programs)
	}
	for name, content := range first {
		if strings.HasSuffix(name, ".rpm") && !strings.HasPrefix(content, "\xed\xab\xee\xdb") {
			t.Errorf("%s does not start as an RPM package does", name)
		}
	}
}

func TestUnreleasedVersionsSortBeforeTheirRelease(t *testing.T) {
	out := pack(t, "1.2.3-dev+gabc", standIns(t))
	deb(t, out, "plimsoll-agent", "1.2.3~dev+gabc") // "~" is less than nothing to dpkg and to rpm.
}

func TestDebianPackagesHoldTheirFilesOnly(t *testing.T) {
	out := pack(t, "1.2.3", standIns(t))
	want := map[string][]string{
		"plimsoll-agent": {
			"-rw-r--r-- root/root /etc/plimsoll/agent.yml",
			"-rwxr-xr-x root/root /usr/bin/plimsoll-agent",
			"-rw-r--r-- root/root /usr/lib/systemd/system/plimsoll-agent.service",
			"-rw-r--r-- root/root /usr/lib/sysusers.d/plimsoll-agent.conf",
			"-rw-r--r-- root/root /usr/lib/tmpfiles.d/plimsoll-agent.conf",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-agent/copyright",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-agent/docs/configuration.md",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-agent/docs/metrics.md",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-agent/docs/overhead.md",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-agent/docs/privileges.md",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-agent/docs/snapshot.md",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-agent/examples/mysql-password.conf",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-agent/examples/slow-log.conf",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-agent/examples/sockets.conf",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-agent/examples/tmp-socket.conf",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-agent/grants.sql",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-agent/licenses.gz",
		},
		"plimsoll-probe": {
			"-rwxr-xr-x root/root /usr/bin/plimsoll-probe",
			"-rw-r--r-- root/root /usr/lib/systemd/system/plimsoll-probe.service",
			"-rw-r--r-- root/root /usr/lib/sysusers.d/plimsoll-probe.conf",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-probe/copyright",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-probe/docs/accuracy.md",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-probe/docs/overhead.md",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-probe/docs/privileges.md",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll-probe/licenses.gz",
		},
		"plimsoll": {
			"-rw-r--r-- root/root /etc/plimsoll/plimsoll.yml",
			"-rwxr-xr-x root/root /usr/bin/plimsoll",
			"-rw-r--r-- root/root /usr/lib/systemd/system/plimsoll.service",
			"-rw-r--r-- root/root /usr/lib/sysusers.d/plimsoll.conf",
			"-rw-r--r-- root/root /usr/lib/tmpfiles.d/plimsoll.conf",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll/copyright",
			"-rw-r--r-- root/root /usr/share/doc/plimsoll/licenses.gz",
		},
	}
	for _, page := range pages(t) {
		want["plimsoll"] = append(want["plimsoll"], "-rw-r--r-- root/root /usr/share/doc/plimsoll/docs/"+page)
	}
	for name, files := range want {
		slices.SortFunc(files, byPath)
		if diff := cmp.Diff(files, contents(t, deb(t, out, name, "1.2.3"))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestConfigurationSurvivesAnUpgrade(t *testing.T) {
	out := pack(t, "1.2.3", standIns(t))
	for name, want := range map[string]string{"plimsoll-agent": "/etc/plimsoll/agent.yml", "plimsoll": "/etc/plimsoll/plimsoll.yml"} {
		got := command(t, "dpkg-deb", "--info", deb(t, out, name, "1.2.3"), "conffiles")
		if strings.TrimSpace(got) != want {
			t.Errorf("conffiles of %s = %q, want %q", name, got, want)
		}
	}
}

// standIns returns a folder with something to pack under the name of each program.
func standIns(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	for _, program := range programs {
		writeFile(t, filepath.Join(bin, program), "#!/bin/sh\n", 0o700)
	}
	return bin
}

// pack builds all packages of the programs in bin and returns their folder.
func pack(t *testing.T, version, bin string) string {
	t.Helper()
	out := t.TempDir()
	command(t, "./build", version, bin, out)
	return out
}

// deb returns the path of a .deb that pack made.
func deb(t *testing.T, dir, name, version string) string {
	t.Helper()
	path := filepath.Join(dir, fmt.Sprintf("%s_%s_%s.deb", name, version, runtime.GOARCH))
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// contents lists the files of a .deb with mode and owner, sorted by path.
func contents(t *testing.T, deb string) []string {
	t.Helper()
	need(t, "dpkg-deb")
	var list []string
	for line := range strings.Lines(command(t, "dpkg-deb", "--contents", deb)) {
		f := strings.Fields(line)
		if mode, owner, path := f[0], f[1], f[5]; mode[0] != 'd' {
			list = append(list, mode+" "+owner+" "+strings.TrimPrefix(path, "."))
		}
	}
	slices.SortFunc(list, byPath)
	return list
}

// byPath orders lines of contents.
func byPath(a, b string) int { return strings.Compare(strings.Fields(a)[2], strings.Fields(b)[2]) }

// pages returns the paths of all pages of the documentation, relative to its folder.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	err := fs.WalkDir(os.DirFS("../docs"), ".", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// files reads a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]string{}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		read[e.Name()] = string(content)
	}
	return read
}

// command returns what a program prints, and fails the test if it fails.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}
