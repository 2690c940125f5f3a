package mysql

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"plimsoll/collectors"
	"plimsoll/collectors/slowlog"
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

// BenchmarkFollowSlowLog is what it costs to read a log of 32 MiB with 500
// different statements, as MariaDB writes it with plans, and to add it up.
func BenchmarkFollowSlowLog(b *testing.B) {
	var text strings.Builder
	for i := 0; text.Len() < 32<<20; i++ {
		fmt.Fprintf(&text, `# Time: 261120 13:%02d:%02d
# User@Host: shop[shop] @ web1 [10.0.0.7]
# Thread_id: %d  Schema: shop  QC_hit: No
# Query_time: 0.%06d  Lock_time: 0.000021  Rows_sent: 1  Rows_examined: %d
# Rows_affected: 0  Bytes_sent: 71
#
# explain: id	select_type	table	type	possible_keys	key	key_len	ref	rows	r_rows	filtered	r_filtered	Extra
# explain: 1	SIMPLE	e	ref	PRIMARY,kinds	kinds	4	const	%d	%d.00	100.00	100.00	Using where
#
SET timestamp=1795179808;
SELECT e.entity_id, e.sku, e.price AS price_%d FROM catalog_product_entity AS e WHERE e.kind = %d AND e.name <> 'item %d' ORDER BY e.sku LIMIT 20;
`, i/60%60, i%60, i, i%1000000, i%900, i%900, i%900, i%500, i, i)
	}
	file := filepath.Join(b.TempDir(), "slow.log")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	known := map[string]bool{}
	for b.Loop() {
		log := newSlowLog("")
		log.settings.File = file
		log.follower = *slowlog.NewFollower(slowlog.Bookmark{Path: file})
		log.budget = slowlog.Budget{Bytes: 1 << 30, Backlog: 1 << 30}
		log.collect(b.Context(), func(fingerprint string) bool { return known[fingerprint] })
		round := log.take()
		if len(round) != 500 || log.failed.Reason != "" {
			b.Fatalf("%d statements, %+v", len(round), log.failed)
		}
		for _, s := range round {
			known[s.fingerprint] = true
		}
		b.ReportMetric(float64(log.totals.Entries), "entries/op")
		_ = log.follower.Close()
	}
}
