package rules

import (
	"fmt"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// failoverReadiness finds what would make a switch to a replica fail or lose
// transactions: found at night, each of these costs an hour.
func failoverReadiness() Rule {
	return Rule{
		ID: "mysql/failover-readiness", Title: "A failover would lose data or not work",
		Phase: Cure, Needs: []string{"mysql/replication", "mysql/binlog"},
		Threshold: Threshold{
			Value: 0, Unit: Count,
			Source: "default of this rule: each fault by itself makes a failover fail or lose data",
		},
		Check: checkFailoverReadiness,
	}
}

func checkFailoverReadiness(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if s.Role != fleet.Primary && s.Role != fleet.Replica {
			continue
		}
		if s.Latest.Binlog == nil {
			out.NotReady = append(out.NotReady, *c.unready(aboutServer(s), s, "mysql/binlog", nil))
			continue
		}
		if faults := failoverFaults(s); len(faults) > 0 {
			out.Findings = append(out.Findings, failoverFinding(c, s, faults))
		}
	}
	return out
}

// fault is one thing that stands in the way of a failover.
type fault struct {
	what, state, why string
	step             Step
	rollback         string
	// loses is true if transactions would be lost.
	loses bool
}

func failoverFaults(s *fleet.Server) []fault {
	var out []fault
	add := func(is bool, f fault) {
		if is {
			f.step.Target = s.Name
			out = append(out, f)
		}
	}
	b, r := s.Latest.Binlog, s.Latest.Replication
	replica := s.Role == fleet.Replica
	add(!b.Enabled, fault{
		what: "log_bin", state: "OFF", why: "no replica can follow it",
		step: Step{Kind: Config, Text: "[mysqld]\nlog_bin = binlog", Note: "Takes effect at the next restart."},
	})
	add(b.Enabled && replica && !b.LogReplicaUpdates, fault{
		what: "log_replica_updates", state: "OFF", why: "the other replicas could not follow it once it is the primary",
		step: Step{Kind: Config, Text: "[mysqld]\nlog_slave_updates = ON", Note: "Takes effect at the next restart."},
	})
	add(replica && !readOnly(r), fault{
		what: "read_only", state: "OFF", why: "a write to it by mistake makes it differ from its source",
		step: readOnlyStep(s), rollback: "SET GLOBAL read_only = OFF;",
	})
	add(replica && !usesGTID(r), fault{
		what: "GTID", state: "not used by the channel", why: "the other replicas cannot find their place on a new source",
		step: gtidStep(s),
	})
	add(b.Enabled && b.Format != "" && b.Format != "ROW", fault{
		what: "binlog_format", state: b.Format, why: "statements can have another effect on a replica",
		step: Step{Kind: SQL, Text: "SET GLOBAL binlog_format = 'ROW';", Note: "For new connections; write it into the configuration too."}, rollback: fmt.Sprintf("SET GLOBAL binlog_format = '%s';", sqlWord(b.Format)),
	})
	add(s.Role == fleet.Primary && b.SyncBinlog != nil && *b.SyncBinlog != 1, fault{
		what: "sync_binlog", state: number(b.SyncBinlog), why: "a crash of its host loses transactions that clients were told are safe", loses: true,
		step: Step{Kind: SQL, Text: "SET GLOBAL sync_binlog = 1;", Note: "Each commit then waits for one more flush of the disk."}, rollback: "SET GLOBAL sync_binlog = " + number(b.SyncBinlog) + ";",
	})
	add(s.Role == fleet.Primary && b.FlushLogAtCommit != nil && *b.FlushLogAtCommit != 1, fault{
		what: "innodb_flush_log_at_trx_commit", state: number(b.FlushLogAtCommit), why: "a crash of its host loses up to a second of commits", loses: true,
		step: Step{Kind: SQL, Text: "SET GLOBAL innodb_flush_log_at_trx_commit = 1;"}, rollback: "SET GLOBAL innodb_flush_log_at_trx_commit = " + number(b.FlushLogAtCommit) + ";",
	})
	add(b.RetentionSeconds != nil && *b.RetentionSeconds > 0 && *b.RetentionSeconds < minRetention, fault{
		what: "retention of the binary log", state: Words(value(b.RetentionSeconds), Seconds), why: "a replica that was down for a weekend cannot catch up",
		step: retentionStep(s),
	})
	return out
}

