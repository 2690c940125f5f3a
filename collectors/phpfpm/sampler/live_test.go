package sampler

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plimsoll/collectors/phpfpm"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/golden"
	"plimsoll/fixtures/servers"
)

func TestTheTimeOfWorkersIsFoundInEachRelease(t *testing.T) {
	for _, release := range servers.PHPs() {
		t.Run(string(release), func(t *testing.T) {
			s := newSite(t, release, servers.Pool{Children: 8})
			var truth map[string]float64
			profile := s.sample(t, s.options(50), func() {
				truth = s.load(t, 6, 6*time.Second,
					"/product/N?pdo=40&redis=30&cpu=3", "/search/N?mysqli=30&sleep=25", "/checkout?http=60&prepared=25&search=20", "/account?lock=10", "/order/N?stmt=25")
			})
			pool := poolOf(t, profile, s.listen)
			t.Logf("%s, %d looks, %.1f %% of a processor", pool.Version, profile.Samples, 100*profile.CPUSeconds/6)
			holdSeconds(t, pool, truth, 0.15)
			holdRows(t, profile, pool)
			holdNoSecrets(t, profile)
			if len(profile.Gaps) > 0 {
				t.Errorf("gaps: %+v", profile.Gaps)
			}
		})
	}
}

// FPM answers at pm.status_listen by a pool of its own making, whose workers come and go.
func TestThePoolOfAStatusPageIsNotSampled(t *testing.T) {
	fpm := servers.StartPHP(t, servers.PHP82,
		servers.Pool{Name: "rare", StatusListen: true, Settings: []string{"pm = ondemand"}}, servers.Pool{Name: "www", Children: 1})
	s := samplerOf(fpm.Configuration, Options{})
	for range 2 {
		eventually(t, "the status page answers", func() bool { // its worker is there from the first answer on
			_, err := phpfpm.ReadStatus(t.Context(), fpm.StatusListen("rare"), servers.StatusPath)
			return err == nil
		})
		s.find()
	}
	i := slices.IndexFunc(s.masters, func(m phpfpm.Master) bool { return m.PID == masterOf(t, fpm.Configuration) })
	if i < 0 || !slices.ContainsFunc(s.masters[i].Pools, func(p phpfpm.Pool) bool { return p.Name == "rare_status" }) {
		t.Fatalf("masters = %+v, want a worker of rare_status while rare has none", s.masters)
	}
	for _, p := range s.Profile().Pools {
		if strings.HasSuffix(p.Name, "_status") {
			t.Errorf("pool %s at %q is sampled", p.Name, p.Server)
		}
	}
	for _, pid := range s.unknownWorkers() {
		if name := phpfpm.PoolOf("/proc", pid); name == "rare_status" {
			t.Errorf("worker %d of %s is searched for", pid, name)
		}
	}
}

func TestIdenticalReadsAreToldFromOthers(t *testing.T) {
	for _, release := range servers.PHPs() {
		t.Run(string(release), func(t *testing.T) {
			s := newSite(t, release, servers.Pool{Children: 4})
			profile := s.sample(t, Options{Hertz: 50, MostCPU: noLimit}, func() {
				s.load(t, 3, 4*time.Second, "/same?identical=30", "/other?different=30")
			})
			repeats, identical := map[string]uint64{}, map[string]uint64{}
			for _, r := range poolOf(t, profile, s.listen).Rows {
				if r.Call == "PDOStatement::execute" {
					repeats[r.Route] += r.Repeats
					identical[r.Route] += r.Identical
				}
			}
			for route, want := range map[string]uint64{"/same": repeats["/same"], "/other": 0} {
				if repeats[route] < 20 || identical[route] != want {
					t.Errorf("%s: %d repeats, %d of them identical, want 20 or more and %d", route, repeats[route], identical[route], want)
				}
			}
			holdNoSecrets(t, profile)
		})
	}
}

func TestARequestIsKnownThatIsFirstMetAfterItsScript(t *testing.T) {
	for _, release := range servers.PHPs() {
		t.Run(string(release), func(t *testing.T) {
			s := newSite(t, release, servers.Pool{Children: 4})
			s.fpm.Script(t, "late.php", "<?php echo '{}'; register_shutdown_function(fn () => usleep(50000));")
			profile := s.sample(t, Options{Hertz: 50, MostCPU: noLimit}, func() { s.load(t, 3, 2*time.Second, "/late.php") })
			var known, all float64
			for _, r := range poolOf(t, profile, s.listen).Routes {
				all += r.Seconds[snapshot.PHPSleep]
				if r.Route == "/late.php" {
					known += r.Seconds[snapshot.PHPSleep]
				}
			}
			if all < 1 || known < 0.9*all {
				t.Errorf("of %.2f s the route of %.2f is known, want nearly all", all, known)
			}
		})
	}
}

