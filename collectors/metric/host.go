package metric

func hostMetrics() []Metric { return nil }
