package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plimsoll/collectors/phpfpm"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// TestALargePoolIsReadWithinTheLimit has 400 of 500 workers wake up all the time, so that there is something to be read
// of each at each look: many times what the limit allows.
func TestALargePoolIsReadWithinTheLimit(t *testing.T) {
	const workers, clients = 500, 400
	// On a busy machine it takes the probe a second to find so large a pool.
	long, patience := 16*time.Second, 2*time.Second
	if os.Getenv("PLIMSOLL_FULL") == "1" {
		long = 2 * time.Minute
	}
	fpm := servers.StartPHP(t, servers.PHP82, servers.Pool{Children: workers, Settings: []string{"pm = static"}})
	fpm.Script(t, "index.php", `<?php for ($i = 0; $i < 15; $i++) usleep(50000); echo 'done';`)
	nginx := servers.StartNginx(t, servers.FrontController(fpm.Root, fpm.Listen("www"))...)
	stop := load(t, clients, nginx.URL)
	p := startProbe(t, long)
	p.watch(t, long-time.Second)
	asked := stop() // What was going on is booked when it ends.
	profile := p.end(t)
	p.holdShare(t, 0.022)

	pool := poolAt(profile, fpm.Listen("www"))
	if pool == nil {
		t.Fatalf("no pool listens at %s; gaps: %+v", fpm.Listen("www"), profile.Gaps)
	}
	wall := profile.Taken.Sub(profile.Started).Seconds()
	var states float64
	for _, state := range pool.States {
		states += state.Seconds
	}
	t.Logf("%.2f %% in the worst 10 s, %.2f %% in all, %d MiB, %d bytes of JSON, %d looks at workers in %d at %g Hz, %.0f of %.0f worker-seconds, %.0f unknown, %d requests of %d",
		100*p.worst(3*time.Second, 10*time.Second), 100*p.worst(0, wallOf(p.used)), p.memory>>20, p.size, profile.Samples, profile.Ticks, profile.Hertz,
		states, workers*wall, pool.States[snapshot.PHPUnknown].Seconds, pool.Requests, asked)
	if pool.Workers != workers || pool.MaxBusy < clients*9/10 {
		t.Errorf("%d workers, at most %d busy, want %d and about %d", pool.Workers, pool.MaxBusy, workers, clients)
	}
	// Each client may have had some requests before the probe had found the pool.
	if got := int(pool.Requests); got > asked || got < asked-3*clients {
		t.Errorf("%d requests, want about the %d that were asked for", got, asked)
	}
	if math.Abs(states-pool.WorkerSeconds) > 1e-6*states || states > workers*wall || states < workers*(wall-patience.Seconds()) {
		t.Errorf("all states = %.1f s, want %d workers for %.1f s: %.1f", states, workers, wall, workers*wall)
	}
	if gaps := gapsAbout(profile, fpm.Listen("www")); len(gaps) > 0 {
		t.Errorf("gaps: %+v", gaps)
	}
	if p.memory > 64<<20 { // MemoryMax of its unit.
		t.Errorf("the probe took %d MiB, want at most 64", p.memory>>20)
	}
	if p.size > phpfpm.MaxProfile {
		t.Errorf("the profile has %d bytes, want at most %d", p.size, phpfpm.MaxProfile)
	}
}

// load has clients ask for a page over and over until it is stopped, which returns how often they did.
func load(t *testing.T, clients int, url string) (stop func() (asked int)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	var asked atomic.Int64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	for range clients {
		running.Go(func() {
			for ctx.Err() == nil {
				if err := ask(context.WithoutCancel(ctx), client, url); err != nil {
					t.Error(err)
					return
				}
				asked.Add(1)
			}
		})
	}
	stop = sync.OnceValue(func() int {
		cancel()
		running.Wait()
		client.CloseIdleConnections()
		return int(asked.Load())
	})
	t.Cleanup(func() { stop() })
	return stop
}

func ask(ctx context.Context, client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err == nil && string(body) != "done" {
		err = fmt.Errorf("%s answers %s: %.200s", url, answer.Status, body)
	}
	return err
}

// probe is a running probe with the default limit, and what it used since its start.
type probe struct {
	command *exec.Cmd
	out     bytes.Buffer
	used    []usage
	memory  uint64 // the most that was resident
	size    int    // of its profile
}

// usage is what was used at some moment between two.
type usage struct{ from, to, used time.Duration }

func startProbe(t *testing.T, long time.Duration) *probe {
	t.Helper()
	p := &probe{command: exec.CommandContext(t.Context(), "plimsoll-probe", "-print", long.String())}
	p.command.Stdout, p.command.Stderr = &p.out, os.Stderr
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// watch asks the kernel now and then what the probe has used.
func (p *probe) watch(t *testing.T, long time.Duration) {
	t.Helper()
	begin := time.Now()
	p.used = []usage{{}}
	for tick := time.NewTicker(100 * time.Millisecond); time.Since(begin) < long; <-tick.C {
		from := time.Since(begin)
		used, err := processorTime(p.command.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		p.used = append(p.used, usage{from, time.Since(begin), used})
		p.memory = max(p.memory, mostResident(t, p.command.Process.Pid))
	}
	if p.memory == 0 {
		t.Error("the kernel does not tell the probe's memory")
	}
}

// mostResident is the most memory that a process had; 0 if it has just ended.
func mostResident(t *testing.T, pid int) uint64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(status), "VmHWM:")
	if !found {
		return 0
	}
	kb, err := strconv.ParseUint(strings.Fields(after)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

// processorTime is what all threads of a process have used, to the nanosecond.
func processorTime(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

func (p *probe) end(t *testing.T) *snapshot.PHPProfile {
	t.Helper()
	if err := p.command.Wait(); err != nil {
		t.Fatal(err)
	}
	p.size = p.out.Len()
	var profile snapshot.PHPProfile
	if err := json.Unmarshal(p.out.Bytes(), &profile); err != nil {
		t.Fatal(err)
	}
	return &profile
}

// holdShare wants the limit held in any ten seconds, and over all with the start.
func (p *probe) holdShare(t *testing.T, most float64) {
	t.Helper()
	if got := p.worst(3*time.Second, 10*time.Second); got > most {
		t.Errorf("%.2f %% of a processor in 10 s, want at most %.2f", 100*got, 100*most)
	}
	if got := p.worst(0, wallOf(p.used)); got > most {
		t.Errorf("%.2f %% of a processor with the start, want at most %.2f", 100*got, 100*most)
	}
}

func wallOf(used []usage) time.Duration { return used[len(used)-1].to }

// worst returns the largest share of a processor in any window that begins a while after the start. What it counts was
// used within the window, however late the test itself was.
func (p *probe) worst(begin, window time.Duration) (share float64) {
	first := 0
	for _, u := range p.used {
		for p.used[first].from < begin || u.to-p.used[first].from > window {
			if first++; first == len(p.used) {
				return share
			}
		}
		share = max(share, float64(u.used-p.used[first].used)/float64(window))
	}
	return share
}
