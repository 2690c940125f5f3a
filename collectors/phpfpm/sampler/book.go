package sampler

import (
	"maps"

	"plimsoll/collectors/snapshot"
)

// book is where a pool's time went since the epoch. What stands in it only grows.
type book struct {
	states   map[snapshot.PHPState]*snapshot.StateTime
	backends map[backendKey]*snapshot.StateTime
	routes   map[routeName]*routeBook
	rows     map[snapshot.ProfileKey]*rowBook
}

type backendKey struct {
	state snapshot.PHPState
	peer  string
}

type routeBook struct {
	requests float64
	seconds  map[snapshot.PHPState]float64
	// variance is that of how the time was shared out, busyVariance that of the whole.
	variance     map[snapshot.PHPState]float64
	busyVariance float64
}

// add books time of a state, with its variance.
func (r *routeBook) add(state snapshot.PHPState, seconds, variance float64) {
	if seconds <= 0 {
		return
	}
	r.seconds[state] += seconds
	if variance > 0 {
		r.variance[state] += variance
	}
}

type rowBook struct {
	time                        snapshot.StateTime
	samples, repeats, identical uint64
	line                        int
}

// What a book holds at most; more is in other. A snapshot shows the largest of them.
const (
	maxBookRoutes = 5 * snapshot.MaxPHPRoutes
	maxBookRows   = 20 * snapshot.MaxPHPRows
	maxBookPeers  = 10 * snapshot.MaxPHPPeers
)

func newBook() *book {
	b := &book{
		states:   map[snapshot.PHPState]*snapshot.StateTime{},
		backends: map[backendKey]*snapshot.StateTime{},
		routes:   map[routeName]*routeBook{},
		rows:     map[snapshot.ProfileKey]*rowBook{},
	}
	for _, state := range snapshot.PHPStates() {
		b.states[state] = &snapshot.StateTime{}
	}
	return b
}

// maxPatience is how many closings time waits for a look that tells what it was: a minute. Then it is unknown.
const maxPatience = 6

// close takes over what a batch knows, and leaves in it what is not known yet.
func (b *book) close(batch *batch) {
	batch.spread()
	if len(batch.routes) == 0 && batch.goneCount > 0 {
		batch.tally(routeName{route: snapshot.OtherRoute}).spent.add(batch.gone)
		batch.tally(routeName{route: snapshot.OtherRoute}).requests += batch.goneCount
		batch.gone, batch.goneCount = spent{}, 0
	}
	for name, t := range batch.routes {
		if rest := b.take(name, t); rest == nil {
			delete(batch.routes, name)
		} else {
			batch.routes[name] = rest
		}
	}
}

// take books a tally, and returns what waits for a look: time that was spent waiting, for what is not known.
func (b *book) take(name routeName, t *tally) *tally {
	r := b.route(name)
	r.requests += t.requests
	r.busyVariance += t.doubt
	cpu, queue := min(t.spent.cpu, t.spent.busy), t.spent.queue
	queue = min(queue, t.spent.busy-cpu)
	b.exact(name, snapshot.PHPCPU, cpu, t.samplesOf(snapshot.PHPCPU))
	b.exact(name, snapshot.PHPRunQueue, queue, 0)
	r.add(snapshot.PHPCPU, cpu, 0)
	r.add(snapshot.PHPRunQueue, queue, 0)
	wait := t.spent.busy - cpu - queue
	if wait <= 0 {
		return nil
	}
	looks := t.blocked()
	if looks.weight > 0 {
		b.share(name, r, t, wait, looks)
		return nil
	}
	if t.waiting >= maxPatience {
		b.exact(name, snapshot.PHPUnknown, wait, 0)
		r.add(snapshot.PHPUnknown, wait, 0)
		return nil
	}
	rest := newTally()
	rest.spent.busy, rest.waiting = wait, t.waiting+1
	return rest
}

// exact books time of the pool that needs no looks.
func (b *book) exact(name routeName, state snapshot.PHPState, seconds float64, samples uint64) {
	if seconds <= 0 && samples == 0 {
		return
	}
	b.states[state].Seconds += seconds
	row := b.row(name, snapshot.ProfileKey{State: state})
	row.time.Seconds += seconds
	row.samples += samples
}

