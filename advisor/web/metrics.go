package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"plimsoll/advisor/store"
	"plimsoll/collectors/metric"
)

// metrics serves the advisor's own series, for an engine of someone else's.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	own := s.own
	s.mu.RUnlock()
	process := prometheus.NewRegistry()
	process.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	both := prometheus.Gatherers{process, gatherer(own)}
	promhttp.HandlerFor(both, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}).ServeHTTP(w, r)
}

// gatherer turns samples into families. A histogram's buckets, count and sum are
// put together again, since that is how the format wants them.
type gatherer []store.Sample

// Gather implements prometheus.Gatherer.
func (g gatherer) Gather() ([]*dto.MetricFamily, error) {
	var out []*dto.MetricFamily
	for _, m := range metric.Table() {
		if m.Job != "advisor" {
			continue
		}
		family := &dto.MetricFamily{Name: new(m.Name), Help: new(m.Help), Type: familyType(m.Type)}
		if m.Type == metric.Histogram {
			family.Metric = g.histograms(m.Name)
		} else {
			family.Metric = g.plain(m)
		}
		if len(family.Metric) > 0 {
			out = append(out, family)
		}
	}
	return out, nil
}

func (g gatherer) plain(m metric.Metric) []*dto.Metric {
	var out []*dto.Metric
	for _, s := range g {
		if s.Name != m.Name {
			continue
		}
		d := &dto.Metric{Label: labels(s.Labels)}
		if m.Type == metric.Counter {
			d.Counter = &dto.Counter{Value: new(s.Value)}
		} else {
			d.Gauge = &dto.Gauge{Value: new(s.Value)}
		}
		out = append(out, d)
	}
	return out
}

func familyType(t metric.Type) *dto.MetricType {
	switch t {
	case metric.Counter:
		return dto.MetricType_COUNTER.Enum()
	case metric.Histogram:
		return dto.MetricType_HISTOGRAM.Enum()
	case metric.Gauge:
	}
	return dto.MetricType_GAUGE.Enum()
}

func labels(in map[string]string) []*dto.LabelPair {
	var out []*dto.LabelPair
	for name, value := range in {
		if name != "le" && value != "" {
			out = append(out, &dto.LabelPair{Name: new(name), Value: new(value)})
		}
	}
	slices.SortFunc(out, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	return out
}
