package sampler

import (
	"time"

	"golang.org/x/sys/unix"
)

// limit keeps the cost of the sampler below a share of one processor: it first looks at fewer of the busy workers,
// each of which then stands for more, and then less often.
type limit struct {
	most   float64 // share of one processor, 0.02
	target float64 // looks a second, as configured
	hertz  float64
	chance float64 // that a busy worker is looked at

	at   time.Duration
	used time.Duration
}

const (
	leastChance = 0.05
	leastHertz  = 1
)

func newLimit(hertz, most float64) *limit {
	return &limit{most: most, target: hertz, hertz: hertz, chance: 1}
}

// adjust takes up how much processor time was used until now. It goes down at once and up slowly.
func (l *limit) adjust(now, used time.Duration) {
	span := now - l.at
	if l.at == 0 {
		l.at, l.used = now, used
		return
	}
	if span < time.Second {
		return
	}
	share := float64(used-l.used) / float64(span)
	l.at, l.used = now, used
	switch {
	case share > l.most:
		l.scale(max(0.25, l.most/share*0.9))
	case share < 0.7*l.most:
		l.scale(1.1)
	}
}

func (l *limit) scale(by float64) {
	if by < 1 {
		if l.chance > leastChance {
			l.chance = max(leastChance, l.chance*by)
			return
		}
		l.hertz = max(leastHertz, l.hertz*by)
		return
	}
	if l.hertz < l.target {
		l.hertz = min(l.target, l.hertz*by)
		return
	}
	l.chance = min(1, l.chance*by)
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
