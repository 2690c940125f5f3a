package index

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

// known gives columns of orders and items as many values as stated.
func known(distinct map[string]float64) Statistics {
	out := Statistics{}
	for name, n := range distinct {
		tableName, column, _ := strings.Cut(name, ".")
		out[ColumnKey{"shop", tableName, column}] = ColumnStatistics{Distinct: n}
	}
	return out
}

// told returns advice as "add orders (email)".
func told(r Report) []string {
	out := []string{}
	for _, a := range r.Advice {
		var columns []string
		for _, p := range a.Columns {
			text := p.Column
			if p.Prefix > 0 {
				text += fmt.Sprintf("(%d)", p.Prefix)
			}
			if p.Descending {
				text += " DESC"
			}
			columns = append(columns, text)
		}
		out = append(out, fmt.Sprintf("%s %s (%s)", a.Kind, a.Table, strings.Join(columns, ", ")))
	}
	return out
}

func TestAdviceForAWorkload(t *testing.T) {
	values := known(map[string]float64{
		"orders.customer_id": 600, "orders.email": 90000, "orders.status": 4, "orders.created_at": 110000, "items.order_id": 100000, "items.qty": 5,
	})
	for name, c := range map[string]struct {
		tables     []snapshot.Table
		statements []Statement
		want       []string
	}{
		"an equality": {
			[]snapshot.Table{orders()},
			[]Statement{asked("SELECT * FROM orders WHERE email = ?", 120000, 1)},
			[]string{"add orders (email)"},
		},
		"one index for two statements: the columns of both begin with those of one": {
			[]snapshot.Table{orders()},
			[]Statement{
				asked("SELECT * FROM orders WHERE customer_id = ?", 120000, 200),
				asked("SELECT * FROM orders WHERE customer_id = ? ORDER BY created_at DESC LIMIT ?", 120000, 5),
			},
			[]string{"add orders (customer_id, created_at)"},
		},
		"an index that exists is extended, and not another one added": {
			[]snapshot.Table{orders(key("by_status", false, 4, "status"))},
			[]Statement{asked("SELECT * FROM orders WHERE status = ? ORDER BY created_at LIMIT ?", 30000, 10)},
			[]string{"extend orders (status, created_at)"},
		},
		"a join by comma asks for an index on the side that is looked up": {
			[]snapshot.Table{orders(), items()},
			[]Statement{asked("SELECT * FROM orders o, items i WHERE i.order_id = o.id AND o.id = ?", 240000, 2)},
			[]string{"add items (order_id)"},
		},
		"a correlated subquery asks for an index inside": {
			[]snapshot.Table{orders(), items()},
			[]Statement{asked("SELECT o.id, (SELECT SUM(i.qty) FROM items i WHERE i.order_id = o.id) FROM orders o WHERE o.id = ?", 240001, 1)},
			[]string{"add items (order_id)"},
		},
		"EXISTS asks for an index inside": {
			[]snapshot.Table{orders(), items()},
			[]Statement{asked("SELECT o.* FROM orders o WHERE o.id = ? AND EXISTS (SELECT 1 FROM items i WHERE i.order_id = o.id AND i.qty = ?)", 240001, 1)},
			[]string{"add items (order_id, qty)"},
		},
		"each branch of an OR has its own": {
			[]snapshot.Table{orders()},
			[]Statement{asked("SELECT * FROM orders WHERE email = ? OR customer_id = ?", 120000, 7)},
			[]string{"add orders (customer_id)", "add orders (email)"},
		},
		"a DELETE is looked up too": {
			[]snapshot.Table{orders()},
			[]Statement{asked("DELETE FROM orders WHERE customer_id = ?", 120000, 5)},
			[]string{"add orders (customer_id)"},
		},
		"the end of the primary key is in every index": {
			[]snapshot.Table{orders()},
			[]Statement{asked("SELECT * FROM orders WHERE customer_id = ? ORDER BY id DESC LIMIT ?", 60000, 5)},
			[]string{"add orders (customer_id)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := told(Advise(Workload{Tables: c.tables, Statements: c.statements, Statistics: values}, Options{}))
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The traps that advisers are known to fall into, by name.
func TestTraps(t *testing.T) {
	values := known(map[string]float64{
		"orders.customer_id": 600, "orders.email": 90000, "orders.status": 4, "orders.created_at": 110000, "items.order_id": 100000, "items.qty": 5,
	})
	frequent := known(map[string]float64{"orders.status": 4})
	frequent[ColumnKey{"shop", "orders", "status"}] = ColumnStatistics{Distinct: 4, TopRatio: new(0.9)}
	tiny := orders()
	tiny.Rows = new(uint64(300))
	archive := orders()
	archive.Name = "archive"
	partitioned := orders()
	partitioned.Partitioned = true
	beginnings := known(map[string]float64{"orders.note": 100000})
	beginnings[ColumnKey{"shop", "orders", "note"}] = ColumnStatistics{
		Distinct: 100000, Prefixes: []PrefixStatistics{{8, 3}, {16, 40000}, {32, 99000}, {64, 100000}},
	}
	tests := map[string]struct {
		tables     []snapshot.Table
		values     Statistics
		statements []Statement
		want       []string
	}{
		"low-cardinality flag": {
			[]snapshot.Table{orders()},
			frequent,
			[]Statement{asked("SELECT SUM(customer_id) FROM orders WHERE status = ?", 120000, 1)},
			nil,
		},
		"inequality": {
			[]snapshot.Table{orders()},
			values,
			[]Statement{asked("SELECT SUM(customer_id) FROM orders WHERE status <> ?", 120000, 1)},
			nil,
		},
		"function on a column": {
			[]snapshot.Table{orders()},
			values,
			[]Statement{asked("SELECT COUNT(*) FROM orders WHERE DATE(created_at) = ?", 120000, 1)},
			[]string{"rewrite orders (created_at)"},
		},
		"leading wildcard": {
			[]snapshot.Table{orders()},
			values,
			[]Statement{asked("SELECT * FROM orders WHERE email LIKE '%example.com'", 120000, 3)},
			nil,
		},
		"OR over two tables": {
			[]snapshot.Table{orders(), items(key("by_order", false, 100000, "order_id"))},
			values,
			[]Statement{asked("SELECT * FROM orders o JOIN items i ON i.order_id = o.id WHERE o.email = ? OR i.qty = ?", 360000, 3)},
			nil,
		},
		"prefix of a text": {
			[]snapshot.Table{orders()},
			beginnings,
			[]Statement{asked("SELECT * FROM orders WHERE note = ?", 120000, 1)},
			[]string{"add orders (note(32))"},
		},
		"rare value of few": {
			[]snapshot.Table{orders()},
			frequent,
			[]Statement{asked("SELECT * FROM orders WHERE status = ?", 120000, 12)},
			[]string{"add orders (status)"},
		},
		"frequent value of few": {
			[]snapshot.Table{orders()},
			frequent,
			[]Statement{asked("SELECT * FROM orders WHERE status = ?", 120000, 100000)},
			nil,
		},
		"tiny table": {
			[]snapshot.Table{tiny},
			values,
			[]Statement{asked("SELECT * FROM orders WHERE email = ?", 300, 1)},
			nil,
		},
		"partitioned table": {
			[]snapshot.Table{partitioned},
			values,
			[]Statement{asked("SELECT SUM(customer_id) FROM orders WHERE created_at >= ? AND created_at < ?", 30000, 1)},
			nil,
		},
		"archived table with no reads": {
			[]snapshot.Table{orders(), archive},
			values,
			[]Statement{asked("INSERT INTO archive SELECT * FROM orders WHERE id = ?", 1, 1)},
			nil,
		},
		"unique index in another order": {
			[]snapshot.Table{orders(key("mail", true, 120000, "email", "customer_id"))},
			values,
			[]Statement{asked("SELECT * FROM orders WHERE customer_id = ? AND email = ?", 120000, 1)},
			nil,
		},
		"directions that differ": {
			[]snapshot.Table{orders()},
			values,
			[]Statement{asked("SELECT * FROM orders WHERE customer_id = ? ORDER BY status ASC, created_at DESC LIMIT ?", 120000, 5)},
			[]string{"add orders (customer_id, status, created_at DESC)"},
		},
		"LIMIT 1 with an order by another index": {
			[]snapshot.Table{orders()},
			values,
			[]Statement{asked("SELECT * FROM orders WHERE customer_id = ? AND status = ? ORDER BY created_at DESC LIMIT ?", 60000, 1)},
			[]string{"add orders (customer_id, status, created_at)"},
		},
		"index of a hint": {
			[]snapshot.Table{orders(key("by_mail", false, 90000, "email"))},
			values,
			[]Statement{asked("SELECT * FROM orders FORCE INDEX (by_mail) WHERE customer_id = ?", 120000, 5)},
			nil,
		},
		"queue with SKIP LOCKED": {
			[]snapshot.Table{orders()},
			values,
			[]Statement{asked("SELECT * FROM orders WHERE status = ? ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED", 20, 1)},
			nil,
		},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			got := told(Advise(Workload{Tables: c.tables, Statements: c.statements, Statistics: c.values}, Options{}))
			if diff := cmp.Diff(append([]string{}, c.want...), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A sample tells what a digest does not: how a LIKE begins, and that a LIMIT was not reached.
func TestASampleTellsWhatADigestDoesNot(t *testing.T) {
	like := asked("SELECT * FROM orders WHERE email LIKE ?", 120000, 1)
	few := asked("SELECT * FROM orders WHERE customer_id = ? ORDER BY created_at LIMIT ?", 120000, 7)
	zero := Statistics{{"shop", "orders", "customer_id"}: {Distinct: 40, TopRatio: new(0.9)}, {"shop", "orders", "email"}: {Distinct: 90000}}
	w := Workload{Tables: []snapshot.Table{orders()}, Statements: []Statement{like, few}, Statistics: zero}
	without := told(Advise(w, Options{}))
	if slices.Contains(without, "add orders (email)") {
		t.Errorf("advice = %v, want none for a LIKE that may begin with a wildcard", without)
	}
	w.Statements[0].Sample = "SELECT * FROM orders WHERE email LIKE 'ann@%'"
	w.Statements[1].Sample = "SELECT * FROM orders WHERE customer_id = 7 ORDER BY created_at LIMIT 10"
	got := sorted(told(Advise(w, Options{})))
	if diff := cmp.Diff([]string{"add orders (customer_id)", "add orders (email)"}, got); diff != "" {
		t.Error(diff)
	}
	for _, a := range Advise(w, Options{}).Advice {
		if strings.Contains(fmt.Sprint(a), "ann@") {
			t.Errorf("%+v holds a literal", a)
		}
	}
}

func TestAnImplicitCastIsARewrite(t *testing.T) {
	s := asked("SELECT * FROM orders WHERE email = ?", 120000, 1)
	s.Sample = "SELECT * FROM orders WHERE email = 4930001234"
	w := Workload{Tables: []snapshot.Table{orders()}, Statements: []Statement{s}, Statistics: known(map[string]float64{"orders.email": 90000})}
	if diff := cmp.Diff([]string{"rewrite orders (email)"}, told(Advise(w, Options{}))); diff != "" {
		t.Error(diff)
	}
	w.Statements[0].Sample = "SELECT * FROM orders WHERE email = '4930001234'"
	if diff := cmp.Diff([]string{"add orders (email)"}, told(Advise(w, Options{}))); diff != "" {
		t.Error(diff)
	}
	w.Statements[0] = asked("SELECT * FROM orders WHERE customer_id = ?", 120000, 1)
	w.Statements[0].Sample = "SELECT * FROM orders WHERE customer_id = 7"
	if diff := cmp.Diff([]string{"add orders (customer_id)"}, told(Advise(w, Options{}))); diff != "" {
		t.Errorf("a number compared with a number: %s", diff)
	}
}

func TestCollationMismatchInAJoinIsARewrite(t *testing.T) {
	a, b := orders(), orders()
	b.Name = "imports"
	for i := range a.Columns {
		if a.Columns[i].Name == "email" {
			a.Columns[i].Collation, b.Columns[i].Collation = "utf8mb4_general_ci", "utf8mb4_bin"
		}
	}
	s := asked("SELECT * FROM imports b JOIN orders a ON a.email = b.email WHERE b.id = ?", 120000, 1)
	got := told(Advise(Workload{Tables: []snapshot.Table{a, b}, Statements: []Statement{s}, Statistics: known(map[string]float64{"orders.email": 90000})}, Options{}))
	if diff := cmp.Diff([]string{"rewrite orders (email)"}, got); diff != "" {
		t.Error(diff)
	}
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

func TestWhatIsNotAnalysedIsNamedWithItsReason(t *testing.T) {
	cut := asked("SELECT * FROM orders WHERE email = ? AND ...", 120000, 1)
	cut.Truncated = true
	r := Advise(Workload{Tables: []snapshot.Table{orders()}, Statements: []Statement{
		asked("SELECT * FROM a_view WHERE id = ?", 120000, 1),
		asked("SELECT * FROM orders WHERE no_such = ?", 120000, 1),
		asked("SELECT FROM WHERE", 120000, 1),
		cut,
		asked("SELECT * FROM orders WHERE id = ?", 1, 1),
	}}, Options{})
	var got []string
	for _, n := range r.NotAnalysed {
		got = append(got, n.Reason)
	}
	want := []string{
		"its grammar is not understood",
		"its text was cut off by the server; raise max_digest_length and performance_schema_max_digest_length",
		"shop.a_view is no table that is known: a view, a temporary table, or one that is gone",
		"table orders has no column no_such",
	}
	if diff := cmp.Diff(want, sorted(got)); diff != "" {
		t.Error(diff)
	}
	if len(r.Advice) > 0 {
		t.Errorf("advice = %v, want none for what is not analysed", told(r))
	}
}

func TestRowsOfAJoinBufferThatTheServerDoesNotCountAreSeenByTheirTime(t *testing.T) {
	join := asked("SELECT SUM(i.qty) FROM orders o JOIN items i ON i.order_id = o.id WHERE o.status = ?", 300, 1)
	join.Seconds = 0.3 * 1000 // 0.3 s a call, as a hundred thousand rows take
	scan := asked("SELECT SUM(customer_id) FROM orders", 120000, 1)
	scan.Seconds = 0.03 * 1000
	w := Workload{
		Tables: []snapshot.Table{orders(), items()}, Statements: []Statement{join, scan},
		Statistics: known(map[string]float64{"orders.status": 1000, "items.order_id": 100000, "items.qty": 5}),
	}
	if got := told(Advise(w, Options{})); !slices.Contains(got, "add items (order_id)") && !slices.Contains(got, "add items (order_id, qty)") {
		t.Errorf("advice = %v, want an index for the join", got)
	}
}

func TestABudgetIsKept(t *testing.T) {
	w := Workload{
		Tables: []snapshot.Table{orders(), items()},
		Statements: []Statement{
			asked("SELECT * FROM orders WHERE email = ?", 120000, 1),
			asked("SELECT * FROM items WHERE order_id = ?", 240000, 2),
			asked("SELECT * FROM orders WHERE customer_id = ?", 120000, 6),
		},
		Statistics: known(map[string]float64{"orders.email": 90000, "orders.customer_id": 20000, "items.order_id": 100000}),
	}
	all := Advise(w, Options{})
	if len(all.Advice) != 3 {
		t.Fatalf("advice = %v, want three indexes", told(all))
	}
	half := Advise(w, Options{BudgetBytes: all.Bytes / 2})
	if half.Bytes > all.Bytes/2 || len(half.Advice) == 0 {
		t.Errorf("%v take %.0f bytes, want some of at most %.0f", told(half), half.Bytes, all.Bytes/2)
	}
	one := Advise(w, Options{MaxPerTable: 1})
	if diff := cmp.Diff(2, len(one.Advice)); diff != "" {
		t.Errorf("advice = %v, want one index a table: %s", told(one), diff)
	}
}

func TestAnIndexThatCostsMoreInWritesThanItSparesIsNotAdvised(t *testing.T) {
	write := asked("INSERT INTO orders (email) VALUES (?)", 0, 0)
	write.Calls, write.Seconds, write.RowsAffected = 50_000_000, 4000, 50_000_000
	read := asked("SELECT * FROM orders WHERE email = ?", 120000, 1)
	read.Calls, read.Seconds, read.RowsExamined, read.RowsSent = 40, 10, 40*120000, 40
	w := Workload{
		Tables: []snapshot.Table{orders()}, Statements: []Statement{write, read},
		Statistics: known(map[string]float64{"orders.email": 90000}),
	}
	if got := told(Advise(w, Options{MinShare: 1e-9})); len(got) > 0 {
		t.Errorf("advice = %v, want none", got)
	}
	w.Statements[0].Calls, w.Statements[0].RowsAffected = 500, 500
	r := Advise(w, Options{MinShare: 1e-9})
	if diff := cmp.Diff([]string{"add orders (email)"}, told(r)); diff != "" {
		t.Fatal(diff)
	}
	if p := r.Advice[0].Payers; len(p) != 1 || p[0].Fingerprint != write.Fingerprint || p[0].SecondsMore <= 0 {
		t.Errorf("payers = %+v, want the INSERT", p)
	}
}

func TestTheServersOwnStatementsAreWritten(t *testing.T) {
	w := Workload{
		Tables:     []snapshot.Table{orders(key("by_status", false, 4, "status"))},
		Statements: []Statement{asked("SELECT * FROM orders WHERE status = ? ORDER BY created_at LIMIT ?", 30000, 10)},
		Statistics: known(map[string]float64{"orders.status": 4, "orders.created_at": 110000}),
	}
	for name, c := range map[string]struct {
		server Server
		ddl    string
	}{
		"MySQL":   {Server{Version: "9.7.4"}, "ALGORITHM=INPLACE, LOCK=NONE"},
		"MariaDB": {Server{MariaDB: true, Version: "10.11.19-MariaDB"}, "ALGORITHM=NOCOPY, LOCK=NONE"},
	} {
		t.Run(name, func(t *testing.T) {
			a := Advise(w, Options{Server: c.server}).Advice[0]
			want := "ALTER TABLE `shop`.`orders` ADD INDEX `idx_status_created_at` (`status`, `created_at`), DROP INDEX `by_status`, " + c.ddl
			if diff := cmp.Diff(want, a.DDL); diff != "" {
				t.Error(diff)
			}
			back := "ALTER TABLE `shop`.`orders` ADD INDEX `by_status` (`status`), DROP INDEX `idx_status_created_at`, " + c.ddl
			if diff := cmp.Diff(back, a.Rollback); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestANameThatDoesNotShowHasNoStatement(t *testing.T) {
	odd := orders()
	odd.Columns[2].Name = "em\u202eail"
	r := Advise(Workload{
		Tables: []snapshot.Table{odd}, Statements: []Statement{asked("SELECT * FROM orders WHERE `em\u202eail` = ?", 120000, 1)},
	}, Options{})
	if len(r.Advice) != 1 || r.Advice[0].DDL != "" {
		t.Errorf("advice = %+v, want one without a statement", r.Advice)
	}
}

// BenchmarkTenThousandDigests is a workload of 10,000 digests on 500 tables. Its target of 30 s is held
// by the ratio to parsing alone, which BenchmarkParsing has.
func BenchmarkTenThousandDigests(b *testing.B) {
	w := manyDigests(10000, 500)
	for b.Loop() {
		Advise(w, Options{})
	}
}
