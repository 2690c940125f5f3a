package web

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"plimsoll/advisor/enroll"
	"plimsoll/advisor/report"
	"plimsoll/advisor/store"
)

// get asks as a client that calls the server host.
func get(s *Server, host, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func published() *Server {
	s := &Server{Patience: time.Minute}
	s.Publish(&report.Report{Schema: report.SchemaVersion, Version: "test", Generated: time.Now()}, nil, time.Now())
	return s
}

func TestOnlyOurOwnNamesAreAnswered(t *testing.T) {
	s := published()
	s.Hosts = []string{"plimsoll.shop.example"}
	for host, want := range map[string]int{
		"localhost:9898": 200, "localhost": 200, "127.0.0.1:9898": 200, "[::1]:9898": 200, "[::1]": 200, "10.1.2.3": 200,
		"plimsoll.shop.example:9898": 200, "PLIMSOLL.shop.example": 200, "plimsoll.shop.example.:9898": 200,
		"evil.example": 421, "evil.example:9898": 421, "127.0.0.1.evil.example": 421, "localhost.evil.example": 421,
		"": 421, "plimsoll": 421, "xplimsoll.shop.example": 421,
	} {
		for _, path := range []string{"/", "/metrics", "/healthz", "/report.json", "/api/v1/query?query=up"} {
			got := get(s, host, path).Code
			if path == "/api/v1/query?query=up" && want == 200 {
				want = 404 // there is no embedded store
			}
			if got != want {
				t.Errorf("GET %s as %q = %d, want %d", path, host, got, want)
			}
		}
	}
}

func TestEveryAnswerForbidsScripts(t *testing.T) {
	for _, path := range []string{"/", "/report.html", "/report.md", "/report.txt", "/report.json", "/metrics", "/healthz", "/nowhere"} {
		h := get(published(), "localhost", path).Header()
		if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: its type may be guessed", path)
		}
	}
}

func TestBeforeTheFirstRoundThereIsNoReport(t *testing.T) {
	s := &Server{Patience: time.Minute}
	for _, path := range []string{"/", "/report.json", "/healthz"} {
		w := get(s, "localhost", path)
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "first round") {
			t.Errorf("%s = %d %q, want 503 and why", path, w.Code, w.Body)
		}
	}
	if w := get(s, "localhost", "/metrics"); w.Code != http.StatusOK {
		t.Errorf("/metrics = %d, want what is known of the process", w.Code)
	}
}

func TestTheReportComesInEveryFormat(t *testing.T) {
	s := published()
	for path, want := range map[string][2]string{
		"/":            {"text/html; charset=utf-8", "<!DOCTYPE html"},
		"/report.html": {"text/html; charset=utf-8", "<!DOCTYPE html"},
		"/report.md":   {"text/markdown; charset=utf-8", "# "},
		"/report.txt":  {"text/plain; charset=utf-8", "PLIMSOLL"},
		"/report.json": {"application/json", `"schema": 1`},
	} {
		w := get(s, "localhost", path)
		if got := w.Header().Get("Content-Type"); w.Code != 200 || got != want[0] {
			t.Errorf("%s = %d, %s, want %s", path, w.Code, got, want[0])
		}
		if !strings.Contains(strings.ToLower(w.Body.String()), strings.ToLower(want[1])) {
			t.Errorf("%s = %.80q, want %q in it", path, w.Body, want[1])
		}
	}
	r := httptest.NewRequest(http.MethodPost, "http://localhost/report.json", nil)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST = %d, want that it is not allowed", w.Code)
	}
}

// troubled is a store with troubles.
type troubled struct {
	paused error
	failed int
}

func (s troubled) Paused() error { return s.paused }

func (s troubled) Health() map[string]store.Health {
	out := map[string]store.Health{"web0:9897": {Target: "web0:9897"}}
	for i := range s.failed {
		target := fmt.Sprintf("web%d:9897", i+1)
		out[target] = store.Health{Target: target, Err: errors.New("connection refused\n\x1b[31m")}
	}
	return out
}

func TestHealthTellsOfTheStoreAndOfAgents(t *testing.T) {
	for name, c := range map[string]struct {
		store Store
		code  int
		want  string
	}{
		"well":           {troubled{}, 200, "ok\n"},
		"no store":       {nil, 200, "ok\n"},
		"paused":         {troubled{paused: store.ErrNoRoom}, 503, store.ErrNoRoom.Error() + "\n"},
		"an agent fails": {troubled{failed: 1}, 200, "ok\n\"web1:9897\" cannot be scraped: \"connection refused\\n\\x1b[31m\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := published()
			s.Store = c.store
			w := get(s, "localhost", "/healthz")
			if w.Code != c.code {
				t.Errorf("code = %d, want %d", w.Code, c.code)
			}
			if diff := cmp.Diff(c.want, w.Body.String()); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
	s := published()
	s.Store = troubled{failed: 1000}
	if body := get(s, "localhost", "/healthz").Body.String(); strings.Count(body, "\n") != maxUnhealthy+2 || !strings.HasSuffix(body, "and 980 more\n") {
		t.Errorf("answer with 1,000 failing agents = %q", body)
	}
}

func TestHealthEndsWhenRoundsDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := published()
		time.Sleep(59 * time.Second)
		if w := get(s, "localhost", "/healthz"); w.Code != 200 {
			t.Errorf("after 59 s: %d %s", w.Code, w.Body)
		}
		time.Sleep(2 * time.Second)
		if w := get(s, "localhost", "/healthz"); w.Code != 503 || !strings.Contains(w.Body.String(), "the last round ended at") {
			t.Errorf("after a minute: %d %s", w.Code, w.Body)
		}
	})
}

