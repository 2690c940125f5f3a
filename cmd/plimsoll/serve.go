package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/spf13/cobra"

	"plimsoll/advisor"
	"plimsoll/advisor/keeper"
	"plimsoll/advisor/ledger"
	"plimsoll/advisor/report"
	"plimsoll/advisor/store"
	"plimsoll/advisor/web"
	"plimsoll/rules"
)

func newServe() *cobra.Command {
	var insecure bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Fetch from the agents, judge, and serve report and API for ever",
		Example: "  plimsoll serve\n" +
			"  plimsoll serve --config ./plimsoll.yml",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(cmd)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), c, insecure, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)))
		},
	}
	cmd.Flags().BoolVar(&insecure, "insecure", false, "allow an address that is not loopback without TLS and authentication")
	return cmd
}

// readConfig reads --config; a file that was named by hand must exist.
func readConfig(cmd *cobra.Command) (*advisor.Config, error) {
	flag := cmd.Flag("config")
	return advisor.ReadConfig(flag.Value.String(), flag.Changed)
}

// serve runs until ctx ends.
func serve(ctx context.Context, c *advisor.Config, insecure bool, log *slog.Logger) error {
	if err := web.CheckListener(c.Listen, c.WebConfigFile, insecure); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Data, 0o750); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	series, err := openSeries(ctx, c, log)
	if err != nil {
		return err
	}
	defer series.close()
	agents, err := store.NewDiscovery(c.Agents, log)
	if err != nil {
		return err
	}
	a, err := newAdvisor(c, series, agents, log)
	if err != nil {
		return err
	}
	pages := &web.Server{API: series.api, Hosts: c.Hosts, Every: c.Interval.Duration}
	return runAll(ctx,
		agents.Run,
		func(ctx context.Context) error { return series.scrape(ctx, agents) },
		func(ctx context.Context) error { return listen(ctx, c, pages, log) },
		func(ctx context.Context) error {
			a.Run(ctx, c.Interval.Duration, func(r *report.Report) {
				pages.Publish(r, a.Own(), time.Now())
				_, _ = daemon.SdNotify(false, daemon.SdNotifyReady) // without systemd there is nobody to tell
				_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
			})
			return nil
		},
	)
}

func newAdvisor(c *advisor.Config, series *series, agents *store.Discovery, log *slog.Logger) (*advisor.Advisor, error) {
	kept, err := keeper.Open(filepath.Join(c.Data, "snapshots"), log, time.Now)
	if err != nil {
		return nil, err
	}
	findings, err := ledger.Open(filepath.Join(c.Data, "ledger.json"))
	if err != nil && findings == nil {
		return nil, err
	}
	if err != nil {
		log.Warn("the ledger starts anew", "error", err)
	}
	judged, shortened, err := rules.Configure(rules.All(), c.Settings())
	if err != nil {
		return nil, err
	}
	return advisor.New(advisor.Options{
		Version: version, Targets: agents.Targets, Keeper: kept, Querier: series.querier, Append: series.append,
		Ledger: findings, Acks: c.Acks, Reports: filepath.Join(c.Data, "reports"),
		Rules: judged, Window: c.Window.Duration, Shortened: shortened, Log: log, Now: time.Now,
	}), nil
}

// series is where series come from and go to: the embedded store, or someone
// else's engine, which scrapes the agents and the advisor itself.
type series struct {
	querier store.Querier
	append  func(context.Context, []store.Sample) error
	scrape  func(context.Context, *store.Discovery) error
	api     http.Handler
	close   func() error
}

func openSeries(ctx context.Context, c *advisor.Config, log *slog.Logger) (*series, error) {
	if c.Store.URL != "" {
		querier, err := c.Store.Querier()
		if err != nil {
			return nil, err
		}
		return &series{
			querier: querier,
			append:  func(context.Context, []store.Sample) error { return nil },
			scrape:  func(ctx context.Context, _ *store.Discovery) error { <-ctx.Done(); return nil },
			close:   func() error { return nil },
		}, nil
	}
	s, err := store.Open(ctx, store.Options{
		Dir: filepath.Join(c.Data, "series"), Logger: log,
		Retention: c.Store.Embedded.Retention.Duration, MaxBytes: c.Store.Embedded.MaxBytes.Bytes,
	})
	if err != nil {
		return nil, err
	}
	return &series{querier: s.Querier(), append: s.Append, scrape: s.Scrape, api: s.Handler(), close: s.Close}, nil
}

func listen(ctx context.Context, c *advisor.Config, pages *web.Server, log *slog.Logger) error {
	server := &http.Server{Handler: pages.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(last) // what hangs is cut off with the process
	})
	defer stop()
	addresses, systemd := []string{c.Listen}, false
	err := toolkit.ListenAndServe(server, &toolkit.FlagConfig{
		WebListenAddresses: &addresses, WebSystemdSocket: &systemd, WebConfigFile: &c.WebConfigFile,
	}, log)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("listen on %s: %w", c.Listen, err)
}

// runAll runs every part until one fails or ctx ends, and returns the first
// error. It returns when all have ended.
func runAll(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, part := range parts {
		wg.Go(func() {
			if err := part(ctx); err != nil && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return internal(err)
	}
	return nil
}
