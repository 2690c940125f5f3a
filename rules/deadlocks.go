package rules

import (
	"fmt"

	"plimsoll/rules/fleet"
)

// deadlocks finds servers where transactions end each other: each victim's work
// is lost, and a visitor sees an error unless the program tries again.
func deadlocks() Rule {
	return Rule{
		ID: "mysql/deadlocks", Title: "Transactions deadlock",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/deadlocks"},
		Threshold: Threshold{
			Value: 1.0 / 60, Unit: PerSecond,
			Source: "default of this rule: one a minute is more than an error that a retry hides",
		},
		Check: checkDeadlocks,
	}
}

func checkDeadlocks(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if s.Role == fleet.Replica {
			continue
		}
		if n := c.unready(aboutServer(s), s, "mysql/deadlocks", s.Deadlocks.Seen()); n != nil {
			out.NotReady = append(out.NotReady, *n)
			continue
		}
		rate := float64(s.Deadlocks.Total) / s.Deadlocks.Window.Seconds()
		if rate >= c.Rule.Threshold.Value {
			out.Findings = append(out.Findings, deadlocksFinding(c, s, rate))
		}
	}
	return out
}

func deadlocksFinding(c Case, s *fleet.Server, rate float64) Finding {
	w := s.Deadlocks.Window
	f := Found(c.Rule, aboutServer(s), c.evidence("deadlocks", rate, "Innodb_deadlocks, MySQL: events_errors_summary_global_by_error 1213", w))
	f.Severity = Medium
	if commits, known := s.Status.Rate("com_commit"); known && commits > 0 {
		share := rate / (rate + commits)
		f.Evidence = append(f.Evidence, Evidence{What: "transactions that ended so", Value: share, Unit: Ratio, Source: "deadlocks / (deadlocks + Com_commit)", Window: w})
		if share >= 0.01 {
			f.Severity = High
		}
	}
	f.addLastDeadlock(s, w)
	f.Confidence = c.confidence(0.9, w)
	f.Summary = fmt.Sprintf("%.0f transactions on %s ended in a deadlock in %s.", float64(s.Deadlocks.Total), s.Name, Words(w.Seconds(), Seconds))
	f.Effort = Days
	f.Remedy = []Step{
		{Kind: Code, Text: "Lock rows in one order everywhere: sort the ids before the loop that updates them."},
		{Kind: Code, Text: "Try a transaction again that ended with error 1213, at most three times."},
	}
	f.Risks = []string{"A retry runs the whole transaction again: mail and calls of other services must not be part of it."}
	f.Verify = Verify{What: "deadlocks", Expect: "below one a minute", After: "a busy hour"}
	return f
}

func (f *Finding) addLastDeadlock(s *fleet.Server, w fleet.Window) {
	last := s.Deadlocks.Last
	if last == nil {
		return
	}
	for _, t := range last.Transactions {
		if t.Statement == nil {
			continue
		}
		f.Digests = append(f.Digests, t.Statement.Fingerprint)
		f.Evidence = append(f.Evidence, Evidence{
			What: fmt.Sprintf("a party of the last one, on %s.%s, index %s", t.Schema, t.Table, t.Index), Unit: Text,
			Words: string(t.Statement.Text), Source: "SHOW ENGINE INNODB STATUS", Window: w,
		})
	}
}
