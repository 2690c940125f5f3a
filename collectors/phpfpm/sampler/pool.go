package sampler

import (
	"errors"
	"time"

	"plimsoll/collectors/phpfpm"
	"plimsoll/collectors/snapshot"
)

// pool is a running pool: a scoreboard and the workers in it.
type pool struct {
	master  phpfpm.Master
	board   *board
	program program
	// layout is nil where the memory of PHP cannot be read, so that there are no routes and no places.
	layout    *layout
	functions functions
	resolver  resolver
	ledger    *ledger
	digests   *digests
	// open makes a process of a worker's own number, and fails if there is none yet.
	open func(own int) (process, int, error)
	// gaps are what could not be read, by what it was.
	gaps map[gapKind]snapshot.Gap

	workers []*worker     // by their place in the scoreboard, nil where there is none
	read    time.Duration // when the scoreboard was read
	busy    int
	alive   int
	checks  checks
}

// checks count how often the layout of PHP's memory passed its self-check.
type checks struct{ passed, failed int }

// worker is a process of a pool.
type worker struct {
	account
	process process
	host    int // its number for us
	// state and slices are what it did at the last look, and how often it had run then; looked is for which
	// request.
	state  snapshot.PHPState
	slices uint64
	looked *visit
}

// mostUnread is the longest that a pool is believed to be idle by its own count.
const mostUnread = time.Second

// look reads the scoreboard and looks at busy workers, at each with the probability chance. dt is the time since
// the last look. It returns how many workers it looked at.
func (p *pool) look(now, dt time.Duration, chance float64, random func() float64) (int, error) {
	if p.busy == 0 && now-p.read < mostUnread {
		if active, err := p.board.anyActive(); err == nil && !active {
			return 0, nil
		}
	}
	if err := p.board.read(); err != nil {
		return 0, err
	}
	p.read, p.busy, p.alive = now, 0, 0
	looks := 0
	for i := range p.board.children() {
		s, used := p.board.slot(i)
		w := p.worker(i, s, used, now)
		if w == nil {
			continue
		}
		p.alive++
		ended := p.account(w, s, now)
		chosen := s.busy && (chance >= 1 || random() < chance)
		if chosen || len(ended) > 0 {
			p.settle(w)
		}
		for _, e := range ended {
			p.ledger.end(e, draw{dt, chance})
		}
		if s.busy {
			p.busy++
		}
		if chosen && w.process != nil && w.current != nil {
			p.sample(w, i, draw{dt, chance})
			looks++
		}
	}
	return looks, nil
}

// worker returns the worker at a place of the scoreboard, a new one if another process has taken it.
func (p *pool) worker(i int, s slot, used bool, now time.Duration) *worker {
	w := p.workers[i]
	if w != nil && (!used || w.pid != s.pid || w.last.started != s.started || s.requests < w.last.requests) {
		p.leave(w)
		p.workers[i] = nil
		w = nil
	}
	if w == nil && used {
		w = &worker{account: account{pid: s.pid, at: now, last: s}}
		if s.busy {
			w.current = &visit{accepted: s.accepted}
		}
		p.workers[i] = w
	}
	if w != nil && w.process == nil {
		p.attach(w)
	}
	return w
}

// attach opens the files of a worker. One that was just forked may not be there yet.
func (p *pool) attach(w *worker) {
	process, host, err := p.open(w.pid)
	p.note(gapProcess, err)
	if err != nil {
		return
	}
	w.process, w.host = process, host
	p.settle(w)
}

// leave books what is known of a worker that has ended.
func (p *pool) leave(w *worker) {
	if w.current != nil {
		p.ledger.end(w.finish(w.at, &p.ledger.pace), draw{chance: 1})
	}
	if c, ok := w.process.(*live); ok {
		c.close()
	}
}

func (p *pool) account(w *worker, s slot, now time.Duration) []ending {
	idle, ended := w.look(s, now, &p.ledger.pace)
	p.ledger.book.idle(idle)
	return ended
}

// settle reads what the scheduler counted. A process that has ended has no more to tell.
func (p *pool) settle(w *worker) {
	if w.process == nil {
		w.owed = w.owed[:0]
		return
	}
	s, err := w.process.Sched()
	if err != nil {
		w.owed = w.owed[:0]
		p.drop(w)
		return
	}
	w.settle(s)
}

// drop forgets the process of a worker, which is looked up again when it is busy.
func (p *pool) drop(w *worker) {
	if c, ok := w.process.(*live); ok {
		c.close()
	}
	w.process, w.looked = nil, nil
}

// sample takes up what a busy worker does now.
func (p *pool) sample(w *worker, i int, by draw) {
	v := w.current
	goesOn := w.looked == v && w.slices == w.sched.slices && w.state != snapshot.PHPCPU && len(v.seen) > 0
	w.looked, w.slices = v, w.sched.slices
	if goesOn {
		v.extend(by)
		return
	}
	g, err := p.glimpse(w, v, i)
	p.note(gapCall, err)
	switch {
	case err != nil:
		w.state = snapshot.PHPUnknown
		v.meet(unknown().met(by))
	case !p.board.unchanged(i, w.last):
		w.looked = nil // It has another request than the scoreboard said.
	case g.wait.same:
		p.resume(w, v, by)
	default:
		p.identify(v, i, g)
		one := p.describe(v, g)
		w.state = one.key.State
		v.meet(one.met(by))
	}
}

// glimpse is what was read of a worker at one moment.
type glimpse struct {
	wait wait
	// request is nil if it was not read, or could not be.
	request *request
	// frames and sql are empty if they changed while they were read.
	frames []frame
	sql    statement
	// sent is how many bytes the connection has sent that the statement went over; 0 if that is not known.
	sent uint64
}

