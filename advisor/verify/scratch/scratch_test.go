package scratch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/fixtures/servers"
)

func TestServerIsGoneAfterClose(t *testing.T) {
	s := start(t, scratch.Config{TCP: true})
	if !strings.Contains(s.Version, "10.11.") {
		t.Errorf("Version = %s, want 10.11", s.Version)
	}
	if comm := processName(s.Pid()); comm != "mariadbd" {
		t.Errorf("process name = %q, want mariadbd", comm)
	}
	for network, address := range map[string]string{"unix": s.Socket, "tcp": s.Addr} {
		if !greets(network, address) {
			t.Errorf("no greeting on %s", address)
		}
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Errorf("Close twice = %v, want no error", err)
	}
	if comm := processName(s.Pid()); comm != "" {
		t.Errorf("process %d still runs: %s", s.Pid(), comm)
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder %s is still there", s.Dir)
	}
}

func TestServerWithoutTCPHasNoAddress(t *testing.T) {
	s := start(t, scratch.Config{})
	if s.Addr != "" {
		t.Errorf("Addr = %s, want none", s.Addr)
	}
}

func TestTwoServersRunAtATime(t *testing.T) {
	a, b := start(t, scratch.Config{TCP: true}), start(t, scratch.Config{TCP: true})
	for _, s := range []*scratch.Server{a, b} {
		if !greets("tcp", s.Addr) {
			t.Errorf("no greeting on %s", s.Addr)
		}
	}
}

func TestPausedServerGreetsOnlyAfterContinue(t *testing.T) {
	s := start(t, scratch.Config{})
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	if greets("unix", s.Socket) {
		t.Error("a paused server greets")
	}
	if err := s.Continue(); err != nil {
		t.Fatal(err)
	}
	if !greets("unix", s.Socket) {
		t.Error("no greeting after Continue")
	}
}

func TestKilledServerRestartsInItsPlace(t *testing.T) {
	s := start(t, scratch.Config{TCP: true})
	socket, addr, pid := s.Socket, s.Addr, s.Pid()
	s.Kill()
	if greets("unix", socket) {
		t.Error("a killed server greets")
	}
	if err := s.Pause(); err == nil {
		t.Error("Pause of a killed server reports no error")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.Socket != socket || s.Addr != addr || s.Pid() == pid {
		t.Errorf("restarted as %s %s %d, want %s %s and another process", s.Socket, s.Addr, s.Pid(), socket, addr)
	}
	if !greets("tcp", addr) {
		t.Errorf("no greeting on %s after Restart", addr)
	}
}

func TestPausedServerStops(t *testing.T) {
	s := start(t, scratch.Config{})
	if err := errors.Join(s.Pause(), s.Stop(t.Context())); err != nil {
		t.Fatal(err)
	}
	if comm := processName(s.Pid()); comm != "" {
		t.Errorf("process %d still runs after Stop: %s", s.Pid(), comm)
	}
}

func TestStartErrorShowsTheLog(t *testing.T) {
	c := servers.ScratchConfig(t, servers.MariaDB1011)
	c.Settings = []string{"no_such_variable=1"}
	_, err := scratch.Start(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "unknown variable 'no_such_variable=1'") {
		t.Errorf("Start = %v, want the server's own words", err)
	}
}

func TestMissingServerSaysWhatToInstall(t *testing.T) {
	_, err := scratch.Find(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "install mariadb-server-core") {
		t.Errorf("Find = %v, want what to install", err)
	}
}

// TestServerDiesWithItsStarter runs itself in another process, which starts a
// server and is killed.
func TestServerDiesWithItsStarter(t *testing.T) {
	const child = "PLIMSOLL_TEST_STARTER"
	if os.Getenv(child) != "" {
		s := start(t, scratch.Config{})
		fmt.Println("pid", s.Pid())
		select {}
	}
	servers.ScratchConfig(t, servers.MariaDB1011) // skips here rather than there
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServerDiesWithItsStarter$")
	cmd.Env = append(os.Environ(), child+"=1", "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := readPid(t, bufio.NewScanner(out))
	if comm := processName(pid); comm != "mariadbd" {
		t.Fatalf("process %d = %q, want mariadbd", pid, comm)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for range 100 {
		if processName(pid) == "" {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("server %d outlives its starter", pid)
}

func readPid(t *testing.T, lines *bufio.Scanner) (pid int) {
	t.Helper()
	for lines.Scan() {
		if _, err := fmt.Sscanf(lines.Text(), "pid %d", &pid); err == nil {
			return pid
		}
	}
	t.Fatalf("the starter printed no process id: %v", lines.Err())
	return 0
}

// start starts a MariaDB 10.11 that is closed with the test.
func start(t *testing.T, c scratch.Config) *scratch.Server {
	t.Helper()
	from := servers.ScratchConfig(t, servers.MariaDB1011)
	c.Program, c.Template = from.Program, from.Template
	s, err := scratch.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// greets reports whether a server sends anything within half a second.
func greets(network, address string) bool {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(context.Background(), network, address)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	n, _ := conn.Read(make([]byte, 64))
	return n > 0
}

// processName is the name of a running process, empty if there is none.
func processName(pid int) string {
	name, _ := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "comm"))
	return strings.TrimSpace(string(name))
}
