package packaging

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// guestPackages are what a guest has beside Debian's essential packages.
const guestPackages = "systemd,systemd-sysv,dbus,procps,iproute2,curl,libpam-systemd,mariadb-server,php-fpm,libfcgi-bin"

// bootTest runs the guest's test as soon as it has booted, and ends the guest after it.
const bootTest = `[Unit]
After=multi-user.target

[Service]
ExecStart=/boot.sh
ExecStopPost=/usr/bin/systemctl --no-block poweroff
StandardOutput=file:/report
StandardError=journal
`

// debian returns the root folder of a fresh Debian of the host's release. The first call on a machine
// makes it, 19 s here, and keeps it in the user's cache.
func debian(t *testing.T) string {
	t.Helper()
	need(t, "systemd-nspawn")
	need(t, "mmdebstrap")
	release, sources := aptSources(t)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	key := sha256.Sum256([]byte(guestPackages + sources))
	image := filepath.Join(cache, "plimsoll", "guests", fmt.Sprintf("%s-%x.tar", release, key[:8]))
	if _, err := os.Stat(image); os.IsNotExist(err) {
		makeImage(t, image, release, sources)
	}
	root := t.TempDir()
	command(t, "tar", "--extract", "--numeric-owner", "--file", image, "--directory", root)
	return root
}

// makeImage writes an archive of a fresh Debian.
func makeImage(t *testing.T, image, release, sources string) {
	t.Helper()
	dir := t.TempDir()
	options, list, made := filepath.Join(dir, "apt.conf"), filepath.Join(dir, "sources.list"), image+".tmp"
	writeFile(t, options, aptOptions(t), 0o644)
	writeFile(t, list, sources, 0o644)
	if err := os.MkdirAll(filepath.Dir(image), 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, "mmdebstrap", "--variant=minbase", "--format=tar", "--include="+guestPackages, "--aptopt="+options, release, made, list)
	if err := os.Rename(made, image); err != nil {
		t.Fatal(err)
	}
}

// aptSources returns the name of the host's release and its sources in apt's one-line format.
func aptSources(t *testing.T) (release, sources string) {
	t.Helper()
	release = strings.TrimSpace(command(t, "sh", "-c", ". /etc/os-release && echo $VERSION_CODENAME"))
	var lines []string
	out := command(t, "apt-get", "indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) == 4 && strings.HasPrefix(f[2], release) && f[3] == "main" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return release, strings.Join(slices.Compact(lines), "")
}

// aptOptions returns how the host's apt reaches its mirrors: through a proxy, for example.
func aptOptions(t *testing.T) string {
	t.Helper()
	var kept []string
	for line := range strings.Lines(command(t, "apt-config", "dump")) {
		for _, prefix := range []string{"Acquire::http", "Acquire::Check", "Acquire::Force", "Acquire::Retries"} {
			if strings.HasPrefix(line, prefix) {
				kept = append(kept, line)
			}
		}
	}
	return strings.Join(kept, "")
}

// boot starts the guest with systemd as its first process and no network but loopback, runs the script
// in it and returns what that printed.
func boot(t *testing.T, guest, script string) string {
	t.Helper()
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(guest, "boot.sh"), string(text), 0o755)
	writeFile(t, filepath.Join(guest, "etc/systemd/system/boot-test.service"), bootTest, 0o644)
	wants := filepath.Join(guest, "etc/systemd/system/multi-user.target.wants")
	if err := os.Symlink("../boot-test.service", filepath.Join(wants, "boot-test.service")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	// The host's systemd, if it runs one, knows nothing of this guest: it needs no name and no scope.
	cmd := exec.CommandContext(ctx, "systemd-nspawn", "--quiet", "--directory", guest, "--machine", "plimsoll-test",
		"--register=no", "--keep-unit", "--private-network", "--boot", "--console=pipe")
	var console bytes.Buffer
	cmd.Stdout, cmd.Stderr = &console, &console
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v\n%s", cmd, err, console.Bytes())
	}
	report, err := os.ReadFile(filepath.Join(guest, "report"))
	if err != nil {
		t.Fatalf("%v\n%s", err, console.Bytes())
	}
	return string(report)
}
