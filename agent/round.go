package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// outcome is what a round came to.
type outcome struct {
	fresh *snapshot.Snapshot
	state json.RawMessage
	err   error
	took  time.Duration
}

// collect runs one round.
func collect(ctx context.Context, job collectors.Job) (out outcome) {
	start := time.Now()
	out.fresh = &snapshot.Snapshot{}
	out.err = guarded(func() error {
		if err := job.Collector.Collect(ctx, out.fresh); err != nil {
			return err
		}
		keeper, ok := job.Collector.(collectors.Keeper)
		if !ok {
			return nil
		}
		var err error
		out.state, err = saved(keeper)
		return err
	})
	if errors.Is(out.err, context.DeadlineExceeded) && ctx.Err() != nil {
		out.err = fmt.Errorf("took longer than its limit of %s: %w", job.Timeout, out.err)
	}
	out.took = time.Since(start)
	return out
}

// saved returns the state of k, which is never nil.
func saved(k collectors.Keeper) (json.RawMessage, error) {
	state, err := k.Save()
	if err != nil {
		return nil, fmt.Errorf("save state: %w", err)
	}
	if !json.Valid(state) {
		return nil, errors.New("BUG: save state: not JSON")
	}
	return state, nil
}

// panicError is a panic of a collector.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("BUG: panic: %v", p.value) }

// guarded turns a panic of f into its error: a bug in one collector must not
// end the others.
func guarded(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	return f()
}
