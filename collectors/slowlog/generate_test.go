package slowlog

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// layout is how a server writes a header.
type layout string

const (
	mysqlPlain     layout = "mysql"
	mysqlExtra     layout = "mysql-extra"
	mariadbPlain   layout = "mariadb"
	mariadbFull    layout = "mariadb-full"
	perconaFull    layout = "percona"
	mariadbExplain        = mariadbFull
)

var layouts = []layout{mysqlPlain, mysqlExtra, mariadbPlain, mariadbFull, perconaFull}

// generator writes logs as servers do, of shops: few statements make most of the calls.
type generator struct {
	layout
	random   *rand.Rand
	zipf     *rand.Zipf
	now      time.Time
	second   int64
	database string
	out      bytes.Buffer
}

// generate returns a log of at least so many bytes with at most so many different statements. The same
// arguments give the same log.
func generate(l layout, size, classes int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 7))
	g := generator{layout: l, random: r, zipf: rand.NewZipf(r, 1.3, 4, uint64(classes-1)), now: time.Date(2026, 11, 20, 13, 3, 26, 0, time.UTC)}
	g.banner()
	for g.out.Len() < size {
		g.entry()
	}
	return g.out.Bytes()
}

func (g *generator) banner() {
	version := map[bool]string{true: "/usr/sbin/mariadbd, Version: 11.8.6-MariaDB-0+deb13u1 from Debian-log ()", false: "/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL)"}
	fmt.Fprintf(&g.out, "%s. started with:\nTcp port: 3306  Unix socket: /run/mysqld/mysqld.sock\nTime\t\t    Id Command\tArgument\n",
		version[strings.HasPrefix(string(g.layout), "mariadb")])
	g.database = ""
}

func (g *generator) entry() {
	g.now = g.now.Add(time.Duration(g.random.IntN(200)) * time.Millisecond)
	seconds := math.Exp(g.random.NormFloat64()*1.5 - 5)
	examined := g.random.IntN(100000)
	database := []string{"shop", "blog", "crm"}[min(g.random.IntN(10), 2)]
	user := []string{"shop", "wordpress", "cron"}[min(g.random.IntN(8), 2)]
	switch g.layout {
	case mysqlPlain, mysqlExtra:
		fmt.Fprintf(&g.out, "# Time: %s\n# User@Host: %[2]s[%[2]s] @  [10.0.0.%d]  Id: %5d\n", g.now.Format("2006-01-02T15:04:05.000000Z"), user, g.random.IntN(9), g.random.IntN(5000))
		fmt.Fprintf(&g.out, "# Query_time: %.6f  Lock_time: %.6f Rows_sent: %d  Rows_examined: %d", seconds, seconds/50, examined/100, examined)
		if g.layout == mysqlExtra {
			fmt.Fprintf(&g.out, " Thread_id: %d Errno: 0 Killed: 0 Bytes_received: 0 Bytes_sent: %d Read_first: 1 Read_last: 0 Read_key: 7 Read_next: 10 Read_prev: 0 Read_rnd: 0 Read_rnd_next: %d Sort_merge_passes: 0 Sort_range_count: 0 Sort_rows: 9 Sort_scan_count: 1 Created_tmp_disk_tables: 1 Created_tmp_tables: 1 Count_hit_tmp_table_size: 0  Start: %s End: %s",
				examined%5000, examined, examined%3, g.now.Format("2006-01-02T15:04:05.000000Z"), g.now.Format("2006-01-02T15:04:05.000000Z"))
		}
		g.out.WriteByte('\n')
		if g.database != database {
			g.database = database
			fmt.Fprintf(&g.out, "use %s;\n", database)
		}
	case mariadbPlain, mariadbFull:
		if g.second != g.now.Unix() {
			g.second = g.now.Unix()
			fmt.Fprintf(&g.out, "# Time: %s\n", g.now.Format("060102 15:04:05"))
		}
		fmt.Fprintf(&g.out, "# User@Host: %[1]s[%[1]s] @ web%d [10.0.0.7]\n# Thread_id: %d  Schema: %s  QC_hit: No\n", user, g.random.IntN(9), examined, database)
		fmt.Fprintf(&g.out, "# Query_time: %.6f  Lock_time: %.6f  Rows_sent: %d  Rows_examined: %d\n# Rows_affected: %d  Bytes_sent: %d\n", seconds, seconds/50, examined/100, examined, examined%7, examined)
		if g.layout == mariadbFull {
			fmt.Fprintf(&g.out, "# Pages_accessed: %d  Pages_read: %d  Pages_prefetched: 0  Pages_updated: 0  Old_rows_read: 0\n# Pages_read_time: 0.1000  Engine_time: 0.1265\n", examined/90, examined/900)
			if examined%4 == 0 {
				fmt.Fprintf(&g.out, "# Tmp_tables: 1  Tmp_disk_tables: 1  Tmp_table_sizes: 90112\n# Full_scan: Yes  Full_join: No  Tmp_table: Yes  Tmp_table_on_disk: Yes\n# Filesort: Yes  Filesort_on_disk: No  Merge_passes: 0  Priority_queue: Yes\n")
			}
			fmt.Fprintf(&g.out, "#\n# explain: id\tselect_type\ttable\ttype\tpossible_keys\tkey\tkey_len\tref\trows\tr_rows\tfiltered\tr_filtered\tExtra\n# explain: 1\tSIMPLE\tt\tALL\tNULL\tNULL\tNULL\tNULL\t495\t%d.00\t100.00\t100.00\tUsing where; Using filesort\n#\n", examined)
		}
		if g.database != database {
			g.database = database
			fmt.Fprintf(&g.out, "use `%s`;\n", database)
		}
	case perconaFull:
		fmt.Fprintf(&g.out, "# Time: %s\n# User@Host: %[2]s[%[2]s] @  [10.0.0.%d]  Id: %5d\n# Schema: %s  Last_errno: 0  Killed: 0\n", g.now.Format("2006-01-02T15:04:05.000000Z"), user, g.random.IntN(9), g.random.IntN(5000), database)
		fmt.Fprintf(&g.out, "# Query_time: %.6f  Lock_time: %.6f  Rows_sent: %d  Rows_examined: %d  Rows_affected: %d  Bytes_sent: %d\n", seconds, seconds/50, examined/100, examined, examined%7, examined)
		fmt.Fprintf(&g.out, "# Tmp_tables: 1  Tmp_disk_tables: 0  Tmp_table_sizes: 0\n# InnoDB_trx_id: 59B9\n# Full_scan: Yes  Full_join: No  Tmp_table: Yes  Tmp_table_on_disk: No\n# Filesort: No  Filesort_on_disk: No  Merge_passes: 0\n#   InnoDB_IO_r_ops: 2  InnoDB_IO_r_bytes: 32768  InnoDB_IO_r_wait: 0.000100\n#   InnoDB_rec_lock_wait: 0.000000  InnoDB_queue_wait: 0.000000\n#   InnoDB_pages_distinct: 12\n# Log_slow_rate_type: query  Log_slow_rate_limit: 10\n")
	}
	fmt.Fprintf(&g.out, "SET timestamp=%d;\n%s;\n", g.now.Unix(), g.statement(int(g.zipf.Uint64())))
}

// statement returns a statement of class n with its own literals.
func (g *generator) statement(n int) string {
	id, r := g.random.IntN(1000000), g.random
	switch n % 10 {
	case 0:
		return fmt.Sprintf("SELECT option_value FROM wp_%d_options WHERE option_name = '_transient_timeout_%d' LIMIT 1", n, id)
	case 1:
		return fmt.Sprintf("SELECT `main_table`.*, `e`.`sku` FROM `sales_order_item_%d` AS `main_table` INNER JOIN `catalog_product_entity` AS `e` ON e.entity_id = main_table.product_id WHERE (`main_table`.`order_id` = '%d') AND (store_id IN(0, %d)) ORDER BY `main_table`.`item_id` ASC LIMIT %d", n, id, id%5, 20+id%3)
	case 2:
		return fmt.Sprintf("UPDATE `sessions_%d` SET `payload` = '%s', `last_activity` = %d, `user_id` = NULL WHERE `id` = '%x'", n, strings.Repeat("YTozOntzOjY6Il90b2", 1+id%30), 1700000000+id, id)
	case 3:
		return fmt.Sprintf("SELECT post_id, meta_key, meta_value FROM wp_%d_postmeta WHERE post_id IN (%s) ORDER BY meta_id ASC", n, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("%d,", id), 1+r.IntN(300)), ","))
	case 4:
		return fmt.Sprintf("SELECT   wp_posts.ID\n\t\t\t\t\tFROM wp_posts  LEFT JOIN wp_term_relationships ON (wp_posts.ID = wp_term_relationships.object_id) INNER JOIN wp_%d_postmeta ON ( wp_posts.ID = wp_postmeta.post_id )\n\t\t\t\t\tWHERE 1=1  AND ( \n  wp_term_relationships.term_taxonomy_id IN (%d,%d)\n) AND ( \n  ( wp_postmeta.meta_key = '_price' AND wp_postmeta.meta_value < '%d' )\n) AND wp_posts.post_type = 'product' AND ((wp_posts.post_status = 'publish'))\n\t\t\t\t\tGROUP BY wp_posts.ID\n\t\t\t\t\tORDER BY wp_posts.post_date DESC\n\t\t\t\t\tLIMIT 0, %d", n, id, id+1, id%100, 10+id%7)
	case 5:
		return fmt.Sprintf("INSERT INTO `url_rewrite_%d` (`entity_type`,`entity_id`,`request_path`,`target_path`) VALUES %s", n, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("('product', %d, 'a/long/path-to/some-product.html', 'catalog/product/view/id/4711'), ", id), 1+r.IntN(20)), ", "))
	case 6:
		return fmt.Sprintf("select * from `jobs_%d` where `queue` = 'default' and ((`reserved_at` is null and `available_at` <= %d) or (`reserved_at` <= %d)) order by `id` asc limit 1 for update skip locked", n, id, id)
	case 7:
		return fmt.Sprintf("SELECT COUNT(*) FROM crm_%d.contact c WHERE c.email = 'user%d@example.com' AND c.name = 'O\\'Neil %d' /*controller='cart'*/", n, id, id)
	case 8:
		return fmt.Sprintf("DELETE FROM cache_%d WHERE cid IN ('%d', '%d', '%d') AND expire < %d.%d", n, id, id+1, id+2, id, id%1000)
	default:
		return "COMMIT"
	}
}
