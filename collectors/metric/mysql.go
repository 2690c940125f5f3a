package metric

func mysqlMetrics() []Metric { return nil }
