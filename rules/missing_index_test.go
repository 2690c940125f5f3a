package rules

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// slowEmail is a site with a table that is read whole for an email, and what else
// is wrong with it.
func slowEmail(changes ...func(*fleet.Server)) *fleet.Fleet {
	f := site(primary(withOrders()), primary(byEmail(0.4)))
	for _, change := range changes {
		change(f.Servers[0])
	}
	return f
}

// orders changes the table of orders.
func orders(change func(*snapshot.Table)) func(*fleet.Server) {
	return func(s *fleet.Server) { change(&s.Latest.Schema.Tables[0]) }
}

// asking replaces the text of the statement that reads the whole table.
func asking(text string) func(*fleet.Server) {
	return func(s *fleet.Server) { s.Digests.Rows[len(s.Digests.Rows)-1].Text = snapshot.Redacted(text) }
}

func TestATableOfAnotherEngineIsNotChangedOnline(t *testing.T) {
	f := found(t, slowEmail(orders(func(t *snapshot.Table) { t.Engine = "MyISAM" })), missingIndex())
	if got := f.Remedy[0]; strings.Contains(got.Text, "LOCK=NONE") || !strings.Contains(got.Note, "nobody can write") {
		t.Errorf("step = %+v, want a statement that MyISAM takes, and a word about its lock", got)
	}
}

func TestOnGaleraAChangeOfStructureIsNotCalledOnline(t *testing.T) {
	galera := func(s *fleet.Server) { s.Latest.Membership = &snapshot.Membership{Galera: &snapshot.Galera{Size: 3}} }
	f := found(t, slowEmail(galera), missingIndex())
	if got := f.Remedy[0].Note; strings.Contains(got, "go on meanwhile") || !strings.Contains(got, "Every node") {
		t.Errorf("note = %q, want that all nodes stand still", got)
	}
}

func TestTheNameOfAnIndexIsFree(t *testing.T) {
	taken := orders(func(t *snapshot.Table) {
		t.Indexes = append(t.Indexes, btree("IDX_email", false, "created_at"), btree("idx_email_2", false, "id", "created_at"))
	})
	f := found(t, slowEmail(taken), missingIndex())
	if !strings.Contains(f.Remedy[0].Text, "ADD INDEX `idx_email_3`") || !strings.Contains(f.Rollback[0].Text, "DROP INDEX `idx_email_3`") {
		t.Errorf("statement = %q, undo = %q, want a name that no index has", f.Remedy[0].Text, f.Rollback[0].Text)
	}
}

func TestAnIndexIsNotNamedLikeNoIndexMayBe(t *testing.T) {
	long := strings.Repeat("x", 59) + " of the customer"
	f := found(t, slowEmail(renamed(long)), missingIndex())
	name, _, _ := strings.Cut(strings.SplitN(f.Remedy[0].Text, "ADD INDEX `", 2)[1], "`")
	if len(name) > 64 || strings.TrimSpace(name) != name || strings.Contains(name, "…") {
		t.Errorf("name = %q, want at most 64 characters, and none that a server refuses at its end", name)
	}
}

func TestAHiddenIndexIsShownAgainAndNotMadeTwice(t *testing.T) {
	hidden := orders(func(t *snapshot.Table) {
		i := btree("by_email", false, "email")
		i.Ignored = true
		t.Indexes = append(t.Indexes, i)
	})
	f := found(t, slowEmail(hidden), missingIndex())
	if got := steps(f.Remedy, SQL); len(got) != 1 || !strings.Contains(got[0], "ALTER INDEX `by_email` NOT IGNORED;") {
		t.Errorf("statements = %q, want the index shown again", got)
	}
	if got := steps(f.Rollback, SQL); len(got) != 1 || !strings.Contains(got[0], "ALTER INDEX `by_email` IGNORED;") {
		t.Errorf("undo = %q, want it hidden again", got)
	}
}

// byEmailAndTime reads the orders of a customer after a time.
const byEmailAndTime = "SELECT id FROM orders WHERE email = ? AND created_at > ?"

func coarse(descending bool) func(*fleet.Server) {
	return orders(func(t *snapshot.Table) {
		i := btree("by_email", false, "email")
		i.Parts[0].Cardinality, i.Parts[0].Descending = new(uint64(10)), descending
		t.Indexes = append(t.Indexes, i)
	})
}

func TestAnIndexThatANewOneExtendsIsHiddenFirst(t *testing.T) {
	f := found(t, slowEmail(coarse(false), asking(byEmailAndTime)), missingIndex())
	if got := strings.Join(steps(f.Remedy, SQL), "\n"); strings.Contains(got, "DROP INDEX") || !strings.Contains(got, "ALTER INDEX `by_email` IGNORED;") {
		t.Errorf("statements = %s, want the old index hidden and not dropped", got)
	}
	undo := steps(f.Rollback, SQL)
	if len(undo) != 2 || !strings.Contains(undo[0], "`by_email` NOT IGNORED") || !strings.Contains(undo[1], "DROP INDEX `idx_email_created_at`") {
		t.Errorf("undo = %q, want the old index shown before the new one goes", undo)
	}
}

