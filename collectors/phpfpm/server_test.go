package phpfpm

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// collect runs a collector once and returns the pool of f that has the name.
func collect(t *testing.T, c collectors.Collector, f *servers.FPM, name string) (snapshot.FPMPool, []snapshot.Gap) {
	t.Helper()
	var s snapshot.Snapshot
	if err := c.Collect(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	if s.PHP == nil {
		t.Fatal("no PHP-FPM was found")
	}
	i := slices.IndexFunc(s.PHP.Pools, func(p snapshot.FPMPool) bool { return p.Server == f.Listen(name) })
	if i < 0 {
		t.Fatalf("pools = %+v, want one at %s", s.PHP.Pools, f.Listen(name))
	}
	var gaps []snapshot.Gap
	for _, g := range s.PHP.Gaps {
		if g.Subject == name || g.Subject == "" {
			gaps = append(gaps, g)
		}
	}
	return s.PHP.Pools[i], gaps
}

// request occupies workers of a pool until the test ends: n requests that sleep.
func occupy(t *testing.T, f *servers.FPM, pool string, n int) {
	t.Helper()
	script := f.Script(t, "sleep.php", "<?php sleep(300);")
	network, address := dialable(f.Listen(pool))
	for range n {
		conn, err := net.Dial(network, address) //nolint:noctx // on loopback, to a socket that listens
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := conn.Write(request(script, "")); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually waits for what another process is about to do.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	const patience = 30 * time.Second
	for end := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %s it is not so that %s", patience, what)
		}
	}
}

// waiting is how many connections wait in front of a pool, by the kernel's count.
func waiting(t *testing.T, f *servers.FPM, pool string) int {
	t.Helper()
	all, err := OurQueues()
	if err != nil {
		t.Fatal(err)
	}
	queue, _, found := all.Of(f.Listen(pool))
	if !found {
		t.Fatalf("nobody listens at %s", f.Listen(pool))
	}
	return queue.Waiting
}

func TestASaturatedPoolShowsItsTrueQueueAndStillAnswers(t *testing.T) {
	for _, tcp := range []bool{false, true} {
		f := servers.StartPHP(t, servers.PHP82, servers.Pool{Name: "busy", Children: 2, StatusListen: true, TCP: tcp})
		occupy(t, f, "busy", 5)
		c := &collector{proc: "/proc"}
		var pool snapshot.FPMPool
		eventually(t, "two requests are served and three wait", func() bool {
			pool, _ = collect(t, c, f, "busy")
			return pool.Queue != nil && pool.Queue.Waiting == 3 && pool.Status != nil && pool.Status.Active == 2
		})
		if pool.Config == nil || pool.Config.MaxChildren != 2 || pool.Config.Manager != "static" || pool.Workers != 2 {
			t.Errorf("pool = %+v with %+v, want two workers, static", pool, pool.Config)
		}
		again, _ := collect(t, c, f, "busy")
		if a, b := pool.QueueLooks, again.QueueLooks; a == nil || b.Looks != a.Looks+1 || b.Waiting != a.Waiting+1 || a.Waiting > a.Looks {
			t.Errorf("looks at the queue = %+v, then %+v, want one more, which met it", a, b)
		}
		if pool.Queue.Length == nil || *pool.Queue.Length < 3 {
			t.Errorf("queue = %+v, want a length of 3 at least", pool.Queue)
		}
		if pool.Version != "8.2" || time.Since(pool.Started) > time.Minute || pool.Contained {
			t.Errorf("pool = %+v, want PHP 8.2 that has just started on this host", pool)
		}
		if pool.ResidentBytes == nil || *pool.ResidentBytes < 1<<20 || pool.CPUSeconds == nil {
			t.Errorf("pool = %+v, want memory and processor time", pool)
		}
	}
}

