package sampler

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"plimsoll/collectors/phpfpm"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// TestPoolsMayChangeWhileTheyAreLookedAt has FPM do all at once what it may do on a live site: reload, end workers
// after some requests, start them on demand, reset opcache, and be killed in parts.
func TestPoolsMayChangeWhileTheyAreLookedAt(t *testing.T) {
	s := newSite(t, servers.PHP82, servers.Pool{Children: 6, Settings: []string{"pm = ondemand", "pm.max_requests = 5"}})
	s.fpm.Script(t, "reset.php", "<?php opcache_reset(); echo '{}';")
	s.fpm.Script(t, "end.php", "<?php posix_kill(posix_getpid(), 9);")
	pages := []string{"/product/N?pdo=80&redis=60", "/product/N?pdo=60&redis=80", "/search/N?mysqli=80&sleep=60", "/reset.php"}
	sampler := samplerOf(s.configuration, Options{Hertz: 50, MostCPU: noLimit})
	var truth map[string]float64
	var awake float64
	wake := func() { // A pool of which no worker was seen yet takes a moment to be found.
		from := monotonic()
		eventually(t, "the pool is found", func() bool {
			said, err := s.ask(t.Context(), "/search/1?sleep=500")
			awake += said["busy"]
			return err == nil && isRead(sampler, s.listen, from)
		})
	}
	profile := s.sampleBy(t, sampler, func() {
		wake()
		truth = s.load(t, 4, 3*time.Second, pages...)
		for range 3 {
			_, _ = s.ask(t.Context(), "/end.php") // The worker ends before it can answer.
		}
		if err := s.fpm.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		wake()
		for what, seconds := range s.load(t, 4, 3*time.Second, pages...) {
			truth[what] += seconds
		}
	})
	pool := poolOf(t, profile, s.listen)
	// One worker in five requests is a new one, of which nothing is known before the look that finds it.
	unmet := truth["requests"] / 5 * profile.Taken.Sub(profile.Started).Seconds() / float64(profile.Ticks)
	t.Logf("%.2f s not met at most; %.2f to be found", unmet, awake)
	if got, want := busySeconds(pool), truth["busy"]; got < 0.97*want-unmet || got > 1.05*(want+awake)+beyondScripts(pool) {
		t.Errorf("busy = %.2f s, want %.2f by the scripts' clocks (%.2f beyond them)", got, want, beyondScripts(pool))
	}
	for _, r := range pool.Routes {
		if !slices.Contains([]string{"/product/{id}", "/search/{id}", "/reset.php", "/end.php", unknownRoute, snapshot.OtherRoute}, r.Route) {
			t.Errorf("%g requests for a route %q that nobody asked for", float64(r.Requests), r.Route)
		}
		// What waits for a processor when its answer is sent may be met without its parameters.
		waited := r.BusySeconds() - r.Seconds[snapshot.PHPRunQueue] - r.Seconds[snapshot.PHPCPU]
		if r.Route == unknownRoute && waited > 0.05*busySeconds(pool) {
			t.Errorf("%.2f s of %.2f are of unknown routes: %v", waited, busySeconds(pool), r.Seconds)
		}
	}
	if len(profile.Gaps) > 0 {
		t.Errorf("gaps: %+v", profile.Gaps)
	}
	holdNoSecrets(t, profile)
}

