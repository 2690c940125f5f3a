package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"plimsoll/advisor"
	"plimsoll/advisor/report"
	"plimsoll/advisor/store"
	"plimsoll/advisor/web"
	"plimsoll/agent"
	"plimsoll/agent/config"
	"plimsoll/collectors"
	"plimsoll/rules"
)

// stage is agents and an advisor in one process: all that serve has, judged when
// the test says so, and everything every second.
type stage struct {
	config *advisor.Config
	series *series
	*advisor.Advisor
	pages *web.Server
	// close stops the advisor; agents go on. It may be called again.
	close func()
}

// startAgent runs an agent until the test ends, and returns its target.
func startAgent(t *testing.T, c config.Config) (target string, a *agent.Agent) {
	t.Helper()
	dir, err := os.MkdirTemp("", "pl-") //nolint:usetesting // short, because the path of a socket must be
	if err != nil {
		t.Fatal(err)
	}
	c.Socket, c.Listen = filepath.Join(dir, "agent.sock"), ""
	a = agent.New(agent.Options{Config: &c, Version: "test", Every: func(j collectors.Job) time.Duration { return min(j.Every, time.Second) }})
	ctx, cancel := context.WithCancel(t.Context())
	var parts sync.WaitGroup
	run := func(part func(context.Context) error) {
		parts.Go(func() {
			if err := part(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("agent of %s: %v", c.Host, err)
			}
		})
	}
	run(a.Run)
	run(func(ctx context.Context) error { return serveSocket(ctx, c.Socket, a.Handler()) })
	t.Cleanup(func() { cancel(); parts.Wait(); os.RemoveAll(dir) })
	warm, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	if err := a.Warm(warm); err != nil {
		t.Fatalf("warm up the agent of %s: %v", c.Host, err)
	}
	return "unix:" + c.Socket, a
}

// startStage opens an advisor on data, which may be that of an earlier one.
func startStage(t *testing.T, data string, targets ...string) *stage {
	t.Helper()
	c, err := advisor.ReadConfig(filepath.Join(data, "none"), false)
	if err != nil {
		t.Fatal(err)
	}
	c.Data, c.Acks, c.Window.Duration = data, filepath.Join(data, "acks.yml"), 10*time.Minute
	c.Agents = []store.Agents{{Static: []store.StaticAgents{{Targets: targets}}, ScrapeInterval: time.Second}}
	c.Rules = map[rules.ID]advisor.RuleConfig{}
	for _, r := range rules.All() {
		if r.MinWindow > 0 {
			second := advisor.Duration{Duration: time.Second}
			c.Rules[r.ID] = advisor.RuleConfig{MinWindow: second, Window: second}
		}
	}
	log := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s := &stage{config: c}
	ctx, cancel := context.WithCancel(t.Context())
	if s.series, err = openSeries(ctx, c, log); err != nil {
		t.Fatal(err)
	}
	agents, err := store.NewDiscovery(c.Agents, log)
	if err != nil {
		t.Fatal(err)
	}
	if s.Advisor, err = newAdvisor(c, s.series, agents, log); err != nil {
		t.Fatal(err)
	}
	s.pages = &web.Server{API: s.series.store.Handler(), Store: s.series.store, Patience: time.Minute}
	var scraping sync.WaitGroup
	scraping.Go(func() { _ = s.series.scrape(ctx, agents) })
	s.close = sync.OnceFunc(func() {
		cancel()
		scraping.Wait()
		if err := s.series.close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.close)
	return s
}

// testLog shows what the advisor logs if the test fails.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("advisor: %s", p)
	return len(p), nil
}

// round fetches and judges once, as serve does.
func (s *stage) round(t *testing.T) *report.Report {
	t.Helper()
	if err := s.Fetch(t.Context()); err != nil {
		t.Fatalf("fetch: %v", err)
	}
	r, err := s.Judge(t.Context())
	if err != nil {
		t.Fatalf("judge: %v", err)
	}
	s.pages.Publish(r, s.Own(), time.Now())
	return r
}

// until goes through rounds until one is as wanted.
func (s *stage) until(t *testing.T, what string, wanted func(*report.Report) bool) *report.Report {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(500 * time.Millisecond) {
		r := s.round(t)
		if wanted(r) {
			return r
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s; findings %v, gaps\n%s", what, foundRules(r), reasons(r))
		}
	}
}

// get asks the advisor's pages.
func (s *stage) get(t *testing.T, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	s.pages.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("GET %s = %d %.500s, %v", path, w.Code, body, err)
	}
	return string(body)
}
