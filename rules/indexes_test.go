package rules

import (
	"strings"
	"testing"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// ordersTable is a table of 120,000 orders that is looked up by customer.
func ordersTable(more ...snapshot.Index) snapshot.Table {
	return snapshot.Table{
		Schema: "shop", Name: "orders", Engine: "InnoDB", Rows: new(uint64(120000)),
		Columns: []snapshot.Column{
			{Name: "id", Type: "int unsigned"},
			{Name: "customer_id", Type: "int unsigned"},
			{Name: "email", Type: "varchar(128)", MaxBytes: new(uint64(512))},
			{Name: "created_at", Type: "datetime"},
		},
		Indexes: append([]snapshot.Index{
			btree("PRIMARY", true, "id"), btree("by_customer", false, "customer_id", "created_at"),
		}, more...),
	}
}

func btree(name string, unique bool, columns ...string) snapshot.Index {
	i := snapshot.Index{Name: name, Unique: unique, Type: "BTREE"}
	for _, c := range columns {
		i.Parts = append(i.Parts, snapshot.IndexPart{Column: c, Cardinality: new(uint64(20000))})
	}
	return i
}

// withOrders gives the primary the table, and writes to it.
func withOrders(more ...snapshot.Index) func(*fleet.Server) {
	return func(s *fleet.Server) {
		s.Latest.Schema = &snapshot.Schema{Meta: meta(), Tables: []snapshot.Table{ordersTable(more...)}}
		s.Use = used(s, "by_customer", "PRIMARY")
	}
}

// used is how a server counted for 40 days: two writes a second to the table, and
// the indexes that were read.
func used(s *fleet.Server, read ...string) *fleet.UseWindow {
	w := &fleet.UseWindow{
		Window: lastDay(),
		Since:  &snapshot.Use{Meta: meta(), Source: "performance_schema", Since: noon.Add(-40 * aDay)},
		Tables: []snapshot.TableUse{{Schema: "shop", Table: "orders", Inserts: 2 * daySeconds}},
	}
	if s.Latest.Schema != nil {
		for _, i := range s.Latest.Schema.Tables[0].Indexes {
			use := snapshot.IndexUse{Schema: "shop", Table: "orders", Index: i.Name}
			for _, name := range read {
				if name == i.Name {
					use.Reads = 1000
				}
			}
			w.Since.Indexes = append(w.Since.Indexes, use)
		}
	}
	return w
}

// byEmail is a statement that reads the whole table, with a share of the
// statement time of the server.
func byEmail(share float64) func(*fleet.Server) {
	return func(s *fleet.Server) {
		others := s.Digests.Total.Seconds
		s.Digests = digests(append(s.Digests.Rows, fleet.Digest{
			Fingerprint: "fp1:00000000000000e1", Schema: "shop", Class: "select", Reads: []string{"orders"},
			Text: "SELECT id FROM orders WHERE email = ?",
			DigestTotals: snapshot.DigestTotals{
				Calls: 86400, Seconds: others * share / (1 - share), RowsExamined: 86400 * 120000, RowsSent: 86400 * 3,
			},
		})...)
	}
}

func TestAStatementThatReadsAWholeTableForThreeRowsIsFound(t *testing.T) {
	asReviewed(t, "missing-index", found(t, site(primary(withOrders()), primary(byEmail(0.4))), missingIndex()))
}

func TestAnIndexThatExistsIsNotMissing(t *testing.T) {
	quiet(t, site(primary(withOrders(btree("by_email", false, "email"))), primary(byEmail(0.4))), missingIndex())
}

func TestWithoutTheTablesNoIndexIsAdvised(t *testing.T) {
	f := site(lone, primary(byEmail(0.4)), primary(lacking("mysql/schema", "no table can be seen", "GRANT REFERENCES ON *.* TO plimsoll@localhost;")))
	notReady(t, f, missingIndex(), NotReady{
		Subject: about("db1"), Reason: "no table can be seen", Remedy: "GRANT REFERENCES ON *.* TO plimsoll@localhost;",
	})
}

func TestAStatementIsLookedAtFromAHundredthOfTheTimeOn(t *testing.T) {
	const rounding = 1 + 1e-9 // a share that is made by division falls short of itself
	boundary(t, missingIndex(), func(share float64) *fleet.Fleet {
		return site(lone, primary(withOrders()), primary(byEmail(rounding*share)))
	})
}

func TestTheReplicasStatementsCountToo(t *testing.T) {
	f := site(primary(withOrders()), replica(byEmail(0.4)))
	if got := found(t, f, missingIndex()); got.Subject.String() != "shop.orders (email)" {
		t.Errorf("finding about %s, want shop.orders (email)", got.Subject)
	}
}

func TestABacktickInANameIsQuoted(t *testing.T) {
	f := found(t, site(primary(withOrders()), primary(byEmail(0.4)), primary(renamed("e`mail"))), missingIndex())
	if got := f.Remedy[0].Text; !strings.Contains(got, "(`e``mail`)") {
		t.Errorf("statement to copy = %q, want the column quoted", got)
	}
}

func TestANameThatDoesNotShowGetsNoStatement(t *testing.T) {
	f := found(t, site(primary(withOrders()), primary(byEmail(0.4)), primary(renamed("e\u200bmail"))), missingIndex())
	for _, step := range append(f.Remedy, f.Rollback...) {
		if step.Kind == SQL {
			t.Errorf("a statement to copy names another column: %q", step.Text)
		}
	}
}

// renamed gives the column email another name, in the table and in the statement.
func renamed(name string) func(*fleet.Server) {
	return func(s *fleet.Server) {
		s.Latest.Schema.Tables[0].Columns[2].Name = name
		text := "SELECT id FROM orders WHERE `" + strings.ReplaceAll(name, "`", "``") + "` = ?"
		s.Digests.Rows[len(s.Digests.Rows)-1].Text = snapshot.Redacted(text)
	}
}

func TestAnIndexThatBeginsAnotherIsFound(t *testing.T) {
	asReviewed(t, "redundant-index", found(t, site(primary(withOrders(btree("customer", false, "customer_id")))), redundantIndex()))
}

func TestAnIndexThatBeginsThePrimaryKeyIsTheSmallerToRead(t *testing.T) {
	f := found(t, site(primary(withOrders(btree("again", false, "id")))), redundantIndex())
	if f.Confidence.Level() != "medium" || !strings.Contains(strings.Join(f.Risks, " "), "the primary key holds the rows") {
		t.Errorf("confidence = %+v, risks = %q, want medium and what a count then reads", f.Confidence, f.Risks)
	}
}

func TestAHiddenIndexFailsAHintAtOnce(t *testing.T) {
	f := found(t, site(primary(withOrders(btree("customer", false, "customer_id")))), redundantIndex())
	if got := strings.Join(f.Risks, " "); !strings.Contains(got, "1176") {
		t.Errorf("risks = %q, want that error 1176 comes with hiding already", got)
	}
}

func TestAnOldServerCannotHideAnIndex(t *testing.T) {
	f := found(t, site(primary(aMySQL("5.7.44")), primary(withOrders(btree("customer", false, "customer_id")))), redundantIndex())
	if got := steps(f.Remedy, SQL); len(got) != 1 || !strings.Contains(got[0], "DROP INDEX") {
		t.Errorf("statements to copy = %q, want the drop alone", got)
	}
}

func TestDifferentIndexesAreNotRedundant(t *testing.T) {
	quiet(t, site(primary(withOrders())), redundantIndex())
}

func TestWithoutTheTablesNoIndexIsRedundant(t *testing.T) {
	f := site(lone, primary(lacking("mysql/schema", "the connection broke", "")))
	notReady(t, f, redundantIndex(), NotReady{Subject: about("db1"), Reason: "the connection broke"})
}

func TestARedundantIndexMattersFromAThousandRowsOn(t *testing.T) {
	boundary(t, redundantIndex(), func(rows float64) *fleet.Fleet {
		return site(primary(withOrders(btree("customer", false, "customer_id"))), primary(func(s *fleet.Server) {
			s.Latest.Schema.Tables[0].Rows = new(uint64(rows + 0.5))
		}))
	})
}

// watched lets the replica count use as well.
func watched(read ...string) func(*fleet.Fleet) {
	return func(f *fleet.Fleet) {
		f.Servers[1].Latest.Schema = f.Servers[0].Latest.Schema
		f.Servers[1].Use = used(f.Servers[1], read...)
	}
}

func TestAnIndexThatNoServerReadIsFound(t *testing.T) {
	asReviewed(t, "unused-index", found(t, site(primary(withOrders(btree("legacy", false, "email"))), watched()), unusedIndex()))
}

func TestAnIndexThatAReplicaReadsIsUsed(t *testing.T) {
	quiet(t, site(primary(withOrders(btree("reports", false, "email"))), watched("reports")), unusedIndex())
}

func TestUseHasToBeCountedOnEveryServer(t *testing.T) {
	f := site(primary(withOrders(btree("legacy", false, "email"))), replica(lacking("mysql/use", "performance_schema is off", "performance_schema = ON")))
	notReady(t, f, unusedIndex(), NotReady{Subject: about("db2"), Reason: "performance_schema is off", Remedy: "performance_schema = ON"})
}

func TestUseHasToBeCountedForAMonth(t *testing.T) {
	young := func(s *fleet.Server) { s.Use.Since.Since = noon.Add(-34 * aDay) }
	f := site(primary(withOrders(btree("legacy", false, "email"))), watched(), primary(young))
	notReady(t, f, unusedIndex(), NotReady{
		Subject: about("db1"), ReadyAt: noon.Add(aDay),
		Reason: "the server has counted for 34 days, and the rule needs 35 days to see the jobs of a month's end",
	})
}

func TestAnUnusedIndexMattersFromOneWriteASecondOn(t *testing.T) {
	boundary(t, unusedIndex(), func(writes float64) *fleet.Fleet {
		return site(primary(withOrders(btree("legacy", false, "email"))), watched(), primary(func(s *fleet.Server) {
			s.Use.Tables[0].Inserts = uint64(writes * daySeconds)
		}))
	})
}

func TestATableThatWasJustMadeIsNotJudgedByItsUse(t *testing.T) {
	fresh := func(s *fleet.Server) { s.Latest.Schema.Tables[0].Created = new(noon.Add(-time.Hour)) }
	quiet(t, site(primary(withOrders(btree("legacy", false, "email"))), watched(), primary(fresh)), unusedIndex())
}
