package mysql

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// shared are servers that the tests of this package have in common: one of each
// product, started when the first test asks for it. A test that restarts its
// server, truncates tables or changes settings starts one of its own.
type shared struct {
	sync.Mutex
	started map[servers.Product]*servers.Server
}

var sharedServers = shared{started: map[servers.Product]*servers.Server{}}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, s := range sharedServers.started {
		if err := s.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// server returns the shared server of p, with a binary log and, on MariaDB,
// userstat.
func (sh *shared) server(t testing.TB, p servers.Product) *servers.Server {
	t.Helper()
	sh.Lock()
	defer sh.Unlock()
	if s := sh.started[p]; s != nil {
		return s
	}
	settings := []string{"log_bin=binlog", "server_id=1"}
	if p.Family() == scratch.MariaDB {
		settings = append(settings, "userstat=ON")
	}
	s, err := servers.StartContext(context.WithoutCancel(t.Context()), p, servers.Settings(settings...))
	var missing *servers.MissingError
	if errors.As(err, &missing) && os.Getenv("PLIMSOLL_REQUIRE_SERVERS") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	sh.started[p] = s
	return s
}

// onEach runs test on the shared server of each product.
func onEach(t *testing.T, test func(t *testing.T, s *servers.Server)) {
	t.Helper()
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) { test(t, sharedServers.server(t, p)) })
	}
}

// open reads s with an account of its own, which has the grants of
// packaging/grants.sql up to the given tier: 0 is no grant at all.
func open(t testing.TB, s *servers.Server, tier int) *Server {
	t.Helper()
	return openAs(t, createAccount(t, s, tier))
}

// openAs reads a server through dsn.
func openAs(t testing.TB, dsn string) *Server {
	t.Helper()
	server, err := Open(Config{Name: "db1", DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return server
}

// createAccount makes an account for this test alone and returns its DSN.
func createAccount(t testing.TB, s *servers.Server, tier int) string {
	t.Helper()
	name := fmt.Sprintf("t%d_%x", tier, time.Now().UnixNano())
	dsn := s.CreateUser(t, name)
	account := quoteAccount(name + "@localhost")
	for _, grant := range documentedGrants(t, tier) {
		s.Exec(t, strings.ReplaceAll(grant, "'plimsoll'@'localhost'", account))
	}
	t.Cleanup(func() { _ = s.ExecContext(context.WithoutCancel(t.Context()), "DROP USER "+account) })
	return dsn
}

// documentedGrants are the GRANT statements of packaging/grants.sql up to a
// tier. Those of tier 3 are commented out there.
func documentedGrants(t testing.TB, upTo int) []string {
	t.Helper()
	script, err := os.ReadFile("../../packaging/grants.sql")
	if err != nil {
		t.Fatal(err)
	}
	var grants []string
	tier := 0
	for line := range strings.Lines(string(script)) {
		line = strings.TrimSpace(line)
		if _, err := fmt.Sscanf(line, "-- Tier %d:", &tier); err == nil {
			continue
		}
		if tier == 3 {
			line = strings.TrimPrefix(line, "-- ")
		}
		if tier >= 1 && tier <= upTo && strings.Contains(line, "GRANT ") {
			grants = append(grants, line)
		}
	}
	return grants
}

// find returns a job by name.
func find(t testing.TB, s *Server, name string) collectors.Job {
	t.Helper()
	for _, job := range s.Jobs() {
		if job.Name == name {
			return job
		}
	}
	t.Fatalf("there is no job %s", name)
	return collectors.Job{}
}

// collect runs a job once and returns what it filled of the server.
func collect(t testing.TB, s *Server, name string) *snapshot.Server {
	t.Helper()
	return run(t, find(t, s, name))
}

// run runs a job once within its timeout.
func run(t testing.TB, job collectors.Job) *snapshot.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), job.Timeout)
	defer cancel()
	var into snapshot.Snapshot
	if err := job.Collector.Collect(ctx, &into); err != nil {
		t.Fatalf("%s: %v", job.Name, err)
	}
	return into.Server(job.Server)
}

// grantsScript are the statements of packaging/grants.sql.
func grantsScript(t testing.TB) []string {
	t.Helper()
	script, err := os.ReadFile("../../packaging/grants.sql")
	if err != nil {
		t.Fatal(err)
	}
	var statements []string
	for line := range strings.Lines(string(script)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			statements = append(statements, line)
		}
	}
	return statements
}