// looks are all looks at waits of one kind of request.
type looks struct{ weight, variance float64 }

func (t *tally) blocked() looks {
	var l looks
	for key, row := range t.rows {
		if key.State != snapshot.PHPCPU {
			l.weight += row.weight
			l.variance += row.variance
		}
	}
	return l
}

func (t *tally) samplesOf(state snapshot.PHPState) uint64 {
	var n uint64
	for key, row := range t.rows {
		if key.State == state {
			n += row.samples
		}
	}
	return n
}

// share gives each row its part of the time that requests waited, by the looks that met it: a ratio estimate,
// as the whole is known.
func (b *book) share(name routeName, r *routeBook, t *tally, wait float64, all looks) {
	states, peers := map[snapshot.PHPState]*part{}, map[backendKey]*part{}
	for key, row := range t.rows {
		if key.State == snapshot.PHPCPU {
			continue
		}
		one := part{looks{row.weight, row.variance}, row.waits}
		book := b.row(name, key)
		book.samples += row.samples
		book.repeats += row.repeats
		book.identical += row.identicalRepeats
		book.time = book.time.Plus(one.of(all, wait))
		if row.line > 0 {
			book.line = row.line
		}
		gather(states, key.State, one)
		if key.Peer != "" {
			gather(peers, backendKey{key.State, key.Peer}, one)
		}
	}
	for state, p := range states {
		one := p.of(all, wait)
		*b.states[state] = b.states[state].Plus(one)
		r.add(state, one.Seconds, one.Variance)
	}
	for key, p := range peers {
		t := b.backend(key)
		*t = t.Plus(p.of(all, wait))
	}
}

// part is some of the looks at waits.
type part struct {
	looks
	waits uint64
}

func gather[K comparable](parts map[K]*part, key K, one part) {
	p := parts[key]
	if p == nil {
		p = &part{}
		parts[key] = p
	}
	p.weight += one.weight
	p.variance += one.variance
	p.waits += one.waits
}

// of is the part's share of the time that all waited. The variance of a ratio, with p the share, is that of the
// part's own looks times (1-p)² and of all others' times p² (Cochran, Sampling Techniques, section 6.3): what
// waits for one thing only is known exactly.
func (p part) of(all looks, wait float64) snapshot.StateTime {
	share, scale := p.weight/all.weight, wait/all.weight
	others := max(0, all.variance-p.variance)
	return snapshot.StateTime{
		Seconds:  share * wait,
		Variance: scale * scale * ((1-share)*(1-share)*p.variance + share*share*others),
		Waits:    p.waits,
	}
}

// idle books time without a request.
func (b *book) idle(seconds float64) { b.states[snapshot.PHPIdle].Seconds += seconds }

// workerSeconds is all that stands in the book.
func (b *book) workerSeconds() float64 {
	var all float64
	for s := range maps.Values(b.states) {
		all += s.Seconds
	}
	return all
}

func (b *book) route(name routeName) *routeBook {
	if b.routes[name] == nil {
		if len(b.routes) >= maxBookRoutes {
			name = routeName{route: snapshot.OtherRoute}
		}
		if b.routes[name] == nil {
			b.routes[name] = &routeBook{seconds: map[snapshot.PHPState]float64{}, variance: map[snapshot.PHPState]float64{}}
		}
	}
	return b.routes[name]
}

func (b *book) backend(key backendKey) *snapshot.StateTime {
	if b.backends[key] == nil {
		if len(b.backends) >= maxBookPeers {
			key.peer = snapshot.OtherPeer
		}
		if b.backends[key] == nil {
			b.backends[key] = &snapshot.StateTime{}
		}
	}
	return b.backends[key]
}

// row returns the entry of a row.
func (b *book) row(name routeName, key snapshot.ProfileKey) *rowBook {
	key.Method, key.Route = name.method, name.route
	if b.rows[key] == nil {
		if len(b.rows) >= maxBookRows {
			key = snapshot.OtherRow()
		}
		if b.rows[key] == nil {
			b.rows[key] = &rowBook{}
		}
	}
	return b.rows[key]
}
