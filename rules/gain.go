package rules

import (
	"math"
	"slices"
)

// Gain is what acting on a finding frees, as intervals. A nil field is a gain
// that the rule does not claim.
type Gain struct {
	// WorkerSeconds are PHP worker-seconds freed per second. Without the probe
	// a second of a web user's statement counts as one, since PHP waits for it.
	WorkerSeconds *Estimate `json:"worker_seconds,omitempty"`
	// DatabaseSeconds are core-seconds per second of the database server.
	DatabaseSeconds *Estimate `json:"database_seconds,omitempty"`
	// PrimaryWrites are write transactions per second taken off the primary.
	PrimaryWrites *Estimate `json:"primary_writes,omitempty"`
	// Headroom is a multiple of today's peak.
	Headroom *Estimate `json:"headroom,omitempty"`
	// RecoveryMinutes are minutes of outage or recovery avoided, once.
	RecoveryMinutes *Estimate `json:"recovery_minutes,omitempty"`
}

// Estimate is an interval that was computed and not measured; Lo <= Hi.
type Estimate struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// Between returns the Estimate from the smaller to the larger of a and b,
// neither below zero.
func Between(a, b float64) *Estimate {
	a, b = math.Max(a, 0), math.Max(b, 0)
	return &Estimate{Lo: math.Min(a, b), Hi: math.Max(a, b)}
}

// Measured is what was seen after advice was acted on. It is a type of its own
// so that no estimate is ever shown as a measurement.
type Measured struct {
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	Unit   Unit    `json:"unit"`
}

// estimates returns those that are claimed.
func (g Gain) estimates() []*Estimate {
	all := []*Estimate{g.WorkerSeconds, g.DatabaseSeconds, g.PrimaryWrites, g.Headroom, g.RecoveryMinutes}
	return slices.DeleteFunc(all, func(e *Estimate) bool { return e == nil })
}

// worth returns the lower bound of the leading gain, for ranking: worker-seconds
// first, since they are what a visitor waits for.
func (g Gain) worth() float64 {
	for _, e := range []*Estimate{g.WorkerSeconds, g.DatabaseSeconds} {
		if e != nil {
			return e.Lo
		}
	}
	return 0
}

// worthAct is the gain, in worker-seconds a second, below which nobody need be
// told: half a minute an hour, whatever share of a quiet site that is.
const worthAct = 0.01

// severityOf returns the severity of a finding whose gain is workers' time, by
// its share of the load: of all that workers wait for, in seconds a second. The
// middle of the interval counts. A gain beside a load that is not known is Info.
func severityOf(gain *Estimate, load float64) Severity {
	switch share := (gain.Lo + gain.Hi) / 2 / load; {
	case !(load > 0) || gain.Hi < worthAct:
		return Info
	case share >= 0.3:
		return Critical
	case share >= 0.1:
		return High
	case share >= 0.03:
		return Medium
	case share >= 0.01:
		return Low
	}
	return Info
}
