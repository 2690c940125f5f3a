package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"plimsoll/collectors/phpfpm/sampler"
)

// run samples and serves until ctx ends, or prints what was seen in a while.
func (s *settings) run(ctx context.Context, out io.Writer, log *slog.Logger) error {
	probe := sampler.New(s.sampler)
	if s.print > 0 {
		ctx, cancel := context.WithTimeout(ctx, s.print)
		defer cancel()
		if err := probe.Run(ctx); err != nil {
			return err
		}
		probe.Close()
		return write(out, probe.Profile())
	}
	l, err := listen(ctx, s.socket)
	if err != nil {
		return err
	}
	log.Info("probe started", "version", version, "socket", s.socket)
	err = together(ctx, probe.Run, func(ctx context.Context) error { return serve(ctx, l, probe.Profile, log) })
	log.Info("probe stopped")
	return err
}

// together runs all until ctx ends or one of them does, and returns when all have ended.
func together(ctx context.Context, all ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	errs := make([]error, len(all))
	for i, run := range all {
		running.Go(func() {
			defer cancel()
			errs[i] = run(ctx)
		})
	}
	running.Wait()
	return errors.Join(errs...)
}
