package metric

func advisorMetrics() []Metric { return nil }
