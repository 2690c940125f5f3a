package sampler

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

// run has the limit watch a sampler whose cost is what each look costs, and what each time costs at all.
func run(l *limit, workers, look, tick time.Duration, seconds int) (share float64) {
	var used time.Duration
	for second := 1; second <= seconds; second++ {
		cost := time.Duration(l.hertz * (float64(tick) + float64(workers)*l.chance*float64(look)))
		used += cost
		l.adjust(time.Duration(second)*time.Second, used)
		share = cost.Seconds()
	}
	return share
}

func TestTheLimitIsKeptByLookingAtFewerWorkersFirst(t *testing.T) {
	l := newLimit(20, 0.02)
	share := run(l, 500, 20*time.Microsecond, 100*time.Microsecond, 60)
	if share > 0.021 || share < 0.012 || l.hertz != 20 || l.chance >= 1 {
		t.Errorf("%.4f of a processor, %g looks a second, each worker with %.2f", share, l.hertz, l.chance)
	}
}

func TestTheLimitIsKeptByLookingLessOftenWhereEachLookIsDear(t *testing.T) {
	l := newLimit(20, 0.02)
	share := run(l, 10, 10*time.Microsecond, 5*time.Millisecond, 60)
	if share > 0.021 || l.hertz >= 20 {
		t.Errorf("%.4f of a processor at %g looks a second", share, l.hertz)
	}
	if run(l, 10, 10*time.Microsecond, 50*time.Microsecond, 120); l.hertz != 20 || l.chance != 1 {
		t.Errorf("after the storm: %g looks a second, each worker with %g, want 20 and 1", l.hertz, l.chance)
	}
}

func TestMemoryIsThatOfTheLastWholeRound(t *testing.T) {
	const rollupText = "55d0-7ffc ---p 00000000 00:00 0 [rollup]\nRss: 100 kB\nPss: 40 kB\nShared_Clean: 60 kB\n" +
		"Private_Clean: 8 kB\nPrivate_Dirty: 12 kB\n"
	one, err := parseRollup([]byte(rollupText))
	if err != nil || one != (rollup{uss: 20 << 10, pss: 40 << 10, shared: 60 << 10}) {
		t.Fatalf("parseRollup = %+v, %v", one, err)
	}
	var m memoryUse
	if m.summary() != nil {
		t.Error("there is a summary of nothing")
	}
	for i := range 6 { // Workers 1, 2 and 3, twice.
		pid, ok := m.next([]int{3, 1, 2})
		if want := i%3 + 1; !ok || pid != want {
			t.Fatalf("look %d is at worker %d, want %d", i, pid, want)
		}
		m.put(pid, rollup{uss: uint64(pid) << 20, pss: uint64(pid) << 21, shared: 5 << 20})
	}
	want := &snapshot.WorkerMemory{
		Workers: 3, MeanUSSBytes: 2 << 20, P95USSBytes: 3 << 20, MeanPSSBytes: 4 << 20, P95PSSBytes: 6 << 20, SharedBytes: 5 << 20,
	}
	if diff := cmp.Diff(want, m.summary()); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}