func TestContainersAndUpgradedProgramsAreReadToo(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make namespaces")
	}
	s := newSite(t, servers.PHP82, servers.Pool{})
	for name, wrapper := range map[string][]string{
		"a program that was replaced": nil,
		"the just-in-time compiler":   {},
		"namespaces of its own":       {"unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child"},
	} {
		t.Run(name, func(t *testing.T) {
			other := s.another(t, name == "the just-in-time compiler", wrapper...)
			if wrapper == nil {
				if err := os.Remove(filepath.Join(filepath.Dir(other.listen), "php-fpm")); err != nil {
					t.Fatal(err)
				}
			}
			var truth map[string]float64
			profile := other.sample(t, Options{Hertz: 50, MostCPU: noLimit}, func() {
				truth = other.load(t, 3, 2*time.Second, "/product/N?pdo=40&redis=30", "/checkout?sleep=20&http=30")
			})
			pool := poolOf(t, profile, other.listen)
			if got, want := busySeconds(pool), truth["busy"]; got < 0.9*want || got > 1.05*want+beyondScripts(pool) {
				t.Errorf("busy = %.2f s, want %.2f by the scripts' clocks (%.2f beyond them)", got, want, beyondScripts(pool))
			}
			if i := slices.IndexFunc(pool.Rows, func(r snapshot.ProfileRow) bool {
				return r.Route == "/product/{id}" && r.Call == "PDO::query" && r.Code == "Catalog::load" && r.Fingerprint != ""
			}); i < 0 {
				t.Errorf("nobody was seen waiting in PDO::query for a product: %+v\ngaps: %+v", pool.Rows, profile.Gaps)
			}
		})
	}
}

// another starts the site's scripts a second time, with a copy of its program.
func (s *site) another(t *testing.T, jit bool, wrapper ...string) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "plimsoll-fpm-") //nolint:usetesting // t.TempDir is closed to FPM's workers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	master := s.fpm.Configuration
	old := masterOf(t, master)
	program, configuration, listen := copyFPM(t, dir, old)
	args := append(slices.Clone(wrapper), "env", "-i", "PHP_INI_SCAN_DIR=", "LD_LIBRARY_PATH="+libraries(t, old))
	args = append(args, program, "--nodaemonize", "--fpm-config", configuration,
		"-c", filepath.Join(filepath.Dir(master), "php.ini"))
	if jit {
		args = append(args, "-d", "opcache.jit=tracing", "-d", "opcache.jit_buffer_size=32M")
	}
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir = s.fpm.Dir // Where its loader is.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("FPM says: %s", said.Bytes())
		}
	})
	eventually(t, "FPM starts", func() bool {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return strings.Contains(string(log), "ready to handle")
	})
	nginx := servers.StartNginx(t, servers.FrontController(s.fpm.Root, listen)...)
	other := &site{fpm: s.fpm, url: nginx.URL, configuration: configuration, listen: listen, search: s.search}
	if _, err := other.ask(t.Context(), "/"); err != nil { // A worker that answers has named itself, and is found.
		t.Fatal(err)
	}
	return other
}

// copyFPM copies the program of a master into a folder, with a configuration.
func copyFPM(t *testing.T, dir string, master int) (program, configuration, listen string) {
	t.Helper()
	copied, err := os.ReadFile(fmt.Sprintf("/proc/%d/exe", master))
	if err != nil {
		t.Fatal(err)
	}
	program, configuration, listen = filepath.Join(dir, "php-fpm"), filepath.Join(dir, "fpm.conf"), filepath.Join(dir, "www.sock")
	conf := fmt.Sprintf("[global]\nerror_log = %s/log\n[www]\nlisten = %s\nlisten.mode = 0666\nuser = www-data\npm = static\npm.max_children = 4\n", dir, listen)
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(program, copied, 0o755), //nolint:gosec // for FPM's workers
		os.WriteFile(configuration, []byte(conf), 0o600)); err != nil {
		t.Fatal(err)
	}
	return program, configuration, listen
}

// libraries returns the folders that a process has its libraries from. Its environment tells no more: FPM writes
// its title over it.
func libraries(t *testing.T, pid int) string {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, f := range mappedFiles(maps) {
		if dir := filepath.Dir(f.path); strings.Contains(f.path, ".so") && !slices.Contains(folders, dir) {
			folders = append(folders, dir)
		}
	}
	return strings.Join(folders, ":")
}

// masterOf returns the process that has a configuration.
func masterOf(t testing.TB, configuration string) int {
	t.Helper()
	for _, m := range findMasters(t) {
		if m.Config == configuration {
			return m.PID
		}
	}
	t.Fatalf("no master has %s", configuration)
	return 0
}

func findMasters(t testing.TB) []phpfpm.Master {
	t.Helper()
	masters, err := phpfpm.Find("/proc")
	if err != nil {
		t.Fatal(err)
	}
	return masters
}
