package rules

import "math"

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
