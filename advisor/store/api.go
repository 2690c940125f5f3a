package store

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/util/annotations"
)

const (
	// maxForm bounds what a request may send; a query is text.
	maxForm = 1 << 20
	// maxAnswer bounds what an answer may take in memory and on the wire.
	maxAnswer = 64 << 20
	// maxPoints is how many steps a range query may have. Prometheus' own
	// limit, which Grafana knows and keeps.
	maxPoints = 11_000
	// maxNotes is how many warnings and how many infos an answer carries.
	maxNotes = 10
)

// Handler serves the read-only part of Prometheus' HTTP API below /api/v1/, as
// far as Grafana's data source and client_golang's API client ask for it: query,
// query_range, series, labels, label values, metadata, status/buildinfo, and
// empty rules, alerts and exemplars. It neither checks who asks nor the Host
// header: that is for whoever mounts it.
func (s *Store) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, answer := range map[string]func(*http.Request) (reply, error){
		"/api/v1/query":                   s.query,
		"/api/v1/query_range":             s.queryRange,
		"/api/v1/series":                  s.series,
		"/api/v1/labels":                  s.labelNames,
		"GET /api/v1/label/{name}/values": s.labelValues,
		"GET /api/v1/metadata":            s.metadata,
		"GET /api/v1/status/buildinfo":    buildinfo,
		"GET /api/v1/rules":               noRules,
		"GET /api/v1/alerts":              noAlerts,
		"/api/v1/query_exemplars":         noExemplars,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serve(w, r, answer) })
	}
	return mux
}

// reply is the good part of an answer; notes are its warnings and infos.
type reply struct {
	data  json.RawMessage
	notes annotations.Annotations
	query string // for the positions in notes
}

// serve reads the request's form, asks for an answer and writes it.
func serve(w http.ResponseWriter, r *http.Request, answer func(*http.Request) (reply, error)) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		writeError(w, badData("method %s is not allowed", r.Method), http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		writeError(w, badData("read form: %w", err), http.StatusBadRequest)
		return
	}
	rep, err := answer(r)
	if err != nil {
		writeError(w, err, 0)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(encode(rep)) // a client that has gone is no fault of ours
}

// apiError is an error with the errorType that Prometheus' API gives it.
type apiError struct {
	kind string
	err  error
}

func (e apiError) Error() string { return e.err.Error() }
func (e apiError) Unwrap() error { return e.err }

// writeError answers as Prometheus does; status is derived from err if it is 0.
func writeError(w http.ResponseWriter, err error, status int) {
	kind, derived := classify(err)
	if status == 0 {
		status = derived
	}
	body, _ := json.Marshal(struct {
		Status    string `json:"status"`
		ErrorType string `json:"errorType"`
		Error     string `json:"error"`
	}{"error", kind, err.Error()}) // three strings always marshal
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// statusClientClosed is nginx' code for a client that went away.
const statusClientClosed = 499

// classify returns the errorType and the status code that Prometheus gives an error.
func classify(err error) (string, int) {
	if e, ok := errors.AsType[apiError](err); ok {
		return e.kind, http.StatusBadRequest
	}
	if _, ok := errors.AsType[promql.ErrQueryTimeout](err); ok || errors.Is(err, context.DeadlineExceeded) {
		return "timeout", http.StatusServiceUnavailable
	}
	if _, ok := errors.AsType[promql.ErrQueryCanceled](err); ok || errors.Is(err, context.Canceled) {
		return "canceled", statusClientClosed
	}
	if _, ok := errors.AsType[promql.ErrStorage](err); ok {
		return "internal", http.StatusInternalServerError
	}
	return "execution", http.StatusUnprocessableEntity
}
