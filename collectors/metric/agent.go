package metric

import "plimsoll/collectors/snapshot"

func agentMetrics() []Metric {
	return []Metric{
		{
			Name: "plimsoll_agent_info", Type: Gauge,
			Help:   "Always 1; names the agent and its version.",
			Source: "the agent", Job: "agent", Labels: []string{"version", "agent_id"},
			Read: perAgent(func(s *snapshot.Snapshot, emit Emit) { emit(1, s.Agent.Version, s.AgentID) }),
		},
		{
			Name: "plimsoll_agent_series_dropped_total", Type: Counter,
			Help:   "Series left out of /metrics because their labels, made printable, were those of another.",
			Source: "the agent", Job: "agent",
			Read: perAgent(func(s *snapshot.Snapshot, emit Emit) { emit(float64(s.Agent.SeriesDropped)) }),
		},
		{
			Name: "plimsoll_agent_gaps", Type: Gauge,
			Help:   "Facts that cannot be read now; the report and /v1/snapshot/gaps say which and what to do.",
			Source: "the gaps of the snapshot and of its parts", Job: "agent",
			Read: perAgent(func(s *snapshot.Snapshot, emit Emit) { emit(float64(countGaps(s))) }),
		},
		{
			Name: "plimsoll_job_last_success_timestamp_seconds", Type: Gauge, Unit: "seconds",
			Help:   "When the job last read all it wants; absent until it did once. Stays when the job's own series leave.",
			Source: "the agent's scheduler", Job: "agent", Labels: jobLabels(),
			Read: perJob(func(h snapshot.JobHealth) (float64, bool) {
				return float64(h.LastSuccess.UnixMilli()) / 1000, !h.LastSuccess.IsZero()
			}),
		},
		{
			Name: "plimsoll_job_interval_seconds", Type: Gauge, Unit: "seconds",
			Help:   "Time between two rounds of the job now; longer than configured while it fails.",
			Source: "the agent's scheduler", Job: "agent", Labels: jobLabels(),
			Read: perJob(func(h snapshot.JobHealth) (float64, bool) { return h.IntervalSeconds, true }),
		},
		{
			Name: "plimsoll_job_failures_total", Type: Counter,
			Help:   "Rounds of the job that failed as a whole.",
			Source: "the agent's scheduler", Job: "agent", Labels: jobLabels(),
			Read: perJob(func(h snapshot.JobHealth) (float64, bool) { return float64(h.Failures), true }),
		},
		{
			Name: "plimsoll_job_skipped_total", Type: Counter,
			Help:   "Rounds of the job that were left out because the one before still ran.",
			Source: "the agent's scheduler", Job: "agent", Labels: jobLabels(),
			Read: perJob(func(h snapshot.JobHealth) (float64, bool) { return float64(h.Skipped), true }),
		},
		{
			Name: "plimsoll_job_wall_seconds_total", Type: Counter, Unit: "seconds",
			Help:   "Time spent in rounds of the job, waiting for its source included.",
			Source: "the agent's scheduler", Job: "agent", Labels: jobLabels(),
			Read: perJob(func(h snapshot.JobHealth) (float64, bool) { return h.WallSeconds, true }),
		},
	}
}

func jobLabels() []string { return []string{"job", "server"} }

// perAgent makes the Read of a metric of the agent itself, which a snapshot put
// together from other sections may not have.
func perAgent(read func(s *snapshot.Snapshot, emit Emit)) func(*snapshot.Snapshot, Emit) {
	return func(s *snapshot.Snapshot, emit Emit) {
		if s.Agent != nil {
			read(s, emit)
		}
	}
}

// perJob makes the Read of a metric that has one series a job. The label server
// is empty for jobs of the host, which to Prometheus is none.
func perJob(read func(h snapshot.JobHealth) (float64, bool)) func(*snapshot.Snapshot, Emit) {
	return perAgent(func(s *snapshot.Snapshot, emit Emit) {
		for _, h := range s.Agent.Jobs {
			if v, ok := read(h); ok {
				emit(v, h.Name, h.Server)
			}
		}
	})
}

func countGaps(s *snapshot.Snapshot) int {
	count := len(s.Gaps)
	if s.Machine != nil {
		count += len(s.Machine.Gaps)
	}
	for _, server := range s.Servers {
		for _, h := range server.Headers() {
			count += len(h.Gaps)
		}
	}
	return count
}
