package agent

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/agent/config"
	"plimsoll/collectors"
	"plimsoll/collectors/metric"
)

func TestEveryMetricIsOfAJobThatRuns(t *testing.T) {
	names := append(JobNames(), "agent", "advisor")
	for _, m := range metric.Table() {
		if !slices.Contains(names, m.Job) {
			t.Errorf("%s is read by job %q, which nobody runs: its series would never be called stale", m.Name, m.Job)
		}
	}
}

func TestTheConfigurationChangesAndLeavesOutJobs(t *testing.T) {
	jobs := []collectors.Job{
		{Name: "host", Every: 15 * time.Second, Timeout: 10 * time.Second},
		{Name: "mysql/digests", Every: time.Minute, Timeout: 10 * time.Second},
		{Name: "mysql/schema", Every: time.Hour, Timeout: 10 * time.Second},
	}
	got := configured(jobs, &config.Config{Jobs: map[string]config.Job{
		"mysql":         {Timeout: 20 * time.Second},
		"mysql/digests": {Every: 30 * time.Second},
		"mysql/schema":  {Disabled: true},
	}})
	want := []collectors.Job{
		{Name: "host", Every: 15 * time.Second, Timeout: 10 * time.Second},
		{Name: "mysql/digests", Every: 30 * time.Second, Timeout: 20 * time.Second},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
}

func TestEveryJobHasItsTimes(t *testing.T) {
	nowhere := anyServer()
	defer func() { _ = nowhere.Close() }()
	for _, job := range Jobs(&config.Config{}, nowhere) {
		if job.Every < time.Second || job.Timeout <= 0 || job.Timeout > time.Minute {
			t.Errorf("job %s runs every %s for at most %s", job.Name, job.Every, job.Timeout)
		}
	}
}
