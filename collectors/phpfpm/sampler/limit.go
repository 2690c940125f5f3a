package sampler

import (
	"time"

	"golang.org/x/sys/unix"
)

// limit keeps what this process takes below a share of one processor. Time that may be used comes in steadily, and all
// that is used is paid from it, the start and what has nothing to do with looks included. While there is a debt, looks
// come as seldom as half the income pays for them: that is what holds the limit. So that it is seldom needed, looks are
// then at fewer of the busy workers, each of which stands for more: scoreboards are still read as often as they should
// be, and by them it is known exactly how long workers are busy.
//
// It is a pure function of what it is told.
type limit struct {
	most   float64 // share of one processor, 0.02
	target float64 // looks a second, as configured
	hertz  float64 // as they are
	chance float64 // that a busy worker is looked at

	at, used time.Duration // when it was paid last, and for how much in all
	left     time.Duration // what may be used now; a debt if below zero

	// search is what the last search for pools cost, aside what was put aside for the next one.
	search, aside time.Duration

	since time.Duration // begin of the second that is watched
	looks int           // in it
	cost  time.Duration // of these
	last  time.Duration // of the last one
	held  bool          // a debt made one of them wait
}

const (
	// aim is how much of the limit comes in. The rest is for what is used at once: in no ten seconds may more be used
	// than comes in in them, and saved before, and the largest debt.
	aim = 0.85
	// saved is for how long time comes in that nobody uses: more would be used in a burst.
	saved = 250 * time.Millisecond
	// worstDebt is for how long time must come in to pay a debt at which nothing is looked at.
	worstDebt   = 10 * time.Second
	leastChance = 0.02
	// searchShare is how much of the limit is put aside to look for pools.
	searchShare = 0.125
	// A chance that falls to a half in one second takes four to come back: what was too much will be so again.
	leastChange, growth = 0.1, 1.2
)

func newLimit(hertz, most float64) *limit {
	return &limit{most: most, target: hertz, hertz: hertz, chance: 1}
}

// pay takes up how much processor time was used until now. What was used before the first time is a debt.
func (l *limit) pay(now, used time.Duration) {
	if l.at == 0 {
		l.at, l.since = now, now
	}
	put := min(l.search-l.aside, time.Duration(searchShare*l.most*float64(now-l.at)))
	l.aside += put
	l.left += l.income(now-l.at) - put - (used - l.used)
	l.left = min(l.left, l.income(saved))
	l.at, l.used = now, used
	dear := l.cost > l.income(time.Second)
	if l.held = l.held || dear; dear || now-l.since >= time.Second {
		l.adjust(now - l.since)
		l.since, l.looks, l.cost, l.held = now, 0, 0, false
	}
}

// maySearch reports whether enough was put aside to look for pools: that is dear where there are many workers, and
// all at once.
func (l *limit) maySearch() bool { return l.aside >= l.search }

// searched takes up that pools were looked for.
func (l *limit) searched(cost time.Duration) {
	l.left += l.aside
	l.search, l.aside = cost, 0
}

// income is what comes in in a while.
func (l *limit) income(span time.Duration) time.Duration {
	return time.Duration(aim * l.most * float64(span))
}

// looked counts a look at all pools, and what it cost.
func (l *limit) looked(cost time.Duration) {
	l.looks++
	l.cost += cost
	l.last = cost
}

// adjust changes the chance by what looks cost in a while. It goes down at once, to what could be paid if looks came
// as often as they should; it goes up slowly, and only while time is left.
func (l *limit) adjust(span time.Duration) {
	if !l.held {
		l.hertz = l.target
		if l.left == l.income(saved) {
			l.chance = min(1, l.chance*growth)
		}
		return
	}
	if l.looks == 0 {
		return
	}
	if span > 0 {
		l.hertz = min(l.target, float64(l.looks)/seconds(span))
	}
	needed := l.target * seconds(l.cost) / float64(l.looks)
	if by := aim * aim * l.most / needed; by < 1 {
		l.chance = max(leastChance, l.chance*max(leastChange, by))
	}
}

// pause returns how long to wait for the next look, if the last one began ago, and the next one should come a period
// after that. It is below zero for a look that is late.
func (l *limit) pause(period, ago time.Duration) time.Duration {
	wait := period - ago
	debt := l.span(-l.left)
	if debt <= max(0, wait) {
		return wait
	}
	l.held = true
	return max(wait, min(debt, max(2*l.span(l.last), debt-worstDebt)))
}

// span is how long it takes until an amount has come in.
func (l *limit) span(amount time.Duration) time.Duration {
	return time.Duration(float64(amount) / (aim * l.most))
}

// processorTime is what this process has used of all processors.
func processorTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// monotonic is the clock by which FPM writes the scoreboard.
func monotonic() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
