package observe

import (
	"fmt"
	"maps"
	"math"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// LagBounds are the upper bounds, in seconds, of the lag histogram. Positions
// are read once a second, so that finer ones would say nothing.
func LagBounds() []float64 {
	return []float64{0, 1, 2, 3, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600}
}

// LagBook adds up the lag of every channel, second by second, from the positions
// that agents report. Its totals begin at zero when the advisor starts.
type LagBook struct{ pages map[LagKey]*page }

// LagKey names a channel. Key is the replica's own, since two agents can be given
// one name.
type LagKey struct{ Cluster, Host, Server, Key, Channel string }

// LagReading is what a LagBook holds of one channel.
type LagReading struct {
	LagKey
	// Counts are, for each of LagBounds, the seconds in which lag was at most
	// that; Seconds is the number of seconds in which it was known, and Sum the
	// sum of their lag.
	Counts  []uint64
	Seconds uint64
	Sum     float64
	// Last is the newest known lag and Max the largest since the reading
	// before; nil if none was known since then.
	Last, Max *float64
	// TransportMax is the largest part before the replica had received it.
	TransportMax *float64
	// State is the time in seconds spent in each state.
	State map[snapshot.LagState]float64
	// Unknown says why no lag was known since the reading before.
	Unknown string
	// ClockErrorSeconds bounds the error of the comparison.
	ClockErrorSeconds float64
}

// page is what the book remembers of a channel between two readings.
type page struct {
	LagReading
	last time.Time
}

// Sight is one database server as an agent reports it, with what is known of
// that agent's clock.
type Sight struct {
	*fleet.Server
	ClockOffsetSeconds float64
	ClockErrorSeconds  float64
}

// NewLagBook returns an empty book.
func NewLagBook() *LagBook { return &LagBook{pages: map[LagKey]*page{}} }

// Read adds what became known since the last call, and returns every channel. A
// channel that no agent reports any more is forgotten.
func (b *LagBook) Read(sights []Sight, now time.Time) []LagReading {
	servers, byServer := make([]*fleet.Server, len(sights)), map[*fleet.Server]Sight{}
	for i, s := range sights {
		servers[i], byServer[s.Server] = s.Server, s
	}
	var out []LagReading
	read := map[LagKey]bool{}
	for _, replica := range sights {
		for _, c := range channels(replica.Server) {
			p := b.page(LagKey{replica.Cluster, replica.Host, replica.Name, replica.Key, c.Name})
			source := sourceOf(replica.Server, c, servers)
			p.turn(byServer[source], replica, c, now)
			out = append(out, p.reading())
			read[p.LagKey] = true
		}
	}
	maps.DeleteFunc(b.pages, func(key LagKey, _ *page) bool { return !read[key] })
	return out
}

func (b *LagBook) page(key LagKey) *page {
	if b.pages[key] == nil {
		b.pages[key] = &page{LagReading: LagReading{
			LagKey: key, Counts: make([]uint64, len(LagBounds())), State: map[snapshot.LagState]float64{},
		}}
	}
	return b.pages[key]
}

// turn adds the seconds since the last one.
func (p *page) turn(source, replica Sight, c snapshot.Channel, now time.Time) {
	p.Last, p.Max, p.TransportMax, p.Unknown = nil, nil, nil, ""
	since := p.last
	if since.IsZero() {
		since = now.Add(-snapshot.MaxPositions * time.Second)
	}
	samples, clockError := lags(source, replica, c.Name, since)
	p.ClockErrorSeconds = clockError
	for _, s := range samples {
		p.add(s)
	}
	p.addStates(c.State, len(samples), now)
	if len(samples) == 0 {
		p.Unknown = whyUnknown(source, replica, c)
	}
}

func (p *page) add(s LagSample) {
	p.Seconds++
	p.Sum += s.Total
	for i, bound := range LagBounds() {
		if s.Total <= bound {
			p.Counts[i]++
		}
	}
	p.Last, p.Max = &s.Total, larger(p.Max, s.Total)
	if s.Transport != nil {
		p.TransportMax = larger(p.TransportMax, *s.Transport)
	}
	p.last = s.At
}

// addStates gives each second with a known lag to the state that allows one, and
// the others to what the channel says now. Before the first reading nothing was
// seen.
func (p *page) addStates(state snapshot.LagState, known int, now time.Time) {
	seen := snapshot.LagOK
	if state == snapshot.LagDelayed {
		seen = snapshot.LagDelayed
	}
	p.State[seen] += float64(known)
	if p.last.IsZero() {
		p.last = now
		return
	}
	if known == 0 && now.After(p.last) {
		if state == snapshot.LagOK {
			state = snapshot.LagUnknown
		}
		p.State[state] += now.Sub(p.last).Seconds()
		p.last = now
	}
}

func (p *page) reading() LagReading {
	r := p.LagReading
	r.Counts = append([]uint64(nil), p.Counts...)
	r.State = map[snapshot.LagState]float64{}
	maps.Copy(r.State, p.State)
	return r
}

func lags(source, replica Sight, channel string, since time.Time) ([]LagSample, float64) {
	if !source.tracked() || !replica.tracked() {
		return nil, 0
	}
	from, to := source.track(), replica.track()
	return Lags(from, to, channel, since), from.clockError + to.clockError
}

// tracked reports whether the server's positions can be put on our clock.
func (s Sight) tracked() bool {
	return s.Server != nil && s.Latest.Positions != nil && !math.IsInf(s.ClockErrorSeconds, 0)
}

func (s Sight) track() Track {
	return NewTrack(s.Latest.Positions, s.ClockOffsetSeconds, s.ClockErrorSeconds)
}

// whyUnknown says in an operator's words why there is no figure.
func whyUnknown(source, replica Sight, c snapshot.Channel) string {
	switch {
	case c.State != snapshot.LagOK && c.State != snapshot.LagDelayed:
		return fmt.Sprintf("replication is not running (%s)", c.State)
	case source.Server == nil:
		return fmt.Sprintf("no agent reads its source %s:%d", c.SourceHost, c.SourcePort)
	case !source.tracked():
		return "the positions of its source are not known"
	case !replica.tracked():
		return "its own positions are not known"
	}
	return "its source did not answer in that time, or their positions cannot be compared"
}

func larger(a *float64, b float64) *float64 {
	if a == nil || *a < b {
		return &b
	}
	return a
}
