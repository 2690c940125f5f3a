package rules

import (
	"fmt"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// replicaStopped finds channels that replicate nothing: what their source writes
// is not on the replica, and its lag is unknown and grows.
func replicaStopped() Rule {
	return Rule{
		ID: "mysql/replica-stopped", Title: "A replica has stopped replicating",
		Phase: Cure, Needs: []string{"mysql/replication"},
		Threshold: Threshold{
			Value: 0, Unit: Count,
			Source: "default of this rule: a channel that exists is meant to run",
		},
		Check: checkReplicaStopped,
	}
}

func checkReplicaStopped(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		r := s.Latest.Replication
		if r == nil {
			if n := c.unready(aboutServer(s), s, "mysql/replication", nil); n != nil {
				out.NotReady = append(out.NotReady, *n)
			}
			continue
		}
		for _, channel := range r.Channels {
			if stopped(channel.State) {
				out.Findings = append(out.Findings, stoppedFinding(c, s, channel))
			}
		}
	}
	return out
}

func stopped(state snapshot.LagState) bool {
	return state == snapshot.LagIODown || state == snapshot.LagSQLDown || state == snapshot.LagError
}

func stoppedFinding(c Case, s *fleet.Server, channel snapshot.Channel) Finding {
	at := s.Latest.Replication.Taken
	seen := fleet.Window{From: at, To: at}
	state := func(what, words, source string) Evidence {
		return Evidence{What: what, Unit: Text, Words: words, Source: source, Window: seen}
	}
	f := Found(c.Rule, aboutChannel(s, channel.Name),
		state("state of the channel", string(channel.State), "SHOW REPLICA STATUS"),
		state("receiver", channel.IORunning, "SHOW REPLICA STATUS, Replica_IO_Running"),
		state("applier", channel.SQLRunning, "SHOW REPLICA STATUS, Replica_SQL_Running"),
	)
	f.Severity = Critical
	f.Confidence = Confidence{Ratio: 1}
	f.Summary = fmt.Sprintf("%s replicates nothing from %s:%d (%s): it serves old data, and cannot take over.",
		s.Name, channel.SourceHost, channel.SourcePort, channel.State)
	f.Effort = Minutes
	f.addError(channel, seen)
	f.Remedy = stoppedRemedy(s, channel)
	f.Risks = []string{"Skipping the transaction that failed leaves the replica different from its source for good."}
	f.Verify = Verify{What: "state of the channel", Expect: "ok, and lag falling", After: "a minute"}
	return f
}

func (f *Finding) addError(channel snapshot.Channel, seen fleet.Window) {
	number := channel.SQLErrno
	if number == 0 {
		number = channel.IOErrno
	}
	if number == 0 {
		return
	}
	f.Evidence = append(f.Evidence, Evidence{
		What: "last error", Unit: Text, Words: fmt.Sprintf("%d: %s", number, channel.LastError),
		Source: "SHOW REPLICA STATUS, Last_IO_Errno and Last_SQL_Errno", Window: seen,
	})
}

func stoppedRemedy(s *fleet.Server, channel snapshot.Channel) []Step {
	start := Step{Kind: SQL, Target: s.Name, Text: "START REPLICA;", Note: "If somebody stopped it on purpose, ask first."}
	if channel.State != snapshot.LagError {
		return []Step{start}
	}
	return []Step{
		{Kind: SQL, Target: s.Name, Text: "SHOW REPLICA STATUS\\G", Note: "Read the error in full: Plimsoll shows it without its values."},
		{Kind: Advice, Text: "Mend the cause (a row or table that differs, a full disk, a missing grant), or clone the replica anew from its source."},
		start,
	}
}
