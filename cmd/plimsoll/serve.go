package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

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
	agents, err := store.NewDiscovery(c.Agents, log)
	if err != nil {
		return err
	}
	// What can be wrong is found before the store is opened, which may take long.
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("%w; set another address as listen", err)
	}
	defer listener.Close()
	if err := os.MkdirAll(c.Data, 0o750); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	series, err := openSeries(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() {
		if err := series.close(); err != nil {
			log.Error("cannot close the store", "error", err)
		}
	}()
	a, err := newAdvisor(c, series, agents, log)
	if err != nil {
		return err
	}
	pages := &web.Server{Hosts: c.Hosts, Patience: patience(c)}
	if series.store != nil {
		pages.API, pages.Store = series.store.Handler(), series.store
	}
	pulse := newPulse(patience(c))
	return runAll(ctx,
		agents.Run,
		func(ctx context.Context) error { return series.scrape(ctx, agents) },
		func(ctx context.Context) error { return servePages(ctx, listener, c, pages, log) },
		pulse.run,
		boundMemory,
		func(ctx context.Context) error {
			a.Run(ctx, c.Interval.Duration, func(r *report.Report) {
				pulse.beat()
				if r != nil {
					pages.Publish(r, a.Own(), time.Now())
					pulse.ready()
				}
			})
			return nil
		},
	)
}

// patience is how long ago the last round may have ended before the advisor is
// taken to hang.
func patience(c *advisor.Config) time.Duration { return c.Interval.Duration + advisor.MaxRound }

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
		Store: series.store, Ledger: findings, Acks: c.Acks, Reports: filepath.Join(c.Data, "reports"),
		Rules: judged, Window: c.Window.Duration, Shortened: shortened, Log: log, Now: time.Now,
	}), nil
}

// series is where series come from and go to: the embedded store, or someone
// else's engine, which scrapes the agents and the advisor itself.
type series struct {
	querier store.Querier
	append  func(context.Context, []store.Sample) error
	scrape  func(context.Context, *store.Discovery) error
	close   func() error
	store   *store.Store // nil if the engine is someone else's
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
	return &series{querier: s.Querier(), append: s.Append, scrape: s.Scrape, close: s.Close, store: s}, nil
}

// servePages answers requests until ctx ends. A page takes seconds to make at
// most, a query two minutes.
func servePages(ctx context.Context, l net.Listener, c *advisor.Config, pages *web.Server, log *slog.Logger) error {
	server := &http.Server{
		Handler: pages.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(last)
		_ = server.Close() // what hangs is cut off
	})
	defer stop()
	addresses, systemd := []string{c.Listen}, false
	err := toolkit.Serve(l, server, &toolkit.FlagConfig{
		WebListenAddresses: &addresses, WebSystemdSocket: &systemd, WebConfigFile: &c.WebConfigFile,
	}, log)
	if errors.Is(err, http.ErrServerClosed) {
		<-ended // the store must not be closed under a query
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
