package dashboards_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"plimsoll/advisor"
	"plimsoll/advisor/keeper"
	"plimsoll/advisor/ledger"
	"plimsoll/advisor/store"
	"plimsoll/advisor/verify/scratch"
	"plimsoll/agent"
	"plimsoll/agent/config"
	"plimsoll/collectors"
	"plimsoll/fixtures/servers"
	"plimsoll/rules"
)

// site is a primary and a replica with an agent each, PHP-FPM beside them, a store that scrapes both
// every second, and an advisor: the whole way that a figure goes to a graph.
type site struct {
	*servers.Cluster
	store   *store.Store
	advisor *advisor.Advisor
	parts   sync.WaitGroup
}

func startSite(t *testing.T, product servers.Product) *site {
	t.Helper()
	s := &site{Cluster: servers.StartReplicated(t, product, 1)}
	if product.Family() == scratch.MariaDB {
		s.Primary.Exec(t, "INSTALL SONAME 'query_response_time'", "SET GLOBAL query_response_time_stats = ON")
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(s.parts.Wait)
	t.Cleanup(cancel)

	php := servers.StartPHP(t, servers.PHP82, servers.Pool{StatusListen: true})
	probe := s.speakAsProbe(ctx, t, php)
	agents := store.Agents{ScrapeInterval: time.Second}
	for host, server := range map[string]*servers.Server{"db1": s.Primary, "db2": s.Replicas[0]} {
		socket := s.startAgent(ctx, t, host, server, probe)
		agents.Static = append(agents.Static, store.StaticAgents{Targets: []string{"unix:" + socket}})
	}
	s.startAdvisor(ctx, t, agents)
	return s
}

// startAgent reads a server as root, since what is shown here is not what an
// account may see, and everything every second.
func (s *site) startAgent(ctx context.Context, t *testing.T, host string, server *servers.Server, probe string) (socket string) {
	t.Helper()
	cfg, err := config.Parse("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Cluster, cfg.Host, cfg.State, cfg.Listen = "shop", host, "", ""
	cfg.Probe = probe
	cfg.MySQL = []config.MySQL{{Name: host, Socket: server.Socket, User: "root"}}
	a := agent.New(agent.Options{Config: cfg, Version: "test", Every: func(job collectors.Job) time.Duration {
		return min(job.Every, time.Second)
	}})
	socket = filepath.Join(t.TempDir(), "agent.sock")
	l, err := new(net.ListenConfig).Listen(ctx, "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: a.Handler(), ReadHeaderTimeout: time.Second}
	context.AfterFunc(ctx, func() { _ = web.Close() }) // What is cut off is ours.
	s.run(t, func() error { return a.Run(ctx) })
	s.run(t, func() error { return web.Serve(l) })
	return socket
}

func (s *site) startAdvisor(ctx context.Context, t *testing.T, agents store.Agents) {
	t.Helper()
	var err error
	if s.store, err = store.Open(ctx, store.Options{Dir: filepath.Join(t.TempDir(), "series")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.parts.Wait()
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
	quiet := slog.New(slog.DiscardHandler)
	found, err := store.NewDiscovery([]store.Agents{agents}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, func() error { return s.store.Scrape(ctx, found) })
	kept, err := keeper.Open(t.TempDir(), quiet, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := ledger.Open(filepath.Join(t.TempDir(), "ledger.json"))
	if err != nil {
		t.Fatal(err)
	}
	s.advisor = advisor.New(advisor.Options{
		Version: "test", Targets: found.Targets, Keeper: kept, Querier: s.store.Querier(), Append: s.store.Append,
		Ledger: findings, Rules: impatient(), Window: 10 * time.Minute, Log: quiet, Now: time.Now,
	})
}

// impatient are all rules, judging what they saw in a second; but for one that
// keeps its weeks, so that there is a rule that could not judge.
func impatient() []rules.Rule {
	all := rules.All()
	for i, r := range all {
		if r.ID != "mysql/unused-index" {
			all[i].MinWindow, all[i].Window = time.Second, time.Second
		}
	}
	return all
}

// run lets a part of the site run until the test ends.
func (s *site) run(t *testing.T, part func() error) {
	t.Helper()
	s.parts.Go(func() {
		if err := part(); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, context.Canceled) {
			t.Errorf("a part of the site ended: %v", err)
		}
	})
}

// watch lets the advisor fetch and judge every second, for as long as visitors
// come.
func (s *site) watch(t *testing.T, length time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	for _, visitor := range []func(context.Context, *sql.DB) error{browse, buy, buy} {
		s.run(t, func() error {
			if err := visitor(ctx, s.Primary.DB()); err != nil && ctx.Err() == nil {
				return err
			}
			return nil
		})
	}
	for ctx.Err() == nil {
		if err := s.advisor.Fetch(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.advisor.Judge(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// shop is a small shop with a query that lacks its index, and one hot row.
func shop() []string {
	statements := []string{
		"CREATE DATABASE shop",
		"CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL, total INT NOT NULL, note VARCHAR(100))",
		"CREATE TABLE shop.stock (id INT PRIMARY KEY, pieces INT NOT NULL)",
		"INSERT INTO shop.stock VALUES (1, 1000000)",
		"INSERT INTO shop.orders (customer, total, note) VALUES (1, 1, 'a note')",
	}
	for range 14 { // 16,384 orders
		statements = append(statements, "INSERT INTO shop.orders (customer, total, note) SELECT (customer * 31 + id) % 997, id % 101, note FROM shop.orders")
	}
	return statements
}

// browse reads without an index, and writes one row a commit.
func browse(ctx context.Context, db *sql.DB) error {
	for i := 0; ; i++ {
		for _, statement := range []string{
			fmt.Sprintf("SELECT * FROM shop.orders WHERE customer = %d ORDER BY total", i%997),
			"SELECT note, COUNT(*) FROM shop.orders GROUP BY note",
			fmt.Sprintf("INSERT INTO shop.orders (customer, total) VALUES (%d, 1)", i%997),
		} {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
	}
}

// buy takes the hot row and holds it for long; two of them wait for each other.
func buy(ctx context.Context, db *sql.DB) error {
	for {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE shop.stock SET pieces = pieces - 1 WHERE id = 1")
		if err == nil {
			_, err = tx.ExecContext(ctx, "SELECT SLEEP(2)")
		}
		if err = errors.Join(err, tx.Commit()); err != nil {
			return err
		}
	}
}
