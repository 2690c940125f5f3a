// Package web serves what the advisor knows: the report in every format, the
// store's read-only API, the advisor's own series, and health. It changes
// nothing, and it takes no target from a request.
package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"plimsoll/advisor/report"
	"plimsoll/advisor/store"
)

// Server answers requests from what was published last. It is safe for
// concurrent use.
type Server struct {
	// API is the store's handler, mounted at /api/v1; nil where the series are
	// in an engine of someone else's.
	API http.Handler
	// Hosts are the names, beside loopback and addresses, by which the server
	// may be asked.
	Hosts []string
	// Store is the embedded store, whose troubles /healthz tells; nil where series
	// are in someone else's engine.
	Store Store
	// Patience is how long ago the last round may have ended while the server
	// calls itself healthy.
	Patience time.Duration

	mu     sync.RWMutex
	report *report.Report
	own    []store.Sample
	at     time.Time
}

// Store is what /healthz asks.
type Store interface {
	// Paused says why nothing is stored; nil if all is well.
	Paused() error
	// Health is how the last scrape of each target went.
	Health() map[string]store.Health
}

// Publish makes a report and the advisor's own series visible.
func (s *Server) Publish(r *report.Report, own []store.Sample, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report, s.own, s.at = r, own, at
}

// Handler returns the pages.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page("text/html; charset=utf-8", (*report.Report).HTML))
	mux.HandleFunc("GET /report.html", s.page("text/html; charset=utf-8", (*report.Report).HTML))
	mux.HandleFunc("GET /report.md", s.page("text/markdown; charset=utf-8", (*report.Report).Markdown))
	mux.HandleFunc("GET /report.txt", s.page("text/plain; charset=utf-8", plainText))
	mux.HandleFunc("GET /report.json", s.page("application/json", (*report.Report).JSON))
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /healthz", s.health)
	if s.API != nil {
		mux.Handle("/api/v1/", s.API)
	}
	return s.guard(mux)
}

func plainText(r *report.Report) ([]byte, error) { return r.Text(report.TextOptions{Width: 80}), nil }

func (s *Server) page(kind string, render func(*report.Report) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		s.mu.RLock()
		r := s.report
		s.mu.RUnlock()
		if r == nil {
			w.Header().Set("Retry-After", "5")
			http.Error(w, "the first round is still under way; try again in a few seconds", http.StatusServiceUnavailable)
			return
		}
		body, err := render(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(body) // a reader who left needs no answer
	}
}

// guard refuses requests for a name that is not ours, so that no page of someone
// else's can reach the advisor through a visitor's browser (DNS rebinding), and
// forbids every script.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.knows(r.Host) {
			http.Error(w, fmt.Sprintf("this server is not called %.100q; add the name to hosts: in plimsoll.yml", r.Host),
				http.StatusMisdirectedRequest)
			return
		}
		w.Header().Set("Content-Security-Policy", ""+
			"default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func (s *Server) knows(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	host = strings.TrimSuffix(host, ".")
	return slices.ContainsFunc(append([]string{"localhost"}, s.Hosts...), func(known string) bool { return strings.EqualFold(known, host) })
}
