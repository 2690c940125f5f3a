package mysql

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Sessions of the examples.
const sesA, sesB, sesC, sesD = 1, 2, 3, 4

func TestChainsLeadToTheSessionThatWaitsForNobody(t *testing.T) {
	type pair struct{ Waiter, Root uint64 }
	for name, c := range map[string]struct {
		waits []lockWait
		want  []pair
	}{
		"nobody waits": {},
		// What both families report for A(1) <- B(2, then 1) <- C(2) and D(1).
		"a waiter behind a waiter": {
			waits: []lockWait{
				{waiter: sesB, blocker: sesA},
				{waiter: sesC, blocker: sesB},
				{waiter: sesD, blocker: sesB},
				{waiter: sesD, blocker: sesA},
			},
			want: []pair{{sesB, sesA}, {sesC, sesA}, {sesD, sesA}},
		},
		"two hold a shared lock": {
			waits: []lockWait{{waiter: sesC, blocker: sesB}, {waiter: sesC, blocker: sesA}},
			want:  []pair{{sesC, sesA}, {sesC, sesB}},
		},
		"several locks of one blocker": {
			waits: []lockWait{{waiter: sesC, blocker: sesA, event: 5}, {waiter: sesC, blocker: sesA, event: 7}},
			want:  []pair{{sesC, sesA}},
		},
		"a session blocks itself": {waits: []lockWait{{waiter: sesA, blocker: sesA}}},
		"a cycle has no root":     {waits: []lockWait{{waiter: sesA, blocker: sesB}, {waiter: sesB, blocker: sesA}}},
		"a cycle behind a root": {
			waits: []lockWait{
				{waiter: sesA, blocker: sesB},
				{waiter: sesB, blocker: sesA},
				{waiter: sesB, blocker: sesD},
			},
			want: []pair{{sesA, sesD}, {sesB, sesD}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []pair
			for _, c := range chains(c.waits) {
				got = append(got, pair{c.waiter, c.root})
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("chains (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAChainKeepsTheLockAtTheRoot(t *testing.T) {
	stock, orders := lockName{Table: "stock"}, lockName{Table: "orders"}
	got := chains([]lockWait{
		{waiter: sesB, blocker: sesA, lock: stock, event: 9},
		{waiter: sesC, blocker: sesB, lock: orders, event: 4},
	})
	want := []chain{
		{waiter: sesB, root: sesA, lock: stock, taken: stock, event: 9},
		{waiter: sesC, root: sesA, lock: orders, taken: stock, event: 9},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(chain{})); diff != "" {
		t.Errorf("chains (-want +got):\n%s", diff)
	}
}
