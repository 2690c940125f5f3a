package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

func TestTheProbeWorksWithTheUnitsCapabilitiesAndSaysWhatOthersLack(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give the probe less")
	}
	fpm := servers.StartPHP(t, servers.PHP82)
	fpm.Script(t, "index.php", "<?php usleep(400000);")
	nginx := servers.StartNginx(t, servers.FrontController(fpm.Root, fpm.Listen("www"))...)
	program := build(t)
	const traced, read = unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH

	all := runAs(t, program, nginx.URL, traced, read)
	pool := poolAt(all, fpm.Listen("www"))
	if pool == nil || pool.States[snapshot.PHPSleep].Seconds < 0.5 || len(pool.Routes) != 1 || pool.Routes[0].Route != "/sleepy/{id}" {
		t.Errorf("with both capabilities: %+v", pool)
	}
	if len(all.Gaps) > 0 {
		t.Errorf("with both capabilities there are gaps: %+v", all.Gaps)
	}
	tests := []struct {
		name, reason string
		given        []uintptr
	}{
		{"none", "which workers are busy is unknown", nil},
		{"CAP_DAC_READ_SEARCH", "which workers are busy is unknown", []uintptr{read}},
		{"CAP_SYS_PTRACE", "what workers wait for is unknown", []uintptr{traced}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := runAs(t, program, nginx.URL, test.given...)
			if !slices.ContainsFunc(p.Gaps, func(g snapshot.Gap) bool {
				return strings.HasPrefix(g.Reason, test.reason) && strings.Contains(g.Remedy, "AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH")
			}) {
				t.Errorf("gaps = %+v, want that %s, and the remedy", p.Gaps, test.reason)
			}
		})
	}
}

// build returns the program at a place where every user may run it.
func build(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "plimsoll-probe-") //nolint:usetesting // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program := filepath.Join(dir, "plimsoll-probe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // for the user who runs it
		t.Fatal(err)
	}
	return program
}

// runAs runs the program as nobody with these capabilities, while pages are asked for.
func runAs(t *testing.T, program, url string, given ...uintptr) *snapshot.PHPProfile {
	t.Helper()
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-print", "2500ms")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}, AmbientCaps: given,
	}
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		answer, err := http.Get(url + "/sleepy/4711") //nolint:noctx // it takes 0.4 s
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, log.Bytes())
	}
	var p snapshot.PHPProfile
	if err := json.Unmarshal(out.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	return &p
}

func poolAt(p *snapshot.PHPProfile, server string) *snapshot.PoolProfile {
	i := slices.IndexFunc(p.Pools, func(x snapshot.PoolProfile) bool { return x.Server == server })
	if i < 0 {
		return nil
	}
	return &p.Pools[i]
}
