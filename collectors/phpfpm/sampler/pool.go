package sampler

import (
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
