package sampler

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

// visited is a request of a known kind with the looks that met it.
func visited(route string, took spent, looks ...seen) *visit {
	return &visit{known: true, name: routeName{"GET", route}, spent: took, seen: looks}
}

func look(state snapshot.PHPState, weight float64, n int) seen {
	return seen{key: snapshot.ProfileKey{State: state, Peer: "p"}, weight: weight, looks: n}
}

func ended(v *visit, seconds float64) ending {
	return ending{visit: v, count: 1, spent: &v.spent, duration: seconds, informed: seconds}
}

// apart is looks at all workers, and some is looks at a fifth of them.
var (
	apart = draw{every: 50 * time.Millisecond, chance: 1}
	some  = draw{every: 50 * time.Millisecond, chance: 0.2}
)

func TestWaitsShareWhatTheProcessorLeaves(t *testing.T) {
	b, batch := newBook(), newBatch()
	v := visited("/a", spent{busy: 1, cpu: 0.15, queue: 0.05},
		look(snapshot.PHPMySQL, 0.15, 3), look(snapshot.PHPRedis, 0.05, 1), look(snapshot.PHPCPU, 0.2, 4))
	batch.end(ended(v, 1), apart)
	b.close(batch)
	for state, want := range map[snapshot.PHPState]float64{
		snapshot.PHPCPU: 0.15, snapshot.PHPRunQueue: 0.05, snapshot.PHPMySQL: 0.6, snapshot.PHPRedis: 0.2,
	} {
		if got := b.states[state].Seconds; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s = %g s, want %g", state, got, want)
		}
	}
	if got := b.workerSeconds(); math.Abs(got-1) > 1e-9 {
		t.Errorf("all states = %g s, want 1", got)
	}
}

func TestWhatWaitsForOneThingOnlyIsKnownExactly(t *testing.T) {
	b, batch := newBook(), newBatch()
	batch.end(ended(visited("/a", spent{busy: 1}, look(snapshot.PHPMySQL, 0.05, 1)), 1), apart)
	b.close(batch)
	if got := b.states[snapshot.PHPMySQL]; got.Seconds != 1 || got.Variance != 0 {
		t.Errorf("mysql = %+v, want 1 s without variance", got)
	}
}

func TestShortRequestsStandForThoseThatNobodyLookedAt(t *testing.T) {
	b, batch := newBook(), newBatch()
	// A look meets one of five requests of 10 ms, and each of 100 ms.
	batch.end(ended(visited("/short", spent{busy: 0.01}, look(snapshot.PHPRedis, 0.05, 1)), 0.01), apart)
	batch.end(ended(visited("/long", spent{busy: 0.1}, look(snapshot.PHPMySQL, 0.1, 2)), 0.1), apart)
	for range 4 {
		batch.end(ending{count: 1, spent: &spent{busy: 0.01, cpu: 0.002}, duration: 0.01}, apart)
	}
	b.close(batch)
	short, long := b.routes[routeName{"GET", "/short"}], b.routes[routeName{"GET", "/long"}]
	if math.Abs(short.requests-5) > 1e-9 || math.Abs(long.requests-1) > 1e-9 {
		t.Errorf("requests = %g and %g, want 5 and 1", short.requests, long.requests)
	}
	if got := short.seconds[snapshot.PHPRedis]; math.Abs(got-0.042) > 1e-9 {
		t.Errorf("/short waits %g s for redis, want 0.042", got)
	}
	if got := b.workerSeconds(); math.Abs(got-0.15) > 1e-9 {
		t.Errorf("all states = %g s, want 0.15", got)
	}
}

// TestRoutesAreAsSureAsTheySay lets two kinds of short requests be met by chance, many times, and compares.
func TestRoutesAreAsSureAsTheySay(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	took := map[string]float64{"/short": 0.01, "/longer": 0.03}
	const tries, each = 500, 100
	squares, said := map[string]float64{}, map[string]float64{}
	for range tries {
		b, batch := newBook(), newBatch()
		for route, long := range took {
			for range each {
				if random.Float64() < apart.meets(long) {
					batch.end(ended(visited(route, spent{busy: long}, look(snapshot.PHPMySQL, 0.05, 1)), long), apart)
				} else {
					batch.end(ending{count: 1, spent: &spent{busy: long}, duration: long}, apart)
				}
			}
		}
		b.close(batch)
		for route, long := range took {
			r := b.routes[routeName{"GET", route}]
			off := r.seconds[snapshot.PHPMySQL] - each*long
			squares[route] += off * off
			said[route] += r.busyVariance
			if of := r.variance[snapshot.PHPMySQL]; of != 0 {
				t.Fatalf("%s: variance %g of how it is shared out, want none: all of it waits for one thing", route, of)
			}
		}
	}
	for route := range took {
		if ratio := said[route] / squares[route]; ratio < 0.7 || ratio > 1.4 {
			t.Errorf("%s: variance is said to be %g, and is %g", route, said[route]/tries, squares[route]/tries)
		}
	}
}

