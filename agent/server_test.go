package agent

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"plimsoll/agent/config"
	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// reading runs an agent that reads s as root every second, and the host, until
// the test ends.
func reading(t *testing.T, s *servers.Server) *Agent {
	t.Helper()
	return readingAs(t, config.MySQL{Name: "db1", Socket: s.Socket, User: "root"}, time.Second)
}

func readingAs(t *testing.T, m config.MySQL, every time.Duration) *Agent {
	t.Helper()
	return readingLogged(t, slog.New(slog.DiscardHandler), m, every)
}

func readingLogged(t *testing.T, log *slog.Logger, m config.MySQL, every time.Duration) *Agent {
	t.Helper()
	a := New(Options{
		Log: log,
		Config: &config.Config{
			Cluster: "shop", Host: "db1", MySQL: []config.MySQL{m},
			Jobs: map[string]config.Job{"mysql": {Timeout: 2 * time.Second}},
		},
		Every: func(collectors.Job) time.Duration { return every },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	warm(t, a)
	return a
}

func warm(t *testing.T, a *Agent) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := a.Warm(ctx); err != nil {
		t.Fatalf("Warm: %v; %+v", err, a.Snapshot().Agent.Jobs)
	}
}

// eventually waits until the snapshot is as wanted.
func eventually(t *testing.T, a *Agent, what string, wanted func(*snapshot.Snapshot) bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if wanted(a.Snapshot()) {
			return
		}
	}
	t.Errorf("not within 30 s: %s; gaps %+v", what, a.Snapshot().Gaps)
}

func failing(s *snapshot.Snapshot) (names []string) {
	for _, j := range s.Agent.Jobs {
		if j.LastError != "" {
			names = append(names, j.Name)
		}
	}
	return names
}

// scrape returns the series of a, one a line.
func scrape(t *testing.T, a *Agent) []string {
	t.Helper()
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET /metrics: %d %s", w.Code, w.Body)
	}
	var series []string
	for line := range strings.Lines(w.Body.String()) {
		if !strings.HasPrefix(line, "#") {
			series = append(series, line)
		}
	}
	return series
}

// The series budget: what a host may cost the Prometheus that scrapes it.
const (
	databaseSeries = 2000
	webSeries      = 400
)

func TestADatabaseHostStaysWithinItsSeries(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			s := servers.Start(t, p)
			makeTables(t, s)
			a := readingAs(t, config.MySQL{Name: "db1", Socket: s.Socket, User: "root"}, 300*time.Millisecond)
			// Digests become series a few at a time, and only while they run.
			eventually(t, a, "as many digests as have series", func(now *snapshot.Snapshot) bool {
				runStatements(t, s)
				d := now.Servers["db1"].Digests
				return d != nil && len(d.Series) >= 100
			})
			if names := failing(a.Snapshot()); len(names) > 0 {
				t.Errorf("these jobs fail: %v; %+v", names, a.Snapshot().Gaps)
			}
			series := scrape(t, a)
			t.Logf("%d series", len(series))
			if len(series) > databaseSeries || len(series) < 1000 {
				t.Errorf("%d series, want 1000 to %d: %v", len(series), databaseSeries, perMetric(series))
			}
			if n := a.Handler().Dropped(); n != 0 {
				t.Errorf("%d series were dropped", n)
			}
			if n := connections(t, s); n > 2 {
				t.Errorf("the agent holds %d connections, want at most 2", n)
			}
		})
	}
}

// Tables and statements are more than have series of their own.
const (
	crowdTables     = 80
	crowdStatements = 150
)

func makeTables(t *testing.T, s *servers.Server) {
	t.Helper()
	statements := []string{"CREATE DATABASE crowd"}
	for i := range crowdTables {
		statements = append(statements, fmt.Sprintf("CREATE TABLE crowd.t%d (id INT PRIMARY KEY, a INT, b INT, KEY (a), KEY (b))", i))
	}
	s.Exec(t, statements...)
}

func runStatements(t *testing.T, s *servers.Server) {
	t.Helper()
	var statements []string
	for i := range crowdStatements {
		statements = append(statements, fmt.Sprintf("SELECT id AS c%d FROM crowd.t%d WHERE a = 1", i, i%crowdTables))
	}
	s.Exec(t, statements...)
}

func perMetric(series []string) map[string]int {
	count := map[string]int{}
	for _, line := range series {
		name, _, _ := strings.Cut(line, "{")
		count[name]++
	}
	return count
}

