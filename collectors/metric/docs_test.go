package metric_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"plimsoll/collectors/metric"
	"plimsoll/fixtures/golden"
)

func TestTheMetricsPageIsMadeFromTheTable(t *testing.T) {
	golden.Hold(t, "../../docs/metrics.md", []byte(render()))
}

func TestNoTwoMetricsHaveOneName(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range metric.Table() {
		if seen[m.Name] {
			t.Errorf("%s stands twice in the table", m.Name)
		}
		seen[m.Name] = true
	}
}

func TestEveryMetricIsDescribed(t *testing.T) {
	for _, m := range metric.Table() {
		if m.Help == "" || m.Source == "" || m.Job == "" || !strings.HasSuffix(m.Help, ".") {
			t.Errorf("%s: help %q, source %q, job %q: each must be told, and help be a sentence", m.Name, m.Help, m.Source, m.Job)
		}
		if m.Type == metric.Counter && strings.HasPrefix(m.Name, "plimsoll_") && !strings.HasSuffix(m.Name, "_total") {
			t.Errorf("%s is a counter, and its name does not end in _total", m.Name)
		}
	}
}

// render writes the page: the metrics by the job that reads them.
func render() string {
	var out strings.Builder
	out.WriteString(`# Metrics

Every series that Plimsoll makes, from the table in collectors/metric. Each has the labels cluster and
host beside those named here. Series of a popular exporter keep its name where the meaning is the same.
The advisor's own are in its store and on its /metrics; all others are on the agent's /metrics.
`)
	job := ""
	for _, m := range byJob(metric.Table()) {
		if m.Job != job {
			job = m.Job
			fmt.Fprintf(&out, "\n## %s\n\n| metric | type | labels | meaning | source |\n|---|---|---|---|---|\n", job)
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s |\n", m.Name, m.Type, strings.Join(m.Labels, ", "), cell(m.Help), cell(m.Source))
	}
	return out.String()
}

func byJob(all []metric.Metric) []metric.Metric {
	var jobs []string
	grouped := map[string][]metric.Metric{}
	for _, m := range all {
		if grouped[m.Job] == nil {
			jobs = append(jobs, m.Job)
		}
		grouped[m.Job] = append(grouped[m.Job], m)
	}
	var out []metric.Metric
	for _, job := range slices.Sorted(slices.Values(jobs)) {
		out = append(out, grouped[job]...)
	}
	return out
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