func TestARequestThatIsLookedAtIsKnownToItsEnd(t *testing.T) {
	b, batch := newBook(), newBatch()
	batch.end(ended(visited("/a", spent{busy: 1}, look(snapshot.PHPMySQL, 0.15, 3), look(snapshot.PHPRedis, 0.05, 1)), 1), apart)
	b.close(batch)
	r := b.routes[routeName{"GET", "/a"}]
	if r.busyVariance != 0 || r.variance[snapshot.PHPMySQL] <= 0 {
		t.Errorf("variance = %v in all and %v of mysql, want none and some: how long it took is known, and for whom it waited is not", r.busyVariance, r.variance)
	}
}

// TestFewerLooksHaveTheVarianceThatTheySay draws looks at waits of one length many times, and compares.
func TestFewerLooksHaveTheVarianceThatTheySay(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, by := range []draw{apart, some} {
		for _, long := range []float64{0.01, 0.04, 0.26, 1.37} {
			const tries = 40000
			var sum, squares, said float64
			for range tries {
				var s seen
				for at := random.Float64() * seconds(by.every); at < long; at += seconds(by.every) {
					if random.Float64() < by.chance {
						s = s.met(by)
					}
				}
				sum += s.weight
				squares += (s.weight - long) * (s.weight - long)
				if s.looks > 0 {
					said += s.variance()
				}
			}
			if mean := sum / tries; math.Abs(mean/long-1) > 0.05 {
				t.Errorf("%+v: waits of %g s seem %g long", by, long, mean)
			}
			if got, want := said/tries, squares/tries; got < 0.6*want || by.chance < 1 && got > 1.6*want {
				t.Errorf("%+v: variance of waits of %g s is said to be %g, and is %g", by, long, got, want)
			}
		}
	}
}

func TestRequestsThatWereMetStandForThoseThatCouldHaveBeen(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, by := range []draw{apart, some} {
		for _, long := range []float64{0.01, 0.04, 0.1, 0.4} {
			kind := newTally()
			const tries = 20000
			for range tries {
				for at := random.Float64() * seconds(by.every); at < long; at += seconds(by.every) {
					if random.Float64() < by.chance {
						kind.end(ending{duration: long, informed: long}, by)
						break
					}
				}
			}
			if got := kind.requests + kind.unseenCount; math.Abs(got/tries-1) > 0.1 {
				t.Errorf("%+v: %d requests of %g s were met, which stand for %.0f, want %d", by, int(kind.requests), long, got, tries)
			}
		}
	}
}

func TestRequestsOfNoKnownKindStandForNoOthers(t *testing.T) {
	b, batch := newBook(), newBatch()
	batch.end(ended(visited("/short", spent{busy: 0.01}, look(snapshot.PHPRedis, 0.05, 1)), 0.01), apart)
	nameless := &visit{spent: spent{busy: 0.01}, seen: []seen{look(snapshot.PHPClient, 0.05, 1)}}
	batch.end(ended(nameless, 0.01), apart)
	for range 4 {
		batch.end(ending{count: 1, spent: &spent{busy: 0.01}, duration: 0.01}, apart)
	}
	b.close(batch)
	short, unknown := b.routes[routeName{"GET", "/short"}], b.routes[routeName{route: unknownRoute}]
	if math.Abs(short.requests-5) > 1e-9 || math.Abs(unknown.requests-1) > 1e-9 {
		t.Errorf("requests = %g and %g of no known kind, want 5 and 1", short.requests, unknown.requests)
	}
	if got := unknown.seconds[snapshot.PHPClient]; math.Abs(got-0.01) > 1e-9 {
		t.Errorf("what is of no known kind took %g s, want its own 0.01", got)
	}
	batch.end(ended(&visit{spent: spent{busy: 0.01}, seen: []seen{look(snapshot.PHPClient, 0.05, 1)}}, 0.01), apart)
	batch.end(ending{count: 3, spent: &spent{busy: 0.03}, duration: 0.01}, apart)
	b.close(batch)
	if math.Abs(unknown.requests-5) > 1e-9 {
		t.Errorf("requests of no known kind = %g where there is no other, want 5", unknown.requests)
	}
}

