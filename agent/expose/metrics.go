package expose

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"plimsoll/collectors/metric"
	"plimsoll/collectors/snapshot"
)

// maxScrapes bounds the scrapes that are answered at one time.
const maxScrapes = 4

// expose serves metrics, and what this process costs.
func (h *Handler) expose(metrics []metric.Metric) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(newTable(h, metrics))
	prometheus.WrapRegistererWith(h.source.labels(nil), r).MustRegister(
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		// Of the Go runtime only what tells a leak: a host has few series.
		collectors.NewGoCollector(
			collectors.WithGoCollectorMemStatsMetricsDisabled(),
			collectors.WithoutGoCollectorRuntimeMetrics(regexp.MustCompile(".*")),
		),
	)
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
	})
}

// table collects the metrics of package metric from a snapshot.
type table struct {
	handler *Handler
	rows    []row
}

type row struct {
	metric.Metric
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func newTable(h *Handler, metrics []metric.Metric) *table {
	t := &table{handler: h}
	for _, m := range metrics {
		if m.Read == nil {
			continue
		}
		r := row{Metric: m, kind: prometheus.GaugeValue}
		if m.Type == metric.Counter {
			r.kind = prometheus.CounterValue
		}
		r.desc = prometheus.NewDesc(m.Name, m.Help, m.Labels, h.source.labels(m.Labels))
		t.rows = append(t.rows, r)
	}
	return t
}

// labels are the constant ones of a metric. Where an exporter that people know
// has a label of that name, it keeps its meaning and ours gets a longer name.
func (s Source) labels(taken []string) prometheus.Labels {
	all := maps.Clone(s.Labels)
	if all == nil {
		all = map[string]string{}
	}
	all["cluster"], all["host"] = s.Cluster, s.Host
	out := prometheus.Labels{}
	for name, value := range all {
		if slices.Contains(taken, name) {
			name = "plimsoll_" + name
		}
		out[name] = printable(value)
	}
	return out
}

// Describe implements prometheus.Collector. It describes nothing, because which
// series there are is known only once there is a snapshot.
func (t *table) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (t *table) Collect(ch chan<- prometheus.Metric) {
	now, whole := time.Now(), t.handler.source.Snapshot()
	views := map[string]*snapshot.Snapshot{}
	for _, r := range t.rows {
		if views[r.Job] == nil {
			views[r.Job] = fresh(whole, r.Job, now)
		}
		t.collect(r, views[r.Job], ch)
	}
}

// collect sends the series of one metric. Of two with the same labels the first
// counts: the client library would leave both to chance. A panic costs the rest
// of this metric only.
func (t *table) collect(r row, s *snapshot.Snapshot, ch chan<- prometheus.Metric) {
	defer func() {
		if recover() != nil {
			t.handler.dropped.Add(1)
		}
	}()
	seen := map[string]bool{}
	r.Read(s, func(value float64, labels ...string) {
		for i := range labels {
			labels[i] = printable(labels[i])
		}
		key := strings.Join(labels, "\xff")
		m, err := prometheus.NewConstMetric(r.desc, r.kind, value, labels...)
		if seen[key] || err != nil {
			t.handler.dropped.Add(1)
			return
		}
		seen[key] = true
		ch <- m
	})
}

// freshness is the age at which the result of a job is too old to be a current
// figure, whatever its interval: a job that runs each second may wait its turn
// behind others on the one connection to a server.
const freshness = 10 * time.Second

// fresh returns s without what the named job read too long ago: series of a
// server that hangs must end, not go on as a flat line.
func fresh(s *snapshot.Snapshot, job string, now time.Time) *snapshot.Snapshot {
	out := s
	for _, h := range s.Agent.Jobs {
		limit := max(2*seconds(h.EverySeconds), freshness)
		if h.Name != job || now.Sub(h.LastSuccess) <= limit {
			continue
		}
		if out == s {
			out = s.Clone()
		}
		switch {
		case h.Server != "":
			delete(out.Servers, h.Server)
		case job == "phpfpm":
			out.PHP = nil
		case job == "phpfpm/profile":
			out.PHPProfile = nil
		default:
			out.Machine = nil
		}
	}
	return out
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// maxLabelRunes bounds a label's value: what is longer is a text, and texts are
// no labels.
const maxLabelRunes = 120

// printable makes a value from outside fit for a label: valid UTF-8, without
// control characters and what turns the direction of a line, and not too long.
func printable(value string) string {
	value = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(value, string(unicode.ReplacementChar)))
	if len(value) <= maxLabelRunes {
		return value
	}
	if runes := []rune(value); len(runes) > maxLabelRunes {
		return string(runes[:maxLabelRunes-1]) + "…"
	}
	return value
}
