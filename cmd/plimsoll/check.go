package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"plimsoll/advisor"
	"plimsoll/advisor/report"
	"plimsoll/advisor/store"
	"plimsoll/agent"
	"plimsoll/agent/config"
	"plimsoll/collectors"
)

// The times of a check: jobs run more often than in an agent, because a minute
// is all there is.
const (
	checkFor      = time.Minute
	checkEvery    = 5 * time.Second
	checkScrape   = time.Second
	checkFetch    = 2 * time.Second
	checkWarmUp   = 30 * time.Second
	checkRareJobs = 10 * time.Minute
	// checkSlack is how old the first figures may be when the watch begins.
	checkSlack = 2 * checkEvery
)

func newCheck() *cobra.Command {
	var login login
	var out output
	length := checkFor
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look at this host for a minute, judge, and report; needs no set-up",
		Long: "Look at this host and its database server for a minute, judge, and report. Nothing is written to the server.\n\n" +
			"It logs in with --mysql, else --defaults-file, else ~/.my.cnf, else by the server's socket as the current user;\n" +
			"the report names which.",
		Example: "  plimsoll check\n" +
			"  plimsoll check --for 5m --format html --output report.html\n" +
			"  plimsoll check --mysql 'plimsoll:secret@tcp(db.example:3306)/'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			if length < 10*time.Second || length > 24*time.Hour {
				return fmt.Errorf("--for %s is out of range; allowed is 10s to 24h", length)
			}
			r, err := check(cmd.Context(), &login, length, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return out.write(cmd, r)
		},
	}
	login.flags(cmd)
	out.flags(cmd)
	cmd.Flags().DurationVar(&length, "for", checkFor, "how long to watch")
	return cmd
}

// check is the whole way in one process: an agent, the embedded store, the
// pipeline, for as long as asked, in a folder that goes with it.
func check(ctx context.Context, login *login, length time.Duration, progress io.Writer) (_ *report.Report, err error) {
	dir, err := os.MkdirTemp("", "plimsoll-check-")
	if err != nil {
		return nil, internal(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cfg, how, err := login.config(dir)
	if err != nil {
		return nil, err
	}
	c, agents, err := checkConfig(dir, length)
	if err != nil {
		return nil, internal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	series, err := openSeries(ctx, c, quiet)
	if err != nil {
		return nil, internal(err)
	}
	defer func() { err = errors.Join(err, series.close()) }()
	a, err := newAdvisor(c, series, agents, quiet)
	if err != nil {
		return nil, internal(err)
	}
	var r *report.Report
	var watchErr error
	host := agent.New(agent.Options{Config: cfg, Version: version, Log: quiet, Every: checkInterval})
	parts, done := context.WithCancel(ctx)
	defer done()
	err = runAll(parts,
		host.Run,
		func(ctx context.Context) error { return serveSocket(ctx, cfg.Socket, host.Handler()) },
		func(ctx context.Context) error { return series.scrape(ctx, agents) },
		func(ctx context.Context) error {
			defer done() // ends the others
			r, watchErr = watch(ctx, host, a, length, progress)
			return nil
		},
	)
	switch {
	case ctx.Err() != nil:
		return nil, exit{exitUsage, errors.New("interrupted: a report needs the whole time; --for makes it shorter")}
	case err != nil:
		return nil, err
	case r == nil:
		return nil, internal(watchErr)
	}
	r.Login = how
	return r, nil
}

// watch fetches until length has passed, and judges once. What is incomplete is
// told in the report.
func watch(ctx context.Context, host *agent.Agent, a *advisor.Advisor, length time.Duration, progress io.Writer) (*report.Report, error) {
	show := newProgress(progress, length)
	defer show.end()
	warm, cancel := context.WithTimeout(ctx, checkWarmUp)
	_ = host.Warm(warm) // what is not warm by then is a gap
	cancel()
	began, end := time.Now(), time.After(length)
	tick := time.NewTicker(checkFetch)
	defer tick.Stop()
	for {
		_ = a.Fetch(ctx) // fails if no series can be stored, which the report says
		show.tick()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-end:
			a.Window = time.Since(began) + checkSlack
			return a.Judge(ctx)
		case <-tick.C:
		}
	}
}

// checkConfig is the advisor's configuration for one host.
func checkConfig(dir string, length time.Duration) (*advisor.Config, *store.Discovery, error) {
	c, err := advisor.ReadConfig(filepath.Join(dir, "none"), false)
	if err != nil {
		return nil, nil, err
	}
	c.Data, c.Acks = dir, filepath.Join(dir, "acks.yml")
	c.Window.Duration = length + 2*checkWarmUp
	c.Agents = []store.Agents{{
		Static:         []store.StaticAgents{{Targets: []string{"unix:" + socketPath(dir)}}},
		ScrapeInterval: checkScrape,
	}}
	agents, err := store.NewDiscovery(c.Agents, slog.New(slog.DiscardHandler))
	return c, agents, err
}

func socketPath(dir string) string { return filepath.Join(dir, "agent.sock") }

// checkInterval makes jobs that are usually minutes apart run every few seconds.
// What is read once an hour is read once.
func checkInterval(job collectors.Job) time.Duration {
	if job.Every > checkRareJobs {
		return job.Every
	}
	return min(job.Every, checkEvery)
}

// serveSocket serves h on a socket for this process alone.
func serveSocket(ctx context.Context, path string, h http.Handler) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return internal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // the check is over
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return internal(err)
	}
	return nil
}

// agentConfig is an agent's configuration that serves nothing but the check.
func agentConfig(dir string, servers []config.MySQL) (*config.Config, error) {
	cfg, err := config.Parse("", nil, nil)
	if err != nil {
		return nil, err
	}
	cfg.Socket, cfg.State, cfg.Listen, cfg.MySQL = socketPath(dir), "", "", servers
	return cfg, nil
}
