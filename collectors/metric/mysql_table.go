package metric

import (
	"cmp"
	"slices"

	"plimsoll/collectors/snapshot"
)

// leadingTables is how many tables have a series of their size.
const leadingTables = 50

// tableMetrics have a series for each of the leading tables, and one for all
// others.
func tableMetrics() []Metric {
	const source = "performance_schema.table_io_waits_summary_by_index_usage, or userstat"
	use := func(name, unit, help string, read func(t *snapshot.TableUse) *float64) Metric {
		return Metric{
			Name: name, Type: Counter, Unit: unit, Help: help, Source: source, Job: "mysql/use",
			Labels: []string{"server", "schema", "table"},
			Read: func(s *snapshot.Snapshot, emit Emit) {
				for server, parts := range s.Servers {
					if parts.Use == nil {
						continue
					}
					for i := range parts.Use.Series {
						t := &parts.Use.Series[i]
						if value := read(t); value != nil {
							emit(*value, server, t.Schema, t.Table)
						}
					}
				}
			},
		}
	}
	return []Metric{
		use("plimsoll_mysql_table_reads_total", "", "Rows read of a table.",
			func(t *snapshot.TableUse) *float64 { return new(float64(t.Reads)) }),
		use("plimsoll_mysql_table_writes_total", "", "Rows inserted, updated and deleted in a table.",
			func(t *snapshot.TableUse) *float64 { return new(float64(t.Inserts + t.Updates + t.Deletes)) }),
		use("plimsoll_mysql_table_seconds_total", "seconds", "Time spent on the rows of a table.",
			func(t *snapshot.TableUse) *float64 { return t.Seconds }),
		{
			Name: "plimsoll_mysql_table_bytes", Type: Gauge, Unit: "bytes", Help: "Size of a table, its indexes included.",
			Source: "information_schema.TABLES, DATA_LENGTH + INDEX_LENGTH", Job: "mysql/schema",
			Labels: []string{"server", "schema", "table"}, Read: emitTableSizes,
		},
	}
}

func emitTableSizes(s *snapshot.Snapshot, emit Emit) {
	for server, parts := range s.Servers {
		if parts.Schema == nil || len(parts.Schema.Tables) == 0 {
			continue
		}
		tables := slices.SortedFunc(slices.Values(parts.Schema.Tables), func(a, b snapshot.Table) int {
			return cmp.Or(cmp.Compare(tableBytes(&b), tableBytes(&a)), cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Name, b.Name))
		})
		var other float64
		for i := range tables {
			if i < leadingTables {
				emit(tableBytes(&tables[i]), server, tables[i].Schema, tables[i].Name)
			} else {
				other += tableBytes(&tables[i])
			}
		}
		emit(other, server, "", "other")
	}
}

func tableBytes(t *snapshot.Table) float64 {
	var bytes float64
	for _, part := range []*uint64{t.DataBytes, t.IndexBytes} {
		if part != nil {
			bytes += float64(*part)
		}
	}
	return bytes
}
