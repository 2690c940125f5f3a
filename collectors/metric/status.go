package metric

func statusMetrics() []Metric { return nil }
