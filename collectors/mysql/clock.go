package mysql

import "time"

// clock measures how far the server's clock is ahead of the agent's. The server
// read its clock somewhere between the sending of the query and the arrival of
// the answer, so that the middle is wrong by half a round trip at most, and the
// fastest recent round trip knows best.
type clock struct {
	recent []reading
}

// reading is one comparison of the two clocks.
type reading struct {
	offset time.Duration // server's minus agent's
	within time.Duration // half the round trip
}

// clockMemory is how many readings count: a minute of them. Clocks drift apart
// by milliseconds in that time at worst.
const clockMemory = 60

// add takes the server's clock, read by a query that was sent and answered at
// these times of the agent's clock.
func (c *clock) add(sent, answered, server time.Time) {
	// Round drops the monotonic reading, which would hide a clock that was set.
	half := answered.Sub(sent) / 2
	r := reading{offset: server.Sub(sent.Add(half).Round(0)), within: half}
	// One of the clocks was set: what was known of them is over.
	if best, known := c.best(); known && (r.offset-best.offset).Abs() > r.within+best.within+maxDrift {
		c.recent = nil
	}
	c.recent = append(c.recent, r)
	if len(c.recent) > clockMemory {
		c.recent = c.recent[1:]
	}
}

// maxDrift is how far apart two good readings can be within clockMemory: 60 s
// at 100 ppm, which is a bad quartz.
const maxDrift = 6 * time.Millisecond

// best returns the recent reading with the fastest round trip.
func (c *clock) best() (reading, bool) {
	if len(c.recent) == 0 {
		return reading{}, false
	}
	best := c.recent[0]
	for _, r := range c.recent {
		if r.within < best.within {
			best = r
		}
	}
	return best, true
}
