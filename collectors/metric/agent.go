package metric

func agentMetrics() []Metric { return nil }
