package index

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// orders is a table of 120,000 rows with a primary key, and what else is given.
func orders(indexes ...snapshot.Index) snapshot.Table {
	rows := uint64(120000)
	text := uint64(512)
	note := uint64(65535)
	return snapshot.Table{
		Schema: "shop", Name: "orders", Engine: "InnoDB", Rows: &rows,
		Columns: []snapshot.Column{
			{Name: "id", Type: "int unsigned"},
			{Name: "customer_id", Type: "int unsigned"},
			{Name: "email", Type: "varchar(128)", MaxBytes: &text},
			{Name: "status", Type: "varchar(16)", MaxBytes: &text},
			{Name: "created_at", Type: "datetime"},
			{Name: "note", Type: "text", MaxBytes: &note},
		},
		Indexes: append([]snapshot.Index{key("PRIMARY", true, 120000, "id")}, indexes...),
	}
}

// items is the table that orders are joined with.
func items(indexes ...snapshot.Index) snapshot.Table {
	rows := uint64(240000)
	return snapshot.Table{
		Schema: "shop", Name: "items", Engine: "InnoDB", Rows: &rows,
		Columns: []snapshot.Column{{Name: "item_id", Type: "int"}, {Name: "order_id", Type: "int"}, {Name: "qty", Type: "int"}},
		Indexes: append([]snapshot.Index{key("PRIMARY", true, 240000, "item_id")}, indexes...),
	}
}

// key makes an index of which each part has the same cardinality.
func key(name string, unique bool, cardinality uint64, columns ...string) snapshot.Index {
	i := snapshot.Index{Name: name, Unique: unique, Type: "BTREE"}
	for _, c := range columns {
		i.Parts = append(i.Parts, snapshot.IndexPart{Column: c, Cardinality: &cardinality})
	}
	return i
}

// asked is a statement that takes half a second each second.
func asked(text string, examined, sent uint64) Statement {
	return Statement{
		Server: "db1", WindowSeconds: 100,
		Digest: fleet.Digest{
			Fingerprint: "fp1:" + text, Schema: "shop", Text: snapshot.Redacted(text),
			DigestTotals: snapshot.DigestTotals{Calls: 1000, Seconds: 50, RowsExamined: examined * 1000, RowsSent: sent * 1000},
		},
	}
}

// advised returns the indexes that are advised for one statement, as table
// (columns).
func advised(tables []snapshot.Table, s ...Statement) []string {
	out := []string{}
	for _, a := range Analyse(Workload{Tables: tables, Statements: s, MinLoad: 0.005}).Missing {
		out = append(out, a.Table.Name+" ("+strings.Join(a.columnNames(), ", ")+")")
	}
	return out
}

