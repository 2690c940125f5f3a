package rules

import (
	"fmt"

	"plimsoll/rules/fleet"
)

// fallingBehindFloor is the lag below which a growing one is not yet a trend:
// one transaction of a few seconds makes lag grow by a second a second.
const fallingBehindFloor = 10.0

// replicaFallingBehind finds replicas whose lag grows for as long as was seen:
// the source writes more than they can apply, and more time will not help.
func replicaFallingBehind() Rule {
	return Rule{
		ID: "mysql/replica-falling-behind", Title: "A replica does not catch up",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs:  []string{"mysql/replication"},
		Yields: []ID{"mysql/replica-stopped"},
		Threshold: Threshold{Value: 0.1, Unit: Ratio, Source: "default of this rule: lag that grows by more " +
			"than 0.1 s a second is beyond what reading positions once a second can mistake"},
		Check: checkReplicaFallingBehind,
	}
}

func checkReplicaFallingBehind(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		for _, lag := range s.Lag {
			about := aboutChannel(s, lag.Channel)
			if n := c.trendUnready(about, s, lag); n != nil {
				out.NotReady = append(out.NotReady, *n)
				continue
			}
			if *lag.Max >= fallingBehindFloor && *lag.TrendRatio > c.Rule.Threshold.Value {
				out.Findings = append(out.Findings, fallingBehindFinding(c, about, s, lag))
			}
		}
	}
	return out
}

func (c Case) trendUnready(about Subject, s *fleet.Server, lag fleet.Lag) *NotReady {
	if n := c.unready(about, s, "mysql/replication", &lag.Window); n != nil {
		return n
	}
	if lag.Max == nil || lag.TrendRatio == nil {
		return &NotReady{Subject: about, Reason: "lag is not known: " + lag.Unknown}
	}
	return nil
}

func fallingBehindFinding(c Case, about Subject, s *fleet.Server, lag fleet.Lag) Finding {
	trend := c.evidence("growth of lag, seconds a second", *lag.TrendRatio, "executed positions of source and replica, each second", lag.Window)
	f := Found(c.Rule, about, trend, lagDetail(lag)...)
	f.Severity = High
	f.Confidence = c.confidence(0.8, lag.Window)
	f.Summary = fmt.Sprintf("%s falls behind by %s each minute: its source writes more than it can apply.",
		s.Name, Words(*lag.TrendRatio*60, Seconds))
	f.Effort = Hours
	f.Remedy = append(lagRemedy(s), Step{
		Kind: Advice, Text: "Write less, and in smaller transactions: every replica applies all of the primary's writes, so that another replica does not help.",
	})
	f.Risks = []string{"Parallel appliers commit in another order on the replica unless commit order is preserved."}
	f.Verify = Verify{What: "growth of lag", Expect: "below zero until lag is gone", After: "ten minutes"}
	return f
}
