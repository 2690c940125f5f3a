package sampler

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

// host is what a sampler costs, by a clock that is not real.
type host struct {
	workers    int           // that are busy
	start      time.Duration // what is used before the first look
	scoreboard time.Duration // what each look costs
	look       time.Duration // and at each worker
	find       time.Duration // what it costs to look for pools
	// dearer is by how much all costs more from one time to another: caches are shared.
	dearer     float64
	from, till time.Duration
}

// use is what was used until a time.
type use struct{ at, used time.Duration }

// run has the limit pace looks at a host for a while, as Run does.
func (h host) run(l *limit, long time.Duration) []use {
	const begin = time.Hour // since the host was started
	now, used := begin, h.start
	all := []use{{now, 0}, {now, used}}
	found := now
	for now-begin < long {
		last, cost := now, h.scoreboard+time.Duration(float64(h.workers)*l.chance*float64(h.look))
		find := time.Duration(0)
		if now-found >= findEvery && l.maySearch() {
			found, find = now, h.find
		}
		if at := now - begin; at >= h.from && at < h.till {
			cost, find = time.Duration(float64(cost)*h.dearer), time.Duration(float64(find)*h.dearer)
		}
		l.looked(cost)
		if find > 0 {
			l.searched(find)
		}
		used += cost + find
		now += cost + find
		l.pay(now, used)
		now += max(0, l.pause(time.Duration(float64(time.Second)/l.target), now-last))
		all = append(all, use{now, used})
	}
	return all
}

// worst returns the largest share of a processor in any window.
func worst(all []use, window time.Duration) (share float64) {
	first := 0
	for _, u := range all {
		for u.at-all[first].at > window {
			first++
		}
		share = max(share, float64(u.used-all[first].used)/float64(window))
	}
	return share
}

// after leaves out the beginning.
func after(all []use, long time.Duration) []use {
	i := slices.IndexFunc(all, func(u use) bool { return u.at-all[0].at >= long })
	return all[i:]
}

func TestTheLimitIsHeldWhateverLooksCost(t *testing.T) {
	const us = time.Microsecond
	for name, h := range map[string]host{
		"idle":                      {scoreboard: 20 * us, start: 15 * time.Millisecond},
		"100 workers that wait":     {workers: 100, look: 3 * us, scoreboard: 150 * us, start: 40 * time.Millisecond, find: 5 * time.Millisecond},
		"500 workers that wait":     {workers: 500, look: 3 * us, scoreboard: 500 * us, start: 90 * time.Millisecond, find: 40 * time.Millisecond},
		"500 workers that run":      {workers: 500, look: 40 * us, scoreboard: 500 * us, start: 90 * time.Millisecond, find: 40 * time.Millisecond},
		"a dear scoreboard":         {workers: 10, look: 10 * us, scoreboard: 5 * time.Millisecond, start: 20 * time.Millisecond},
		"looks dearer than all":     {workers: 5000, look: 100 * us, scoreboard: 15 * time.Millisecond, start: 300 * time.Millisecond, find: 20 * time.Millisecond},
		"all ten times as dear":     {workers: 200, look: 5 * us, scoreboard: 200 * us, find: 2 * time.Millisecond, dearer: 10, from: 30 * time.Second, till: 45 * time.Second},
		"all a thousand times that": {workers: 200, look: 5 * us, scoreboard: 20 * us, dearer: 1000, from: 30 * time.Second, till: 30*time.Second + 60*time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLimit(20, 0.02)
			all := h.run(l, 2*time.Minute)
			// What is used before the first look cannot be helped, but the rest makes up for it.
			if got := worst(all, 15*time.Second); h.start < 200*time.Millisecond && h.dearer < 1000 && got > 0.02 {
				t.Errorf("%.2f %% of a processor in 15 s, want at most 2", 100*got)
			}
			if got := worst(after(all, 4*time.Second), 10*time.Second); h.dearer < 1000 && got > 0.02 {
				t.Errorf("%.2f %% of a processor in 10 s after the start, want at most 2", 100*got)
			}
			if got := float64(all[len(all)-1].used) / float64(all[len(all)-1].at-all[0].at); got > 0.02 {
				t.Errorf("%.2f %% of a processor in all, want at most 2", 100*got)
			}
		})
	}
}

func TestScoreboardsAreReadAsOftenAsTheyShouldBeWhereFewerWorkersAreEnough(t *testing.T) {
	l := newLimit(20, 0.02)
	h := host{workers: 500, look: 40 * time.Microsecond, scoreboard: 250 * time.Microsecond, start: 60 * time.Millisecond}
	all := h.run(l, time.Minute)
	const settled = 30 * time.Second
	if looks := len(after(all, settled)); looks < 550 { // of 600
		t.Errorf("%d looks in %s, want 20 a second", looks, settled)
	}
	if share := worst(after(all, settled), 10*time.Second); share < 0.01 || l.chance >= 1 {
		t.Errorf("%.2f %% of a processor, each worker with %.2f: less than it may take", 100*share, l.chance)
	}
}

func TestAllComesBackSlowlyAfterAStorm(t *testing.T) {
	l := newLimit(20, 0.02)
	h := host{workers: 100, look: 4 * time.Microsecond, scoreboard: 100 * time.Microsecond, dearer: 30, till: 10 * time.Second}
	h.run(l, 9*time.Second)
	low, hertz := l.chance, l.hertz
	if low > 0.2 || hertz > 15 {
		t.Fatalf("in the storm: %g looks a second, each worker with %g", hertz, low)
	}
	h.dearer, h.from, h.till, l.at = 1, 0, 0, 0
	h.run(l, 3*time.Second)
	if l.chance > 2*low {
		t.Errorf("3 s after the storm each worker is looked at with %g, after %g in it: too soon", l.chance, low)
	}
	l.at = 0
	if h.run(l, time.Minute); l.hertz != 20 || l.chance != 1 {
		t.Errorf("a minute after the storm: %g looks a second, each worker with %g, want 20 and 1", l.hertz, l.chance)
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
