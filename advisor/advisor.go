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
	"slices"
	"time"

	"plimsoll/advisor/keeper"
	"plimsoll/advisor/ledger"
	"plimsoll/advisor/observe"
	"plimsoll/advisor/report"
	"plimsoll/advisor/store"
	"plimsoll/rules"
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
	Ledger  *ledger.Ledger
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
}

// step is a part of a round that adds series of its own.
type step string

const (
	fetching step = "fetch"
	judging  step = "judge"
)

// New returns an Advisor.
func New(o Options) *Advisor {
	return &Advisor{Options: o, book: observe.NewLagBook(), own: map[step][]store.Sample{}}
}

// Fetch asks every agent once, and adds what lag became known. It is cheap, and
// must come often enough that no second of an agent's positions is missed.
func (a *Advisor) Fetch(ctx context.Context) error {
	a.Keeper.Fetch(ctx, a.Targets())
	a.readings = a.book.Read(observe.Sights(a.Keeper.Agents()), a.Now())
	own := samples{at: a.Now()}
	own.addLag(a.readings)
	return a.append(ctx, fetching, own)
}

// Judge evaluates what is known now, and writes the report.
func (a *Advisor) Judge(ctx context.Context) (*report.Report, error) {
	began, agents := a.Now(), a.Keeper.Agents()
	f := observe.Build(ctx, observe.Inputs{
		Now: began, Window: a.Window, Agents: agents, Copies: a.Keeper.Copies,
		Querier: a.Querier, Lag: a.readings, Shortened: a.Shortened,
	})
	result := rules.Judge(f, a.Rules)
	acks, err := ledger.ReadAcks(a.Acks)
	if err != nil {
		a.Log.Warn("some acknowledgements do not hold", "error", err)
	}
	r := report.Build(a.Version, f, a.Rules, result, a.Ledger.Record(began, result, acks))

	own := samples{at: a.Now()}
	own.addReport(r)
	own.addTexts(f)
	own.addAgents(agents)
	own.add("plimsoll_round_seconds", a.Now().Sub(began).Seconds())
	return r, errors.Join(a.Ledger.Save(), a.write(r), a.append(ctx, judging, own))
}

// Run fetches and judges every interval until ctx ends. A round that fails is
// logged, and the next one comes all the same.
func (a *Advisor) Run(ctx context.Context, every time.Duration, publish func(*report.Report)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := a.Fetch(ctx); err != nil {
			a.Log.Warn("cannot store the advisor's series", "error", err)
		}
		r, err := a.Judge(ctx)
		if err != nil {
			a.Log.Error("a round is incomplete", "error", err)
		}
		publish(r)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Own returns the advisor's own series as of the last round, for its /metrics.
func (a *Advisor) Own() []store.Sample { return slices.Concat(a.own[fetching], a.own[judging]) }

func (a *Advisor) append(ctx context.Context, of step, own samples) error {
	a.own[of] = own.all
	if err := a.Append(ctx, own.all); err != nil {
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
