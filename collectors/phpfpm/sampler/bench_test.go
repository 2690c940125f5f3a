package sampler

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// needBench skips what costs minutes. PLIMSOLL_BENCH_SECONDS is how long each thing is watched, and
// PLIMSOLL_BENCH_ROUNDS how often.
func needBench(b *testing.B) (long time.Duration, rounds int) {
	b.Helper()
	if os.Getenv("PLIMSOLL_BENCH") != "1" {
		b.Skip("costs minutes: make bench-probe")
	}
	number := func(name string, otherwise int) int {
		n, err := strconv.Atoi(cmp.Or(os.Getenv(name), strconv.Itoa(otherwise)))
		if err != nil {
			b.Fatalf("%s: %v", name, err)
		}
		return n
	}
	return time.Duration(number("PLIMSOLL_BENCH_SECONDS", 30)) * time.Second, number("PLIMSOLL_BENCH_ROUNDS", 10)
}

// long and short waits, in milliseconds; N is a number among many.
func longWaits() []string {
	return []string{
		"/product/N?pdo=22&redis=21&cpu=2", "/category/N?pdo=45&search=35&redis=25", "/search?search=60&pdo=30&cpu=4",
		"/checkout?http=80&pdo=25&prepared=25", "/account?mysqli=40&sleep=30&redis=22", "/report?pdo=150&http=30", "/cart?redis=40&sleep=25&search=20",
	}
}

func shortWaits() []string {
	return []string{
		"/a/N?pdo=1&redis=2&search=1&http=1&cpu=1", "/b/N?mysqli=3&redis=5&search=4&http=2&sleep=3", "/c/N?pdo=8&redis=10&search=9&http=10&sleep=8",
	}
}

// BenchmarkProbeAccuracy compares with the scripts' own clocks, and prints the table of docs/accuracy.md.
func BenchmarkProbeAccuracy(b *testing.B) {
	long, rounds := needBench(b)
	for name, pages := range map[string][]string{"waits of 20 ms and more": longWaits(), "waits of 1 to 10 ms": shortWaits()} {
		for _, hertz := range []float64{20, 50} {
			b.Run(fmt.Sprintf("%s/%g Hz", name, hertz), func(b *testing.B) {
				s := newSite(b, servers.PHP82, servers.Pool{Children: 24})
				var all comparison
				for range rounds {
					var truth map[string]float64
					profile := s.sample(b, s.options(hertz), func() { truth = s.load(b, 12, long, pages...) })
					all.add(poolOf(b, profile, s.listen), truth)
				}
				all.print(b)
			})
		}
	}
}

// comparison is what was sampled beside what was true, over some rounds.
type comparison struct {
	busy, trueBusy, worst       float64
	seconds, truth, variance    map[snapshot.PHPState]float64
	waits                       map[snapshot.PHPState]uint64
	queue, unknown, cpu, rounds float64
}

func (c *comparison) add(p snapshot.PoolProfile, truth map[string]float64) {
	if c.seconds == nil {
		c.seconds, c.truth = map[snapshot.PHPState]float64{}, map[snapshot.PHPState]float64{}
		c.variance, c.waits = map[snapshot.PHPState]float64{}, map[snapshot.PHPState]uint64{}
	}
	c.rounds++
	c.busy += busySeconds(p)
	c.trueBusy += truth["busy"]
	c.worst = max(c.worst, math.Abs(busySeconds(p)/truth["busy"]-1))
	c.queue += p.States[snapshot.PHPRunQueue].Seconds
	c.cpu += p.States[snapshot.PHPCPU].Seconds
	c.unknown += p.States[snapshot.PHPUnknown].Seconds
	for _, state := range snapshot.PHPStates() {
		if _, ok := truth[string(state)]; ok && state != snapshot.PHPCPU {
			c.seconds[state] += p.States[state].Seconds
			c.variance[state] += p.States[state].Variance
			c.waits[state] += p.States[state].Waits
			c.truth[state] += truth[string(state)]
		}
	}
}

func (c *comparison) print(b *testing.B) {
	b.Helper()
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "state\tsampled s\ttrue s\tdifference\t95 % interval\twaits seen")
	fmt.Fprintf(w, "busy\t%.2f\t%.2f\t%+.2f %%\tworst round %.2f %%\t\n", c.busy, c.trueBusy, 100*(c.busy/c.trueBusy-1), 100*c.worst)
	for _, state := range snapshot.PHPStates() {
		if want := c.truth[state]; want > 0 {
			fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%+.2f %%\t± %.2f %%\t%d\n", state, c.seconds[state], want,
				100*(c.seconds[state]/want-1), 196*math.Sqrt(c.variance[state])/want, c.waits[state])
		}
	}
	fmt.Fprintf(w, "cpu\t%.2f\t\t\t\t\nrunqueue\t%.2f\t\t\t\t\nunknown\t%.2f\t\t%.2f %% of busy\t\t\n", c.cpu, c.queue, c.unknown, 100*c.unknown/c.busy)
	_ = w.Flush()
	fmt.Printf("\n%s, %g rounds\n%s", b.Name(), c.rounds, out.String())
}