func TestABusyPoolIsNotAskedOnItsOwnSocket(t *testing.T) {
	f := servers.StartPHP(t, servers.PHP82, servers.Pool{Name: "small", Children: 3, StatusPage: true})
	// Each look is the first one of a collector: one that got no answer leaves a pool alone for a minute.
	look := func() (snapshot.FPMPool, []snapshot.Gap) { return collect(t, &collector{proc: "/proc"}, f, "small") }
	eventually(t, "a pool with free workers shows its status", func() bool {
		free, _ := look()
		return free.Status != nil && free.Status.Accepted > 0
	})
	occupy(t, f, "small", 4)
	var busy snapshot.FPMPool
	var gaps []snapshot.Gap
	eventually(t, "a pool is looked at without one more connection that waits for its workers", func() bool {
		before := waiting(t, f, "small")
		busy, gaps = look()
		return before > 0 && waiting(t, f, "small") == before
	})
	if busy.Status != nil || !slices.ContainsFunc(gaps, func(g snapshot.Gap) bool { return strings.Contains(g.Remedy, "pm.status_listen") }) {
		t.Errorf("status = %+v, gaps = %+v, want a gap that names pm.status_listen", busy.Status, gaps)
	}
}

func TestAPoolWithoutAStatusPageIsAGap(t *testing.T) {
	f := servers.StartPHP(t, servers.PHP82, servers.Pool{Name: "blank"})
	pool, gaps := collect(t, &collector{proc: "/proc"}, f, "blank")
	if pool.Status != nil || !slices.ContainsFunc(gaps, func(g snapshot.Gap) bool { return strings.Contains(g.Reason, "it has no status page") }) {
		t.Errorf("status = %+v, gaps = %+v, want that there is no status page", pool.Status, gaps)
	}
}

// FPM answers at pm.status_listen by a pool of its own making.
func TestThePoolOfAStatusPageIsNone(t *testing.T) {
	c := &collector{proc: "/proc"}
	for _, manager := range []string{"static", "ondemand"} {
		f := servers.StartPHP(t, servers.PHP82, servers.Pool{Name: manager, StatusListen: true, Settings: []string{"pm = " + manager}})
		eventually(t, "the status page answers", func() bool { // its worker is there from the first answer on
			pool, _ := collect(t, c, f, manager)
			return pool.Status != nil
		})
	}
	var s snapshot.Snapshot
	if err := c.Collect(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	for _, p := range s.PHP.Pools {
		if p.Name == "static_status" || p.Name == "ondemand_status" {
			t.Errorf("pool %s at %q was found", p.Name, p.Server)
		}
	}
}

func TestAnOndemandPoolWithoutWorkersIsKnown(t *testing.T) {
	f := servers.StartPHP(t, servers.PHP82, servers.Pool{Name: "rare", StatusListen: true, Settings: []string{"pm = ondemand"}}, servers.Pool{Name: "www", Children: 1})
	c := &collector{proc: "/proc"}
	var pool snapshot.FPMPool
	eventually(t, "a pool without workers shows its status", func() bool {
		pool, _ = collect(t, c, f, "rare")
		return pool.Status != nil
	})
	if pool.Workers != 0 || pool.Config == nil || pool.Config.Manager != "ondemand" {
		t.Errorf("pool = %+v, want no worker, and a configuration all the same", pool)
	}
}

func TestTotalsGoOnAfterARestartOfTheAgent(t *testing.T) {
	f := servers.StartPHP(t, servers.PHP82, servers.Pool{Name: "work", Children: 1})
	script := f.Script(t, "burn.php", `<?php function used() { $u = getrusage(); return $u["ru_utime.tv_sec"] + $u["ru_utime.tv_usec"] / 1e6 + $u["ru_stime.tv_sec"] + $u["ru_stime.tv_usec"] / 1e6; }
		$end = used() + 0.15; while (used() < $end) { md5("x"); } echo "done";`)
	burn := func() {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		network, address := dialable(f.Listen("work"))
		if text, err := get(ctx, network, address, script, ""); err != nil || string(text) != "done" {
			t.Fatalf("burn: %q, %v", text, err)
		}
	}
	first := &collector{proc: "/proc"}
	begin, _ := collect(t, first, f, "work")
	burn()
	middle, _ := collect(t, first, f, "work")
	state, err := first.Save()
	if err != nil {
		t.Fatal(err)
	}
	burn()
	second := &collector{proc: "/proc"}
	if err := second.Load(state); err != nil {
		t.Fatal(err)
	}
	end, _ := collect(t, second, f, "work")
	if *begin.CPUSeconds != 0 || *middle.CPUSeconds < 0.1 || *end.CPUSeconds < *middle.CPUSeconds+0.1 {
		t.Errorf("processor seconds = %v, %v, %v, want 0 and then 0.15 more each", *begin.CPUSeconds, *middle.CPUSeconds, *end.CPUSeconds)
	}
	if first.kept.Epoch != second.kept.Epoch {
		t.Errorf("epoch = %s, want %s still", second.kept.Epoch, first.kept.Epoch)
	}
	if err := second.Load(json.RawMessage(`{"pools":{}}`)); err == nil {
		t.Error("a state without an epoch was taken up")
	}
}

func TestTheProbesAnswerIsTakenOver(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "probe.sock")
	listener, err := net.Listen("unix", socket) //nolint:noctx // it does not wait
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte(`{"taken":"2026-11-27T12:00:00Z","epoch":"e","version":"1","hertz":20,"pools":[{"name":"www"}]}`))
			_ = conn.Close()
		}
	}()
	var s snapshot.Snapshot
	p := &profile{proc: "/proc", socket: socket}
	if err := p.Collect(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	if s.PHPProfile == nil || s.PHPProfile.Hertz != 20 || len(s.PHPProfile.Pools) != 1 {
		t.Errorf("profile = %+v, want what the probe said", s.PHPProfile)
	}
}

