package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"plimsoll/agent"
	"plimsoll/agent/config"
	"plimsoll/agent/service"
	"plimsoll/collectors"
)

const (
	// between is the time between two reads of a total in once.
	between = 2 * time.Second
	// patience bounds once: a server that hangs must not hang the command.
	patience = 45 * time.Second
)

func (p program) once(ctx context.Context, args []string) error {
	var s settings
	f := p.flags("once", "Reads everything once, totals twice, and prints the snapshot as JSON. It keeps no\n"+
		"state and may run beside the service.")
	s.add(f)
	if err := p.parse(f, args); err != nil {
		return err
	}
	c, err := s.read()
	if err != nil {
		return err
	}
	return p.printOnce(ctx, c)
}

func (p program) printOnce(ctx context.Context, c *config.Config) error {
	c.State = ""
	a := agent.New(agent.Options{Config: c, Version: version, Log: discard(), Every: soon})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	waiting, stop := context.WithTimeout(ctx, patience)
	defer stop()
	err := service.Run(ctx, a.Run, func(context.Context) error {
		// What is not there in time is missing in the snapshot, which says so.
		_ = a.Warm(waiting)
		return nil
	})
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(p.out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(a.Snapshot()); err != nil {
		return fmt.Errorf("print snapshot: %w", err)
	}
	return nil
}

// soon makes jobs that accumulate run again quickly.
func soon(job collectors.Job) time.Duration {
	if _, ok := job.Collector.(collectors.Keeper); ok {
		return between
	}
	return job.Every
}
