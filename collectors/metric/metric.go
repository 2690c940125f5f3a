// Package metric is the table of all series: what each is called, what it
// means, where its figure comes from and how it is read out of a Snapshot.
//
// The agent's /metrics, docs/metrics.md, the dashboards and the advisor's
// queries are all made from this one table, so that none can drift from the
// others. Series of a popular exporter keep their name where the meaning is the
// same; everything new is plimsoll_*.
package metric

import (
	"slices"

	"plimsoll/collectors/snapshot"
)

// Type is the type of a metric.
type Type string

// The types of metrics.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Metric is one row of the table.
type Metric struct {
	// Name is the series' name, with its unit as the last word but for _total.
	Name string
	Type Type
	// Unit is the base unit: seconds, bytes, ratio, or empty for a count.
	Unit string
	// Help is one sentence.
	Help string
	// Source names the column, file or statement that the figure is read from.
	Source string
	// Job is the agent's job that reads it, or "advisor" for the advisor's own.
	Job string
	// Labels are the names of its labels beside cluster and host. Series of a
	// database server have server as the first.
	Labels []string
	// Read emits the metric's series from a snapshot. It is nil for the
	// advisor's own.
	Read func(s *snapshot.Snapshot, emit Emit)
}

// Emit takes one series: its value, and a value for each of the metric's
// labels.
type Emit func(value float64, labels ...string)

// Table returns every metric, by name.
func Table() []Metric {
	all := slices.Concat(agentMetrics(), hostMetrics(), statusMetrics(), mysqlMetrics(), phpMetrics(), advisorMetrics())
	slices.SortFunc(all, func(a, b Metric) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}

// perServer makes the Read of a metric that has one series a server.
func perServer(read func(s *snapshot.Server) (float64, bool)) func(*snapshot.Snapshot, Emit) {
	return func(s *snapshot.Snapshot, emit Emit) {
		for name, server := range s.Servers {
			if v, ok := read(server); ok {
				emit(v, name)
			}
		}
	}
}
