// Package expose shows what an agent knows to those who may see it: series at
// /metrics, everything typed at /v1/snapshot, and life at /healthz.
//
// Series hold numbers and names. Snapshots hold the structure of databases and
// the text of statements, and so they leave the host only through a unix socket
// or over TLS to a client that was authenticated.
package expose

import (
	"net/http"
	"sync/atomic"
	"time"

	"plimsoll/collectors/metric"
	"plimsoll/collectors/snapshot"
)

// TimeHeader carries the agent's clock at the moment of an answer, as RFC 3339
// with nanoseconds: from it the reader learns how far both clocks differ.
const TimeHeader = "Plimsoll-Time"

// Source is where an exposition comes from.
type Source struct {
	// Cluster, Host and Labels are constant labels of every series.
	Cluster, Host string
	Labels        map[string]string
	// Snapshot returns what is known now. Nobody changes it afterwards.
	Snapshot func() *snapshot.Snapshot
	// Revision names the content of a section; it changes whenever that does,
	// and no revision of an earlier run returns.
	Revision func(snapshot.Section) string
}

// Handler serves all of it to whoever calls. It is safe for concurrent use.
type Handler struct {
	source  Source
	series  http.Handler
	open    http.Handler
	dropped atomic.Uint64
	bodies  bodies
}

// New returns a Handler of source.
func New(source Source) *Handler {
	h := &Handler{source: source}
	h.series = h.expose(metric.Table())
	h.open = h.routes(func(*http.Request) error { return nil })
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.open.ServeHTTP(w, r) }

// routes is the Handler with snapshots for those requests only that allow does
// not give an error for.
func (h *Handler) routes(allow func(*http.Request) error) http.Handler {
	guard := func(serve http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if err := allow(r); err != nil {
				http.Error(w, err.Error(), http.StatusForbidden)
				return
			}
			serve(w, r)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h.series)
	mux.HandleFunc("GET /v1/snapshot", guard(h.index))
	mux.HandleFunc("GET /v1/snapshot/{section}", guard(h.section))
	mux.HandleFunc("GET /healthz", h.health)
	mux.HandleFunc("GET /{$}", h.root)
	return mux
}

// Dropped is how many series were left out so far: another had the same labels
// after theirs were made printable and cut to length, or they were malformed.
func (h *Handler) Dropped() uint64 { return h.dropped.Load() }

// health answers as long as the agent can give a snapshot at all.
func (h *Handler) health(w http.ResponseWriter, _ *http.Request) {
	h.source.Snapshot()
	stamp(w)
	_, _ = w.Write([]byte("ok\n"))
}

func (h *Handler) root(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte("plimsoll-agent: /metrics /v1/snapshot /healthz\n"))
}

// stamp must be the last thing before an answer is sent: the time that it took
// to make would look like a difference of clocks.
func stamp(w http.ResponseWriter) {
	w.Header().Set(TimeHeader, time.Now().UTC().Format(time.RFC3339Nano))
}
