package mysql

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// fillDigests runs n statements that have a digest each, with texts of some 540
// bytes and a default schema, as a shop has: a scan costs MySQL half as much with
// short texts, and mysqld_exporter leaves out statements without a schema.
func fillDigests(tb testing.TB, s *servers.Server, n int) {
	tb.Helper()
	s.Exec(tb, "CREATE DATABASE IF NOT EXISTS shop", "CREATE TABLE IF NOT EXISTS shop.items (id INT PRIMARY KEY, b INT)")
	conn, err := s.DB().Conn(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(tb.Context(), "USE shop"); err != nil {
		tb.Fatal(err)
	}
	columns := strings.Repeat("id AS a_column_of_some_length, ", 14)
	for i := range n {
		if _, err := conn.ExecContext(tb.Context(), fmt.Sprintf("SELECT %s b AS column_number_%d FROM items WHERE id = %d", columns, i, i)); err != nil {
			tb.Fatal(err)
		}
	}
}

// cpuSeconds is the processor time that a process used.
func cpuSeconds(tb testing.TB, pid int) float64 {
	tb.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		tb.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}

// BenchmarkFullDigestTable is a round of mysql/digests over 10,000 digests of
// which 100 were active, with the server's own processor time beside ours.
func BenchmarkFullDigestTable(b *testing.B) {
	for _, p := range servers.Products() {
		b.Run(string(p), func(b *testing.B) {
			s := servers.Start(b, p, servers.Settings("performance_schema_digests_size=10000"))
			fillDigests(b, s, 9900)
			job := find(b, open(b, s, 1), "mysql/digests")
			run(b, job)
			fillDigests(b, s, 100)
			run(b, job)
			b.ReportAllocs()
			server, own := cpuSeconds(b, s.Pid()), cpuSeconds(b, os.Getpid())
			b.ResetTimer()
			for b.Loop() {
				var into snapshot.Snapshot
				if err := job.Collector.Collect(context.WithoutCancel(b.Context()), &into); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(1000*(cpuSeconds(b, s.Pid())-server)/float64(b.N), "server-ms/op")
			b.ReportMetric(1000*(cpuSeconds(b, os.Getpid())-own)/float64(b.N), "own-ms/op")
		})
	}
}

// BenchmarkKeepDigests is what it costs to write the state of 10,000 active
// digests down, and to take it up.
func BenchmarkKeepDigests(b *testing.B) {
	job := &digestJob{ledger: newLedger(unixMicros(1))}
	for i := range 10000 {
		row := &digestRow{digest: fmt.Sprintf("%064x", i), known: true, first: 1, last: 2}
		statement := statement(i % 1000)
		statement.Fingerprint += strconv.Itoa(i)
		job.ledger.learn(row, statement, false)
		for j := range row.sums {
			row.sums[j], row.group.total[j] = uint64(i*j*1000), uint64(i*j*1000)
		}
		if job.table.rows == nil {
			job.table.rows = map[string]*digestRow{}
		}
		job.table.rows[row.digest] = row
	}
	state, err := job.Save()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("save", func(b *testing.B) {
		b.ReportAllocs()
		b.ReportMetric(float64(len(state)), "bytes")
		for b.Loop() {
			if _, err := job.Save(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		var keeper collectors.Keeper = job
		for b.Loop() {
			if err := keeper.Load(state); err != nil {
				b.Fatal(err)
			}
		}
	})
}
