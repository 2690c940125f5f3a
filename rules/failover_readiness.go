package rules

import (
	"fmt"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// failoverReadiness finds what would make a switch to a replica fail or lose
// transactions: found at night, each of these costs an hour.
func failoverReadiness() Rule {
	return Rule{
		ID: "mysql/failover-readiness", Title: "A failover would lose data or not work",
		Phase: Cure, Needs: []string{"mysql/replication", "mysql/binlog", "mysql/identity", "mysql/settings"},
		Threshold: Threshold{
			Value: 3 * 86400, Unit: Seconds,
			Source: "default of this rule: binary logs are kept so that a replica which fails on Friday night can catch up on Monday",
		},
		Check: checkFailoverReadiness,
	}
}

func checkFailoverReadiness(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if n := c.failoverUnready(s); n != nil {
			out.add(nil, n)
		} else if faults := c.failoverFaults(s); len(faults) > 0 {
			out.Findings = append(out.Findings, failoverFinding(c, s, faults))
		}
		out.add(nil, sourceUnseen(s))
	}
	return out
}

func (c Case) failoverUnready(s *fleet.Server) *NotReady {
	about := aboutServer(s)
	if n := c.replicationUnready(s); n != nil {
		return n
	}
	if s.Role == fleet.UnknownRole {
		return c.unknown(about, s, "mysql/replication", "it is not known whether it has replicas")
	}
	if s.Latest.Binlog == nil {
		return c.unknown(about, s, "mysql/binlog", "the settings of the binary log were not read yet")
	}
	return nil
}

// fault is one thing that stands in the way of a failover.
type fault struct {
	what, state, why string
	steps, rollback  []Step
	// risk is what acting on it may bring; empty for nothing.
	risk string
	// loses is true if transactions would be lost.
	loses bool
	// measured is the evidence of a fault that has a figure.
	measured *Evidence
}

// failoverFaults are of primaries and replicas: a server that stands alone has
// nothing to fail over to, which mysql/single-point-of-failure says.
func (c Case) failoverFaults(s *fleet.Server) []fault {
	if s.Role == fleet.Standalone {
		return nil
	}
	out := logFaults(s)
	if s.Role == fleet.Replica {
		out = append(out, replicaFaults(s)...)
		out = append(out, pairFaults(s)...)
	}
	if s.Role == fleet.Primary {
		out = append(out, durabilityFaults(s)...)
	}
	if kept := s.Latest.Binlog.RetentionSeconds; kept != nil && *kept < c.Rule.Threshold.Value {
		f := retentionFault(s, *kept)
		f.measured = new(c.evidence(f.what, *kept, "binlog_expire_logs_seconds, expire_logs_days", moment(s.Latest.Binlog.Taken)))
		out = append(out, f)
	}
	return out
}

// logFaults are about the binary log, which others have to follow.
func logFaults(s *fleet.Server) []fault {
	b := s.Latest.Binlog
	switch {
	case !b.Enabled:
		return []fault{{
			what: "log_bin", state: "OFF", why: "no replica can follow it",
			steps: []Step{optionFile(s, "log_bin", "binlog", atRestart)},
		}}
	case s.Role == fleet.Replica && !b.LogReplicaUpdates:
		name := "log_slave_updates"
		if mysqlFamily(s) && atLeast(s, 8, 0, 26) {
			name = "log_replica_updates"
		}
		return []fault{{
			what: name, state: "OFF", why: "the other replicas could not follow it once it is the primary",
			steps: []Step{optionFile(s, name, "ON", atRestart)},
		}}
	case b.Format == "STATEMENT":
		return []fault{{
			what: "binlog_format", state: b.Format, why: "statements can have another effect on a replica",
			steps:    setVariable(s, "binlog_format", "'ROW'", "For new connections."),
			rollback: undoVariable(s, "binlog_format", "'STATEMENT'"),
		}}
	}
	return nil
}

// replicaFaults are what would keep a replica from being a good primary.
func replicaFaults(s *fleet.Server) []fault {
	r := s.Latest.Replication
	var out []fault
	if writable(r) {
		out = append(out, writableFault(s))
	}
	for _, channel := range r.Channels {
		if !channel.GTID {
			out = append(out, positionFault(s, channel.Name))
		}
		if channel.Filtered {
			out = append(out, fault{
				what: "replication filters", state: "on", why: "what they leave out would be missing on the new primary",
				steps: []Step{{Kind: SQL, Target: called(s), Text: showReplica(s, channel.Name), Note: "Replicate_Do_… and Replicate_Ignore_… name them."}},
			})
		}
	}
	return out
}

func writable(r *snapshot.Replication) bool {
	return r.ReadOnly != nil && !*r.ReadOnly && (r.SuperReadOnly == nil || !*r.SuperReadOnly)
}

