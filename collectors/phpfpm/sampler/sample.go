package sampler

import (
	"errors"

	"plimsoll/collectors/snapshot"
)

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