func TestTheMissingIndexIsAdvised(t *testing.T) {
	for name, c := range map[string]struct {
		tables []snapshot.Table
		text   string
		want   []string
	}{
		"an equality": {
			[]snapshot.Table{orders()}, "SELECT * FROM orders WHERE email = ?", []string{"orders (email)"},
		},
		"two equalities, the selective one first": {
			[]snapshot.Table{orders(key("by_status", false, 4, "status", "id"))},
			"SELECT id FROM orders WHERE status = ? AND email = ?",
			[]string{"orders (email, status)"},
		},
		"an equality and a range": {
			[]snapshot.Table{orders()}, "SELECT id FROM orders WHERE created_at > ? AND email = ?", []string{"orders (email, created_at)"},
		},
		"an equality and the order of the first rows": {
			[]snapshot.Table{orders()}, "SELECT id FROM orders WHERE email = ? ORDER BY created_at DESC LIMIT ?", []string{"orders (email, created_at)"},
		},
		"the table that a join reads": {
			[]snapshot.Table{orders(), items()},
			"SELECT i.qty FROM orders o JOIN items i ON i.order_id = o.id WHERE o.id = ?",
			[]string{"items (order_id)"},
		},
		"a join by commas": {
			[]snapshot.Table{orders(), items()},
			"SELECT i.qty FROM orders o, items i WHERE i.order_id = o.id AND o.id = ?",
			[]string{"items (order_id)"},
		},
		"a write": {
			[]snapshot.Table{orders()}, "UPDATE orders SET status = ? WHERE email = ?", []string{"orders (email)"},
		},
		"a table in the upper case of a keyword": {
			[]snapshot.Table{orders()}, "SELECT ID FROM ORDERS WHERE email = ?", []string{"orders (email)"},
		},
		"a list": {
			[]snapshot.Table{orders()}, "SELECT id FROM orders WHERE email IN (...)", []string{"orders (email)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, advised(c.tables, asked(c.text, 120000, 3))); diff != "" {
				t.Errorf("advised (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingIsAdvisedWithoutNeedOrHelp(t *testing.T) {
	small := orders()
	few := uint64(900)
	small.Rows = &few
	unused := key("by_email", false, 90000, "email")
	unused.Ignored = true
	for name, c := range map[string]struct {
		table    snapshot.Table
		text     string
		examined uint64
		sent     uint64
	}{
		"the index exists":                   {orders(key("by_email", false, 90000, "email")), "SELECT id FROM orders WHERE email = ?", 120000, 3},
		"a unique index gives one row":       {orders(), "SELECT email FROM orders WHERE id = ? AND status = ?", 120000, 3},
		"every row is wanted":                {orders(), "SELECT id FROM orders WHERE status = ?", 120000, 110000},
		"few rows are examined":              {orders(), "SELECT id FROM orders WHERE email = ?", 900, 1},
		"the table is small":                 {small, "SELECT id FROM orders WHERE email = ?", 120000, 3},
		"a function hides the column":        {orders(), "SELECT id FROM orders WHERE LOWER(email) = ?", 120000, 3},
		"a pattern that begins with any":     {orders(), "SELECT id FROM orders WHERE email LIKE CONCAT('%', ?, '%')", 120000, 3},
		"an index is named in a hint":        {orders(), "SELECT id FROM orders FORCE INDEX (by_x) WHERE email = ?", 120000, 3},
		"the table is not known":             {orders(), "SELECT id FROM invoices WHERE email = ?", 120000, 3},
		"the statement is not understood":    {orders(), "SELECT SELECT FROM WHERE", 120000, 3},
		"the values are few and all counted": {orders(key("by_status", false, 4, "status", "id")), "SELECT COUNT(*) FROM orders WHERE status = ?", 120000, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := advised([]snapshot.Table{c.table}, asked(c.text, c.examined, c.sent)); len(got) != 0 {
				t.Errorf("advised %v, want nothing", got)
			}
		})
	}
}

func TestAHundredRowsAreReadForOne(t *testing.T) {
	for sent, want := range map[uint64]int{1190: 1, 1200: 1, 1210: 0} {
		if got := advised([]snapshot.Table{orders()}, asked("SELECT id FROM orders WHERE email = ?", 120000, sent)); len(got) != want {
			t.Errorf("advised %v for 120,000 rows examined and %d sent, want %d", got, sent, want)
		}
	}
}

func TestAHiddenIndexServesNobody(t *testing.T) {
	hidden := key("by_email", false, 90000, "email")
	hidden.Ignored = true
	got := advised([]snapshot.Table{orders(hidden)}, asked("SELECT id FROM orders WHERE email = ?", 120000, 3))
	if diff := cmp.Diff([]string{"orders (email)"}, got); diff != "" {
		t.Errorf("advised (-want +got):\n%s", diff)
	}
}

func TestOneIndexServesTwoStatements(t *testing.T) {
	a := Analyse(Workload{Tables: []snapshot.Table{orders()}, Statements: []Statement{
		asked("SELECT id FROM orders WHERE email = ?", 120000, 3),
		asked("SELECT id FROM orders WHERE email = ? AND created_at > ?", 120000, 1),
	}})
	if len(a.Missing) != 1 || len(a.Missing[0].Benefits) != 2 {
		t.Fatalf("advice = %+v, want one index for both", a.Missing)
	}
	if diff := cmp.Diff([]string{"email", "created_at"}, a.Missing[0].columnNames()); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

func TestALongTextIsIndexedByItsBeginning(t *testing.T) {
	a := Analyse(Workload{Tables: []snapshot.Table{orders()}, Statements: []Statement{asked("SELECT id FROM orders WHERE note = ?", 120000, 1)}})
	if diff := cmp.Diff([]Part{{Column: "note", Prefix: textPrefix}}, a.Missing[0].Columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

func TestTheNewIndexReplacesTheOneThatItExtends(t *testing.T) {
	a := Analyse(Workload{
		Tables:     []snapshot.Table{orders(key("by_email", false, 10, "email"))},
		Statements: []Statement{asked("SELECT id FROM orders WHERE email = ? AND created_at > ?", 12000, 1)},
	})
	if len(a.Missing) != 1 || a.Missing[0].Replaces != "by_email" {
		t.Errorf("advice = %+v, want one that replaces by_email", a.Missing)
	}
}

func TestTheGainIsLessThanWhatTheStatementTakes(t *testing.T) {
	a := Analyse(Workload{Tables: []snapshot.Table{orders()}, Statements: []Statement{asked("SELECT id FROM orders WHERE email = ?", 120000, 3)}})
	got := a.Missing[0].Freed()
	if got.Lo <= 0.4 || got.Lo > got.Hi || got.Hi > 0.5 {
		t.Errorf("freed = %+v s each second, want nearly all of 0.5", got)
	}
}

func TestWhatIsNotJudgedIsCounted(t *testing.T) {
	a := Analyse(Workload{Tables: []snapshot.Table{orders()}, Statements: []Statement{asked("SELECT SELECT FROM WHERE", 120000, 3)}})
	if a.Relevant != 1 || len(a.NotJudged) != 1 {
		t.Errorf("analysis = %+v, want one relevant statement that is not understood", a)
	}
}

func TestTheAgentsOwnStatementsAreLeftOut(t *testing.T) {
	s := asked("SELECT id FROM orders WHERE email = ?", 120000, 3)
	s.Own = true
	if got := advised([]snapshot.Table{orders()}, s); len(got) != 0 {
		t.Errorf("advised %v for a statement of the agent", got)
	}
}

func redundant(w Workload) []string {
	out := []string{}
	for _, r := range FindRedundant(w) {
		out = append(out, r.Index.Name+" by "+r.By.Name)
	}
	return out
}

func TestAnIndexIsRedundantIfItBeginsAnother(t *testing.T) {
	prefixed := key("a_prefix", false, 9, "email")
	prefixed.Parts[0].Prefix = new(int)
	descending := key("a_desc", false, 9, "created_at")
	descending.Parts[0].Descending = true
	for name, c := range map[string]struct {
		indexes []snapshot.Index
		asked   []Statement
		want    []string
	}{
		"a beginning":             {[]snapshot.Index{key("a", false, 9, "email"), key("ab", false, 9, "email", "status")}, nil, []string{"a by ab"}},
		"of two equal the second": {[]snapshot.Index{key("x", false, 9, "email"), key("y", false, 9, "email")}, nil, []string{"y by x"}},
		"equal to a unique one":   {[]snapshot.Index{key("x", false, 9, "email"), key("u", true, 9, "email")}, nil, []string{"x by u"}},
		"a unique one stays":      {[]snapshot.Index{key("u", true, 9, "email"), key("ab", false, 9, "email", "status")}, nil, []string{}},
		"another prefix":          {[]snapshot.Index{prefixed, key("ab", false, 9, "email", "status")}, nil, []string{}},
		"another direction":       {[]snapshot.Index{descending, key("ab", false, 9, "created_at", "status")}, nil, []string{}},
		"another first column":    {[]snapshot.Index{key("b", false, 9, "status"), key("ab", false, 9, "email", "status")}, nil, []string{}},
		"with the primary key behind it": {
			[]snapshot.Index{key("a", false, 9, "email"), key("a_id", false, 9, "email", "id")},
			[]Statement{asked("SELECT id FROM orders WHERE email = ? ORDER BY id LIMIT ?", 1, 1)},
			[]string{"a_id by a"},
		},
		"with the primary key behind it, and unique": {[]snapshot.Index{key("a", false, 9, "email"), key("a_id", true, 9, "email", "id")}, nil, []string{"a by a_id"}},
		"named in a hint": {[]snapshot.Index{key("a", false, 9, "email"), key("ab", false, 9, "email", "status")}, []Statement{asked("SELECT id FROM orders USE INDEX (a) WHERE email = ?", 1, 1)}, []string{}},
		"named in a hint of what is not understood": {
			[]snapshot.Index{key("a", false, 9, "email"), key("ab", false, 9, "email", "status")},
			[]Statement{asked("SELECT SELECT FROM orders USE INDEX (`a`) WHERE", 1, 1)},
			[]string{},
		},
		"named in a hint for joins of what is not understood": {
			[]snapshot.Index{key("a", false, 9, "email"), key("ab", false, 9, "email", "status")},
			[]Statement{asked("SELECT SELECT FROM orders FORCE INDEX FOR JOIN (`a`) WHERE", 1, 1)},
			[]string{},
		},
		"its order by the primary key is used behind a column": {
			[]snapshot.Index{key("a", false, 9, "email"), key("ab", false, 9, "email", "status")},
			[]Statement{asked("SELECT id FROM orders WHERE email > ? ORDER BY email, id LIMIT ?", 1, 1)},
			[]string{},
		},
		"the primary key is paged through": {
			[]snapshot.Index{key("a", false, 9, "email"), key("ab", false, 9, "email", "status")},
			[]Statement{asked("SELECT * FROM orders WHERE email = ? AND id > ? LIMIT ?", 1, 1)},
			[]string{},
		},
		"the last of the primary key is asked for": {
			[]snapshot.Index{key("a", false, 9, "email"), key("ab", false, 9, "email", "status")},
			[]Statement{asked("SELECT MAX(id) FROM orders WHERE email = ?", 1, 1)},
			[]string{},
		},
		"one row is asked for": {
			[]snapshot.Index{key("a", false, 9, "email"), key("ab", false, 9, "email", "status")},
			[]Statement{asked("SELECT COUNT(*) FROM orders WHERE email = ? AND id = ?", 1, 1)},
			[]string{"a by ab"},
		},
		"its order by the primary key is used": {
			[]snapshot.Index{key("a", false, 9, "email"), key("ab", false, 9, "email", "status")},
			[]Statement{asked("SELECT id FROM orders WHERE email = ? ORDER BY id LIMIT ?", 1, 1)},
			[]string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := redundant(Workload{Tables: []snapshot.Table{orders(c.indexes...)}, Statements: c.asked})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("redundant (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnUnusedIndexHasNoOtherWork(t *testing.T) {
	table := orders(
		key("idle", false, 9, "status"), key("busy", false, 9, "email"), key("rule", true, 9, "created_at"),
		key("fk", false, 9, "customer_id"), key("untold", false, 9, "note"),
	)
	table.ForeignKeys = []snapshot.ForeignKey{{Name: "to_customer", Columns: []string{"customer_id"}}}
	usage := func(_, _, index string) (uint64, bool) {
		return map[string]uint64{"busy": 7}[index], index != "untold"
	}
	var got []string
	for _, u := range FindUnused(Workload{Tables: []snapshot.Table{table}}, usage) {
		got = append(got, u.Index.Name)
	}
	if diff := cmp.Diff([]string{"idle"}, got); diff != "" {
		t.Errorf("unused (-want +got):\n%s", diff)
	}
}

func TestTheSizeIsThatOfRealIndexes(t *testing.T) {
	// 600,000 rows of (int, int) and a primary key of (int, int) took 15.7 MB.
	rows := uint64(600000)
	table := snapshot.Table{
		Rows:    &rows,
		Columns: []snapshot.Column{{Name: "a", Type: "int"}, {Name: "b", Type: "int"}, {Name: "x", Type: "int"}, {Name: "y", Type: "int"}},
		Indexes: []snapshot.Index{key("PRIMARY", true, 600000, "x", "y")},
	}
	got := *size(&table, []Part{{Column: "a"}, {Column: "b"}})
	if got < 12e6 || got > 20e6 {
		t.Errorf("size = %.1f MB, want about 15.7", got/1e6)
	}
}

// wide has four texts that are too long together for one key.
func wide() snapshot.Table {
	t := orders()
	for _, name := range []string{"a", "b", "c", "d"} {
		t.Columns = append(t.Columns, snapshot.Column{Name: name, Type: "varchar(255)", MaxBytes: new(uint64(1020))})
	}
	t.Columns = append(t.Columns, snapshot.Column{Name: "tiny", Type: "tinytext", MaxBytes: new(uint64(255))})
	return t
}

func TestAKeyIsNotLongerThanServersTake(t *testing.T) {
	for text, want := range map[string][]Part{
		"SELECT id FROM orders WHERE a = ? AND b = ?":                          {{Column: "a", Prefix: 0}, {Column: "b", Prefix: 0}},
		"SELECT id FROM orders WHERE a = ? AND b = ? AND c = ? AND d = ?":      {{Column: "a", Prefix: textPrefix}, {Column: "b", Prefix: textPrefix}, {Column: "c", Prefix: textPrefix}, {Column: "d", Prefix: textPrefix}},
		"SELECT id FROM orders WHERE tiny = ?":                                 {{Column: "tiny", Prefix: 63}},
		"SELECT id FROM orders WHERE note = ? ORDER BY created_at ASC LIMIT ?": {{Column: "note", Prefix: textPrefix}},
	} {
		a := Analyse(Workload{Tables: []snapshot.Table{wide()}, Statements: []Statement{asked(text, 120000, 1)}})
		if len(a.Missing) != 1 {
			t.Fatalf("advice for %s = %+v, want one", text, a.Missing)
		}
		if diff := cmp.Diff(want, a.Missing[0].Columns); diff != "" {
			t.Errorf("columns for %s (-want +got):\n%s", text, diff)
		}
	}
}

func TestHowOftenAJoinLooksUpIsNotKnownFromASum(t *testing.T) {
	by := key("by_order", false, 60000, "order_id", "qty")
	by.Ignored = true // its statistics are there, and it serves nobody
	for text, sure := range map[string]bool{
		"SELECT i.qty FROM orders o JOIN items i ON i.order_id = o.id WHERE o.id > ?":                        true,
		"SELECT SUM(i.qty) FROM orders o JOIN items i ON i.order_id = o.id WHERE o.id > ?":                   false,
		"SELECT o.id, COUNT(*) FROM orders o JOIN items i ON i.order_id = o.id WHERE o.id > ? GROUP BY o.id": false,
		"SELECT i.qty FROM orders o JOIN items i ON i.order_id = o.id WHERE o.id > ? LIMIT ?":                false,
	} {
		a := Analyse(Workload{Tables: []snapshot.Table{orders(), items(by)}, Statements: []Statement{asked(text, 240000, 3)}})
		if len(a.Missing) != 1 || a.Missing[0].Sure != sure {
			t.Errorf("advice for %s = %+v, want one that is sure: %v", text, a.Missing, sure)
		}
	}
}

func TestWhatOtherTablesReadStaysToBeExpected(t *testing.T) {
	by := key("by_order", false, 60000, "order_id", "qty")
	by.Ignored = true
	text := "SELECT i.qty FROM orders o JOIN items i ON i.order_id = o.id WHERE o.id > ?"
	a := Analyse(Workload{Tables: []snapshot.Table{orders(), items(by)}, Statements: []Statement{asked(text, 245000, 3)}})
	if got := a.Missing[0].Benefits[0].ExaminedAfter.Lo; got < 5000 {
		t.Errorf("rows examined afterwards = %v, want the 5,000 of the other table too", got)
	}
}

func TestTheKeyThatAForeignKeyPointsToIsUsed(t *testing.T) {
	parent, child := orders(key("by_customer", false, 9, "customer_id")), items()
	child.ForeignKeys = []snapshot.ForeignKey{{
		Name: "to_customer", Columns: []string{"qty"},
		ReferencedSchema: "shop", ReferencedTable: "orders", ReferencedColumns: []string{"customer_id"},
	}}
	never := func(_, _, _ string) (uint64, bool) { return 0, true }
	if got := FindUnused(Workload{Tables: []snapshot.Table{parent, child}}, never); len(got) != 0 {
		t.Errorf("unused = %+v, want none: the server refuses to drop it", got)
	}
}

func TestAnIndexSparesFourFifthsOfTheRows(t *testing.T) {
	for values, want := range map[uint64]int{14: 0, 16: 1} { // a value is taken for three times the mean
		by := key("by_status", false, values, "status", "id")
		by.Ignored = true // its statistics are there, and it serves nobody
		if got := advised([]snapshot.Table{orders(by)}, asked("SELECT COUNT(*) FROM orders WHERE status = ?", 120000, 1)); len(got) != want {
			t.Errorf("advised %v for a column of %d values, want %d", got, values, want)
		}
	}
}

func TestARowByTheIndexCostsUpToTenOfAScan(t *testing.T) {
	s := asked("SELECT id FROM orders WHERE email = ?", 120000, 1200)
	s.LockSeconds = s.Seconds / 5 // which no index spares
	got := Analyse(Workload{Tables: []snapshot.Table{orders()}, Statements: []Statement{s}}).Missing[0].Freed()
	if diff := cmp.Diff(Interval{0.4 * (1 - 0.1), 0.4 * (1 - 0.01)}, got, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("freed (-want +got):\n%s", diff)
	}
}
