package rules

import (
	"fmt"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// fallingBehindFloor is the lag below which a growing one is not yet a trend:
// one transaction of a few seconds makes lag grow by a second a second.
const fallingBehindFloor = 10.0

// standsStill is the growth of lag from which on nothing is applied: lag of a
// replica that stands still grows by a second a second.
const standsStill = 0.95

// replicaFallingBehind finds replicas whose lag grows for as long as was seen:
// the source writes more than they can apply, and more time will not help.
func replicaFallingBehind() Rule {
	return Rule{
		ID: "mysql/replica-falling-behind", Title: "A replica does not catch up",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs:  []string{"mysql/replication"},
		Yields: []ID{"mysql/replica-stopped"},
		Threshold: Threshold{
			Value: 0.1, Unit: Ratio,
			Source: "default of this rule: lag that grows by 0.1 s a second for ten minutes is a minute more, and no mistake of reading positions once a second",
		},
		Check: func(c Case) Result {
			return c.eachLag(func(about Subject, s *fleet.Server, channel snapshot.Channel, lag fleet.Lag) (*Finding, *NotReady) {
				return fallingBehindOn(c, about, s, channel, lag)
			})
		},
	}
}

func fallingBehindOn(c Case, about Subject, s *fleet.Server, channel snapshot.Channel, lag fleet.Lag) (*Finding, *NotReady) {
	if lag.Last == nil || lag.Max == nil || lag.TrendRatio == nil {
		return nil, unknownLag(about, lag)
	}
	if *lag.Last < fallingBehindFloor+channel.DelaySeconds || *lag.TrendRatio < c.Rule.Threshold.Value {
		return nil, nil
	}
	f := fallingBehindFinding(c, about, s, lag)
	return &f, nil
}

func fallingBehindFinding(c Case, about Subject, s *fleet.Server, lag fleet.Lag) Finding {
	now := Evidence{What: "total lag now", Value: *lag.Last, Unit: Seconds, Source: positionsSource, Window: lag.Window}.
		against(fallingBehindFloor, "default of this rule: one transaction of some seconds makes lag grow too")
	f := Found(c.Rule, about,
		c.evidence("growth of lag, seconds a second", *lag.TrendRatio, positionsSource, lag.Window),
		append([]Evidence{now}, lagDetail(lag)...)...)
	f.Severity = High
	f.Confidence = c.confidence(0.8, lag.Window)
	f.Summary = fmt.Sprintf("%s is %s behind and falls back by %s more each minute: its source writes more than it can apply.",
		called(s), Words(*lag.Last, Seconds), Words(*lag.TrendRatio*60, Seconds))
	f.Effort = Hours
	f.remedyLag(s, lag)
	if *lag.TrendRatio >= standsStill {
		f.Summary = fmt.Sprintf("%s is %s behind and applies nothing: a lock or one large transaction holds it up.", called(s), Words(*lag.Last, Seconds))
		f.Remedy = []Step{{
			Kind: SQL, Target: called(s), Text: "SHOW FULL PROCESSLIST;", Note: "The state of the applier (system user) names what it waits for, such as a table that a backup has locked.",
		}}
		f.Rollback, f.Risks = nil, nil
	}
	f.Remedy = append(f.Remedy, Step{
		Kind: Advice, Text: "Write less, and in smaller transactions: every replica applies all of the primary's writes, so that another replica does not help.",
	})
	f.Verify = Verify{What: "growth of lag", Expect: "below zero until lag is gone", After: "ten minutes"}
	return f
}
