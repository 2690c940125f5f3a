package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plimsoll/collectors"
)

// grace is how long a collector may go on after its time is over before it
// counts as hung, and how long the agent waits for one at its own end.
const grace = 5 * time.Second

// runner runs one job. All its fields belong to the goroutine of run.
type runner struct {
	agent   *Agent
	job     collectors.Job
	entry   *entry
	breaker breaker
	// failing is whether the job fails by itself, lost whether its server cannot
	// be read; either has been logged.
	failing, lost bool

	// done is not nil while a round is under way. A round that hangs keeps it,
	// so that no second one is started beside it: however long a server hangs,
	// it holds one goroutine and one connection of a job.
	done  chan outcome
	hung  bool
	limit <-chan time.Time
	begun time.Time
	next  time.Time
}

func (a *Agent) newRunner(job collectors.Job) *runner {
	if a.every != nil {
		job.Every = a.every(job)
	}
	r := &runner{agent: a, job: job, breaker: breaker{every: job.Every, interval: job.Every}}
	r.entry = a.board.add(job)
	return r
}

// run runs rounds until ctx ends, and then waits for the one under way.
func (r *runner) run(ctx context.Context) {
	r.load()
	r.next = time.Now().Add(r.agent.delay)
	tick := time.NewTimer(time.Until(r.next))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.drain()
			return
		case <-tick.C:
			r.round(ctx)
		case out := <-r.done:
			r.finish(out)
		case <-r.limit:
			r.abandon()
		}
		tick.Reset(time.Until(r.next))
	}
}

// load gives a Keeper the state of an earlier run.
func (r *runner) load() {
	keeper, ok := r.job.Collector.(collectors.Keeper)
	if !ok {
		return
	}
	state, ok := r.agent.keep.state(r.entry.key)
	if !ok {
		return
	}
	if err := guarded(func() error { return keeper.Load(state) }); err != nil {
		r.agent.log.Warn("state not taken up, totals start anew", "job", r.job.Name, "server", r.job.Server, "err", clean(err))
	}
}

// round starts a round, or leaves it out if the one before has not ended.
func (r *runner) round(ctx context.Context) {
	r.advance()
	if r.done != nil {
		r.agent.board.skip(r.entry)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.job.Timeout)
	done := make(chan outcome, 1)
	r.done, r.begun, r.limit = done, time.Now(), time.After(r.job.Timeout+grace)
	go func() {
		defer cancel()
		done <- collect(ctx, r.job)
	}()
}

// advance sets the next round on the grid of the interval. Rounds that a
// stopped clock or a starved host left out are not caught up.
func (r *runner) advance() {
	r.next = r.next.Add(r.breaker.interval)
	if late := time.Since(r.next); late > 0 {
		r.next = r.next.Add(late.Truncate(r.breaker.interval) + r.breaker.interval)
	}
}

// finish takes the outcome of the round that just ended. What a round brings
// that had been given up is of a time long past, and is dropped.
func (r *runner) finish(out outcome) {
	hung := r.hung
	r.done, r.limit, r.hung = nil, nil, false
	if !hung {
		r.report(out)
	}
}

// abandon gives the round under way up. It keeps its place.
func (r *runner) abandon() {
	r.hung, r.limit = true, nil
	r.report(outcome{
		took: time.Since(r.begun),
		err:  fmt.Errorf("hangs: still running %s after its limit of %s", grace, r.job.Timeout),
	})
}

// drain waits for the round under way, but not for ever.
func (r *runner) drain() {
	if r.done == nil || r.hung {
		return
	}
	select {
	case out := <-r.done:
		if out.err == nil {
			r.report(out)
		}
	case <-time.After(grace):
		r.agent.log.Warn("collector left behind", "job", r.job.Name, "server", r.job.Server)
	}
}

// report publishes an outcome and sets the pace of what follows.
func (r *runner) report(out outcome) {
	before := r.breaker.interval
	r.breaker.after(out.err)
	if r.breaker.interval != before {
		r.next = later(r.begun.Add(r.breaker.interval), time.Now())
	}
	r.agent.board.finish(r.entry, out, r.breaker.interval)
	if out.err == nil {
		r.agent.accept(r.entry, out)
	}
	r.tell(out.err)
}

// tell logs that a server cannot be read or can again, whichever job finds it
// first, and that the job itself began or ceased to fail.
func (r *runner) tell(err error) {
	if gone, ok := errors.AsType[*collectors.SourceError](err); ok {
		r.lost = true
		if r.agent.outages.begin(r.job.Server) {
			r.agent.log.Warn("server cannot be read", "server", r.job.Server, "err", clean(gone))
		}
		return
	}
	if r.lost && err == nil {
		r.lost = false
		if r.agent.outages.end(r.job.Server) {
			r.agent.log.Info("server is read again", "server", r.job.Server)
		}
	}
	if r.failing != (err != nil) {
		r.failing = err != nil
		r.logSwitch(err)
	}
}

// logSwitch tells of a job that began or ceased to fail.
func (r *runner) logSwitch(err error) {
	log := r.agent.log.With("job", r.job.Name, "server", r.job.Server)
	if err == nil {
		log.Info("job recovered")
		return
	}
	log.Warn("job fails", "err", clean(err))
	if p, ok := errors.AsType[*panicError](err); ok {
		log.Error("BUG: collector panicked", "stack", string(p.stack))
	}
}

// accept hands what a round read to whoever may show it.
func (a *Agent) accept(e *entry, out outcome) {
	events := out.fresh.Events
	out.fresh.Events, out.fresh.Gaps = nil, nil
	if out.state == nil {
		a.board.merge(out.fresh)
		a.keep.take(e.key, nil, nil, events)
		return
	}
	a.keep.take(e.key, out.fresh, out.state, events)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