func TestAnIndexThatIsNeededIsNotReplaced(t *testing.T) {
	also := func(text string) func(*fleet.Server) {
		return func(s *fleet.Server) {
			s.Digests.Rows = append(s.Digests.Rows, fleet.Digest{
				Fingerprint: "fp1:00000000000000e2", Schema: "shop", Class: "select", Text: snapshot.Redacted(text),
				DigestTotals: snapshot.DigestTotals{Calls: 1, Seconds: 0.001},
			})
		}
	}
	for name, change := range map[string][]func(*fleet.Server){
		"by a hint":                     {coarse(false), asking(byEmailAndTime), also("SELECT id FROM orders USE INDEX (by_email) WHERE email = ?")},
		"for its order by the key":      {coarse(false), asking(byEmailAndTime), also("SELECT id FROM orders WHERE email = ? ORDER BY id LIMIT ?")},
		"because it runs the other way": {coarse(true), asking(byEmailAndTime)},
	} {
		t.Run(name, func(t *testing.T) {
			f := found(t, slowEmail(change...), missingIndex())
			if got := steps(f.Remedy, SQL); len(got) != 1 {
				t.Errorf("statements = %q, want the new index alone", got)
			}
		})
	}
}

func TestAStepNamesTheServerAsAllOthersDo(t *testing.T) {
	f := found(t, slowEmail(func(s *fleet.Server) { s.Name = "3307" }), missingIndex())
	if got := f.Remedy[0].Target; got != "db1 (3307)" {
		t.Errorf("target = %q, want the host too", got)
	}
}

func TestAChangeOfStructureGivesUpWaiting(t *testing.T) {
	f := found(t, slowEmail(), missingIndex())
	for _, text := range slices.Concat(steps(f.Remedy, SQL), steps(f.Rollback, SQL)) {
		if !strings.HasPrefix(text, "SET SESSION lock_wait_timeout = 5; ALTER TABLE ") {
			t.Errorf("statement = %q, want it to give up when a transaction is in the way", text)
		}
	}
}

// A report on the replica alone takes a hundredth of the site's time and all of
// the replica's.
func TestTheReplicasLoadCountsToo(t *testing.T) {
	f := found(t, site(primary(withOrders()), replica(byEmail(0.1))), missingIndex())
	if got := f.Evidence[0].Value; got < 0.05 || got > 0.06 {
		t.Errorf("share = %v of the statement time of primary and replica, want 0.1/1.9", got)
	}
}

func TestWhatNoDigestShowsIsPartOfTheTime(t *testing.T) {
	half := func(s *fleet.Server) { s.Coverage = &fleet.CoverageWindow{Window: lastDay(), HiddenRatio: new(0.5)} }
	f := site(lone, primary(withOrders()), primary(byEmail(0.015)), primary(half))
	quiet(t, f, missingIndex()) // 0.015 of what is seen is 0.0075 of all
}

func TestStatementsThatCannotBeJudgedAreCounted(t *testing.T) {
	for name, c := range map[string]struct {
		change []func(*fleet.Server)
		judged bool
	}{
		"a text that was cut":              {[]func(*fleet.Server){asking("SELECT id FROM orders WHERE email = ? AND ..."), cut}, false},
		"a table that is not known":        {[]func(*fleet.Server){asking("SELECT id FROM order_view WHERE email = ?")}, false},
		"a column that does not show":      {[]func(*fleet.Server){renamed("e\u200bmail"), asking("SELECT id FROM orders WHERE `e\ufffdmail` = ?")}, false},
		"a column that is a keyword":       {[]func(*fleet.Server){asking("SELECT id FROM orders WHERE EMAIL = ?")}, true},
		"a table of the server's own":      {[]func(*fleet.Server){asking("SELECT * FROM information_schema.COLUMNS WHERE TABLE_NAME = ?")}, true},
		"a function that hides the column": {[]func(*fleet.Server){asking("SELECT id FROM orders WHERE LOWER(email) = ?")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			result := judge(slowEmail(c.change...), missingIndex())
			var reasons []string
			for _, n := range result.NotReady {
				reasons = append(reasons, n.Reason)
			}
			want := []string{"1 of 1 statements that read too much were not judged: cut texts, unknown grammar, " +
				"or tables and columns that are not known, such as views (fp1:00000000000000e1)"}
			if c.judged {
				want = nil
			}
			if diff := cmp.Diff(want, reasons); diff != "" {
				t.Errorf("not ready (-want +got):\n%s", diff)
			}
		})
	}
}

func cut(s *fleet.Server) { s.Digests.Rows[len(s.Digests.Rows)-1].Truncated = true }

func TestASizeThatIsNotKnownIsNotNothing(t *testing.T) {
	f := found(t, slowEmail(orders(func(t *snapshot.Table) { t.Rows = nil })), missingIndex())
	if got := strings.Join(f.Risks, " "); strings.Contains(got, "0 B") {
		t.Errorf("risks = %s, want no size", got)
	}
}

func TestAnIndexThatWasNotTriedIsNotCertain(t *testing.T) {
	if got := found(t, slowEmail(), missingIndex()).Confidence; got.Level() != "medium" {
		t.Errorf("confidence = %+v, want medium for what is estimated and not tried", got)
	}
}
