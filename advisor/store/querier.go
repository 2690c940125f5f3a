package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Querier reads series. It is the narrow part of client_golang's API client that
// the advisor uses, with that client's types: a [model.Value] is a model.Vector,
// model.Matrix, *model.Scalar or *model.String. Warnings matter: Thanos reports a
// partial answer as one, so whoever judges has to show them. Every call needs a
// context with a deadline.
//
// Expressions must be portable: they run on Prometheus, Thanos, Mimir and
// VictoriaMetrics alike. The conformance suite of this package lists functions
// that do, and by how much their values may differ: rate, increase and what is
// made of them by 5 %, the rest not at all. These things differ more, so an
// expression must not depend on them:
//
//   - a metric's name in an answer: VictoriaMetrics keeps it after
//     max_over_time and its like, Prometheus drops it;
//   - a rate over a window which begins before its series: Prometheus relates it
//     to the whole window, VictoriaMetrics to the part that it has;
//   - which of two equal series topk takes;
//   - whether a sample at the very beginning of a window belongs to it: not
//     since Prometheus 3.0.
type Querier interface {
	// Query evaluates expr at ts.
	Query(ctx context.Context, expr string, ts time.Time, opts ...promv1.Option) (model.Value, promv1.Warnings, promv1.Infos, error)
	// QueryRange evaluates expr at each step of r, at most 11,000.
	QueryRange(ctx context.Context, expr string, r promv1.Range, opts ...promv1.Option) (model.Value, promv1.Warnings, promv1.Infos, error)
	// Series lists the series that match any of the selectors and have samples
	// between start and end.
	Series(ctx context.Context, selectors []string, start, end time.Time, opts ...promv1.Option) ([]model.LabelSet, promv1.Warnings, promv1.Infos, error)
	// LabelNames lists the label names of those series; all if no selector is given.
	LabelNames(ctx context.Context, selectors []string, start, end time.Time, opts ...promv1.Option) (model.LabelNames, promv1.Warnings, promv1.Infos, error)
	// LabelValues lists the values of one label of those series.
	LabelValues(ctx context.Context, label string, selectors []string, start, end time.Time, opts ...promv1.Option) (model.LabelValues, promv1.Warnings, promv1.Infos, error)
	// Buildinfo says which version answers; VictoriaMetrics keeps that to itself
	// and answers without one. It is the cheapest question that shows that the
	// engine is there.
	Buildinfo(ctx context.Context) (promv1.BuildinfoResult, error)
}

var _ Querier = promv1.API(nil)

// Querier returns the store's own Querier. It calls the store's HTTP handler
// without a network in between.
func (s *Store) Querier() Querier {
	c, err := api.NewClient(api.Config{
		Address:      "http://store",
		RoundTripper: inMemory{s.Handler()},
	})
	if err != nil {
		panic(fmt.Sprintf("BUG: make in-memory client: %v", err)) // the address is a constant
	}
	return promv1.NewAPI(c)
}

// inMemory answers requests by calling a handler. Their bodies are in memory too
// and need no Close.
type inMemory struct{ handler http.Handler }

func (t inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody // a server's request always has one
	}
	w := recorder{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(&w, r)
	return &http.Response{
		Status:        http.StatusText(w.status),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.header,
		Body:          io.NopCloser(&w.body),
		ContentLength: int64(w.body.Len()),
		Request:       r,
	}, nil
}

// recorder keeps an answer. net/http/httptest has one for tests only.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }
