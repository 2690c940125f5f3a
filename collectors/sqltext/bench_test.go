package sqltext

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpus is text of the kind a slow log holds: short statements of applications, long IN lists,
// inserts of many rows. Each line is a statement.
func corpus() string {
	var b strings.Builder
	for i := range 400 {
		fmt.Fprintf(&b, "SELECT `main_table`.*, `e`.`sku` FROM `sales_order_item` AS `main_table` INNER JOIN `catalog_product_entity` AS `e` ON e.entity_id = main_table.product_id WHERE (`main_table`.`order_id` = '%d') AND (store_id IN(0, %d)) ORDER BY `main_table`.`item_id` ASC LIMIT %d\n", i*7919, i%5, 20+i%3)
		fmt.Fprintf(&b, "SELECT option_value FROM wp_options WHERE option_name = '_transient_timeout_%d' LIMIT 1\n", i)
		fmt.Fprintf(&b, "UPDATE `sessions` SET `payload` = '%s', `last_activity` = %d, `user_id` = NULL WHERE `id` = '%x'\n", strings.Repeat("YTozOntzOjY6Il90b2", 20), 1700000000+i, i*104729)
		if i%10 == 0 {
			fmt.Fprintf(&b, "SELECT post_id, meta_key, meta_value FROM wp_postmeta WHERE post_id IN (%s) ORDER BY meta_id ASC\n", strings.TrimSuffix(strings.Repeat("123456,", 400), ","))
			fmt.Fprintf(&b, "INSERT INTO `url_rewrite` (`entity_type`,`entity_id`,`request_path`,`target_path`) VALUES %s\n", strings.TrimSuffix(strings.Repeat("('product', 4711, 'a/long/path-to/some-product.html', 'catalog/product/view/id/4711'), ", 50), ", "))
		}
	}
	return b.String()
}

// perStatement measures what do does with every statement of the corpus.
func perStatement[T string | []byte](b *testing.B, do func(T)) {
	b.Helper()
	text := corpus()
	var statements []T
	for line := range strings.Lines(text) {
		statements = append(statements, T(strings.TrimSuffix(line, "\n")))
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range statements {
			do(s)
		}
	}
	b.ReportMetric(float64(len(statements)), "statements/op")
}

// BenchmarkFingerprint makes the canonical tokens of every statement anew.
func BenchmarkFingerprint(b *testing.B) { perStatement(b, func(s string) { Fingerprint(s) }) }

func BenchmarkNormalize(b *testing.B) { perStatement(b, func(s string) { Normalize(s) }) }

func BenchmarkParse(b *testing.B) { perStatement(b, func(s string) { Parse(s) }) }

// BenchmarkLineScan scans the lines of a file, as reading a slow log must at least do. The file is
// larger than the processor's caches.
func BenchmarkLineScan(b *testing.B) {
	text := strings.Repeat(corpus(), 100)
	path := filepath.Join(b.TempDir(), "log")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
		}
		if err := errors.Join(s.Err(), f.Close()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDescribe is what a reader of logs does at the first sight of a statement.
func BenchmarkDescribe(b *testing.B) {
	var d Digester
	perStatement(b, func(s []byte) { d.Describe(s) })
}

// BenchmarkDigester is BenchmarkFingerprint as a reader of logs does it. It is to be read beside
// BenchmarkLineScan, the floor: at least a twentieth of it is wanted, about a fourth was measured.
func BenchmarkDigester(b *testing.B) {
	var d Digester
	perStatement(b, func(s []byte) { d.Sum(s) })
}
