package rules

import (
	"fmt"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// idleReplicaLag is the limit for a replica that serves no reads: it only has to
// be near enough to take over.
//
// Percona's and Coroot's checks both warn at 30 s.
const idleReplicaLag = 30.0

// positionsSource is where lag comes from: nothing is written for it.
const positionsSource = "executed positions of source and replica, each second"

// replicaLag finds replicas that stand behind their source for longer than
// those who read them can bear.
func replicaLag() Rule {
	return Rule{
		ID: "mysql/replica-lag", Title: "A replica stands behind its source",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs:  []string{"mysql/replication", "mysql/digests"},
		Yields: []ID{"mysql/replica-stopped", "mysql/replica-falling-behind"},
		Threshold: Threshold{
			Value: 1, Unit: Seconds,
			Source: "default of this rule: a visitor who reads a second after writing must find what was written",
		},
		Check: func(c Case) Result {
			return c.eachLag(func(about Subject, s *fleet.Server, channel snapshot.Channel, lag fleet.Lag) (*Finding, *NotReady) {
				return replicaLagOn(c, about, s, channel, lag)
			})
		},
	}
}

func replicaLagOn(c Case, about Subject, s *fleet.Server, channel snapshot.Channel, lag fleet.Lag) (*Finding, *NotReady) {
	if lag.P99 == nil || lag.Max == nil {
		return nil, unknownLag(about, lag)
	}
	if *lag.P99 < lagLimit(c, s)+channel.DelaySeconds {
		return nil, nil
	}
	f := lagFinding(c, about, s, channel, lag)
	return &f, nil
}

// lagLimit is the rule's threshold for a replica that serves reads, or may do so.
func lagLimit(c Case, s *fleet.Server) float64 {
	if rate, known := readRate(s); known && rate < servesReads {
		return max(idleReplicaLag, c.Rule.Threshold.Value)
	}
	return c.Rule.Threshold.Value
}

func lagFinding(c Case, about Subject, s *fleet.Server, channel snapshot.Channel, lag fleet.Lag) Finding {
	limit, wanted, source := lagLimit(c, s), channel.DelaySeconds, c.Rule.Threshold.Source
	if limit != c.Rule.Threshold.Value {
		source = "a replica that serves no reads only has to be near enough to take over; Percona's and Coroot's checks warn at 30 s"
	}
	if wanted > 0 {
		source += "; beyond the " + Words(wanted, Seconds) + " that are wanted (SQL_Delay)"
	}
	p99 := c.evidence("total lag, 99th percentile of seconds", *lag.P99, positionsSource, lag.Window).against(limit+wanted, source)
	f := Found(c.Rule, about, p99, lagDetail(lag)...)
	f.Severity = Medium
	if *lag.P99-wanted >= 10*limit {
		f.Severity = High
	}
	f.Confidence = c.confidence(0.9, lag.Window)
	f.Summary = fmt.Sprintf("%s stands %s or more behind its source in one second of a hundred, and %s at worst.",
		called(s), Words(*lag.P99, Seconds), Words(*lag.Max, Seconds))
	f.Effort = Hours
	f.remedyLag(s, lag)
	f.Verify = Verify{What: "total lag, 99th percentile", Expect: "below " + Words(limit+wanted, Seconds), After: "one busy hour"}
	return f
}
