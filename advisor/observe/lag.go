package observe

import (
	"fmt"
	"math"
	"time"

	"plimsoll/collectors/snapshot"
)

// Track is where one server had come, second by second, on the advisor's clock.
type Track struct {
	points []point
	// clockError bounds the error of the points' times, in seconds.
	clockError float64
}

type point struct {
	at                 time.Time
	executed, received snapshot.GTIDSet
}

// NewTrack reads the positions of one server. agentOffset is the agent's clock
// minus the advisor's, known to within agentError; both in seconds.
func NewTrack(p *snapshot.Positions, agentOffset, agentError float64) (Track, error) {
	t := Track{clockError: p.ClockErrorSeconds + agentError}
	shift := time.Duration((p.ClockOffsetSeconds + agentOffset) * float64(time.Second))
	for _, position := range p.Ring {
		executed, err := snapshot.ParseGTIDSet(position.GTID)
		if err != nil {
			return Track{}, fmt.Errorf("executed position %s: %w", position.Time.Format(time.RFC3339), err)
		}
		received, err := snapshot.ParseGTIDSet(position.Received)
		if err != nil {
			return Track{}, fmt.Errorf("received position %s: %w", position.Time.Format(time.RFC3339), err)
		}
		t.points = append(t.points, point{position.Time.Add(-shift), executed, received})
	}
	return t, nil
}

// LagSample is how far a replica stood behind at one second.
type LagSample struct {
	At time.Time
	// Total is from commit on the source to commit on the replica, Transport
	// the part before the replica had received the transaction; in seconds.
	Total     float64
	Transport float64
	// AtLeast is true if the source's ring does not reach back far enough.
	AtLeast bool
}

// Lags returns the replica's lag at each of its positions after since, from the
// positions of its source. It writes nothing to any server: lag is how long ago
// the source first was where the replica is not yet, and it is zero if and only
// if the replica has all that the source had at that moment.
//
// A second for which the source's track has no point at most maxAge older is
// left out: it is unknown, not zero.
func Lags(source, replica Track, since time.Time) []LagSample {
	var out []LagSample
	for _, r := range replica.points {
		if !r.at.After(since) || !known(source, r.at) {
			continue
		}
		total, atLeast := behind(source, r.at, r.executed)
		transport := 0.0
		if !r.received.Empty() {
			transport, _ = behind(source, r.at, r.received)
		}
		out = append(out, LagSample{At: r.at, Total: total, Transport: math.Min(transport, total), AtLeast: atLeast})
	}
	return out
}

// maxAge is how old the source's newest position may be: the agent reads one a
// second, so that three missing ones are a source that does not answer.
const maxAge = 3 * time.Second

// known reports whether the source was read shortly before at.
func known(source Track, at time.Time) bool {
	for i := len(source.points) - 1; i >= 0; i-- {
		if age := at.Sub(source.points[i].at); age >= 0 {
			return age <= maxAge
		}
	}
	return false
}

// behind returns how long before at the source first had something that have
// lacks. Positions only grow, so that the first such point is found by halving.
func behind(source Track, at time.Time, have snapshot.GTIDSet) (seconds float64, atLeast bool) {
	lo, hi := 0, len(source.points)
	for lo < hi {
		mid := (lo + hi) / 2
		p := source.points[mid]
		if p.at.After(at) || !have.Contains(p.executed) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	if lo == len(source.points) || source.points[lo].at.After(at) {
		return 0, false
	}
	return at.Sub(source.points[lo].at).Seconds(), lo == 0
}