// TestTotalsStayExactWhereFewWorkersAreLookedAt holds what is known without a look at what a worker does.
func TestTotalsStayExactWhereFewWorkersAreLookedAt(t *testing.T) {
	fpm := servers.StartPHP(t, servers.PHP82, servers.Pool{Children: 12})
	fpm.Script(t, "index.php", `<?php for ($i = 0; $i < 8; $i++) { usleep(15000); hash('sha256', str_repeat('x', 1 << 18)); }
		echo json_encode(['busy' => microtime(true) - $_SERVER['REQUEST_TIME_FLOAT']]);`)
	site := &site{fpm: fpm, url: servers.StartNginx(t, servers.FrontController(fpm.Root, fpm.Listen("www"))...).URL}
	s := samplerOf(fpm.Configuration, Options{MostCPU: noLimit})
	p := findPools(t, s, fpm.Listen("www"))[0]
	ctx, cancel := context.WithCancel(t.Context())
	begin := monotonic()
	s.tick(begin, 0)
	var looking sync.WaitGroup
	looking.Go(func() {
		for last := begin; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
			s.limit.chance = 0.1
			now := monotonic()
			s.tick(now, now-last)
			last = now
		}
	})
	before := fpmSeconds(t, fpm)
	truth := site.load(t, 8, 4*time.Second, "/")
	rest(t, s, fpm.Listen("www"))
	used := fpmSeconds(t, fpm) - before
	cancel()
	looking.Wait()
	for range maxPatience + 2 { // All that waits for a look is booked.
		s.Close()
	}
	pool := poolOf(t, s.Profile(), fpm.Listen("www"))
	queue, cpu := pool.States[snapshot.PHPRunQueue].Seconds, pool.States[snapshot.PHPCPU].Seconds
	t.Logf("%.2f s busy, %.2f by the scripts; %.3f s of processors, %.3f by the kernel; %.2f s of run queue; %g requests", busySeconds(pool), truth["busy"], cpu, used, queue, truth["requests"])
	if got, want := busySeconds(pool), truth["busy"]; got < 0.97*want || got > 1.03*want+beyondScripts(pool) {
		t.Errorf("busy = %.2f s, want %.2f by the scripts' clocks (%.2f beyond them)", got, want, beyondScripts(pool))
	}
	if cpu > 1.02*used || cpu < 0.9*used { // To accept a request is not part of it.
		t.Errorf("cpu = %.3f s, want %.3f by the kernel", cpu, used)
	}
	if got := float64(pool.Requests); got != truth["requests"] {
		t.Errorf("%g requests, want %g", got, truth["requests"])
	}
	if wall := seconds(p.read - begin); math.Abs(pool.WorkerSeconds-12*wall) > 1e-6*pool.WorkerSeconds {
		t.Errorf("all states = %.6f s, want 12 workers for the %.6f s from the first look to the last", pool.WorkerSeconds, wall)
	}
}

// fpmSeconds is what the workers of FPM have used of processors.
func fpmSeconds(t testing.TB, fpm *servers.FPM) (sum float64) {
	t.Helper()
	for _, pid := range childrenOf("/proc", masterOf(t, fpm.Configuration)) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if err != nil {
			t.Fatal(err)
		}
		one, _ := parseSched(text)
		sum += float64(one.cpu) / 1e9
	}
	return sum
}

