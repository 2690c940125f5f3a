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
			Value: 1, Unit: Count,
			Source: "default of this rule: a channel that exists is meant to run, so that one is enough",
		},
		Check: checkReplicaStopped,
	}
}

func checkReplicaStopped(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if n := c.replicationUnready(s); n != nil {
			out.add(nil, n)
			continue
		}
		var stopped []snapshot.Channel
		for _, channel := range s.Latest.Replication.Channels {
			if halted(channel.State) {
				stopped = append(stopped, channel)
			}
		}
		if float64(len(stopped)) < c.Rule.Threshold.Value {
			continue
		}
		for _, channel := range stopped {
			out.Findings = append(out.Findings, stoppedFinding(c, s, channel))
		}
	}
	return out
}

func halted(state snapshot.LagState) bool {
	return state == snapshot.LagIODown || state == snapshot.LagSQLDown || state == snapshot.LagError
}

func stoppedFinding(c Case, s *fleet.Server, channel snapshot.Channel) Finding {
	seen := moment(s.Latest.Replication.Taken)
	state := func(what, words, source string) Evidence {
		return Evidence{What: what, Unit: Text, Words: printable(words), Source: source, Window: seen}
	}
	f := Found(c.Rule, aboutChannel(s, channel.Name),
		state("state of the channel", string(channel.State), "replica status"),
		state("receiver", channel.IORunning, "replica status, Replica_IO_Running"),
		state("applier", channel.SQLRunning, "replica status, Replica_SQL_Running"),
	)
	f.Severity = Critical
	f.Confidence = Confidence{Ratio: 1}
	f.Summary = fmt.Sprintf("%s replicates nothing from %s:%d (%s): it serves old data, and cannot take over.",
		called(s), printable(channel.SourceHost), channel.SourcePort, channel.State)
	f.Effort = Minutes
	number := channel.SQLErrno
	if number == 0 {
		number = channel.IOErrno
	}
	if number != 0 {
		f.Evidence = append(f.Evidence, state("last error", fmt.Sprintf("%d: %s", number, channel.LastError), "replica status, Last_IO_Errno and Last_SQL_Errno"))
	}
	f.remedyStopped(s, channel, number)
	f.Risks = []string{"Skipping the transaction that failed leaves the replica different from its source for good."}
	f.Verify = Verify{What: "state of the channel", Expect: "ok, and lag falling", After: "a minute"}
	return f
}

// remedyStopped mends the cause first where there was an error: a replica that
// is started again without would stop again.
func (f *Finding) remedyStopped(s *fleet.Server, channel snapshot.Channel, number int) {
	start := Step{Kind: SQL, Target: called(s), Text: replicaSQL(s, "START", "", channel.Name) + ";"}
	if number == 0 {
		start.Note = "If somebody stopped it on purpose, such as for a backup, ask first."
		f.Remedy = []Step{start}
		return
	}
	f.Remedy = []Step{
		{Kind: SQL, Target: called(s), Text: showReplica(s, channel.Name), Note: "Read the error in full: Plimsoll shows it without its values."},
		{Kind: Advice, Text: causeOf(number)},
		start,
	}
}

// causeOf says what to do about an error of replication. The numbers are those of
// both families' error references.
func causeOf(number int) string {
	switch number {
	case 1032, 1062:
		return "A row differs from the source: compare the table on both (pt-table-checksum), mend it, and find out who writes to the replica."
	case 1050, 1051, 1054, 1060, 1061, 1091, 1146:
		return "A table differs from the source's: somebody changed structure on one of the two; bring them together."
	case 1236, 13114:
		return "The source no longer has the binary logs that it needs: clone the replica anew, and keep binary logs for longer."
	case 1045, 1130, 1227:
		return "The source does not let it in: mend the account, its password or its grants for this replica's address."
	case 2002, 2003, 2005, 2006, 2013, 2026:
		return "It cannot reach its source: look at the network, the name, the firewall and the certificates between the two."
	case 1021, 1114, 3675:
		return "A disk is full on the replica: make room."
	}
	return "Mend the cause that the error names, or clone the replica anew from its source."
}
