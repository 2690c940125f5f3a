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

// servesReads is the rate of SELECT from which a replica is taken to serve
// visitors and not just monitoring.
const servesReads = 1.0

// replicaLag finds replicas that stand behind their source for longer than
// those who read them can bear.
func replicaLag() Rule {
	return Rule{
		ID: "mysql/replica-lag", Title: "A replica stands behind its source",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs:  []string{"mysql/replication", "mysql/status"},
		Yields: []ID{"mysql/replica-stopped", "mysql/replica-falling-behind"},
		Threshold: Threshold{Value: 1, Unit: Seconds, Source: "default of this rule: a visitor who " +
			"reads a second after writing must find what was written"},
		Check: checkReplicaLag,
	}
}

func checkReplicaLag(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		for _, lag := range s.Lag {
			about := aboutChannel(s, lag.Channel)
			if n := c.lagUnready(about, s, lag); n != nil {
				out.NotReady = append(out.NotReady, *n)
				continue
			}
			if limit := lagLimit(c, s); *lag.P99 > limit {
				out.Findings = append(out.Findings, lagFinding(c, about, s, lag, limit))
			}
		}
	}
	return out
}

func (c Case) lagUnready(about Subject, s *fleet.Server, lag fleet.Lag) *NotReady {
	if n := c.unready(about, s, "mysql/replication", &lag.Window); n != nil {
		return n
	}
	if lag.P99 == nil {
		return &NotReady{Subject: about, Reason: "lag is not known: " + lag.Unknown}
	}
	return nil
}

// lagLimit is the rule's threshold for a replica that serves reads.
func lagLimit(c Case, s *fleet.Server) float64 {
	if selects, known := s.Status.Rate("com_select"); known && selects < servesReads {
		return max(idleReplicaLag, c.Rule.Threshold.Value)
	}
	return c.Rule.Threshold.Value
}

func lagFinding(c Case, about Subject, s *fleet.Server, lag fleet.Lag, limit float64) Finding {
	p99 := c.evidence("total lag, 99th percentile of seconds", *lag.P99,
		"executed positions of source and replica, each second", lag.Window)
	p99.Threshold = &limit
	f := Found(c.Rule, about, p99, lagDetail(lag)...)
	f.Severity = Medium
	if *lag.P99 > 10*limit {
		f.Severity = High
	}
	f.Confidence = c.confidence(0.9, lag.Window)
	f.Summary = fmt.Sprintf("%s stands %s behind its source in one second of a hundred, and %s at worst.",
		s.Name, Words(*lag.P99, Seconds), Words(*lag.Max, Seconds))
	f.Effort = Hours
	f.Remedy = lagRemedy(s)
	f.Rollback = []Step{{Kind: Advice, Text: "Set the variables back to the values shown as evidence of this report."}}
	f.Risks = []string{"Parallel appliers commit in another order on the replica unless commit order is preserved."}
	f.Verify = Verify{
		What: "total lag, 99th percentile", Expect: "below " + Words(limit, Seconds), After: "one busy hour",
	}
	return f
}

func lagDetail(lag fleet.Lag) []Evidence {
	source := "executed positions of source and replica, each second"
	out := []Evidence{{What: "total lag, largest", Value: *lag.Max, Unit: Seconds, Source: source, Window: lag.Window}}
	if lag.TransportP99 != nil {
		out = append(out, Evidence{
			What: "of it before the replica received the transaction, 99th percentile", Value: *lag.TransportP99,
			Unit: Seconds, Source: "received positions of the replica, each second", Window: lag.Window,
		})
	}
	return out
}

// lagRemedy makes the applier parallel: one thread cannot keep up with many
// that write on the source.
func lagRemedy(s *fleet.Server) []Step {
	if id := s.Latest.Identity; id != nil && id.Family == snapshot.MariaDB {
		return []Step{
			{Kind: SQL, Target: s.Name, Text: "STOP REPLICA SQL_THREAD; SET GLOBAL slave_parallel_threads = 4, " +
				"GLOBAL slave_parallel_mode = 'optimistic'; START REPLICA SQL_THREAD;", Note: "Lasts until the server restarts."},
			{Kind: Config, Target: s.Name, Text: "[mariadb]\nslave_parallel_threads = 4\nslave_parallel_mode = optimistic"},
		}
	}
	return []Step{
		{Kind: SQL, Target: s.Name, Text: "STOP REPLICA SQL_THREAD; SET PERSIST replica_parallel_workers = 4, " +
			"PERSIST replica_preserve_commit_order = ON; START REPLICA SQL_THREAD;"},
	}
}

func aboutChannel(s *fleet.Server, channel string) Subject {
	about := aboutServer(s)
	about.Kind = OfChannel
	if channel != "" {
		about.Part += "/" + channel
	}
	return about
}
