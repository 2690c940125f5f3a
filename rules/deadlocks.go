package rules

import (
	"fmt"

	"plimsoll/rules/fleet"
)

const (
	// deadlockShare is the share of transactions below which deadlocks are the
	// price of many writers, and a retry hides them.
	deadlockShare = 0.001
	// manyDeadlocks is the share from which visitors meet them.
	manyDeadlocks = 0.01
	// fewDeadlocks are too few to tell a rate: of one in a minute, the true rate
	// can be one in half an hour.
	fewDeadlocks = 5
)

// deadlocks finds servers where transactions end each other: each victim's work
// is lost, and a visitor sees an error unless the program tries again.
func deadlocks() Rule {
	return Rule{
		ID: "mysql/deadlocks", Title: "Transactions deadlock",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/deadlocks", "mysql/transactions", "mysql/status"},
		Threshold: Threshold{
			Value: 1.0 / 60, Unit: PerSecond,
			Source: "default of this rule: one a minute is one that a visitor meets each minute, unless the program tries again",
		},
		Check: func(c Case) Result {
			return each(c.writers(), func(s *fleet.Server) (*Finding, *NotReady) { return deadlocksOn(c, s) })
		},
	}
}

func deadlocksOn(c Case, s *fleet.Server) (*Finding, *NotReady) {
	if n := c.unready(aboutServer(s), s, "mysql/deadlocks", s.Deadlocks.Seen()); n != nil {
		return nil, n
	}
	perSecond := float64(s.Deadlocks.Total) / s.Deadlocks.Window.Seconds()
	if perSecond < c.Rule.Threshold.Value {
		return nil, nil
	}
	share, known := endedSo(s, perSecond)
	if known && share < deadlockShare {
		return nil, nil
	}
	f := deadlocksFinding(c, s, perSecond)
	if known {
		f.Evidence = append(f.Evidence, Evidence{
			What: "of all writing transactions", Value: share, Unit: Ratio, Source: "deadlocks / (deadlocks + commits)", Window: s.Deadlocks.Window,
		}.against(deadlockShare, "default of this rule: below, a retry hides them"))
		if share >= manyDeadlocks {
			f.Severity = High
		}
	}
	return &f, nil
}

// endedSo is the share of writing transactions that ended in a deadlock. Where
// the server does not count those, COMMIT stands for them.
func endedSo(s *fleet.Server, perSecond float64) (float64, bool) {
	if w := s.Transactions; w != nil && w.Chatter != nil && w.Chatter.Commits != nil && w.Window.Seconds() > 0 {
		return perSecond / (perSecond + float64(*w.Chatter.Commits)/w.Window.Seconds()), true
	}
	commits, known := s.Status.Rate("com_commit")
	return perSecond / (perSecond + commits), known && commits > 0
}

func deadlocksFinding(c Case, s *fleet.Server, perSecond float64) Finding {
	w := s.Deadlocks.Window
	f := Found(c.Rule, aboutServer(s), c.evidence("deadlocks", perSecond, "information_schema.INNODB_METRICS, lock_deadlocks", w))
	f.Severity = Medium
	f.addPairs(s)
	f.addLastDeadlock(s)
	if timeouts := s.Deadlocks.Timeouts; timeouts != nil && *timeouts > 0 {
		f.Evidence = append(f.Evidence, Evidence{
			What: "lock waits that timed out", Value: float64(*timeouts) / w.Seconds(), Unit: PerSecond, Source: "information_schema.INNODB_METRICS, lock_timeouts", Window: w,
		})
	}
	f.Confidence = c.confidence(0.9, w)
	if s.Deadlocks.Total < fewDeadlocks {
		f.Confidence = c.confidence(0.4, w, "so few may be all of a day")
	}
	many := "transactions"
	if s.Deadlocks.Total == 1 {
		many = "transaction"
	}
	f.Summary = fmt.Sprintf("%s %s on %s ended in a deadlock in %s.", Words(float64(s.Deadlocks.Total), Count), many, called(s), Words(w.Seconds(), Seconds))
	f.Effort = Days
	f.Remedy = []Step{
		{Kind: Code, Text: "sort($ids); foreach ($ids as $id) { /* UPDATE … WHERE id = $id */ }", Note: "Lock rows in one order everywhere: sort the ids before the loop that updates them."},
		{Kind: Advice, Text: "Try a transaction again that ended with error 1213, at most three times."},
	}
	f.Risks = []string{"A retry runs the whole transaction again: mail and calls of other services must not be part of it."}
	f.Verify = Verify{What: "deadlocks", Expect: "below " + Words(c.Rule.Threshold.Value, PerSecond), After: "a busy hour"}
	return f
}

// addPairs adds the pair of statements that met most often.
func (f *Finding) addPairs(s *fleet.Server) {
	var most uint64
	for _, p := range s.Deadlocks.Pairs {
		if p.Count > most && p.A != "" && p.B != "" && p.A != "other" {
			most = p.Count
			f.Digests = []string{p.A}
			f.addDigests(p.B)
		}
	}
}

func (f *Finding) addLastDeadlock(s *fleet.Server) {
	last := s.Deadlocks.Last
	if last == nil {
		return
	}
	for _, t := range last.Transactions {
		if t.Statement == nil {
			continue
		}
		f.addDigests(t.Statement.Fingerprint)
		on := Subject{Schema: t.Schema, Name: t.Table, Part: t.Index}
		f.Evidence = append(f.Evidence, Evidence{
			What: "a party of the last one, on " + on.String(), Unit: Text,
			Words: printable(string(t.Statement.Text)), Source: "SHOW ENGINE INNODB STATUS", Window: moment(last.Time),
		})
	}
}
