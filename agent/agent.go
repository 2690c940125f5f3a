// Package agent runs the jobs of one host and joins what they read into one
// snapshot.
//
// It owns time: collectors are called by it, each job by a goroutine of its
// own, so that one that fails, panics or hangs costs its own figures and
// nothing else. A job that fails is a Gap in the snapshot, is tried less often
// after its third failure, and logs when it begins and ceases to fail. That a
// server cannot be read is logged once, and not by each of its jobs.
//
// It owns state: a total that was shown never falls. What a job accumulates is
// on disk before the figures made from it are seen, so that a killed agent goes
// on where it was, or further.
package agent

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"plimsoll/agent/config"
	"plimsoll/agent/expose"
	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// Options says what an Agent is to do.
type Options struct {
	// Config is what to read and who we are. State, if it is set, is the folder
	// that keeps totals over a restart; nobody else may use it meanwhile.
	Config *config.Config
	// Version is that of the program, for its own series.
	Version string
	// Log takes what an operator should know; nil discards it.
	Log *slog.Logger
	// Jobs is what to run, if not nil, in the place of Jobs(Config) and of the
	// database servers.
	Jobs []collectors.Job
	// Every, if not nil, says how often to run a job.
	Every func(collectors.Job) time.Duration
	// Jitter is the longest that the first rounds are put off, so that not all
	// hosts read at the same moment. The jobs of one run one right after the
	// other: they share what they read, and the first statement after a rest
	// costs a server several times what the next one does.
	Jitter time.Duration
}

// Agent reads one host. Make one with New.
type Agent struct {
	config    *config.Config
	version   string
	log       *slog.Logger
	every     func(collectors.Job) time.Duration
	delay     time.Duration // of first rounds
	jobs      []collectors.Job
	databases *databases
	outages   outages

	board   *board
	keep    *keep
	handler *expose.Handler

	mu      sync.Mutex
	stopped bool
	runners sync.WaitGroup
}

// New returns an Agent that does nothing before Run.
func New(o Options) *Agent {
	a := &Agent{
		config: o.Config, version: o.Version, every: o.Every,
		log: cmp.Or(o.Log, slog.New(slog.DiscardHandler)), jobs: o.Jobs,
		outages: outages{of: map[string]bool{}},
	}
	if o.Jitter > 0 {
		a.delay = rand.N(o.Jitter) //nolint:gosec // Spreads load; nobody gains by guessing it.
	}
	a.board = newBoard(o.Config)
	a.keep = newKeep(o.Config, a.board, a.log)
	a.handler = expose.New(expose.Source{
		Cluster: o.Config.Cluster, Host: o.Config.Host, Labels: o.Config.Labels,
		Snapshot: a.Snapshot, Revision: a.board.revision,
	})
	a.databases = &databases{agent: a, open: map[string]*openServer{}}
	return a
}

// Run runs all jobs until ctx ends, then waits for the rounds under way and
// writes the state a last time. A collector that ignores its context for longer
// than five seconds is left behind. Run returns at once with an error if the
// state folder cannot be used; after that nothing makes it return early.
func (a *Agent) Run(ctx context.Context) error {
	if err := a.keep.open(); err != nil {
		return err
	}
	jobs := a.jobs
	if jobs == nil {
		jobs = append(Jobs(a.config), configured([]collectors.Job{a.databases.job(ctx)}, a.config)...)
	}
	for _, job := range jobs {
		a.start(ctx, job)
	}
	a.board.list()
	a.keep.run(ctx)
	a.stop()
	a.databases.close()
	return a.keep.close()
}

// start runs job until ctx ends. It does nothing once the agent stops.
func (a *Agent) start(ctx context.Context, job collectors.Job) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return
	}
	r := a.newRunner(job)
	a.runners.Go(func() { r.run(ctx) })
}

func (a *Agent) stop() {
	a.mu.Lock()
	a.stopped = true
	a.mu.Unlock()
	a.runners.Wait()
}

// Snapshot returns what is known now. It shares its parts with later ones, and
// nobody may change them.
func (a *Agent) Snapshot() *snapshot.Snapshot {
	s := a.board.snapshot()
	s.Agent.Version = a.version
	s.Agent.SeriesDropped = a.handler.Dropped()
	s.Agent.CPUSeconds, s.Agent.ResidentBytes = ownCost()
	return s
}

// Handler serves /metrics, /v1/snapshot and /healthz to whoever calls it: it
// belongs behind a listener that has been checked, or into the same process.
func (a *Agent) Handler() *expose.Handler { return a.handler }

// Warm waits until every job has run once, and every Keeper twice, because a
// difference needs two reads. A failed round counts. It returns the error of
// ctx if that ends first.
func (a *Agent) Warm(ctx context.Context) error {
	for {
		warm, changed := a.board.warm()
		if warm {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
