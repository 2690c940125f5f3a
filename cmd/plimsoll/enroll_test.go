package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"plimsoll/advisor/report"
)

// hosts are two network namespaces with a cable between them: as near as one
// machine comes to two.
type hosts struct{ agent, advisor string }

const (
	agentAddress   = "10.77.0.1"
	advisorAddress = "10.77.0.2"
)

func newHosts(t *testing.T) hosts {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil || os.Geteuid() != 0 {
		missing(t, "network namespaces need root and iproute2's ip")
	}
	id := os.Getpid()
	h := hosts{agent: fmt.Sprintf("plim-a%d", id), advisor: fmt.Sprintf("plim-b%d", id)}
	for _, ns := range []string{h.agent, h.advisor} {
		ip(t, "netns", "add", ns)
		t.Cleanup(func() { _ = exec.CommandContext(context.WithoutCancel(t.Context()), "ip", "netns", "del", ns).Run() })
	}
	cableA, cableB := fmt.Sprintf("pa%d", id), fmt.Sprintf("pb%d", id)
	ip(t, "link", "add", cableA, "netns", h.agent, "type", "veth", "peer", "name", cableB, "netns", h.advisor)
	for _, end := range [][3]string{{h.agent, cableA, agentAddress}, {h.advisor, cableB, advisorAddress}} {
		ip(t, "-n", end[0], "address", "add", end[2]+"/24", "dev", end[1])
		ip(t, "-n", end[0], "link", "set", end[1], "up")
		ip(t, "-n", end[0], "link", "set", "lo", "up")
	}
	return h
}

// missing skips, or fails where nothing may be missing.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("PLIMSOLL_REQUIRE_SERVERS") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if text, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, text)
	}
}

// in starts a command in a namespace; it ends with the test.
func in(t *testing.T, ns string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "ip", append([]string{"netns", "exec", ns}, args...)...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s:\n%s", args[0], text)
		}
	})
}

// run waits for a command in a namespace and returns what it said.
func (h hosts) run(t *testing.T, ns string, args ...string) (string, error) {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "ip", append([]string{"netns", "exec", ns}, args...)...).CombinedOutput()
	return string(text), err
}

func TestAnEnrolledAgentIsReadOverTheNetworkAndByNobodyElse(t *testing.T) {
	h, dir := newHosts(t), t.TempDir()
	bin := buildPrograms(t)
	write(t, filepath.Join(dir, "plimsoll.yml"), fmt.Sprintf(`data: %[1]s/data
interval: 1s
agents:
  - static_configs: [{targets: ["%[2]s:9897"]}]
    tls_config: {ca_file: %[1]s/data/ca/ca.pem, cert_file: %[1]s/data/ca/advisor.crt, key_file: %[1]s/data/ca/advisor.key}
`, dir, agentAddress))
	mustRun(t, filepath.Join(bin, "plimsoll"), "enroll", agentAddress, advisorAddress, "--config", filepath.Join(dir, "plimsoll.yml"), "--output", dir)
	mustRun(t, filepath.Join(bin, "plimsoll-agent"), "init", "-bundle", filepath.Join(dir, "plimsoll-"+agentAddress+".tar"), "-dir", filepath.Join(dir, "installed"))
	mustRun(t, filepath.Join(bin, "plimsoll-agent"), "init", "-bundle", filepath.Join(dir, "plimsoll-"+advisorAddress+".tar"), "-dir", filepath.Join(dir, "other"))
	write(t, filepath.Join(dir, "agent.yml"), fmt.Sprintf("host: web1\nsocket: %[1]s/agent.sock\nstate: %[1]s/state\nlisten: %[2]s:9897\nweb_config_file: %[1]s/installed/web.yml\n",
		dir, agentAddress))

	in(t, h.agent, filepath.Join(bin, "plimsoll-agent"), "run", "-config", filepath.Join(dir, "agent.yml"))
	in(t, h.advisor, filepath.Join(bin, "plimsoll"), "serve", "--config", filepath.Join(dir, "plimsoll.yml"))

	if r := waitForHost(t, filepath.Join(dir, "data", "reports", "latest.json")); r.Hosts[0].Name != "web1" {
		t.Errorf("host in the report = %q, want web1", r.Hosts[0].Name)
	}
	curl := []string{"curl", "-sS", "--max-time", "5", "--cacert", filepath.Join(dir, "data", "ca", "ca.pem")}
	url := "https://" + agentAddress + ":9897/v1/snapshot"
	if text, err := h.run(t, h.advisor, append(curl, url)...); err == nil {
		t.Errorf("an agent answered a client without a certificate: %s", text)
	}
	stranger := append(curl, "--cert", filepath.Join(dir, "other", "agent.crt"), "--key", filepath.Join(dir, "other", "agent.key"), url)
	if text, err := h.run(t, h.advisor, stranger...); err == nil {
		t.Errorf("an agent answered to another agent's certificate: %s", text)
	}
	advisor := append(curl, "--cert", filepath.Join(dir, "data", "ca", "advisor.crt"), "--key", filepath.Join(dir, "data", "ca", "advisor.key"), url)
	if text, err := h.run(t, h.advisor, advisor...); err != nil || !strings.Contains(text, "agent_id") {
		t.Errorf("the advisor's certificate was refused: %v: %s", err, text)
	}
}

func buildPrograms(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", dir+"/", "plimsoll/cmd/plimsoll", "plimsoll/cmd/plimsoll-agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	return dir
}

func mustRun(t *testing.T, args ...string) {
	t.Helper()
	if text, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, text)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// waitForHost waits for a report that has seen a host.
func waitForHost(t *testing.T, path string) *report.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		if r, err := readReport(path); err == nil && len(r.Hosts) > 0 {
			return r
		} else if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Fatalf("no host in the report after 30 s: %v, %+v", err, r)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func readReport(path string) (*report.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return report.Read(f)
}
