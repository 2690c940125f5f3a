package sampler

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/servers"
	"plimsoll/fixtures/shop"
)

// witness keeps each look at a worker until the scripts say what they did at that moment. A profile has sums only,
// in which two faults may hide each other.
type witness struct {
	*Sampler
	// servers are the addresses of the site's pools.
	servers []string
	visits  map[*visit]*witnessed
}

// witnessed is one request as it was looked at.
type witnessed struct {
	pid      int
	accepted float64 // in seconds since 1970, as are all times here
	looks    []seenAt
}

// seenAt is what a look met between two moments.
type seenAt struct {
	from, to float64
	key      snapshot.ProfileKey
}

// wallAt returns the time of day at a moment of the scoreboard's clock. The two are read one after the other, again
// if something came in between.
func wallAt(moment time.Duration) float64 {
	for {
		before, day, after := monotonic(), time.Now(), monotonic()
		if after-before < 20*time.Microsecond {
			return float64(day.Add(moment-before).UnixNano()) / 1e9
		}
	}
}

// watch looks at a site's pools while work runs, as Run does.
func watch(t testing.TB, fpm *servers.FPM, pools []string, work func()) *witness {
	t.Helper()
	w := &witness{Sampler: samplerOf(fpm.Configuration, Options{Hertz: 50, MostCPU: noLimit}), visits: map[*visit]*witnessed{}}
	for _, name := range pools {
		w.servers = append(w.servers, fpm.Listen(name))
	}
	findPools(t, w.Sampler, w.servers...)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		w.run(stop)
	}()
	work()
	rest(t, w.Sampler, w.servers...) // Requests that nobody waits for any more write down what they did too.
	close(stop)
	<-stopped
	return w
}

// run looks at each busy worker each time, as nobody adjusts the limit.
func (w *witness) run(stop chan struct{}) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	last := monotonic()
	closed := last
	for {
		select {
		case <-stop:
			w.Close()
			return
		default:
		}
		now := monotonic()
		w.tick(now, now-last)
		w.note(wallAt(now), wallAt(monotonic()))
		if last = now; now-closed >= closeEvery {
			w.Close()
			closed = now
		}
		pause := unix.NsecToTimespec(int64(w.pause(now)))
		_ = unix.Nanosleep(&pause, nil)
	}
}

// note keeps what the last look met. It runs between two looks, in their goroutine.
func (w *witness) note(from, to float64) {
	for _, p := range w.pools {
		for _, worker := range p.workers {
			if worker == nil || worker.current == nil || worker.looked != worker.current || len(worker.current.seen) == 0 {
				continue
			}
			v := worker.current
			if w.visits[v] == nil {
				w.visits[v] = &witnessed{pid: worker.pid}
			}
			// The visit's own time is never after the look's beginning, the scoreboard's is.
			w.visits[v].accepted = wallAt(worker.last.accepted)
			w.visits[v].looks = append(w.visits[v].looks, seenAt{from, to, v.seen[len(v.seen)-1].key})
		}
	}
}

// verdict counts what was said rightly, not, and wrongly.
type verdict struct{ right, unknown, wrong int }

func (v verdict) all() int { return v.right + v.unknown + v.wrong }

func (v verdict) String() string {
	return fmt.Sprintf("%d: %d right (%.2f %%), %d unknown, %d wrong", v.all(), v.right, 100*v.rightRatio(), v.unknown, v.wrong)
}

func (v verdict) rightRatio() float64 { return float64(v.right) / float64(max(1, v.all())) }

// compared is what came of a comparison. short are the requests that took less than fewMilliseconds.
type compared struct {
	routes, short, statements verdict
	// missed is what was not known, and how often.
	missed map[string]int
}

const fewMilliseconds = 0.005

// hold compares each request and each look with what the scripts wrote down, and wants nothing wrong.
func (w *witness) hold(t testing.TB, truth []shop.Request, o trial) {
	t.Helper()
	c := w.compare(t, truth)
	t.Logf("routes of requests, %v", c.routes)
	t.Logf("of these shorter than 5 ms, %v", c.short)
	t.Logf("statements of blocked looks, %v", c.statements)
	for _, what := range slices.SortedFunc(maps.Keys(c.missed), func(a, b string) int { return cmp.Compare(c.missed[b], c.missed[a]) }) {
		t.Logf("not known %d times: %s", c.missed[what], what)
	}
	if c.routes.all() < o.requests || c.statements.all() < o.requests {
		t.Errorf("%d requests and %d blocked looks were compared, want %d", c.routes.all(), c.statements.all(), o.requests)
	}
	if c.routes.wrong > 0 || c.routes.rightRatio() < o.routesRight {
		t.Errorf("routes: %v, want none wrong and %g right", c.routes, o.routesRight)
	}
	if c.statements.wrong > 0 || c.statements.rightRatio() < 0.9 {
		t.Errorf("statements: %v, want none wrong and 0.9 right", c.statements)
	}
}

func (w *witness) compare(t testing.TB, truth []shop.Request) compared {
	t.Helper()
	ofWorker := map[int][]shop.Request{}
	for _, r := range truth {
		ofWorker[r.PID] = append(ofWorker[r.PID], r)
	}
	c := compared{missed: map[string]int{}}
	for v, got := range w.visits {
		r, ok := requestOf(ofWorker[got.pid], got.accepted)
		if !ok {
			t.Errorf("worker %d says nothing of the request that it accepted at %.6f", got.pid, got.accepted)
			continue
		}
		c.routes.judgeRoute(t, r, v)
		if r.Ended-r.Began < fewMilliseconds {
			c.short.judgeRoute(t, r, v)
		}
		for _, look := range got.looks {
			c.judgeLook(t, r, look)
		}
	}
	return c
}

func (v *verdict) judgeRoute(t testing.TB, r shop.Request, got *visit) {
	t.Helper()
	switch {
	case !got.known:
		v.unknown++
	case got.name == routeName{r.Method, r.Route}:
		v.right++
	default:
		v.wrong++
		t.Errorf("%s %s is taken for %+v, want %s", r.Method, r.URI, got.name, r.Route)
	}
}

// requestOf returns the first request that ended after its worker had accepted one.
func requestOf(all []shop.Request, accepted float64) (shop.Request, bool) {
	i := slices.IndexFunc(all, func(r shop.Request) bool { return r.Ended > accepted })
	if i < 0 {
		return shop.Request{}, false
	}
	return all[i], true
}

// judgeLook compares one look with the calls of its request. A statement is right if a call for it was under way
// while the worker was looked at; it is unknown if one was, the worker did not run, and the look says none.
func (c *compared) judgeLook(t testing.TB, r shop.Request, look seenAt) {
	t.Helper()
	var during *shop.Call
	for i, call := range r.Calls {
		if call.Backend != "mysql" || call.Text == "" || call.Began > look.to || call.Began+call.Seconds < look.from {
			continue
		}
		if look.key.Fingerprint != "" && sqltext.Fingerprint(call.Text) == look.key.Fingerprint {
			c.statements.right++
			return
		}
		if call.Began < look.from && call.Began+call.Seconds > look.to && call.Function != "connect" {
			during = &r.Calls[i]
		}
	}
	switch {
	case look.key.Fingerprint != "":
		c.statements.wrong++
		t.Errorf("%s %s: a look at %.6f met %+v, which it did not send then", r.Method, r.URI, look.from, look.key)
	case during != nil && look.key.State != snapshot.PHPCPU:
		c.statements.unknown++
		c.missed[fmt.Sprintf("%s of %.40q, called by %q", look.key.State, sqltext.Redact(during.Text), look.key.Call)]++
	}
}
