// Package advisor is the pipeline: fetch snapshots, add up lag, observe the
// fleet, judge it, keep the ledger, write the report; once or for ever.
package advisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"plimsoll/advisor/keeper"
	"plimsoll/advisor/ledger"
	"plimsoll/advisor/observe"
	"plimsoll/advisor/report"
	"plimsoll/advisor/store"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules"
	"plimsoll/rules/fleet"
)

// Options is what an Advisor works with.
type Options struct {
	Version string
	// Targets returns the agents known now.
	Targets func() []store.Target
	Keeper  *keeper.Keeper
	// Querier answers from series; Append takes the advisor's own. They belong
	// to one store, unless the series are in an engine of someone else's that
	// scrapes the advisor.
	Querier store.Querier
	Append  func(context.Context, []store.Sample) error
	// Store is the embedded store, whose own troubles belong into the report;
	// nil where series are in someone else's engine.
	Store  *store.Store
	Ledger *ledger.Ledger
	// Acks is the file of acknowledgements; empty for none.
	Acks string
	// Reports is the folder for latest.json; empty to write none.
	Reports string
	Rules   []rules.Rule
	// Window is how far a report looks back.
	Window time.Duration
	// Shortened is true if the rules' windows were shortened.
	Shortened bool
	Log       *slog.Logger
	Now       func() time.Time
}

// Advisor runs the pipeline. Its methods must not be called at the same time.
type Advisor struct {
	Options
	book *observe.LagBook
	// readings are of the last fetch, and own the series of the last of each
	// step.
	readings []observe.LagReading
	own      map[step][]store.Sample
	// failing are the steps that failed last time.
	failing map[step]bool
}

// step is a part of a round that adds series of its own.
type step string

const (
	fetching step = "fetch"
	judging  step = "judge"
)

// New returns an Advisor.
func New(o Options) *Advisor {
	return &Advisor{Options: o, book: observe.NewLagBook(), own: map[step][]store.Sample{}, failing: map[step]bool{}}
}

// How long the steps of a round may take. A round that takes longer hangs, and
// whoever watches over the advisor may end it.
const (
	fetchLimit   = 2 * time.Minute
	observeLimit = 2 * time.Minute
	// MaxRound is how long a round takes at most, writing included.
	MaxRound = 5 * time.Minute
)

// Fetch asks every agent once, and adds what lag became known. It is cheap, and
// must come often enough that no second of an agent's positions is missed.
func (a *Advisor) Fetch(ctx context.Context) error {
	return survive(func() error {
		limited, cancel := context.WithTimeout(ctx, fetchLimit)
		defer cancel()
		a.Keeper.Fetch(limited, a.Targets())
		a.readings = a.book.Read(observe.Sights(a.Keeper.Agents()), a.Now())
		own := newSamples(a.Now())
		own.addLag(a.readings)
		return a.append(ctx, fetching, own)
	})
}

// Judge evaluates what is known now, and writes the report. It returns a report
// with an error if it could not be kept in full, and none if the round failed.
func (a *Advisor) Judge(ctx context.Context) (r *report.Report, err error) {
	err = survive(func() (err error) {
		r, err = a.judge(ctx)
		return err
	})
	return r, err
}

func (a *Advisor) judge(ctx context.Context) (*report.Report, error) {
	began, agents := a.Now(), a.Keeper.Agents()
	f := a.observe(ctx, began, agents)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("judge: %w", err) // what could not be seen in time must not go as cured
	}
	acks, err := ledger.ReadAcks(a.Acks)
	if err != nil {
		f.Gaps = append(f.Gaps, snapshot.Gap{Job: "advisor", Reason: "some acknowledgements do not hold: " + err.Error(), Remedy: "correct " + a.Acks})
	}
	result := rules.Judge(f, a.Rules)
	r := report.Build(a.Version, f, a.Rules, result, a.Ledger.Record(began, result, acks))

	own := newSamples(a.Now())
	own.addReport(r)
	own.addTexts(f)
	own.addAgents(agents)
	own.add("plimsoll_round_seconds", a.Now().Sub(began).Seconds())
	return r, errors.Join(a.Ledger.Save(), a.write(r), a.append(ctx, judging, own))
}

func (a *Advisor) observe(ctx context.Context, now time.Time, agents []keeper.Agent) *fleet.Fleet {
	limited, cancel := context.WithTimeout(ctx, observeLimit)
	defer cancel()
	f := observe.Build(limited, observe.Inputs{
		Now: now, Window: a.Window, Agents: agents, Copies: a.Keeper.Copies,
		Querier: a.Querier, Lag: a.readings, Shortened: a.Shortened,
	})
	f.Gaps = append(f.Gaps, storeGaps(a.Store, agents)...)
	return f
}

// Run fetches and judges every interval until ctx ends, and hands each report to
// publish, or nil if the round failed. A failure is logged when it begins, and
// the next round comes all the same.
func (a *Advisor) Run(ctx context.Context, every time.Duration, publish func(*report.Report)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		a.tell(fetching, a.Fetch(ctx))
		r, err := a.Judge(ctx)
		if ctx.Err() != nil {
			return
		}
		a.tell(judging, err)
		publish(r)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tell logs how a step went if it differs from last time.
func (a *Advisor) tell(of step, err error) {
	switch {
	case err != nil && !a.failing[of]:
		a.Log.Error("a round is incomplete", "step", string(of), "error", err)
	case err == nil && a.failing[of]:
		a.Log.Info("rounds are complete again", "step", string(of))
	}
	a.failing[of] = err != nil
}

// survive makes a panic in f, a bug of ours, its error: the next round may see
// other facts.
func survive(f func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("BUG: %v\n%s", fault, debug.Stack())
		}
	}()
	return f()
}

// Own returns the advisor's own series as of the last round, for its /metrics.
func (a *Advisor) Own() []store.Sample { return slices.Concat(a.own[fetching], a.own[judging]) }

// append stores the series of a step, and ends those that the step no longer has:
// a finding that changed its severity would else be there twice for five minutes.
func (a *Advisor) append(ctx context.Context, of step, own *samples) error {
	ended := own.ended(a.own[of])
	a.own[of] = own.all
	if err := a.Append(ctx, slices.Concat(own.all, ended)); err != nil {
		return fmt.Errorf("store the advisor's series: %w", err)
	}
	return nil
}

// write replaces latest.json, whole or not at all: other commands read it.
func (a *Advisor) write(r *report.Report) error {
	if a.Reports == "" {
		return nil
	}
	if err := os.MkdirAll(a.Reports, 0o750); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	raw, err := r.JSON()
	if err != nil {
		return err
	}
	if err := ledger.WriteFile(filepath.Join(a.Reports, "latest.json"), raw); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