// glimpse reads what a worker does, for which request if that is not known yet, and where.
func (p *pool) glimpse(w *worker, v *visit, i int) (g glimpse, err error) {
	c, err := w.process.Call()
	if err != nil {
		return g, err
	}
	g.wait = p.resolver.resolve(w.process, c)
	if p.layout == nil {
		return g, nil
	}
	informed, _ := p.board.informed(i)
	if !v.known && v.tried < maxTries && informed {
		if r, err := readRequest(w.process, p.program.sapi); err == nil {
			g.request = &r
		}
	}
	if g.wait.state == snapshot.PHPCPU || !informed {
		return g, nil
	}
	frames, err := readStack(w.process, p.program.executor, *p.layout, &p.functions)
	if err != nil {
		return g, nil //nolint:nilerr // It runs again, and what was read is of two moments.
	}
	sql := sqlOf(w.process, frames)
	if after, err := w.process.Sched(); err == nil && after.slices == w.slices {
		g.frames, g.sql = frames, sql
		if len(sql.spoken) > 0 && g.wait.socket > 0 {
			g.sent = w.process.Sent(g.wait.socket)
		}
	}
	return g, nil
}

// resume goes on with what a worker waited for before it was stopped for a moment.
func (p *pool) resume(w *worker, v *visit, by draw) {
	if n := len(v.seen); n > 0 && v.seen[n-1].blocked() {
		v.extend(by)
		return
	}
	w.state = snapshot.PHPUnknown
	v.meet(unknown().met(by))
}

// unknown is a look that says nothing.
func unknown() seen { return seen{key: snapshot.ProfileKey{State: snapshot.PHPUnknown}} }

func (v *visit) extend(by draw) {
	last := &v.seen[len(v.seen)-1]
	*last = last.met(by)
}

// maxSeen bounds what is kept of one request until accounts are closed: more than the looks in that time.
const maxSeen = 4096

func (v *visit) meet(s seen) {
	if len(v.seen) < maxSeen {
		v.seen = append(v.seen, s)
	}
}

// maxTries is how often the parameters of a request are read before its route is given up.
const maxTries = 3

// identify says which request a worker has.
func (p *pool) identify(v *visit, i int, g glimpse) {
	informed, lasting := p.board.informed(i)
	if v.known || v.tried >= maxTries || !informed {
		return
	}
	method, script := p.board.script(i)
	if p.layout == nil {
		v.known, v.name = true, routeName{methodOf(method), p.ledger.routes.template(script)}
		return
	}
	r := g.request
	agrees := r != nil && r.agrees(method, script)
	if !agrees && !lasting {
		return // It says nothing of the layout: they may be cleared.
	}
	v.tried++
	if !agrees {
		p.check(false)
		return
	}
	p.check(true)
	uri := r.uri
	if uri == "" {
		uri = r.script
	}
	v.known, v.name, v.root = true, routeName{methodOf(r.method), p.ledger.routes.template(uri)}, r.root
}

// describe says at which place of the program a worker waits, and for which statement.
func (p *pool) describe(v *visit, g glimpse) seen {
	one := seen{key: snapshot.ProfileKey{State: g.wait.state, Peer: printable(g.wait.peer, maxFile)}}
	if g.wait.state == snapshot.PHPCPU {
		return one
	}
	one.key.State = refined(g.wait, g.frames)
	if g.wait.socket > 0 && g.wait.peer != "" && one.key.State != g.wait.state {
		p.resolver.learn(g.wait.peer, one.key.State)
	}
	one.line = place(&one.key, g.frames, v.root)
	var literal uint64
	if len(g.sql.text) > 0 && one.key.State == snapshot.PHPMySQL {
		one.key.Fingerprint, literal = p.digests.add(g.sql)
	}
	one.repeat, one.identical = v.recall.note(one.key.Fingerprint, literal, g.sent)
	return one
}

// refined corrects a state by the function that waits.
func refined(w wait, frames []frame) snapshot.PHPState {
	if len(frames) == 0 || !frames[0].internal() || w.peer == "" && !w.vague || w.state == snapshot.PHPSearch {
		return w.state
	}
	if state, right := stateOfFunction(frames[0].function); state != "" && (right || w.vague) {
		return state
	}
	return w.state
}

// The self-check of a layout: a request that ends while it is read fails it too, but seldom.
const (
	checksNeeded = 50
	mostFailed   = 0.8
)

// check notes whether what was read of a request is what FPM says of it. A layout that is often wrong is not used
// any more.
func (p *pool) check(passed bool) {
	if passed {
		p.checks.passed++
		return
	}
	p.checks.failed++
	all := p.checks.passed + p.checks.failed
	if all >= checksNeeded && float64(p.checks.failed) > mostFailed*float64(all) {
		p.layout = nil
		p.note(gapLayout, errOtherMemory)
	}
}

var errOtherMemory = errors.New("the memory of this PHP is not laid out as its release should be")

// carry books what is known of requests that go on.
func (p *pool) carry() {
	for _, w := range p.workers {
		if w != nil && w.current != nil && (w.current.known || w.current.tried >= maxTries) {
			p.settle(w)
			p.ledger.batch.carry(w.current)
		}
	}
}

// close ends all accounts of a pool that has gone.
func (p *pool) close() {
	for i, w := range p.workers {
		if w != nil {
			p.leave(w)
			p.workers[i] = nil
		}
	}
	p.busy, p.alive = 0, 0
}
