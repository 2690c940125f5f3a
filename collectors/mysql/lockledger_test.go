package mysql

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

func TestAWaitIsMeasuredByWhatIsNew(t *testing.T) {
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	var m waitMeter
	for i, c := range []struct {
		waiting, want map[uint64]float64
		waits         uint64
	}{
		{map[uint64]float64{1: 3}, map[uint64]float64{1: 3}, 1},
		{map[uint64]float64{1: 13, 2: 4}, map[uint64]float64{1: 10, 2: 4}, 1}, // 1 goes on
		{map[uint64]float64{1: 2, 2: 14}, map[uint64]float64{1: 2, 2: 10}, 1}, // 1 waits anew
		{nil, map[uint64]float64{}, 0},
		{map[uint64]float64{1: 22}, map[uint64]float64{1: 22}, 1},
	} {
		got := map[uint64]float64{}
		var waits uint64
		for connection, sum := range m.measure(start.Add(time.Duration(i)*10*time.Second), c.waiting) {
			got[connection] = sum.Seconds
			waits += sum.Waits
		}
		if diff := cmp.Diff(c.want, got); diff != "" || waits != c.waits {
			t.Errorf("look %d: %d new waits, want %d; seconds (-want +got):\n%s", i, waits, c.waits, diff)
		}
	}
}

func lockOn(table string) lockKey {
	return lockKey{lockName: lockName{Kind: snapshot.LockRecord, Schema: "shop", Table: table}}
}

func TestLockTotalsAreFewAndNeverFall(t *testing.T) {
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	l := newLockLedger()
	highest := map[string]float64{}
	for round := range 400 {
		now := start.Add(time.Duration(round) * 7 * time.Minute)
		l.add(lockOn(fmt.Sprintf("t%d", round%131)), lockSum{Waits: 1, Seconds: 1, Last: now})
		l.add(lockOn("hot"), lockSum{Waits: 1, Seconds: 1, Last: now})
		totals := l.totals()
		if len(totals) > snapshot.MaxLockTotals {
			t.Fatalf("%d totals, want at most %d", len(totals), snapshot.MaxLockTotals)
		}
		for _, total := range totals {
			name := string(total.Kind) + total.Table
			if total.Seconds < highest[name] {
				t.Fatalf("round %d: %s fell from %g to %g", round, name, highest[name], total.Seconds)
			}
			highest[name] = total.Seconds
		}
	}
	var sum float64
	for _, seconds := range highest {
		sum += seconds
	}
	if sum != 800 || l.waitSeconds()[snapshot.LockRecord] != 800 || highest["recordhot"] != 400 {
		t.Errorf("all totals are %g s, those of records %g, the hot table %g; want 800, 800, 400",
			sum, l.waitSeconds()[snapshot.LockRecord], highest["recordhot"])
	}
}

func TestALockThatReturnsSaysWhatItHadBefore(t *testing.T) {
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	l := newLockLedger()
	l.add(lockOn("item"), lockSum{Waits: 2, Seconds: 3, Last: now})
	for i := range snapshot.MaxLockTotals - 1 { // The last of them takes its place.
		l.add(lockOn(fmt.Sprint(i)), lockSum{Waits: 1, Seconds: 1, Last: now.Add(2 * quietLock)})
	}
	if len(l.retired) != 1 {
		t.Fatalf("%d keys gave up their place, want one", len(l.retired))
	}
	for i := range 2 {
		l.add(lockOn("item"), lockSum{Waits: 1, Seconds: 4, Last: now.Add(time.Duration(4+i) * quietLock)})
	}
	want := lockSum{Waits: 4, Seconds: 11, Last: now.Add(5 * quietLock), PastWaits: 2, PastSeconds: 3}
	if diff := cmp.Diff(want, l.shown[lockOn("item")]); diff != "" {
		t.Errorf("sum of the key that came back (-want +got):\n%s", diff)
	}
}

func TestLockTotalsOutliveTheAgent(t *testing.T) {
	before := newLockReader(nil, nil)
	before.ledger.add(lockOn("item"), lockSum{Waits: 2, Seconds: 3})
	before.ledger.retired[lockOn("old")] = lockSum{Waits: 1, Seconds: 9}
	before.ledger.other = lockSum{Waits: 4, Seconds: 5}
	state, err := before.Save()
	if err != nil {
		t.Fatal(err)
	}
	after := newLockReader(nil, nil)
	if err := after.Load(state); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.ledger, after.ledger, cmp.AllowUnexported(lockLedger{})); diff != "" || after.epoch != before.epoch {
		t.Errorf("state after a restart (-want +got), epoch %s of %s:\n%s", after.epoch, before.epoch, diff)
	}
}

func TestDamagedStateIsRefused(t *testing.T) {
	for name, keeper := range map[string]interface{ Load(json.RawMessage) error }{
		"locks": newLockReader(nil, nil), "transactions": newTransactionReader(nil, nil),
		"deadlocks": newDeadlockReader(nil, nil), "channels": newChannelMemories("db1"),
	} {
		if err := keeper.Load(json.RawMessage(`[1`)); err == nil {
			t.Errorf("%s took up a damaged state", name)
		}
	}
}
