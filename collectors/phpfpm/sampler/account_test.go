package sampler

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// at makes times of milliseconds.
func at(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// idle and busy are slots as FPM writes them: a worker that took n requests, the last one accepted at a time.
func idleSlot(n uint64, accepted, duration, changed float64) slot {
	return slot{pid: 1, requests: n, accepted: at(accepted), duration: at(duration), changed: at(changed)}
}

func busySlot(n uint64, accepted, durationBefore float64) slot {
	return slot{pid: 1, requests: n, busy: true, accepted: at(accepted), duration: at(durationBefore), changed: at(accepted)}
}

func TestTimeOfAWorkerGoesWhereTheScoreboardSays(t *testing.T) {
	tests := []struct {
		name          string
		looks         []slot // one every 50 ms, from 50 ms on
		idle          float64
		visited, gone float64 // time of requests that a look met, and of others
		ended         float64
	}{
		{"idle all the time", []slot{idleSlot(3, -500, 20, -480), idleSlot(3, -500, 20, -480)}, 100, 0, 0, 0},
		{"a request from before the first look to after the last", []slot{busySlot(1, 10, 0), busySlot(1, 10, 0)}, 10, 90, 0, 0},
		{"head and tail count in full", []slot{busySlot(1, 20, 0), idleSlot(1, 20, 60, 83)}, 20 + 17, 63, 0, 1},
		{"one that came and went is known in full", []slot{idleSlot(0, 0, 0, 0), idleSlot(1, 60, 25, 87)}, 50 + 10 + 13, 0, 27, 1},
		{
			"the end of the one before is known by its duration",
			[]slot{busySlot(1, 20, 0), busySlot(2, 90, 55)},
			20 + 15, 30 + 25 + 10, 0, 1,
		},
		{
			"two that came and went are as long as the one that is known",
			[]slot{idleSlot(0, 0, 0, 0), idleSlot(2, 80, 10, 90)},
			50 + 20 + 10, 0, 20, 2,
		},
		{
			"one whose entry was read while FPM wrote it counts once",
			[]slot{busySlot(0, 0, 0), busySlot(1, 49.9, 0), idleSlot(1, 49.9, 60, 110)},
			50 + 40, 60, 0, 1,
		},
		{
			"more than there is time for fill it",
			[]slot{idleSlot(0, 0, 0, 0), idleSlot(9, 80, 10, 90)},
			50 + 10, 0, 40, 9,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := account{last: slot{pid: 1}}
			if first := test.looks[0]; !first.busy {
				a.last.requests = first.requests
			}
			var idle, visited, gone, ended float64
			for i, s := range test.looks {
				free, ends := a.look(s, at(50*float64(i+1)), &pace{})
				idle += free * 1000
				for _, e := range ends {
					ended += e.count
					if e.visit != nil {
						visited += e.spent.busy * 1000
					} else {
						gone += e.spent.busy * 1000
					}
				}
			}
			if a.current != nil {
				visited += a.current.spent.busy * 1000
			}
			for what, v := range map[string][2]float64{
				"idle": {idle, test.idle}, "visited": {visited, test.visited}, "gone": {gone, test.gone}, "ended": {ended, test.ended},
			} {
				if math.Abs(v[0]-v[1]) > 0.01 {
					t.Errorf("%s = %g, want %g", what, v[0], v[1])
				}
			}
		})
	}
}

func TestARequestDidNotTakeTheIdleTimeBehindIt(t *testing.T) {
	a, p := account{last: slot{pid: 1}}, &pace{teardown: 0.005}
	a.look(busySlot(1, 20, 0), at(50), p)
	_, ended := a.look(busySlot(2, 90, 55), at(100), p)
	if len(ended) != 1 || math.Abs(ended[0].duration-0.060) > 1e-9 || math.Abs(ended[0].informed-0.055) > 1e-9 {
		t.Errorf("ended = %+v, want one request of 60 ms, 55 of them before it was torn down", ended)
	}
}

func TestProcessorTimeIsSharedOutOverTheRequestsSinceTheLastReading(t *testing.T) {
	var a account
	a.settle(sched{cpu: 1e9, queue: 5e8})
	var one, other spent
	a.owe(&one, 0.3)
	a.owe(&other, 0.1)
	a.settle(sched{cpu: 1e9 + 80e6, queue: 5e8 + 40e6})
	want := [2]spent{{busy: 0.3, cpu: 0.06, queue: 0.03}, {busy: 0.1, cpu: 0.02, queue: 0.01}}
	for i, got := range []spent{one, other} {
		if math.Abs(got.cpu-want[i].cpu)+math.Abs(got.queue-want[i].queue)+math.Abs(got.busy-want[i].busy) > 1e-9 {
			t.Errorf("spent[%d] = %+v, want %+v", i, got, want[i])
		}
	}
}

func TestNoRequestRunsForLongerThanItTook(t *testing.T) {
	var a account
	a.settle(sched{})
	var one spent
	a.owe(&one, 0.01)
	a.settle(sched{cpu: 30e6, queue: 10e6}) // Mostly to accept it.
	if math.Abs(one.cpu-0.0075) > 1e-9 || math.Abs(one.queue-0.0025) > 1e-9 {
		t.Errorf("spent = %+v, want 7.5 ms on the processor and 2.5 ms waiting for it", one)
	}
}

// TestEveryMomentIsInOneState is the invariant that the probe's totals rest on, over any scoreboard that a
// hostile or damaged FPM could write.
func TestEveryMomentIsInOneState(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var a account
		var p pace
		var total float64
		book := func(ended []ending) {
			for _, e := range ended {
				total += e.spent.busy
			}
		}
		now := time.Duration(0)
		for range 20 {
			now += time.Duration(random.IntN(100)) * time.Millisecond
			s := slot{
				pid: 1, requests: a.last.requests + uint64(random.IntN(4)), busy: random.IntN(2) == 0,
				accepted: now - at(float64(random.IntN(300)-100)), duration: at(float64(random.IntN(300))),
				changed: now - at(float64(random.IntN(300)-100)),
			}
			idle, ended := a.look(s, now, &p)
			total += idle
			book(ended)
			if random.IntN(2) == 0 {
				a.settle(sched{cpu: a.sched.cpu + uint64(random.IntN(1e9)), queue: a.sched.queue})
			}
		}
		if a.current != nil {
			total += a.current.spent.busy
		}
		if math.Abs(total-now.Seconds()) > 1e-6 {
			t.Fatalf("states add up to %g s of %g", total, now.Seconds())
		}
	}
}
