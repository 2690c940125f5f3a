package keeper

import (
	"math"
	"time"
)

// clockSamples is how many round trips are remembered: the fastest of an hour
// of minutes bounds the error best, and a clock does not drift far in an hour.
const clockSamples = 60

// clock compares an agent's clock with ours. It is a value: add returns a new
// one.
type clock struct{ samples []clockSample }

type clockSample struct{ offset, err float64 }

// add takes the time that an agent stated in an answer. A missing or unreadable
// one adds nothing.
func (c clock) add(stated string, asked, answered time.Time) clock {
	theirs, err := time.Parse(time.RFC3339Nano, stated)
	if err != nil {
		return c
	}
	half := answered.Sub(asked) / 2
	sample := clockSample{offset: theirs.Sub(asked.Add(half)).Seconds(), err: half.Seconds()}
	kept := c.samples
	if len(kept) >= clockSamples {
		kept = kept[1:]
	}
	return clock{append(append([]clockSample(nil), kept...), sample)}
}

// best returns the offset of the fastest round trip, and half of that trip; an
// infinite error if none was measured.
func (c clock) best() (offset, err float64) {
	err = math.Inf(1)
	for _, s := range c.samples {
		if s.err < err {
			offset, err = s.offset, s.err
		}
	}
	return offset, err
}