func TestAHostWithPHPAndNoProbeSaysWhatItWouldAdd(t *testing.T) {
	p := newProc(t)
	var none snapshot.Snapshot
	missing := &profile{proc: p.dir, socket: filepath.Join(t.TempDir(), "none.sock")}
	if err := missing.Collect(t.Context(), &none); err != nil || none.PHPProfile != nil {
		t.Errorf("a host without PHP: %+v, %v, want nothing", none.PHPProfile, err)
	}
	p.add(700, 1, "php-fpm: master process (/etc/php-fpm.conf)", "700")
	var s snapshot.Snapshot
	if err := missing.Collect(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	if s.PHPProfile == nil || len(s.PHPProfile.Gaps) != 1 || !strings.Contains(s.PHPProfile.Gaps[0].Remedy, "install the package plimsoll-probe") {
		t.Errorf("profile = %+v, want a gap that says what to install", s.PHPProfile)
	}
}

func TestAProbeThatIsStoppedIsNotTakenForMissing(t *testing.T) {
	host := newProc(t)
	host.add(700, 1, "php-fpm: master process (/etc/php-fpm.conf)", "700")
	socket := filepath.Join(t.TempDir(), "probe.sock")
	p := &profile{proc: host.dir, socket: socket}
	gap := func() snapshot.Gap {
		t.Helper()
		var s snapshot.Snapshot
		if err := p.Collect(t.Context(), &s); err != nil || s.PHPProfile == nil || len(s.PHPProfile.Gaps) != 1 {
			t.Fatalf("profile = %+v, %v, want one gap", s.PHPProfile, err)
		}
		return s.PHPProfile.Gaps[0]
	}
	if got := gap(); !strings.Contains(got.Remedy, "install the package plimsoll-probe") || !strings.Contains(got.Remedy, "systemctl start") {
		t.Errorf("gap of a probe that never answered = %+v, want that it is to be installed, or started", got)
	}
	l, err := net.Listen("unix", socket) //nolint:noctx // a socket of this test's own
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		if conn, err := l.Accept(); err == nil {
			_, _ = conn.Write([]byte(`{"epoch": "e", "taken": "2026-11-27T12:00:00Z", "pools": []}`))
			_ = conn.Close()
		}
	}()
	var s snapshot.Snapshot
	if err := p.Collect(t.Context(), &s); err != nil || s.PHPProfile.Epoch != "e" {
		t.Fatalf("profile = %+v, %v, want what the probe said", s.PHPProfile, err)
	}
	<-answered
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"a socket that nobody listens on", "no socket"} {
		if got := gap(); !strings.HasPrefix(got.Remedy, "systemctl start plimsoll-probe") {
			t.Errorf("%s: gap = %+v, want that it is to be started", state, got)
		}
		_ = os.Remove(socket)
	}
}
