package store

import (
	"encoding/json"
	"net/http"
	"runtime"
	"slices"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/prometheus/scrape"
)

// engineVersion is Prometheus' version that go.mod pins as v0.315.0. Grafana
// decides by it which questions it may ask.
const engineVersion = "3.15.0"

// buildinfo answers /api/v1/status/buildinfo.
func buildinfo(*http.Request) (reply, error) {
	return marshalled(promv1.BuildinfoResult{
		Version:   engineVersion,
		Revision:  "embedded in Plimsoll",
		GoVersion: runtime.Version(),
	}, nil)
}

// The store has no alerting of its own and keeps no exemplars. Grafana asks for
// them all the same, and shows an error for 404.

func noRules(*http.Request) (reply, error) {
	return reply{data: json.RawMessage(`{"groups":[]}`)}, nil
}

func noAlerts(*http.Request) (reply, error) {
	return reply{data: json.RawMessage(`{"alerts":[]}`)}, nil
}

func noExemplars(*http.Request) (reply, error) {
	return reply{data: json.RawMessage(`[]`)}, nil
}

// metadata answers /api/v1/metadata: type, help and unit of each metric, as the
// targets that are scraped now state them.
func (s *Store) metadata(r *http.Request) (reply, error) {
	limit, err := limitParam(r, "limit")
	if err != nil {
		return reply{}, err
	}
	each, err := limitParam(r, "limit_per_metric")
	if err != nil {
		return reply{}, err
	}
	found := map[string][]promv1.Metadata{}
	for _, t := range s.activeTargets() {
		for _, m := range metadataOf(t, r.Form.Get("metric")) {
			addMetadata(found, m, limit, each)
		}
	}
	return marshalled(found, nil)
}

func metadataOf(t *scrape.Target, only string) []scrape.MetricMetadata {
	if only == "" {
		return t.ListMetadata()
	}
	m, ok := t.GetMetadata(only)
	if !ok {
		return nil
	}
	return []scrape.MetricMetadata{m}
}

// addMetadata adds what is new; targets of one version all say the same.
func addMetadata(found map[string][]promv1.Metadata, m scrape.MetricMetadata, limit, each int) {
	known, ok := found[m.MetricFamily]
	if !ok && limit > 0 && len(found) >= limit || each > 0 && len(known) >= each {
		return
	}
	v := promv1.Metadata{Type: promv1.MetricType(m.Type), Help: m.Help, Unit: m.Unit}
	if !slices.Contains(known, v) {
		found[m.MetricFamily] = append(known, v)
	}
}
