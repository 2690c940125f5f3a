// Package service is what the agent and the probe have in common as services of a host: the unix socket at which they
// are asked, and parts that run together. The probe has privileges, so that this imports the standard library only.
package service

import (
	"context"
	"errors"
	"sync"
)

// Run runs all parts until ctx ends or one of them does, and returns when all have ended.
func Run(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	errs := make([]error, len(parts))
	for i, part := range parts {
		running.Go(func() {
			defer cancel()
			errs[i] = part(ctx)
		})
	}
	running.Wait()
	return errors.Join(errs...)
}
