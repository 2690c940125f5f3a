package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// agent serves text as /metrics on loopback.
func agent(t testing.TB, text string) *httptest.Server {
	t.Helper()
	return handlerAgent(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte(text))
	})
}

func handlerAgent(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

// every is one entry that scrapes the servers as fast as the scraper can.
func every(interval time.Duration, servers ...*httptest.Server) Agents {
	a := Agents{ScrapeInterval: interval, Static: []StaticAgents{{}}}
	for _, s := range servers {
		a.Static[0].Targets = append(a.Static[0].Targets, s.Listener.Addr().String())
	}
	return a
}

const fast = 100 * time.Millisecond

// scraped opens a store on the real clock and scrapes the entries until the test
// ends; stop ends it earlier.
func scraped(t testing.TB, list ...Agents) (s *Store, stop func()) {
	t.Helper()
	return scrapedInto(t, t.TempDir(), list...)
}

func scrapedInto(t testing.TB, dir string, list ...Agents) (s *Store, stop func()) {
	t.Helper()
	d, err := NewDiscovery(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err = Open(context.Background(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- d.Run(ctx) }()
	go func() { done <- s.Scrape(ctx, d) }()
	stop = sync.OnceFunc(func() {
		cancel()
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(func() {
		stop()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, stop
}

// ask evaluates an expression now and returns its vector.
func ask(t testing.TB, s *Store, expr string) model.Vector {
	t.Helper()
	v, _, _, err := s.Querier().Query(t.Context(), expr, time.Now())
	if err != nil {
		t.Fatalf("Query(%s): %v", expr, err)
	}
	return v.(model.Vector)
}

func TestScrapedSeriesKeepTheAgentsLabels(t *testing.T) {
	srv := agent(t, "# HELP plimsoll_x_total Things.\n# TYPE plimsoll_x_total counter\n"+
		`plimsoll_x_total{cluster="shop",host="db1",instance="mine"} 7 4102444800000`+"\n")
	a := every(fast, srv)
	a.Static[0].Labels = map[string]string{"host": "wrong", "role": "db"}
	s, _ := scraped(t, a)
	eventually(t, "the series is stored", func() bool { return len(ask(t, s, "plimsoll_x_total")) == 1 })

	got := ask(t, s, "plimsoll_x_total")[0]
	want := model.Metric{"__name__": "plimsoll_x_total", "cluster": "shop", "host": "db1", "role": "db", "job": "plimsoll", "instance": "mine"}
	if diff := cmp.Diff(want, got.Metric); diff != "" || got.Value != 7 {
		t.Errorf("series = %v, labels (-want +got):\n%s", got.Value, diff)
	}
	addr := srv.Listener.Addr().String()
	if up := ask(t, s, "up"); len(up) != 1 || up[0].Value != 1 || string(up[0].Metric["instance"]) != addr {
		t.Errorf("up = %v, want 1 for %s", up, addr)
	}
	h := s.Health()[addr]
	if h.Err != nil || time.Since(h.At) > 10*time.Second {
		t.Errorf("Health = %+v, want a scrape just now without an error", h)
	}
	meta, err := s.Querier().(promv1.API).Metadata(t.Context(), "plimsoll_x_total", "")
	if err != nil {
		t.Fatal(err)
	}
	wantMeta := map[string][]promv1.Metadata{"plimsoll_x_total": {{Type: "counter", Help: "Things."}}}
	if diff := cmp.Diff(wantMeta, meta); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

func TestBadAgentsDoNotHarmTheOthers(t *testing.T) {
	var many strings.Builder
	for i := range 20_001 {
		fmt.Fprintf(&many, "many{i=\"%d\"} 1\n", i)
	}
	bad := map[string]*httptest.Server{
		"body size limit exceeded": handlerAgent(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			line := []byte("big" + strings.Repeat("g", 1<<20) + " 1\n")
			for range 17 {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}),
		"context deadline exceeded":                 handlerAgent(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
		"sample limit exceeded":                     agent(t, many.String()),
		"label_value_length_limit":                  agent(t, `long{v="`+strings.Repeat("x", 1025)+`"} 1`+"\n"),
		"invalid UTF-8 label value":                 agent(t, "bytes{v=\"\xff\"} 1\n"),
		`expected timestamp or new record, got "e"`: agent(t, "good 1\nbad 1 evil\n"),
		"server returned HTTP status 302 Found": handlerAgent(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}),
		"server returned HTTP status 500": handlerAgent(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }),
		"received unsupported Content-Type \"text/html\" and": handlerAgent(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<p>"))
		}),
	}
	all := []*httptest.Server{agent(t, "fine 1\n")}
	for _, srv := range bad {
		all = append(all, srv)
	}
	s, _ := scraped(t, every(time.Second, all...))
	for want, srv := range bad {
		addr := srv.Listener.Addr().String()
		eventually(t, "a scrape fails with "+want, func() bool {
			err := s.Health()[addr].Err
			return err != nil && strings.Contains(err.Error(), want)
		})
	}
	eventually(t, "every target is up or down", func() bool { return len(ask(t, s, "up")) == len(all) })
	if got := ask(t, s, "sum(up)")[0].Value; got != 1 {
		t.Errorf("sum(up) = %v, want 1", got)
	}
	// Not by label values: a scrape that is rolled back leaves its series in the
	// index, without samples, until the next compaction.
	if got := ask(t, s, `{__name__=~".+",__name__!~"up|scrape_.*"}`); len(got) != 1 || got[0].Metric["__name__"] != "fine" {
		t.Errorf("stored series = %v, want fine alone", got)
	}
}

func TestSeriesOfADeadAgentEndAtOnce(t *testing.T) {
	var dead atomic.Bool
	srv := handlerAgent(t, func(w http.ResponseWriter, _ *http.Request) {
		if dead.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte("alive 1\n"))
	})
	s, _ := scraped(t, every(fast, srv))
	eventually(t, "the series begins", func() bool { return len(ask(t, s, "alive")) == 1 })
	dead.Store(true)
	eventually(t, "the series ends", func() bool { return len(ask(t, s, "alive")) == 0 })
}

func TestTLSNeedsTheRightAuthorityAndTheClientIsKnown(t *testing.T) {
	var user, clients atomic.Value
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		user.Store(name + ":" + password)
		clients.Store(len(r.TLS.PeerCertificates))
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte("secure 1\n"))
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	srv.StartTLS()
	defer srv.Close()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, err := x509.MarshalPKCS8PrivateKey(srv.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	ca := write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))
	keyFile := write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	good := every(fast, srv)
	good.Scheme = "https"
	good.TLS = &TLS{CAFile: ca, CertFile: ca, KeyFile: keyFile}
	good.BasicAuth = &BasicAuth{Username: "advisor", PasswordFile: write("password", []byte("secret\n"))}
	s, stop := scraped(t, good)
	eventually(t, "the series is stored", func() bool { return len(ask(t, s, "secure")) == 1 })
	if user.Load() != "advisor:secret" || clients.Load() != 1 {
		t.Errorf("agent saw user %v and %v client certificates, want advisor:secret and 1", user.Load(), clients.Load())
	}
	stop()

	stranger := good
	stranger.TLS = &TLS{CertFile: ca, KeyFile: keyFile}
	s, _ = scraped(t, stranger)
	addr := srv.Listener.Addr().String()
	eventually(t, "the scrape fails for its authority", func() bool { // at first perhaps for its deadline
		err := s.Health()[addr].Err
		return err != nil && strings.Contains(err.Error(), "certificate signed by unknown authority")
	})
}

func TestOneScrapeAtATime(t *testing.T) {
	s, _ := scraped(t, every(fast, agent(t, "x 1\n")))
	eventually(t, "the first one runs", func() bool { return len(s.Health()) == 1 })
	d, err := NewDiscovery([]Agents{every(fast, agent(t, "y 1\n"))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Scrape(t.Context(), d); err == nil {
		t.Error("a second Scrape on one store succeeded")
	}
}
