package mysql

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/fixtures/servers"
)

// TestWhatFoundTheDigestTableFullIsNotCountedTwice lets a log show by name what
// the digest table has no room for.
func TestWhatFoundTheDigestTableFullIsNotCountedTwice(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s, _ := logging(t, p, servers.Settings("performance_schema_digests_size=40"))
			g := newGenerator(t, s)
			polls := newPoller(t, open(t, s, 1))
			for round := range uint64(3) {
				for n := range 60 {
					g.run(t, n, 10)
				}
				runPrepared(t, s, preparedStatement, 30)
				parts := polls.parts(t)
				d, c := parts.Digests, parts.Coverage
				if diff := cmp.Diff(g.calls, g.counted(d)); diff != "" {
					t.Errorf("ledger and digests differ (-ledger +digests):\n%s", diff)
				}
				if c.Digested > c.Statements+c.Statements/50 {
					t.Errorf("%d of %d statements are counted, %d in the overflow, want none twice", c.Digested, c.Statements, d.Overflow.Calls)
				}
				// A statement of our own that found the table full, and is in no log, is
				// taken for one of them.
				if want := 30 * (round + 1); c.PreparedHidden && (c.PreparedLogged > want || c.PreparedLogged+2*(round+1) < want) {
					t.Errorf("%d prepared executions are in the log, want %d", c.PreparedLogged, want)
				}
			}
		})
	}
}

// TestWhatTheLogShowsLaterIsNoOverflowInEachRound has the digest table read a
// moment after the log, at which 30 of 1000 calls are in the table alone.
func TestWhatTheLogShowsLaterIsNoOverflowInEachRound(t *testing.T) {
	l := newLedger(time.Now())
	for round, moment := range []uint64{30, 20, 30, 0, 30, 30} {
		before := []uint64{0, 30, 20, 30, 0, 30}[round]
		b := booking{ledger: &l, full: sums{sumCalls: 1000 + moment - before}, beyond: [sumCount]int64{sumCalls: 1000}}
		b.overflowed()
		if l.overflow[sumCalls] != 30 {
			t.Fatalf("round %d: %d calls in the overflow, want 30", round, l.overflow[sumCalls])
		}
	}
	b := booking{ledger: &l, full: sums{sumCalls: 500}}
	for range 2 {
		b.overflowed()
	}
	if got := l.overflow[sumCalls]; got < 1000 || got > 1030 {
		t.Errorf("%d calls in the overflow after 1000 that no log shows, want all but a moment's", got)
	}
}
