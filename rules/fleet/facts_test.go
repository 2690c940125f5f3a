package fleet

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

func TestStatementsThatAreNotCountedAreUnknownAndNotNone(t *testing.T) {
	off := func(minute int) *snapshot.Snapshot {
		return copyOf(&snapshot.Server{Digests: &snapshot.Digests{Meta: meta(minute, "e")}})
	}
	if s := only(t, off(0), off(9)); s.Digests != nil {
		t.Errorf("statements of a server that counts none = %+v, want unknown", s.Digests)
	}
	idle := func(minute int) *snapshot.Snapshot {
		return copyOf(&snapshot.Server{Digests: &snapshot.Digests{Meta: meta(minute, "e"), Overflow: &snapshot.DigestTotals{}}})
	}
	if s := only(t, idle(0), idle(9)); s.Digests == nil {
		t.Error("an idle server that counts statements has no window")
	}
}

func TestTheAgentsOwnStatementsAreNotTheSites(t *testing.T) {
	w := DigestWindow{
		Rows: []Digest{
			{Fingerprint: "shop", DigestTotals: snapshot.DigestTotals{Seconds: 3}},
			{Fingerprint: "ours", Own: true, DigestTotals: snapshot.DigestTotals{Seconds: 5}},
		},
		Overflow: snapshot.DigestTotals{Seconds: 2},
		Total:    snapshot.DigestTotals{Seconds: 10},
	}
	if got := w.SiteSeconds(); got != 5 {
		t.Errorf("seconds of the site = %v, want 3 and the 2 that found no place", got)
	}
	var got []string
	for d := range w.Site() {
		got = append(got, d.Fingerprint)
	}
	if diff := cmp.Diff([]string{"shop"}, got); diff != "" {
		t.Errorf("statements of the site (-want +got):\n%s", diff)
	}
	if len(slices.Collect(w.Site())) != 1 {
		t.Error("the statements can be gone through only once")
	}
}

func TestTheLargestTransactionIsOfTheWindow(t *testing.T) {
	transactions := func(minute int, largest uint64, open ...uint64) *snapshot.Snapshot {
		part := &snapshot.Transactions{
			Meta: meta(minute, "e"), LargestRows: &largest, Largest: &snapshot.Transaction{Connection: 1, RowsModified: largest},
		}
		for i, rows := range open {
			part.Longest = append(part.Longest, snapshot.Transaction{Connection: uint64(i + 2), RowsModified: rows})
		}
		return copyOf(&snapshot.Server{Transactions: part})
	}
	cases := map[string]struct {
		first, last *snapshot.Snapshot
		rows        uint64
		connection  uint64
	}{
		"a new record":            {transactions(0, 10), transactions(1, 30), 30, 1},
		"an old record":           {transactions(0, 30), transactions(1, 30, 4, 7, 5), 7, 3},
		"an old record, now idle": {transactions(0, 30), transactions(1, 30), 0, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := only(t, c.first, c.last).Transactions
			if *w.LargestRows != c.rows {
				t.Errorf("rows = %d, want %d", *w.LargestRows, c.rows)
			}
			if (w.Largest != nil) != (c.connection != 0) || w.Largest != nil && w.Largest.Connection != c.connection {
				t.Errorf("transaction = %+v, want that of connection %d", w.Largest, c.connection)
			}
		})
	}
}

func TestADiskReadsAtARate(t *testing.T) {
	machine := func(minute int, reads uint64) *snapshot.Snapshot {
		return &snapshot.Snapshot{Machine: &snapshot.Machine{
			Meta: meta(minute, "boot"), Disks: []snapshot.Disk{{Device: "sda", Reads: reads, ReadSeconds: float64(reads) / 100}},
		}}
	}
	host, _ := Between([]*snapshot.Snapshot{machine(0, 100), machine(1, 700)}, day())
	want := []DiskWindow{{Device: "sda", ReadsPerSecond: 10, ReadLatency: new(0.01)}}
	if diff := cmp.Diff(want, host.Machine.Disks); diff != "" {
		t.Errorf("disks (-want +got):\n%s", diff)
	}
}

func TestAPairOfLocksThatReturnsCountsOnlyWhatIsNew(t *testing.T) {
	locks := func(minute int, totals ...snapshot.LockTotal) *snapshot.Snapshot {
		return copyOf(&snapshot.Server{Locks: &snapshot.Locks{Meta: meta(minute, "e"), Totals: totals}})
	}
	first := locks(0, snapshot.LockTotal{Table: "stayed", Waits: 5, Seconds: 50, PastWaits: 3, PastSeconds: 30})
	last := locks(9,
		snapshot.LockTotal{Table: "stayed", Waits: 6, Seconds: 54, PastWaits: 3, PastSeconds: 30},
		snapshot.LockTotal{Table: "returned", Waits: 102, Seconds: 1003, PastWaits: 100, PastSeconds: 1000},
		snapshot.LockTotal{Table: "new", Waits: 1, Seconds: 2},
	)
	want := []snapshot.LockTotal{
		{Table: "stayed", Waits: 1, Seconds: 4}, {Table: "returned", Waits: 2, Seconds: 3}, {Table: "new", Waits: 1, Seconds: 2},
	}
	if diff := cmp.Diff(want, only(t, first, last).Locks.Totals); diff != "" {
		t.Errorf("waits of the window (-want +got):\n%s", diff)
	}
}
