package dashboards_test

import (
	"testing"

	"plimsoll/agent"
	"plimsoll/agent/config"
	"plimsoll/collectors/metric"
	"plimsoll/collectors/mysql"
)

// TestStepsAreMadeForTheAgentsIntervals holds the table of intervals, which
// dashboards are made from, against the agent's own list of jobs.
func TestStepsAreMadeForTheAgentsIntervals(t *testing.T) {
	server, err := mysql.Open(mysql.Config{Name: "any", Socket: "/", User: "any"}) // Dials nothing.
	if err != nil {
		t.Fatal(err)
	}
	gone := metric.Slow()
	delete(gone, "advisor")
	for _, job := range agent.Jobs(&config.Config{}, server) {
		delete(gone, job.Name)
		if got, want := metric.Every(job.Name), max(job.Every, metric.ScrapeInterval); got != want {
			t.Errorf("metric.Every(%s) = %v, and the agent runs it every %v", job.Name, got, job.Every)
		}
	}
	for name := range gone {
		t.Errorf("metric.Slow lists %s, which is no job", name)
	}
}