// BenchmarkProbeCost prints what the probe takes of a processor, for the table of docs/overhead.md.
func BenchmarkProbeCost(b *testing.B) {
	long, _ := needBench(b)
	program := filepath.Join(b.TempDir(), "plimsoll-probe")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, "plimsoll/cmd/plimsoll-probe").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	s := newSite(b, servers.PHP82, servers.Pool{Children: 104, StatusListen: true})
	for _, work := range []struct {
		name    string
		clients int
		pages   []string
	}{
		{"idle", 0, nil},
		{"100 workers that wait", 100, []string{"/wait?sleep=5000"}},
		{"100 workers, waits of 1 to 10 ms", 100, shortWaits()},
	} {
		for _, hertz := range []int{20, 100} {
			for _, most := range []string{"1", "0.02"} {
				stop := s.keepBusy(b, work.clients, work.pages)
				p := runProbe(b, program, long, "-hertz", strconv.Itoa(hertz), "-max-cpu", most)
				stop()
				fmt.Printf("%s, %d Hz, at most %s of a processor: %.2f %% of a processor, %.1f µs a look, %d looks, %d late of %d\n",
					work.name, hertz, most, 100*p.CPUSeconds/long.Seconds(), 1e6*p.CPUSeconds/max(1, float64(p.Samples)), p.Samples, p.LateTicks, p.Ticks)
			}
		}
	}
}

// BenchmarkProbeEffect prints what PHP's workers use a request with the probe, without, and with somebody who asks
// for the full status page as often, in turns.
func BenchmarkProbeEffect(b *testing.B) {
	long, rounds := needBench(b)
	s := newSite(b, servers.PHP82, servers.Pool{Children: 16, StatusListen: true})
	status := servers.StartNginx(b, "location / { fastcgi_pass unix:"+s.fpm.StatusListen("www")+"; fastcgi_param SCRIPT_NAME "+
		servers.StatusPath+"; fastcgi_param SCRIPT_FILENAME "+servers.StatusPath+"; }")
	poll := site{url: status.URL}
	kinds := map[string]func(context.Context){
		"nobody":          func(context.Context) {},
		"probe at 20 Hz":  func(ctx context.Context) { _ = New(Options{Hertz: 20, MostCPU: noLimit}).Run(ctx) },
		"probe at 100 Hz": func(ctx context.Context) { _ = New(Options{Hertz: 100, MostCPU: noLimit}).Run(ctx) },
		"status page, 20 a second": func(ctx context.Context) {
			for tick := time.NewTicker(50 * time.Millisecond); ctx.Err() == nil; <-tick.C {
				_, _ = poll.ask(ctx, "/?full&json")
			}
		},
	}
	perRequest := map[string][]float64{}
	for range rounds {
		for name, watch := range kinds {
			ctx, cancel := context.WithCancel(b.Context())
			var watching sync.WaitGroup
			watching.Go(func() { watch(ctx) })
			before := s.processorSeconds(b)
			truth := s.load(b, 4, long/4, shortWaits()...)
			perRequest[name] = append(perRequest[name], 1e3*(s.processorSeconds(b)-before)/truth["requests"])
			cancel()
			watching.Wait()
		}
	}
	for name, all := range perRequest {
		fmt.Printf("%-26s %.3f ms of a processor a request (%.3f)\n", name, mean(all), all)
	}
}

func mean(all []float64) float64 {
	var sum float64
	for _, v := range all {
		sum += v
	}
	return sum / float64(len(all))
}

// processorSeconds is what all processes of FPM have used, the page of the status included.
func (s *site) processorSeconds(b *testing.B) float64 {
	b.Helper()
	master := masterOf(b, s.fpm.Configuration)
	var sum float64
	for _, pid := range append(childrenOf("/proc", master), master) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if err != nil {
			b.Fatal(err)
		}
		one, _ := parseSched(text)
		sum += float64(one.cpu) / 1e9
	}
	return sum
}

// keepBusy asks for pages until it is stopped.
func (s *site) keepBusy(b *testing.B, clients int, pages []string) (stop func()) {
	b.Helper()
	if clients == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	for i := range clients {
		running.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				_, _ = s.ask(ctx, pages[n%len(pages)])
			}
		})
	}
	time.Sleep(2 * time.Second)
	return func() {
		cancel()
		running.Wait()
	}
}

func runProbe(b *testing.B, program string, long time.Duration, args ...string) *snapshot.PHPProfile {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), program, append(args, "-print", long.String())...).Output()
	if err != nil {
		b.Fatal(err)
	}
	var p snapshot.PHPProfile
	if err := json.Unmarshal(out, &p); err != nil {
		b.Fatal(err)
	}
	return &p
}
