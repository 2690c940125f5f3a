package store

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"
)

// found is what a test says about a Target.
type found struct {
	Name, Scheme string
	Labels       map[string]string
}

func names(targets []Target) []found {
	var all []found
	for _, t := range targets {
		all = append(all, found{t.String(), t.Scheme, t.Labels})
	}
	return all
}

func TestSampleConfigurationIsUnderstood(t *testing.T) {
	const text = `
- static_configs:
    - targets: ["unix:/run/plimsoll/agent.sock", "127.0.0.1:9897", "web1:9897"]
      labels: {role: web}
  scrape_interval: 30s
- static_configs: [{targets: ["[::1]:9897", "old:9897"]}]
  scheme: http
`
	var agents []Agents
	if err := yaml.Unmarshal([]byte(text), &agents); err != nil {
		t.Fatal(err)
	}
	d, err := NewDiscovery(agents, nil)
	if err != nil {
		t.Fatal(err)
	}
	web := map[string]string{"role": "web"}
	want := []found{
		{"127.0.0.1:9897", "http", web},
		{"[::1]:9897", "http", nil},
		{"old:9897", "http", nil},
		{"unix:/run/plimsoll/agent.sock", "http", web},
		{"web1:9897", "https", web},
	}
	if diff := cmp.Diff(want, names(d.Targets()), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	for i, want := range []time.Duration{30 * time.Second, 15 * time.Second} {
		if got := time.Duration(d.config.ScrapeConfigs[i].ScrapeInterval); got != want {
			t.Errorf("agents[%d] is scraped every %s, want %s", i, got, want)
		}
	}
}

func TestConfigurationErrorsNameTheFieldAndTheRemedy(t *testing.T) {
	static := func(addr string) Agents { return Agents{Static: []StaticAgents{{Targets: []string{addr}}}} }
	for want, a := range map[string]Agents{
		"agents[0].static_configs: no agents; name one":                                     {},
		`agents[0].static_configs[0].targets[0]: "web1" is neither host:port nor`:           static("web1"),
		`agents[0].static_configs[0].targets[0]: "http://web1:9897" is neither`:             static("http://web1:9897"),
		`agents[0].static_configs[0].targets[0]: "unix:agent.sock": the path of a`:          static("unix:agent.sock"),
		`agents[0].scheme: "ftp" is neither http nor https`:                                 {Static: []StaticAgents{{}}, Scheme: "ftp"},
		"agents[0].scrape_interval: -1s is negative":                                        {Static: []StaticAgents{{}}, ScrapeInterval: -time.Second},
		"scrape timeout greater than scrape interval":                                       {Static: []StaticAgents{{}}, ScrapeInterval: time.Second, ScrapeTimeout: time.Minute},
		"file service discovery config must contain at least one path name":                 {Files: []FileAgents{{}}},
		"a port is required in DNS-SD configs for all record types except SRV":              {DNS: []DNSAgents{{Names: []string{"web"}, Type: "A"}}},
		"URL scheme must be 'http' or 'https'":                                              {HTTP: []HTTPAgents{{URL: "file:///etc/passwd"}}},
		"agents[0].tls_config: unable to read CA cert: unable to read file /nowhere/ca.pem": {Static: []StaticAgents{{}}, TLS: &TLS{CAFile: "/nowhere/ca.pem"}},
		`agents[0].static_configs[0].targets[0]: "bad-name" is no label name`:               {Static: []StaticAgents{{Targets: []string{"a:1"}, Labels: map[string]string{"bad-name": "x"}}}},
	} {
		_, err := NewDiscovery([]Agents{a}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewDiscovery = %v\nwant an error with %q", err, want)
		}
	}
}

// run runs d until the test ends.
func run(t *testing.T, d *Discovery) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// eventually waits for a condition that other goroutines and the kernel bring about.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("not within 20 s: %s", what)
}

