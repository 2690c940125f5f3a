package metric

// replicationMetrics are the series about replication and the binary log.
func replicationMetrics() []Metric { return nil }
