package fleet

import (
	"math"

	"plimsoll/collectors/snapshot"
)

// Pool is one PHP-FPM pool on one host: what it is, and what its workers did in the window.
type Pool struct {
	Cluster string
	Host    string
	// Name is the pool's, Listen where it listens: two masters can have pools of one name.
	Name   string
	Listen string
	// Machine is the host; never nil.
	Machine *Host
	// Latest is the newest view of the pool that needs no privilege; nil where only the probe sees it.
	Latest *snapshot.FPMPool
	// Profile is what the probe last said of it; nil without a probe.
	Profile *snapshot.PoolProfile

	// Served is what it did; nil without two copies.
	Served *PoolWindow
	// Workers is where its workers' time went; nil without a probe, and where that saw no worker.
	Workers *WorkerWindow
	Gaps    []snapshot.Gap
}

// MaxChildren is how many workers the pool may have; false if its configuration is not known.
func (p *Pool) MaxChildren() (int, bool) {
	if p.Latest == nil || p.Latest.Config == nil || p.Latest.Config.MaxChildren == 0 {
		return 0, false
	}
	return p.Latest.Config.MaxChildren, true
}

// Lacks returns the gap that keeps the facts of a job from being known, or false if nothing was
// reported of that job.
func (p *Pool) Lacks(job string) (snapshot.Gap, bool) {
	for _, g := range p.Gaps {
		if g.Job == job {
			return g, true
		}
	}
	return snapshot.Gap{}, false
}

// PoolWindow is what a pool did, as anybody can see it.
type PoolWindow struct {
	Window Window
	// CPUSeconds and RunQueueSeconds are of all its workers; nil if not known.
	CPUSeconds      *float64
	RunQueueSeconds *float64
	// Accepted, MaxChildrenReached and SlowRequests are nil without a status page, and where the pool
	// was restarted within the window.
	Accepted           *uint64
	MaxChildrenReached *uint64
	SlowRequests       *uint64
	// QueueLooks counts looks at the listen queue; nil where that is not known.
	QueueLooks *snapshot.QueueLooks
	// PeakQueue is the 99th percentile of the listen queue, PeakActive the 95th of the busy workers; nil
	// without series.
	PeakQueue  *float64
	PeakActive *float64
}

// WorkerWindow is where the time of a pool's workers went, from samples.
type WorkerWindow struct {
	Window Window
	// Hertz is how often workers were looked at.
	Hertz float64
	// WorkerSeconds is for how long workers existed, and States what they did meanwhile.
	WorkerSeconds float64
	States        map[snapshot.PHPState]snapshot.StateTime
	Requests      uint64
	Durations     []snapshot.Bucket
	// SaturatedSeconds is for how long no worker was free.
	SaturatedSeconds float64
	// Backends, Routes and Rows are ordered by time, the most first, without those that had none.
	Backends []snapshot.BackendTime
	Routes   []snapshot.RouteTime
	Rows     []snapshot.ProfileRow
	// Texts say what the fingerprints of the rows stand for.
	Texts map[string]snapshot.DigestText
}

// BusySeconds is the time in which workers had a request.
func (w *WorkerWindow) BusySeconds() float64 {
	return max(w.WorkerSeconds-w.States[snapshot.PHPIdle].Seconds, 0)
}

// Share is the part of the busy time that workers spent in some states, 0..1; 0 if they were never
// busy.
func (w *WorkerWindow) Share(states ...snapshot.PHPState) float64 {
	busy := w.BusySeconds()
	if busy <= 0 {
		return 0
	}
	var sum float64
	for _, s := range states {
		sum += w.States[s].Seconds
	}
	return min(sum/busy, 1)
}

// Interval is half the width of the 95 % interval of the time in a state, in seconds.
func (w *WorkerWindow) Interval(s snapshot.PHPState) float64 {
	return normal95 * math.Sqrt(w.States[s].Variance)
}

// normal95 is the 97.5th percentile of the normal distribution.
const normal95 = 1.96

// Seen returns the window, or nil if there is none.
func (w *PoolWindow) Seen() *Window {
	if w == nil {
		return nil
	}
	return &w.Window
}

// Seen returns the window, or nil if there is none.
func (w *WorkerWindow) Seen() *Window {
	if w == nil {
		return nil
	}
	return &w.Window
}
