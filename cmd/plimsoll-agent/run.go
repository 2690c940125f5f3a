package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"plimsoll/agent"
	"plimsoll/agent/config"
	"plimsoll/agent/expose"
	"plimsoll/agent/service"
)

// jitter spreads the first rounds of jobs over the first seconds.
const jitter = 3 * time.Second

// settings are the flags of the commands that read a configuration.
type settings struct {
	file     string
	insecure bool
}

func (s *settings) add(f *flag.FlagSet) {
	f.StringVar(&s.file, "config", config.DefaultFile, "configuration `file`")
	f.BoolVar(&s.insecure, "insecure", false, "serve everything on any address without TLS and authentication")
}

func (s *settings) read() (*config.Config, error) {
	c, err := config.Read(s.file, agent.JobNames())
	if err != nil {
		return nil, err
	}
	return c, c.CheckListen(s.insecure)
}

func (p program) run(ctx context.Context, args []string) error {
	var s settings
	f := p.flags("run", "Reads the servers of this host and serves what it reads, until SIGTERM.")
	s.add(f)
	if err := p.parse(f, args); err != nil {
		return err
	}
	c, err := s.read()
	if err != nil {
		return err
	}
	log := newLog(p.err)
	a := agent.New(agent.Options{Config: c, Version: version, Log: log, Jitter: jitter})
	server, err := a.Handler().Listen(ctx, expose.Options{
		Socket: c.Socket, Address: c.Listen, WebConfigFile: c.WebConfigFile, Insecure: s.insecure, Log: log,
	})
	if err != nil {
		return err
	}
	log.Info("agent started", "version", version, "cluster", c.Cluster, "host", c.Host,
		"socket", c.Socket, "address", server.Address(), "state", c.State)
	err = service.Run(ctx, a.Run, server.Serve, func(ctx context.Context) error { return tellSystemd(ctx, a) })
	log.Info("agent stopped")
	return err
}

// tellSystemd says that the agent is up, goes on saying so to the watchdog as
// long as a snapshot can be had, and says when it stops. Without systemd it
// only waits.
func tellSystemd(ctx context.Context, a *agent.Agent) error {
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("read WATCHDOG_USEC: %w", err)
	}
	if err := notify(daemon.SdNotifyReady); err != nil {
		return err
	}
	var beat <-chan time.Time
	if watchdog > 0 {
		ticker := time.NewTicker(watchdog / 2)
		defer ticker.Stop()
		beat = ticker.C
	}
	for {
		select {
		case <-beat:
			a.Snapshot() // Blocks if the agent is stuck, and then systemd restarts it.
			if err := notify(daemon.SdNotifyWatchdog); err != nil {
				return err
			}
		case <-ctx.Done():
			return notify(daemon.SdNotifyStopping)
		}
	}
}

func notify(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	return nil
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