func writableFault(s *fleet.Server) fault {
	f := fault{
		what: "read_only", state: "OFF", why: "a write to it by mistake makes it differ from its source",
		risk:     "A program that writes to the replica on purpose fails from then on: find it first.",
		steps:    setVariable(s, "read_only", "ON", "Accounts that may administer it can still write."),
		rollback: undoVariable(s, "read_only", "OFF"),
	}
	if mysqlFamily(s) && atLeast(s, 8, 0, 0) {
		f.steps = setVariable(s, "super_read_only", "ON", "It switches read_only on too.")
		f.rollback = []Step{{Kind: SQL, Target: called(s), Text: "SET PERSIST super_read_only = OFF; SET PERSIST read_only = OFF;"}}
	}
	return f
}

func positionFault(s *fleet.Server, channel string) fault {
	note := ""
	if mysqlFamily(s) {
		note = "Needs gtid_mode = ON on both servers."
	}
	step := func(on bool, note string) []Step {
		return []Step{{
			Kind: SQL, Target: called(s), Note: note,
			Text: replicaSQL(s, "STOP", "", channel) + "; " + changeSource(s, channel, on) + "; " + replicaSQL(s, "START", "", channel) + ";",
		}}
	}
	return fault{
		what: "GTID", state: "not used by the channel", why: "the other replicas cannot find their place on a new source",
		steps: step(true, note), rollback: step(false, ""),
	}
}

// durabilityFaults are what a crash of the primary's host would lose. While a
// replica confirms each commit, it has what the host loses.
func durabilityFaults(s *fleet.Server) []fault {
	var out []fault
	b, confirmed := s.Latest.Binlog, false
	if sync := semiSync(s); sync != nil && sync.SourceEnabled {
		confirmed = sync.SourceOn && sync.Clients > 0
		if !confirmed {
			out = append(out, fault{
				what: "semi-synchronous replication", state: "fallen back to asynchronous", loses: true,
				why:   "no replica confirms what is committed, so that a failover loses the last transactions",
				steps: []Step{{Kind: SQL, Target: called(s), Text: "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync%';", Note: "Look which replica stopped confirming, and why: the network, or its plugin is off."}},
			})
		}
	}
	add := func(name string, value *int64, why string) {
		if value == nil || *value == 1 {
			return
		}
		out = append(out, fault{
			what: name, state: fmt.Sprint(*value), why: why, loses: !confirmed,
			risk:     "Flushing at each commit costs write latency: look at commits a second before and after.",
			steps:    setVariable(s, name, "1", "Each commit then waits for one more flush of the disk."),
			rollback: undoVariable(s, name, fmt.Sprint(*value)),
		})
	}
	add("sync_binlog", b.SyncBinlog, "a crash of its host loses transactions that replicas may have, or not have")
	add("innodb_flush_log_at_trx_commit", b.FlushLogAtCommit, "a crash of its host loses up to a second of commits")
	return out
}

func semiSync(s *fleet.Server) *snapshot.SemiSync {
	if s.Latest.Replication == nil {
		return nil
	}
	return s.Latest.Replication.SemiSync
}

func retentionFault(s *fleet.Server, kept float64) fault {
	f := fault{
		what: "retention of the binary log", state: Words(kept, Seconds), why: "a replica that was down for a weekend cannot catch up",
	}
	f.risk = "A week of binary logs takes its disk space: look at what a day takes first."
	name, value, old := "binlog_expire_logs_seconds", "604800", fmt.Sprintf("%.0f", kept)
	if mysqlFamily(s) && !atLeast(s, 8, 0, 1) || !mysqlFamily(s) && !atLeast(s, 10, 6, 1) {
		name, value, old = "expire_logs_days", "7", fmt.Sprintf("%.0f", kept/86400)
	}
	f.steps = setVariable(s, name, value, "")
	f.rollback = undoVariable(s, name, old)
	return f
}

func failoverFinding(c Case, s *fleet.Server, faults []fault) Finding {
	var evidence []Evidence
	var names []string
	for _, x := range faults {
		names = append(names, x.what)
		evidence = append(evidence, x.evidence(moment(s.Latest.Binlog.Taken)))
	}
	f := Found(c.Rule, aboutServer(s), evidence[0], evidence[1:]...)
	f.Severity = Medium
	for _, x := range faults {
		if x.loses {
			f.Severity = High
		}
		f.Remedy = append(f.Remedy, x.steps...)
		f.Rollback = append(f.Rollback, x.rollback...)
		if x.risk != "" && !slices.Contains(f.Risks, x.risk) {
			f.Risks = append(f.Risks, x.risk)
		}
	}
	f.Confidence = Confidence{Ratio: 1}
	f.Summary = fmt.Sprintf("%s is not ready for a failover: %s.", called(s), strings.Join(names, ", "))
	f.Effort = Minutes
	f.Gain.RecoveryMinutes = Between(10, 60)
	f.Verify = Verify{What: "this finding", Expect: "gone", After: "the next round, or the restart that a setting needs"}
	return f
}

func (x fault) evidence(seen fleet.Window) Evidence {
	if x.measured != nil {
		return *x.measured
	}
	return Evidence{
		What: x.what, Unit: Text, Words: printable(x.state) + ": " + x.why, Source: "server variables and replica status", Window: seen,
	}
}
