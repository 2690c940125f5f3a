package digest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"plimsoll/collectors/slowlog"
)

// journal writes a log as MariaDB does.
type journal struct {
	strings.Builder
	at time.Time
}

// write adds an entry of a statement that took so long, and returns its header to add lines to.
func (j *journal) write(took time.Duration, examined int, extra, sql string) {
	j.at = j.at.Add(7 * time.Second)
	fmt.Fprintf(j, "# Time: %s\n# User@Host: shop[shop] @ web%d [10.0.0.%d]\n# Thread_id: 8  Schema: shop  QC_hit: No\n",
		j.at.Format("060102 15:04:05"), j.at.Minute()%3+1, j.at.Minute()%3+1)
	fmt.Fprintf(j, "# Query_time: %.6f  Lock_time: 0.000120  Rows_sent: 3  Rows_examined: %d\n# Rows_affected: 0  Bytes_sent: 428\n", took.Seconds(), examined)
	fmt.Fprintf(j, "%sSET timestamp=%d;\n%s;\n", extra, j.at.Unix(), sql)
}

const (
	scanned = "# Full_scan: Yes  Full_join: No  Tmp_table: Yes  Tmp_table_on_disk: Yes\n" +
		"# Filesort: Yes  Filesort_on_disk: No  Merge_passes: 0  Priority_queue: No\n"
	explained = "#\n# explain: id\tselect_type\ttable\ttype\tpossible_keys\tkey\tkey_len\tref\trows\tr_rows\tfiltered\tr_filtered\tExtra\n" +
		"# explain: 1\tSIMPLE\tsales_order\tALL\tNULL\tNULL\tNULL\tNULL\t119420\t120313.00\t100.00\t0.02\tUsing where; Using filesort\n#\n"
)

// shopLog is a log of a shop with an index missing, which fixed says is there, and a bigger cache.
func shopLog(fixed bool) string {
	j := &journal{at: time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)}
	j.WriteString("/usr/sbin/mariadbd, Version: 11.8.6-MariaDB-log. started with:\n" +
		"Tcp port: 3306  Unix socket: /run/mysqld/mysqld.sock\nTime\t\t    Id Command\tArgument\n")
	for i := range 40 {
		vary := time.Duration(i*i) * time.Millisecond / 4
		orders, cost := 390*time.Millisecond+vary, explained+scanned
		if fixed {
			orders, cost = 4*time.Millisecond+vary/100, ""
		}
		j.write(orders, int(orders.Microseconds())/3, cost,
			fmt.Sprintf("SELECT order_id, status, grand_total FROM sales_order WHERE customer_email = 'ann%d@example.org'", i))
		j.write(12*time.Millisecond+vary/50, 31, "", fmt.Sprintf("UPDATE cataloginventory_stock_item SET qty = qty - 1 WHERE product_id = %d", i))
		session := 8*time.Millisecond + vary/80
		if fixed {
			session *= 3
		}
		j.write(session, 1, "", fmt.Sprintf("/* route:/cart */ SELECT data FROM core_session WHERE id = 'k%d' FOR UPDATE", i))
	}
	if fixed {
		j.write(2*time.Second, 900_000, scanned, "SELECT sku, COUNT(*) FROM sales_order_item GROUP BY sku")
	} else {
		j.write(time.Second, 0, "", "CALL reindex(1)")
	}
	j.WriteString("# User@Host: shop[shop] @ web1 [10.0.0.1]\n# Query_time: 0.1  Lock_time: 0.0 Rows_sent: 1")
	return j.String()
}

// read makes a digest of logs by name.
func read(t *testing.T, log slowlog.Options, o Options, logs ...[2]string) *Digest {
	t.Helper()
	o.Version = "test"
	b := NewBuilder(log, o)
	for _, l := range logs {
		_ = b.Add(context.Background(), l[0], strings.NewReader(l[1])) // it is in the digest
	}
	return b.Digest()
}

// stories are digests, each of which shows something else.
func stories(t *testing.T) map[string]*Digest {
	t.Helper()
	all := Options{Samples: Redacted, Plans: true}
	return map[string]*Digest{
		"shop": read(t, slowlog.Options{}, all, [2]string{"slow.log", shopLog(false)}),
		// MySQL tells least, and a rate limit makes figures estimates.
		"plain": read(t, slowlog.Options{RateLimit: 10}, Options{Samples: Full, Top: 1, Sort: ByCalls}, [2]string{"-", plainLog}, [2]string{"empty.log", ""},
			[2]string{"pg.log", "2026-03-04 10:00:00 UTC [7] LOG:  duration: 1 ms\n"}),
		"nothing": read(t, slowlog.Options{Keep: func(*slowlog.Entry) bool { return false }}, all, [2]string{"slow.log", plainLog}),
		"hostile": read(t, slowlog.Options{}, all, [2]string{"<b>|\x1b[31m.log", hostileLog}),
	}
}

const plainLog = `# Time: 2026-03-04T10:00:00.000001Z
# User@Host: root[root] @ localhost []  Id:     8
# Query_time: 0.250000  Lock_time: 0.000003 Rows_sent: 1  Rows_examined: 7
use shop;
SET timestamp=1772618400;
SELECT name FROM customer WHERE id = 4711;
# Time: 2026-03-04T10:00:01.000001Z
# User@Host: root[root] @ localhost []  Id:     8
# Query_time: 0.350000  Lock_time: 0.000003 Rows_sent: 1  Rows_examined: 7
SET timestamp=1772618401;
SELECT name FROM customer WHERE id = 4712;
# Time: 2026-03-04T10:00:02.000001Z
# User@Host: root[root] @ localhost []  Id:     8
# Query_time: 0.000100  Lock_time: 0.000000 Rows_sent: 0  Rows_examined: 0
SET timestamp=1772618402;
# administrator command: Quit;
`

// hostileLog has names that try to be something else in each format.
const hostileLog = "# Time: 2026-03-04T10:00:00.000001Z\n" +
	"# User@Host: <script>alert(1)</script>[e\x1b[2Jvil] @ ](javascript:x) []  Id:     8\n" +
	"# Query_time: 1.0  Lock_time: 0.000003 Rows_sent: 1  Rows_examined: 9000000000000000\n" +
	"use `a|b\u202e``c`;\n" +
	"SET timestamp=1772618400;\n" +
	"SELECT `x</code><img src=x onerror=alert(1)>`, `\u202edesrever\u2066 \x07 \x9b31m`, `a | b`, '\\'secret', \xff\xfe FROM `t```\n" +
	"```\n# heading\n`- item` WHERE `www.evil.example @admin #1 $x$` = 5;\n"
