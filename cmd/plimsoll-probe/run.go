package main

import (
	"context"
	"io"
	"log/slog"

	"plimsoll/agent/service"
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
	l, err := service.Listen(ctx, s.socket, "probe", "-socket")
	if err != nil {
		return err
	}
	log.Info("probe started", "version", version, "socket", s.socket)
	err = service.Run(ctx, probe.Run, func(ctx context.Context) error { return serve(ctx, l, probe.Profile, log) })
	log.Info("probe stopped")
	return err
}