// minRetention is three days: a replica that fails on Friday night is mended on
// Monday.
const minRetention = 3 * 86400.0

func failoverFinding(c Case, s *fleet.Server, faults []fault) Finding {
	at := s.Latest.Binlog.Taken
	seen := fleet.Window{From: at, To: at}
	var evidence []Evidence
	var names []string
	for _, x := range faults {
		names = append(names, x.what)
		evidence = append(evidence, Evidence{
			What: x.what, Unit: Text, Words: x.state + ": " + x.why, Source: "server variables and SHOW REPLICA STATUS", Window: seen,
		})
	}
	f := Found(c.Rule, aboutServer(s), evidence[0], evidence[1:]...)
	f.Severity = Medium
	for _, x := range faults {
		if x.loses {
			f.Severity = High
		}
		f.Remedy = append(f.Remedy, x.step)
		if x.rollback != "" {
			f.Rollback = append(f.Rollback, Step{Kind: SQL, Target: s.Name, Text: x.rollback})
		}
	}
	f.Confidence = Confidence{Ratio: 1}
	f.Summary = fmt.Sprintf("%s is not ready for a failover: %s.", s.Name, strings.Join(names, ", "))
	f.Effort = Minutes
	f.Gain.RecoveryMinutes = Between(10, 60)
	f.Risks = []string{"Flushing at each commit costs write latency: look at commits a second before and after."}
	f.Verify = Verify{What: "this finding", Expect: "gone", After: "the next round, or the restart that a setting needs"}
	return f
}

func readOnly(r *snapshot.Replication) bool {
	return r == nil || r.ReadOnly == nil || *r.ReadOnly || (r.SuperReadOnly != nil && *r.SuperReadOnly)
}

func usesGTID(r *snapshot.Replication) bool {
	if r == nil {
		return true
	}
	for _, channel := range r.Channels {
		if !channel.GTID {
			return false
		}
	}
	return true
}

func readOnlyStep(s *fleet.Server) Step {
	if mysqlFamily(s) {
		return Step{Kind: SQL, Text: "SET PERSIST super_read_only = ON;"}
	}
	return Step{Kind: SQL, Text: "SET GLOBAL read_only = ON;", Note: "Write read_only = ON into the configuration too."}
}

func gtidStep(s *fleet.Server) Step {
	if mysqlFamily(s) {
		return Step{Kind: SQL, Text: "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 1; START REPLICA;",
			Note: "Needs gtid_mode = ON on both servers."}
	}
	return Step{Kind: SQL, Text: "STOP REPLICA; CHANGE MASTER TO MASTER_USE_GTID = slave_pos; START REPLICA;"}
}

func retentionStep(s *fleet.Server) Step {
	if mysqlFamily(s) {
		return Step{Kind: SQL, Text: "SET PERSIST binlog_expire_logs_seconds = 604800;", Note: "Needs disk space for a week of binary logs."}
	}
	return Step{Kind: SQL, Text: "SET GLOBAL binlog_expire_logs_seconds = 604800;", Note: "Needs disk space for a week of binary logs; write it into the configuration too."}
}

// sqlWord keeps letters only: what a server states is not trusted inside a
// statement to copy.
func sqlWord(s string) string {
	return strings.Map(func(r rune) rune {
		if (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return -1
		}
		return r
	}, s)
}

func number(v *int64) string {
	if v == nil {
		return "not known"
	}
	return fmt.Sprint(*v)
}

func value(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}
