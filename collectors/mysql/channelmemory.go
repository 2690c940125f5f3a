package mysql

import (
	"math"
	"time"

	"plimsoll/collectors/snapshot"
)

// channelMemory is what is known of a channel from earlier rounds.
type channelMemory struct {
	channelTotals
	// received was last seen to change at heard.
	received string
	heard    time.Time
	looked   time.Time
}

// channelTotals are sums since the epoch.
type channelTotals struct {
	StateSeconds map[snapshot.LagState]float64 `json:"state_seconds"`
	ApplyLag     []uint64                      `json:"apply_lag"` // by applyBounds
}

// applyBounds are the upper bounds of ApplyLag, in seconds.
func applyBounds() []float64 {
	return []float64{0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, math.MaxFloat64}
}

// longestLook is how much time one look at a channel can speak for. What lies
// further back, when the agent could not look, is time in an unknown state.
const longestLook = 3 * time.Second

// remember adds this round to the totals of each channel, and fills what takes
// more than one round to know. Channels that are gone are forgotten.
func (r *replicationReader) remember(part *snapshot.Replication, rows map[string]channelRow) {
	known := make(map[string]*channelMemory, len(part.Channels))
	for i := range part.Channels {
		c := &part.Channels[i]
		memory := r.channels[c.Name]
		if memory == nil {
			memory = &channelMemory{}
		}
		memory.look(c, rows[c.Name], part.Taken)
		known[c.Name] = memory
	}
	// Without a list of channels, as without the privilege, nothing is known of
	// those of before.
	if len(part.Gaps) == 0 {
		r.channels = known
	}
}

func (m *channelMemory) look(c *snapshot.Channel, row channelRow, now time.Time) {
	m.addState(c.State, now)
	m.addApplyLag(c)
	if received := row.received(); received != m.received || m.heard.IsZero() || c.IORunning != "Yes" {
		m.received, m.heard = received, now
	}
	if c.IORunning == "Yes" {
		c.SilentSeconds = optional(now.Sub(m.heard).Seconds(), true)
	}
	m.publish(c)
}

func (m *channelMemory) addState(state snapshot.LagState, now time.Time) {
	if m.StateSeconds == nil {
		m.StateSeconds = map[snapshot.LagState]float64{}
	}
	if !m.looked.IsZero() {
		elapsed := now.Sub(m.looked)
		seen := min(elapsed, longestLook)
		m.StateSeconds[state] += seen.Seconds()
		m.StateSeconds[snapshot.LagUnknown] += (elapsed - seen).Seconds()
	}
	m.looked = now
}

func (m *channelMemory) addApplyLag(c *snapshot.Channel) {
	bounds := applyBounds()
	if len(m.ApplyLag) != len(bounds) {
		m.ApplyLag = make([]uint64, len(bounds))
	}
	if c.ApplySeconds == nil {
		return
	}
	for i, bound := range bounds {
		if *c.ApplySeconds <= bound {
			m.ApplyLag[i]++
			return
		}
	}
}

// publish copies the totals into the channel: a part never changes once it is
// out.
func (m *channelMemory) publish(c *snapshot.Channel) {
	c.StateSeconds = make(map[snapshot.LagState]float64, len(m.StateSeconds))
	for state, seconds := range m.StateSeconds {
		c.StateSeconds[state] = seconds
	}
	for i, bound := range applyBounds() {
		c.ApplyLag = append(c.ApplyLag, snapshot.Bucket{UpToSeconds: bound, Count: m.ApplyLag[i]})
	}
}
