package agent

import "time"

const (
	// tolerated is how many failures in a row leave a job's interval as it is:
	// two can be a restart of the server.
	tolerated = 2
	// slowest bounds how far a failing job is put off: it is back within
	// minutes after its source is.
	slowest      = 5 * time.Minute
	slowestTimes = 16
)

// breaker slows a failing job down, so that a server in trouble is not asked in
// vain over and over.
type breaker struct {
	every    time.Duration
	interval time.Duration
	failures int
}

// after sets the interval after a round.
func (b *breaker) after(err error) {
	if err == nil {
		b.failures, b.interval = 0, b.every
		return
	}
	b.failures++
	if b.failures > tolerated {
		b.interval = min(2*b.interval, b.most())
	}
}

// most is the longest interval: sixteen times the usual one or five minutes,
// whichever is shorter, and never shorter than usual.
func (b *breaker) most() time.Duration {
	return max(b.every, min(slowestTimes*b.every, slowest))
}
