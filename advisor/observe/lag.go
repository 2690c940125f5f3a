package observe

import (
	"sort"
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
	at time.Time
	snapshot.Position
}

// NewTrack reads the positions of one server. agentOffset is the agent's clock
// minus the advisor's, known to within agentError; both in seconds.
func NewTrack(p *snapshot.Positions, agentOffset, agentError float64) Track {
	t := Track{clockError: p.ClockErrorSeconds + agentError}
	shift := time.Duration((p.ClockOffsetSeconds + agentOffset) * float64(time.Second))
	for _, position := range p.Ring {
		t.points = append(t.points, point{position.Time.Add(-shift), position})
	}
	return t
}

// LagSample is how far a replica stood behind at one second.
type LagSample struct {
	At time.Time
	// Total is from commit on the source to commit on the replica, in seconds.
	Total float64
	// Transport is the part before the replica had received the transaction;
	// nil where the replica does not say what it received.
	Transport *float64
	// AtLeast is true if the source's positions do not reach back far enough.
	AtLeast bool
}

// Lags returns the replica's lag at each of its positions after since, from the
// positions of its source. Nothing is written to any server: lag is how long ago
// the source first was where the replica is not yet, and it is zero if and only
// if the replica has all that the source had at that moment.
//
// A second is left out, since its lag is unknown and not zero, where the source
// was not read shortly before, or where the two positions cannot be compared.
func Lags(source, replica Track, channel string, since time.Time) []LagSample {
	var out []LagSample
	for _, r := range replica.points {
		if !r.at.After(since) {
			continue
		}
		before := source.until(r.at)
		if len(before) == 0 || r.at.Sub(before[len(before)-1].at) > maxAge {
			continue
		}
		if lag, known := lagAt(before, r, channel); known {
			out = append(out, lag)
		}
	}
	return out
}

// maxAge is how old the source's newest position may be: the agent reads one a
// second, so that three missing ones are a source that does not answer.
const maxAge = 3 * time.Second

// until returns the points that are not after t.
func (s Track) until(t time.Time) []point {
	return s.points[:sort.Search(len(s.points), func(i int) bool { return s.points[i].at.After(t) })]
}

func lagAt(source []point, replica point, channel string) (LagSample, bool) {
	if _, known := replica.Reached(source[len(source)-1].Position, channel); !known {
		return LagSample{}, false
	}
	total, atLeast := behind(source, replica.at, replica.Position, channel)
	lag := LagSample{At: replica.at, Total: total, AtLeast: atLeast}
	if replica.Received != "" {
		received := snapshot.Position{GTID: replica.Received}
		transport, _ := behind(source, replica.at, received, channel)
		transport = min(transport, total)
		lag.Transport = &transport
	}
	return lag, true
}

// behind returns how long before at the source first was where have is not yet.
// Positions only grow, so that the first such point is found by halving.
func behind(source []point, at time.Time, have snapshot.Position, channel string) (seconds float64, atLeast bool) {
	i := sort.Search(len(source), func(i int) bool {
		reached, _ := have.Reached(source[i].Position, channel)
		return !reached
	})
	if i == len(source) {
		return 0, false
	}
	return at.Sub(source[i].at).Seconds(), i == 0
}