// get asks a target as the keeper does.
func get(t *testing.T, target Target, path string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target.URL(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := target.Client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestFilesAreWatched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agents.yml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write(`[{targets: ["db1:9897"], labels: {role: db, __scheme__: http, __metrics_path__: /admin}}]`)
	var logged lines
	d, err := NewDiscovery([]Agents{{Files: []FileAgents{{Files: []string{path}}}}}, slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	run(t, d)
	eventually(t, "db1 is found", func() bool { return len(d.Targets()) == 1 })
	want := []found{{"db1:9897", "https", map[string]string{"role": "db"}}}
	if diff := cmp.Diff(want, names(d.Targets())); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	write(`[{targets: ["db1:9897", "unix:/run/a.sock", "nonsense", "db1:9897"]}]`)
	eventually(t, "the socket is found", func() bool { return len(d.Targets()) == 2 })
	write(`[{targets: ["nonsense", "more nonsense", "unix:/run/a.sock"]}]`)
	eventually(t, "db1 has gone", func() bool { return len(d.Targets()) == 1 })
	for _, entry := range []string{`\"nonsense\"`, `\"more nonsense\"`} {
		if got := strings.Count(logged.String(), entry); got != 1 {
			t.Errorf("%s was logged %d times, want once in\n%s", entry, got, &logged)
		}
	}
}

// serveList serves an HTTP service discovery list.
func serveList(t *testing.T, list any) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(list)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestListsFromTheNetworkCannotNameSocketsOrLoopback(t *testing.T) {
	secret := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("an address on loopback was asked")
	}))
	defer secret.Close()
	addr := secret.Listener.Addr().String()
	url := serveList(t, []map[string]any{{
		"targets": []string{addr, "unix:/var/run/docker.sock", "169.254.169.254:80", "[::ffff:127.0.0.1]:80"},
		"labels":  map[string]string{"__unix_socket__": "/var/run/docker.sock", "__address__": "x:1"},
	}})
	d, err := NewDiscovery([]Agents{{HTTP: []HTTPAgents{{URL: url}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	run(t, d)
	eventually(t, "the list is read", func() bool { return len(d.Targets()) == 3 })
	for _, target := range d.Targets() {
		_, err := get(t, target, "/v1/snapshot")
		if want := "is not accepted from DNS or HTTP discovery; if it is an agent, name it in static_configs"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ask %s: %v, want %q", target, err, want)
		}
	}
	want := []string{`agents[0]: "unix:/var/run/docker.sock": a socket can be named in static_configs and files only`}
	if diff := cmp.Diff(want, d.found.ignored); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
}

func TestAnEndlessListIsGivenUp(t *testing.T) {
	var logged lines
	sent := make(chan int, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		chunk, n := []byte(strings.Repeat(" ", 1<<20)), 0
		for ; n < 1<<12; n++ {
			if _, err := w.Write(chunk); err != nil {
				break
			}
		}
		sent <- n
	}))
	defer srv.Close()
	d, err := NewDiscovery([]Agents{{HTTP: []HTTPAgents{{URL: srv.URL}}}}, slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	run(t, d)
	if n := <-sent; n > 64 {
		t.Errorf("%d MiB of an endless list were taken, want about 16", n)
	}
	eventually(t, "it is logged", func() bool { return strings.Contains(logged.String(), "the list of agents is larger than 16 MiB") })
}

// lines is a log that several goroutines write.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestNamedLoopbackMayComeFromTheNetworkToo(t *testing.T) {
	agent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer agent.Close()
	addr := agent.Listener.Addr().String()
	d, err := NewDiscovery([]Agents{
		{HTTP: []HTTPAgents{{URL: serveList(t, []map[string]any{{"targets": []string{addr}}})}}},
		{Static: []StaticAgents{{Targets: []string{addr}}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	run(t, d)
	_, changed := d.pools()
	<-changed
	if got := d.Targets(); len(got) != 1 {
		t.Fatalf("%d targets, want the one that is named twice", len(got))
	}
	if _, err := get(t, d.Targets()[0], "/"); err != nil {
		t.Fatal(err)
	}
	agent.CloseClientConnections()
}

func TestSocketsAreAskedByTheirPath(t *testing.T) {
	var paths []string
	dir := t.TempDir()
	for _, name := range []string{"a.sock", "b.sock"} {
		path := filepath.Join(dir, name)
		l, err := new(net.ListenConfig).Listen(t.Context(), "unix", path)
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(name + r.URL.Path))
		})}
		go func() { _ = srv.Serve(l) }()
		t.Cleanup(func() { _ = srv.Close() })
		paths = append(paths, "unix:"+path)
	}
	d, err := NewDiscovery([]Agents{{Static: []StaticAgents{{Targets: paths}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	run(t, d)
	for i, want := range []string{"a.sock/v1/snapshot", "b.sock/v1/snapshot"} {
		got, err := get(t, d.Targets()[i], "/v1/snapshot")
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s answers %q, want %q", d.Targets()[i], got, want)
		}
	}
}
