// Package fleet holds the typed facts that rules read: what every host and
// server of a site did in a window of time, who replicates from whom, and what
// could not be seen.
//
// A Fleet is made by the advisor from snapshots (how much, exactly) and from
// series (when). Every optional fact is a pointer, and nil is unknown.
package fleet

import (
	"time"

	"plimsoll/collectors/snapshot"
)

// Fleet is everything known of a site over one window.
type Fleet struct {
	// Now is the time of judging; the same Fleet always judges alike.
	Now time.Time
	// Window is the time looked at, by default the last 24 hours. Parts that
	// were seen for less say so in windows of their own.
	Window Window
	// Peak is the busiest hour of the last 7 days; nil while less was seen.
	Peak *Window
	// Hosts, Servers and Pools are ordered by cluster, host and name.
	Hosts   []*Host
	Servers []*Server
	Pools   []*Pool
	// Unreachable are agents that could not be fetched from, by name.
	Unreachable []Unreachable
	// Gaps are what the advisor itself could not see, such as a query that an
	// engine did not answer.
	Gaps []snapshot.Gap
	// Shortened is true if the configuration shortened the rules' windows, as a
	// demonstration does; the report says so.
	Shortened bool
}

// Window is a stretch of time; a zero Window was not seen at all.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Seconds returns the length of w in seconds.
func (w Window) Seconds() float64 { return w.To.Sub(w.From).Seconds() }

// middle is the moment at which half of w has passed.
func (w Window) middle() time.Time { return w.From.Add(w.Duration() / 2) }

// Duration returns the length of w.
func (w Window) Duration() time.Duration { return w.To.Sub(w.From) }

// Unreachable is an agent that the advisor knows of and cannot read.
type Unreachable struct {
	Target string
	Reason string
}

// Host is one machine with an agent.
type Host struct {
	Cluster string
	Name    string
	AgentID string
	Labels  map[string]string
	// SeenRatio is the share of the fleet's window that the agent was seen.
	SeenRatio float64
	// Latest is what the agent last said of the machine; nil without figures.
	Latest *snapshot.Machine
	// Machine is what the machine did in its window; nil without two copies.
	Machine *MachineWindow
	// Servers are the database servers on this machine.
	Servers []*Server
	// Pools are the PHP-FPM pools on this machine.
	Pools []*Pool
	// Probed is true if plimsoll-probe answered the agent; what it cannot look at is a gap.
	Probed bool
	// Events are the incidents within the window, oldest first.
	Events []snapshot.Event
	Gaps   []snapshot.Gap
}

// MachineWindow is what a machine did between two copies.
type MachineWindow struct {
	Window Window
	// CPUBusyRatio, StealRatio and IOWaitRatio are shares of all cores, 0..1.
	CPUBusyRatio float64
	StealRatio   float64
	IOWaitRatio  float64
	// PeakCPUBusyRatio is the 95th percentile of minutes; nil without series.
	PeakCPUBusyRatio *float64
	Disks            []DiskWindow
	Mounts           []MountWindow
}

// DiskWindow is what a block device did.
type DiskWindow struct {
	Device string
	// BusyRatio is the share of time with a request under way.
	BusyRatio float64
	// ReadsPerSecond are the requests to read that it served.
	ReadsPerSecond float64
	// ReadLatency and WriteLatency are means in seconds; nil without requests.
	ReadLatency  *float64
	WriteLatency *float64
}

// MountWindow is how a file system fills.
type MountWindow struct {
	snapshot.Mount
	// GrowthBytesPerSecond is the slope of the used bytes over the window; nil
	// if too little was seen.
	GrowthBytesPerSecond *float64
}
