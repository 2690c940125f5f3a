package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

func TestWaitingForGapsIsFound(t *testing.T) {
	f := found(t, site(primary(waits(snapshot.LockGap, "job", 0.09)), primary(waits(snapshot.LockRecord, "stock", 0.01))), gapLocks())
	asReviewed(t, "gap-locks", f)
}

func TestStatementFormatIsChangedFirst(t *testing.T) {
	statement := func(s *fleet.Server) { s.Latest.Binlog.Format = "STATEMENT" }
	f := found(t, site(primary(waits(snapshot.LockGap, "job", 0.09)), primary(statement)), gapLocks())
	want := []string{"SET GLOBAL binlog_format = 'ROW';"}
	if diff := cmp.Diff(want, steps(f.Remedy, SQL)); diff != "" {
		t.Errorf("statements (-want +got):\n%s", diff)
	}
}

func TestNoWaitingForGapsIsNoFinding(t *testing.T) { quiet(t, site(), gapLocks()) }

func TestAnotherLevelDoesNotCureWaitingForRows(t *testing.T) {
	for _, c := range []struct {
		gaps  float64
		found bool
	}{{0.69, false}, {0.7, true}, {0.71, true}} {
		f := site(primary(waits(snapshot.LockGap, "job", c.gaps)), primary(waits(snapshot.LockRecord, "stock", 1-c.gaps)))
		if got := len(judge(f, gapLocks()).Findings) > 0; got != c.found {
			t.Errorf("found with %g of the waiting for gaps = %v, want %v", c.gaps, got, c.found)
		}
	}
}

func TestALevelThatIsUsedAlreadyIsNotAdvised(t *testing.T) {
	level := func(s *fleet.Server) {
		s.Transactions.Isolation = map[string]uint64{"READ COMMITTED": 60, "REPEATABLE READ": 40}
	}
	quiet(t, site(primary(waits(snapshot.LockGap, "job", 0.5)), primary(level)), gapLocks())
}

// The two rules about waiting never speak of the same seconds.
func TestGapsBelongToOneRule(t *testing.T) {
	both := []Rule{gapLocks(), lockContention()}
	cases := map[string]struct {
		gaps, records float64
		want          []string
	}{
		"gaps dominate": {0.5, 0.1, []string{"mysql/gap-locks db1", "mysql/lock-contention shop.stock"}},
		"rows dominate": {0.1, 0.5, []string{"mysql/lock-contention shop.stock", "mysql/lock-contention shop.job"}},
		"only gaps":     {0.5, 0, []string{"mysql/gap-locks db1"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := site(primary(waits(snapshot.LockGap, "job", c.gaps)))
			if c.records > 0 {
				primary(waits(snapshot.LockRecord, "stock", c.records))(f)
			}
			if diff := cmp.Diff(c.want, ids(Judge(f, both).Findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWaitingForGapsIsUnknownWithoutLocks(t *testing.T) {
	f := site(lone, primary(func(s *fleet.Server) { s.Locks = nil }), primary(lacking("mysql/locks", "the server hangs", "")))
	notReady(t, f, gapLocks(), NotReady{Subject: about("db1"), Reason: "the server hangs"})
}

func TestWaitingForGapsIsFoundFromAHundredthOfTheTimeOn(t *testing.T) {
	boundary(t, gapLocks(), func(share float64) *fleet.Fleet { return site(primary(waits(snapshot.LockGap, "job", share))) })
}
