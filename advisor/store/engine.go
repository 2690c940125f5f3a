package store

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

const (
	// maxSamples bounds the memory of one query: a sample takes 16 bytes.
	maxSamples = 20_000_000
	// queryTimeout is Prometheus' own default.
	queryTimeout = 2 * time.Minute
	// lookback is Prometheus' own default: how old the newest sample of a
	// series may be and still be the present.
	lookback = 5 * time.Minute
	// subqueryStep is the step of a subquery that names none.
	subqueryStep = time.Minute
	// maxQueries is how many queries run at once; others wait their turn.
	maxQueries = 8
)

func newEngine(o Options, p parser.Parser) *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		Logger:                   quiet(o.Logger),
		Reg:                      o.Registerer,
		MaxSamples:               maxSamples,
		Timeout:                  queryTimeout,
		ActiveQueryTracker:       make(gate, maxQueries),
		LookbackDelta:            lookback,
		NoStepSubqueryIntervalFn: func(int64) int64 { return subqueryStep.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   p,
	})
}

// gate lets cap(g) queries pass at once. Prometheus' own tracker does that too,
// but through a memory-mapped file, and a write to such a file on a full disk
// kills the process (SIGBUS).
type gate chan struct{}

func (g gate) GetMaxConcurrent() int { return cap(g) }

func (g gate) Insert(ctx context.Context, _ string) (int, error) {
	select {
	case g <- struct{}{}:
		return 0, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (g gate) Delete(int) { <-g }

func (g gate) Close() error { return nil }
