package metric

import "slices"

// mysqlMetrics are the series of a database server beside those of
// mysqld_exporter's.
func mysqlMetrics() []Metric {
	return slices.Concat(digestMetrics(), replicationMetrics(), lockMetrics())
}
