package metric

// lockMetrics are the series about locks and transactions.
func lockMetrics() []Metric { return nil }
