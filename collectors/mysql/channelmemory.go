package mysql

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"plimsoll/collectors/snapshot"
)

// channelMemories is what is known of a server's channels from earlier rounds,
// by name. Its totals are published by a job of their own.
type channelMemories struct {
	server string

	mu     sync.Mutex
	epoch  string
	byName map[string]*channelMemory
}

func newChannelMemories(server string) *channelMemories {
	return &channelMemories{server: server, epoch: newEpoch(time.Now()), byName: map[string]*channelMemory{}}
}

// channelMemory is one channel's.
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

// look adds a round to the totals of each channel, and fills what takes more
// than one round to know. Channels that are gone are forgotten, unless the list
// could not be read.
func (m *channelMemories) look(part *snapshot.Replication, rows map[string]channelRow, listed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := make(map[string]*channelMemory, len(part.Channels))
	for i := range part.Channels {
		c := &part.Channels[i]
		memory := m.byName[c.Name]
		if memory == nil {
			memory = &channelMemory{}
		}
		memory.look(c, rows[c.Name], part.Taken)
		known[c.Name] = memory
	}
	if listed {
		m.byName = known
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
}

// longestLook is how much time one look at a channel can speak for. What lies
// further back, when the agent could not look, is time in an unknown state.
const longestLook = 3 * time.Second

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

// Collect implements collectors.Collector: it publishes the totals.
func (m *channelMemories) Collect(_ context.Context, into *snapshot.Snapshot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	part := &snapshot.LagTotals{
		Meta: snapshot.Meta{Taken: time.Now(), Epoch: m.epoch}, Channels: []snapshot.ChannelTotals{},
	}
	for _, name := range slices.Sorted(maps.Keys(m.byName)) {
		part.Channels = append(part.Channels, m.byName[name].publish(name))
	}
	into.Server(m.server).LagTotals = part
	return nil
}

func (t *channelTotals) publish(name string) snapshot.ChannelTotals {
	out := snapshot.ChannelTotals{Name: name, StateSeconds: maps.Clone(t.StateSeconds)}
	for i, count := range t.ApplyLag {
		out.ApplyLag = append(out.ApplyLag, snapshot.Bucket{UpToSeconds: applyBounds()[i], Count: count})
	}
	return out
}

// channelState is what outlives the agent.
type channelState struct {
	Epoch    string                   `json:"epoch"`
	Channels map[string]channelTotals `json:"channels"`
}

// Save implements collectors.Keeper.
func (m *channelMemories) Save() (json.RawMessage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	state := channelState{Epoch: m.epoch, Channels: map[string]channelTotals{}}
	for name, memory := range m.byName {
		state.Channels[name] = memory.channelTotals
	}
	return json.Marshal(state)
}

// Load implements collectors.Keeper.
func (m *channelMemories) Load(saved json.RawMessage) error {
	var state channelState
	if err := json.Unmarshal(saved, &state); err != nil {
		return fmt.Errorf("load totals of replication channels: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch = state.Epoch
	for name, totals := range state.Channels {
		if len(totals.ApplyLag) == len(applyBounds()) {
			m.byName[name] = &channelMemory{channelTotals: totals}
		}
	}
	return nil
}
