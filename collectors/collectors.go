// Package collectors holds what every source of facts has in common: the
// contract with the agent, reading rows, and names that anybody may have chosen.
//
// A collector reads one source once and fills its part of an empty Snapshot.
// It starts nothing that outlives the call, and owns no time: the agent decides
// when it runs, how long it may take and what happens when it fails.
package collectors

import (
	"context"
	"encoding/json"
	"time"

	"plimsoll/collectors/snapshot"
)

// Collector reads one source once.
//
// Collect fills its part of into, which is empty. A fact that cannot be read is
// a Gap in that part, and not an error; an error means that the whole round
// failed, and the part of the round before stays until it is too old.
type Collector interface {
	Collect(ctx context.Context, into *snapshot.Snapshot) error
}

// Keeper is a Collector that accumulates. The agent writes its state to disk
// before a part that was made from it becomes visible, so that no total ever
// falls, and loads it once before the first round.
type Keeper interface {
	Collector
	// Save returns the state after the last round.
	Save() (json.RawMessage, error)
	// Load takes up the state of an earlier run. After an error the collector
	// starts at zero with a new epoch.
	Load(state json.RawMessage) error
}

// SourceError is the error of a Collector that could not ask its source at all:
// every job of that source fails alike, and none by a fault of its own.
type SourceError struct{ Err error }

// Error returns the text of the reason.
func (e *SourceError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *SourceError) Unwrap() error { return e.Err }

// Job is a Collector with its times.
type Job struct {
	// Name is area/what, such as mysql/digests; several servers have jobs of
	// the same name.
	Name string
	// Server is the database server concerned; empty for the host.
	Server string
	// Every is the interval between rounds, Timeout the longest that one may
	// take.
	Every   time.Duration
	Timeout time.Duration

	Collector Collector
}

// Func makes a Collector of a function.
type Func func(ctx context.Context, into *snapshot.Snapshot) error

// Collect calls f.
func (f Func) Collect(ctx context.Context, into *snapshot.Snapshot) error { return f(ctx, into) }