func TestTimeWithoutALookWaitsForOneAndIsThenUnknown(t *testing.T) {
	b, batch := newBook(), newBatch()
	v := visited("/a", spent{busy: 1}, look(snapshot.PHPCPU, 0.05, 1))
	batch.end(ended(v, 1), apart)
	b.close(batch)
	if got := b.workerSeconds(); got != 0 {
		t.Errorf("after one closing %g s are booked, want 0", got)
	}
	for range maxPatience {
		b.close(batch)
	}
	if got := b.states[snapshot.PHPUnknown].Seconds; got != 1 {
		t.Errorf("unknown = %g s, want 1", got)
	}
}

func TestARequestThatGoesOnIsBookedInParts(t *testing.T) {
	b, batch := newBook(), newBatch()
	v := visited("/a", spent{busy: 1}, look(snapshot.PHPMySQL, 0.5, 10))
	batch.carry(v)
	b.close(batch)
	v.spent.busy = 0.5
	v.extend(draw{every: 250 * time.Millisecond, chance: 1})
	batch.end(ended(v, 1.5), apart)
	b.close(batch)
	got := b.rows[snapshot.ProfileKey{Method: "GET", Route: "/a", State: snapshot.PHPMySQL, Peer: "p"}]
	if got == nil || got.time.Seconds != 1.5 || got.time.Waits != 1 || got.samples != 11 {
		t.Errorf("row = %+v, want one wait of 1.5 s, seen 11 times", got)
	}
}

func TestBooksStayWithinTheirRoom(t *testing.T) {
	b := newBook()
	for i := range 3 * maxBookRoutes {
		batch := newBatch()
		s := look(snapshot.PHPMySQL, 0.05, 1)
		s.key.Peer, s.key.Code = string(rune('a'+i)), string(rune('a'+i))
		batch.end(ended(visited("/"+string(rune('a'+i)), spent{busy: 0.1}, s), 0.1), apart)
		b.close(batch)
	}
	if len(b.routes) > maxBookRoutes+1 || len(b.rows) > maxBookRows+1 || len(b.backends) > maxBookPeers+1 {
		t.Errorf("%d routes, %d rows, %d backends", len(b.routes), len(b.rows), len(b.backends))
	}
	if got, want := b.workerSeconds(), 0.1*3*maxBookRoutes; math.Abs(got-want) > 1e-6 {
		t.Errorf("all states = %g s, want %g", got, want)
	}
}

func TestAProfileIsOfTheMomentThatItNames(t *testing.T) {
	s := New(Options{Proc: t.TempDir()})
	l := s.ledger("www", "/run/php/www.sock")
	spend := func() {
		l.count(1, 1, 1, time.Second)
		l.book.idle(2)
		l.end(ended(visited("/", spent{busy: 0.1}), 0.1), draw{every: time.Second, chance: 1})
	}
	spend()
	s.Close()
	closed := s.Profile()
	spend()
	if diff := cmp.Diff(closed.Pools, s.Profile().Pools); diff != "" {
		t.Errorf("what came after %s is in it (-want +got):\n%s", closed.Taken, diff)
	}
	if p := closed.Pools[0]; p.SaturatedSeconds != 1 || p.Requests != 1 || p.Busy != 1 {
		t.Errorf("pool = %+v, want what was before", p)
	}
}

func TestRepeatsAreCountedOnlyWhereTheyAreSure(t *testing.T) {
	type note struct {
		fingerprint       string
		literal, sent     uint64
		repeat, identical bool
	}
	var r recall
	for i, n := range []note{
		{"a", 1, 0, false, false},
		{"a", 1, 0, false, false}, // It may be the same call.
		{"a", 2, 0, true, false},
		{"b", 9, 0, false, false},
		{"a", 1, 0, true, true},
		{"", 0, 0, false, false},
		{"a", 1, 0, true, true},
		{"a", 3, 0, true, false},
		{"c", 1, 100, false, false},
		{"c", 1, 100, false, false}, // It is the same call: nothing was sent since.
		{"c", 1, 180, true, true},
		{"d", 0, 200, false, false}, // Its values are not known.
		{"d", 0, 280, false, false},
	} {
		if repeat, identical := r.note(n.fingerprint, n.literal, n.sent); repeat != n.repeat || identical != n.identical {
			t.Errorf("note %d: repeat %v, identical %v, want %v, %v", i, repeat, identical, n.repeat, n.identical)
		}
	}
}
