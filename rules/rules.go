// Package rules judges a fleet: each rule is a value with a pure function from
// facts to findings, in a file of its own, and All lists them.
//
// A rule never guesses. Where a fact is missing it says NotReady and why, for
// that host or server alone; where it finds something it shows the evidence,
// the threshold and where that comes from, the gain as an interval, what to do,
// how to undo it, and how to see that it worked.
package rules

import (
	"time"

	"plimsoll/rules/fleet"
)

// ID names a rule: area/problem. It never changes and is never used again.
type ID string

// Phase is when a rule runs.
type Phase int

// The phases. Capacity rules see the findings of Cure rules and subtract their
// savings first, so that no hardware is advised for what an index cures.
const (
	Cure Phase = iota
	Capacity
)

// Rule is one check. It is a value: nothing in it changes.
type Rule struct {
	ID ID
	// Title is what the rule looks for, as a heading.
	Title string
	Phase Phase
	// MinWindow is the shortest time that the rule needs to have seen, and
	// Window the time from which on it may be fully confident. Both are zero in
	// a rule that judges how things stand, and not what happened.
	MinWindow time.Duration
	Window    time.Duration
	// Needs are the agent's jobs whose facts the rule reads.
	Needs []string
	// Yields are rules to whose findings this one gives way if their subject
	// lies inside its own.
	Yields []ID
	// Threshold is the rule's one configurable threshold.
	Threshold Threshold
	// Check judges. It is pure: the same Case gives the same Result.
	Check func(Case) Result
}

// Threshold is a limit with its reason. Dashboards colour by it and alerts fire
// at it, so that report, graph and alert never disagree.
type Threshold struct {
	Value float64
	Unit  Unit
	// Source is where the value comes from: a manual, a measurement, or
	// "default of this rule" with its reason.
	Source string
}

// Case is what a rule judges.
type Case struct {
	Fleet *fleet.Fleet
	// Rule is the rule itself, with the thresholds of the configuration.
	Rule Rule
	// Cures are the findings of the Cure phase; empty while that runs.
	Cures []Finding
}

// Result is what a rule says.
type Result struct {
	Findings []Finding  `json:"findings"`
	NotReady []NotReady `json:"not_ready"`
}

// add takes either a finding or why there is none.
func (r *Result) add(f *Finding, n *NotReady) {
	if f != nil {
		r.Findings = append(r.Findings, *f)
	}
	if n != nil {
		r.NotReady = append(r.NotReady, *n)
	}
}

// each judges servers one by one.
func each(servers []*fleet.Server, judge func(*fleet.Server) (*Finding, *NotReady)) Result {
	var out Result
	for _, s := range servers {
		out.add(judge(s))
	}
	return out
}

// NotReady says that a rule could not judge a subject, and what would let it.
type NotReady struct {
	Rule    ID      `json:"rule"`
	Subject Subject `json:"subject"`
	Reason  string  `json:"reason"`
	// Remedy is a grant, a setting or a command; empty if only time helps.
	Remedy string `json:"remedy,omitempty"`
	// ReadyAt is when the rule will have seen enough; zero if time alone does
	// not help.
	ReadyAt time.Time `json:"ready_at,omitzero"`
}