// connections counts those of the agent.
func connections(t *testing.T, s *servers.Server) (n int) {
	t.Helper()
	db := s.DB()
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) - ? FROM information_schema.PROCESSLIST WHERE USER = 'root'",
		db.Stats().OpenConnections).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAWebHostStaysWithinItsSeries(t *testing.T) {
	a := New(Options{Config: &config.Config{Cluster: "shop", Host: "web1"}, Jobs: Jobs(&config.Config{})})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	warm(t, a)
	// Other tests have pools of PHP-FPM on this machine, any number of them.
	series := slices.DeleteFunc(scrape(t, a), func(line string) bool { return strings.Contains(line, ",pool=") })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	t.Logf("%d series", len(series))
	if len(series) > webSeries || len(series) < 50 {
		t.Errorf("%d series, want 50 to %d: %v", len(series), webSeries, perMetric(series))
	}
}

func TestAServerThatHangsCostsItsOwnFiguresOnly(t *testing.T) {
	s := servers.Start(t, servers.MariaDB1011)
	a := reading(t, s)
	asking := 0
	for _, j := range a.Snapshot().Agent.Jobs {
		if j.Server != "" {
			asking++
		}
	}
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	continued := false
	defer func() {
		if !continued {
			_ = s.Continue()
		}
	}()
	eventually(t, a, "all jobs that ask the server fail", func(s *snapshot.Snapshot) bool { return len(failing(s)) >= asking-2 })
	for _, name := range failing(a.Snapshot()) {
		if !strings.HasPrefix(name, "mysql/") {
			t.Errorf("job %s fails too", name)
		}
	}
	before := a.Snapshot().Machine.Taken
	eventually(t, a, "the host is still read", func(s *snapshot.Snapshot) bool { return s.Machine.Taken.After(before.Add(2 * time.Second)) })

	if err := s.Continue(); err != nil {
		t.Fatal(err)
	}
	continued = true
	eventually(t, a, "all jobs succeed again", func(s *snapshot.Snapshot) bool { return len(failing(s)) == 0 })
	if n := connections(t, s); n > 2 {
		t.Errorf("the agent holds %d connections afterwards, want at most 2", n)
	}
}

func TestARestartedServerIsReadAgain(t *testing.T) {
	s := servers.Start(t, servers.MariaDB1011)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	a := readingLogged(t, timeless(log), config.MySQL{Name: "db1", Socket: s.Socket, User: "root"}, time.Second)
	before := a.Snapshot().Servers["db1"].Status
	s.Kill()
	eventually(t, a, "most jobs fail", func(s *snapshot.Snapshot) bool { return len(failing(s)) >= 10 })
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	restarted := time.Now()
	eventually(t, a, "status of the new server", func(s *snapshot.Snapshot) bool {
		return s.Servers["db1"].Status.Taken.After(restarted) && len(failing(s)) == 0
	})
	after := a.Snapshot().Servers["db1"].Status
	if after.Epoch == before.Epoch {
		t.Errorf("the epoch is still %s although all counters start anew", after.Epoch)
	}
	told, err := os.ReadFile(log.Name())
	if err != nil {
		t.Fatal(err)
	}
	lost, back := strings.Count(string(told), "server cannot be read"), strings.Count(string(told), "server is read again")
	if lines := strings.Count(string(told), "\n"); lost != 1 || back != 1 || lines != 2 {
		t.Errorf("the log tells of the outage in %d lines, want one when it begins and one when it ends:\n%s", lines, told)
	}
}

func TestWithoutGrantsEveryGapNamesOne(t *testing.T) {
	s := servers.Start(t, servers.MariaDB1011)
	s.Exec(t, "CREATE USER bare@localhost IDENTIFIED BY ''")
	a := readingAs(t, config.MySQL{Name: "db1", Socket: s.Socket, User: "bare"}, time.Second)
	var gaps []snapshot.Gap
	for _, h := range a.Snapshot().Servers["db1"].Headers() {
		gaps = append(gaps, h.Gaps...)
	}
	grants := 0
	for _, g := range gaps {
		if strings.HasPrefix(g.Remedy, "GRANT ") && strings.Contains(g.Remedy, "'bare'@'localhost'") {
			grants++
		}
	}
	if grants == 0 {
		t.Errorf("no gap names a grant: %+v, %+v", gaps, a.Snapshot().Gaps)
	}
}

func TestACredentialThatComesLaterIsFound(t *testing.T) {
	s := servers.Start(t, servers.MariaDB1011)
	file := filepath.Join(t.TempDir(), "dsn")
	a := New(Options{
		Config: &config.Config{MySQL: []config.MySQL{{Name: "db1", DSNFile: file}}},
		Every:  func(collectors.Job) time.Duration { return time.Second },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	warm(t, a)
	gaps := a.Snapshot().Gaps
	if len(gaps) != 1 || gaps[0].Job != serversJob || !strings.HasPrefix(gaps[0].Reason, "read dsn_file of db1: ") {
		t.Errorf("gaps = %+v, want one about the file", gaps)
	}
	write(t, file, []byte(s.DSN("root")))
	eventually(t, a, "status of the server", func(s *snapshot.Snapshot) bool {
		return s.Servers["db1"] != nil && s.Servers["db1"].Status != nil && len(s.Gaps) == 0
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
