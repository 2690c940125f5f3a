package sampler

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"plimsoll/collectors/phpfpm"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// site is a PHP that waits as it is told: testdata/page.php behind nginx, with real servers to wait for.
type site struct {
	fpm *servers.FPM
	url string
	// configuration is FPM's, and listen the address of its pool: there may be others on the machine.
	configuration, listen string
	// search is an address that stands for a search engine's.
	search string
}

// noLimit is a MostCPU that leaves looks alone: all that this process does is paid from it, and it serves and loads
// the site too.
const noLimit = 100

func (s *site) options(hertz float64) Options {
	return Options{Hertz: hertz, MostCPU: noLimit, Backends: map[string]snapshot.PHPState{s.search: snapshot.PHPSearch}}
}

func newSite(t testing.TB, release servers.PHP, pool servers.Pool) *site {
	t.Helper()
	db := servers.Start(t, servers.MariaDB1011, servers.OpenSocket())
	db.CreateUser(t, "page")
	redis := servers.StartRedis(t)
	slow, search := slowServer(t), slowServer(t)
	fpm := servers.StartPHP(t, release, pool)
	code, err := os.ReadFile("testdata/page.php")
	if err != nil {
		t.Fatal(err)
	}
	fpm.Script(t, "index.php", string(code))
	host, port, err := net.SplitHostPort(db.Addr)
	if err != nil {
		t.Fatal(err)
	}
	env, err := json.Marshal(map[string]string{
		"pdo": "mysql:unix_socket=" + db.Socket, "tcp": fmt.Sprintf("mysql:host=%s;port=%s", host, port), "user": "page", "socket": db.Socket,
		"redis": redis.Socket, "http": slow.URL, "search": search.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	fpm.Script(t, "env.json", string(env))
	name := pool.Name
	if name == "" {
		name = "www"
	}
	nginx := servers.StartNginx(t, servers.FrontController(fpm.Root, fpm.Listen(name))...)
	return &site{
		fpm: fpm, url: nginx.URL, configuration: fpm.Configuration, listen: fpm.Listen(name), search: strings.TrimPrefix(search.URL, "http://"),
	}
}

// slowServer answers after as many milliseconds as the path says.
func slowServer(t testing.TB) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ms, _ := strconv.ParseFloat(strings.Trim(r.URL.Path, "/"), 64)
		time.Sleep(time.Duration(ms * float64(time.Millisecond)))
	}))
	t.Cleanup(s.Close)
	return s
}

// ask requests a page and returns what it says of itself.
func (s *site) ask(ctx context.Context, path string) (map[string]float64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Cookie", "PHPSESSID=marked-secret"+strings.Repeat("x", 6<<10))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	truth := map[string]float64{}
	if err := json.Unmarshal(body, &truth); err != nil {
		return nil, fmt.Errorf("%s answers %s: %.200s", path, answer.Status, body)
	}
	return truth, nil
}

// load has clients ask for pages one after the other for a while, and adds up what these say.
func (s *site) load(t testing.TB, clients int, long time.Duration, pages ...string) map[string]float64 {
	t.Helper()
	sum, mu := map[string]float64{}, sync.Mutex{}
	var running sync.WaitGroup
	end := time.Now().Add(long)
	for range clients {
		running.Go(func() {
			for time.Now().Before(end) {
				path := strings.ReplaceAll(pages[rand.IntN(len(pages))], "N", strconv.Itoa(rand.IntN(1e6)))
				truth, err := s.ask(t.Context(), path)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for what, seconds := range truth {
					sum[what] += seconds
				}
				sum["requests"]++
				mu.Unlock()
			}
		})
	}
	running.Wait()
	return sum
}

func (s *site) board(t testing.TB) *board {
	t.Helper()
	master := masterOf(t, s.fpm.Configuration)
	var pids []int
	for _, m := range findMasters(t) {
		if m.PID == master {
			for _, w := range m.Pools[0].Workers {
				pids = append(pids, w.Own)
			}
		}
	}
	b, err := findBoard("/proc", master, memory{master}, "www", pids)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sample samples while work runs, until the site's pool is at rest.
func (s *site) sample(t testing.TB, o Options, work func()) *snapshot.PHPProfile {
	t.Helper()
	return s.sampleBy(t, samplerOf(s.configuration, o), work)
}

// samplerOf returns a sampler of one master. To find those of other tests, which come and go, may take a second.
func samplerOf(configuration string, o Options) *Sampler {
	s := New(o)
	s.mine = func(m phpfpm.Master) bool { return m.Config == configuration }
	return s
}

func (s *site) sampleBy(t testing.TB, sampler *Sampler, work func()) *snapshot.PHPProfile {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sampler.Run(ctx) }()
	eventually(t, "the sampler looks", func() bool { return sampler.Profile().Ticks > 1 })
	work()
	rest(t, sampler, s.listen)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	sampler.Close()
	return sampler.Profile()
}

// rest waits for a look from now on that finds the pools which listen at these addresses without a request: all that
// their workers did is then known.
func rest(t testing.TB, s *Sampler, servers ...string) {
	t.Helper()
	from := monotonic()
	eventually(t, "workers come to rest", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		found := poolsAt(s, servers)
		return len(found) >= len(servers) && !slices.ContainsFunc(found, func(p *pool) bool { return p.busy > 0 || p.read < from })
	})
}

// isRead reports whether a pool that listens at an address was read since a moment.
func isRead(s *Sampler, server string, from time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(poolsAt(s, []string{server}), func(p *pool) bool { return p.read >= from })
}

// findPools finds the pools that listen at these addresses, whose workers may not have named themselves yet.
func findPools(t testing.TB, s *Sampler, servers ...string) (found []*pool) {
	t.Helper()
	eventually(t, "the pools are found", func() bool {
		s.find()
		found = poolsAt(s, servers)
		return len(found) == len(servers)
	})
	return found
}

// poolsAt returns the pools that listen at these addresses.
func poolsAt(s *Sampler, servers []string) (found []*pool) {
	for _, p := range s.pools {
		if slices.Contains(servers, p.ledger.server) {
			found = append(found, p)
		}
	}
	return found
}

// eventually waits for what other processes are about to do, on a machine that may be busy.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	const patience = 30 * time.Second
	for end := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %s it is not so that %s", patience, what)
		}
	}
}

// poolOf returns the profile of the pool that listens at an address.
func poolOf(t testing.TB, p *snapshot.PHPProfile, server string) snapshot.PoolProfile {
	t.Helper()
	i := slices.IndexFunc(p.Pools, func(x snapshot.PoolProfile) bool { return x.Server == server })
	if i < 0 {
		t.Fatalf("no pool listens at %s among %d; gaps: %+v", server, len(p.Pools), p.Gaps)
	}
	return p.Pools[i]
}

// beyondScripts is busy time that scripts' own clocks need not see: what waits for a processor after an answer has come,
// and for the web server to send a request or to take the answer.
func beyondScripts(p snapshot.PoolProfile) float64 {
	return p.States[snapshot.PHPRunQueue].Seconds + p.States[snapshot.PHPClient].Seconds
}

func busySeconds(p snapshot.PoolProfile) float64 {
	return p.WorkerSeconds - p.States[snapshot.PHPIdle].Seconds
}