// holdSeconds compares with what the scripts measured. Their clocks run on while they wait for a processor after
// an answer has come, which the sampler tells apart: so the run queue may make up the difference.
func holdSeconds(t testing.TB, pool snapshot.PoolProfile, truth map[string]float64, tolerance float64) {
	t.Helper()
	queue := pool.States[snapshot.PHPRunQueue].Seconds
	// A script's clock begins after its request was accepted, and ends before everything is freed.
	if got, want := busySeconds(pool), truth["busy"]; got < 0.97*want || got > 1.03*want+beyondScripts(pool) {
		t.Errorf("busy = %.2f s, want %.2f by the scripts' clocks (%.2f beyond them)", got, want, beyondScripts(pool))
	}
	for _, state := range snapshot.PHPStates() {
		want, ok := truth[string(state)]
		if !ok || state == snapshot.PHPCPU {
			continue
		}
		got := pool.States[state]
		interval := 2 * math.Sqrt(got.Variance)
		t.Logf("%s = %.2f s ± %.2f, by the scripts %.2f (run queue %.2f)", state, got.Seconds, interval, want, queue)
		if got.Seconds > want*(1+tolerance)+interval || got.Seconds+queue+interval < want*(1-tolerance) {
			t.Errorf("%s = %.2f s ± %.2f, want %.2f by the scripts' clocks", state, got.Seconds, interval, want)
		}
	}
	if unknown := pool.States[snapshot.PHPUnknown].Seconds; unknown > 0.02*busySeconds(pool) {
		t.Errorf("unknown = %.2f s of %.2f, want less than 2 %%", unknown, busySeconds(pool))
	}
	if got, want := float64(pool.Requests), truth["requests"]; math.Abs(got-want) > 1 {
		t.Errorf("requests = %g, want %g", got, want)
	}
}

// holdRows wants no wrong route, place or statement, and few that are unknown.
func holdRows(t testing.TB, profile *snapshot.PHPProfile, pool snapshot.PoolProfile) {
	t.Helper()
	texts := map[string]string{"": ""}
	for _, text := range profile.Texts {
		texts[text.Fingerprint] = string(text.Text)
	}
	type place struct{ route, call, code, text string }
	right := map[place]bool{
		{"/product/{id}", "PDO::query", "Catalog::load", "SELECT SLEEP(?), ?, ..."}:                        true,
		{"/product/{id}", "Redis::rawcommand", "{closure}", ""}:                                            true,
		{"/search/{id}", "mysqli_query", "{closure}", "SELECT ?, SLEEP(?), ? AS procedural"}:               true,
		{"/search/{id}", "usleep", "{closure}", ""}:                                                        true,
		{"/checkout", "curl_exec", "rate", ""}:                                                             true,
		{"/checkout", "PDOStatement::execute", "Catalog::prepared", "SELECT ? AS a, SLEEP(?) AS prepared"}: true,
		{"/order/{id}", "mysqli_stmt::execute", "{closure}", "SELECT ? AS b, SLEEP(?) AS statement"}:       true,
		{"/order/{id}", "mysqli::prepare", "{closure}", "SELECT ? AS b, SLEEP(?) AS statement"}:            true,
		{"/order/{id}", "mysqli_report", "{closure}", ""}:                                                  true,
		{"/account", "flock", "{closure}", ""}:                                                             true,
		{"/account", "usleep", "{closure}", ""}:                                                            true,
	}
	var all, unknown float64
	for _, r := range pool.Rows {
		if r.State == snapshot.PHPCPU || r.State == snapshot.PHPRunQueue {
			continue
		}
		all += r.Seconds
		got := place{r.Route, r.Call, r.Code, texts[r.Fingerprint]}
		switch {
		case right[got], isConnecting(r.Call):
		case r.Call == "" || r.Route == unknownRoute:
			unknown += r.Seconds
		default:
			t.Errorf("%.2f s are at %+v", r.Seconds, got)
		}
	}
	if unknown > 0.1*all {
		t.Errorf("of %.2f s the place of %.2f is unknown, want at most a tenth", all, unknown)
	}
}

func isConnecting(call string) bool {
	return slices.Contains([]string{
		"PDO::__construct", "mysqli_connect", "Redis::connect", "file_get_contents", "PDO::prepare", "fopen", "curl_init",
	}, call)
}

// holdNoSecrets looks for what was marked in cookies, statements and names of files.
func holdNoSecrets(t testing.TB, profile *snapshot.PHPProfile) {
	t.Helper()
	text, err := json.Marshal(profile)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "marked") {
		t.Errorf("a secret is in the profile: %s", text)
	}
}

// TestBoardsAreRecorded writes testdata/board-VERSION.bin anew under -update. Query strings and addresses are
// not in it: the page is asked for without.
func TestBoardsAreRecorded(t *testing.T) {
	if !golden.Update() {
		t.Skip("writes recordings: -update")
	}
	for _, release := range servers.PHPs() {
		s := newSite(t, release, servers.Pool{Children: 3})
		for range 5 {
			if _, err := s.ask(t.Context(), "/"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(100 * time.Millisecond)
		golden.Hold(t, "testdata/board-"+strings.TrimPrefix(string(release), "php-")+".bin", s.board(t).raw)
	}
}