func sample(name string, value float64, labels ...string) store.Sample {
	m := map[string]string{}
	for i := 0; i < len(labels); i += 2 {
		m[labels[i]] = labels[i+1]
	}
	return store.Sample{Name: name, Labels: m, Value: value, Time: time.Now()}
}

// families reads /metrics as Prometheus does.
func families(t *testing.T, s *Server) map[string]*dto.MetricFamily {
	t.Helper()
	w := get(s, "localhost", "/metrics")
	if w.Code != 200 {
		t.Fatalf("/metrics = %d %s", w.Code, w.Body)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	out, err := parser.TextToMetricFamilies(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatalf("%v\n%s", err, w.Body)
	}
	return out
}

func TestOwnSeriesAreExposed(t *testing.T) {
	id := []string{"cluster", "shop", "host", "db2", "server", "db2", "channel", ""}
	lag := "plimsoll_mysql_replica_lag_seconds"
	with := func(more ...string) []string { return append(append([]string{}, id...), more...) }
	s := &Server{Patience: time.Minute}
	s.Publish(nil, []store.Sample{
		sample(lag+"_bucket", 3, with("le", "0")...), sample(lag+"_bucket", 5, with("le", "1")...), sample(lag+"_bucket", 7, with("le", "+Inf")...),
		sample(lag+"_count", 7, id...), sample(lag+"_sum", 12.5, id...),
		sample("plimsoll_agents", 2, "state", "reached"),
		sample("plimsoll_digest_info", 1, "cluster", "shop", "digest", "fp1:a", "schema", "a\"b\\c\n", "class", "select", "tables", "", "text", "SELECT '\u202e"),
	}, time.Now())
	got := families(t, s)
	h := got[lag].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != 7 || h.GetSampleSum() != 12.5 || len(h.GetBucket()) != 3 || h.GetBucket()[1].GetCumulativeCount() != 5 {
		t.Errorf("histogram = %+v", h)
	}
	if g := got["plimsoll_agents"].GetMetric(); len(g) != 1 || g[0].GetGauge().GetValue() != 2 {
		t.Errorf("plimsoll_agents = %+v", g)
	}
	if g := got["plimsoll_digest_info"].GetMetric(); len(g) != 1 {
		t.Errorf("plimsoll_digest_info = %+v", g)
	}
	if got["process_cpu_seconds_total"] == nil {
		t.Error("nothing is known of the process")
	}
}

func TestTwoEqualSeriesDoNotHideTheOthers(t *testing.T) {
	s := &Server{Patience: time.Minute}
	s.Publish(nil, []store.Sample{
		sample("plimsoll_not_ready", 1, "rule", "a"), sample("plimsoll_not_ready", 2, "rule", "a"),
		sample("plimsoll_agents", 2, "state", "reached"),
	}, time.Now())
	if got := families(t, s); got["plimsoll_agents"] == nil {
		t.Error("plimsoll_agents is gone")
	}
}

func TestAListenerThatStrangersReachNeedsProtection(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if _, err := enroll.Open(filepath.Join(dir, "ca"), time.Now()); err != nil { // any certificate does
		t.Fatal(err)
	}
	cert, key := filepath.Join(dir, "ca", enroll.AdvisorCert), filepath.Join(dir, "ca", enroll.AdvisorKey)
	tls := fmt.Sprintf("tls_server_config: {cert_file: %s, key_file: %s}\n", cert, key)
	users := "basic_auth_users: {ada: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi}\n"
	for name, c := range map[string]struct {
		listen, config string
		insecure       bool
		want           string
	}{
		"loopback":            {"127.0.0.1:9898", "", false, ""},
		"localhost":           {"localhost:9898", "", false, ""},
		"IPv6 loopback":       {"[::1]:9898", "", false, ""},
		"every address":       {":9898", "", false, "nothing protects it"},
		"another address":     {"10.0.0.1:9898", "", false, "nothing protects it"},
		"a name":              {"plimsoll:9898", "", false, "nothing protects it"},
		"on purpose":          {":9898", "", true, ""},
		"no port":             {"127.0.0.1", "", false, "is not host:port"},
		"an empty file":       {":9898", file("empty", ""), false, "does not protect it"},
		"TLS alone":           {":9898", file("tls", tls), false, "does not protect it"},
		"passwords alone":     {":9898", file("users", users), false, "does not protect it"},
		"TLS and passwords":   {":9898", file("both", tls+users), false, ""},
		"a missing file":      {"127.0.0.1:9898", filepath.Join(dir, "nowhere"), false, "no such file"},
		"a file that is none": {"127.0.0.1:9898", file("bad", "tls: [\n"), false, "web_config_file"},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckListener(c.listen, c.config, c.insecure)
			if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("CheckListener = %v, want %q", err, c.want)
			}
		})
	}
}
