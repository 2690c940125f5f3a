package rules

import (
	"fmt"

	"plimsoll/rules/fleet"
)

// singlePoint finds database servers that nothing can take over from.
func singlePoint() Rule {
	return Rule{
		ID: "mysql/single-point-of-failure", Title: "Nothing can take over from a database server",
		Phase: Cure, Needs: []string{"mysql/replication"},
		Threshold: Threshold{
			Value: 1, Unit: Count,
			Source: "default of this rule: one replica that runs is the least from which a site comes back in minutes",
		},
		Check: checkSinglePoint,
	}
}

func checkSinglePoint(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		switch {
		case s.Latest.Replication == nil || s.Role == fleet.UnknownRole:
			out.NotReady = append(out.NotReady, notKnownWhoFollows(c, s))
		case s.Role != fleet.Replica && !clustered(s) && followers(s) < int(c.Rule.Threshold.Value):
			out.Findings = append(out.Findings, singlePointFinding(c, s))
		}
	}
	return out
}

func notKnownWhoFollows(c Case, s *fleet.Server) NotReady {
	if s.Latest.Replication == nil {
		return *c.unready(aboutServer(s), s, "mysql/replication", nil)
	}
	return NotReady{
		Subject: aboutServer(s), Reason: "the list of connected replicas could not be read",
		Remedy: "grant PROCESS to the agent's account (docs/privileges.md)",
	}
}

// followers is the number of replicas that read its binary log now, or that
// agents report.
func followers(s *fleet.Server) int {
	n := len(s.Replicas)
	if r := s.Latest.Replication; r.Replicas != nil {
		n = max(n, len(*r.Replicas))
	}
	return n
}

func clustered(s *fleet.Server) bool {
	m := s.Latest.Membership
	return m != nil && ((m.Galera != nil && m.Galera.Size > 1) || (m.Group != nil && len(m.Group.Members) > 1))
}

func singlePointFinding(c Case, s *fleet.Server) Finding {
	at := s.Latest.Replication.Taken
	f := Found(c.Rule, aboutServer(s), c.evidence("replicas", float64(followers(s)), "SHOW PROCESSLIST, Binlog Dump; agents", fleet.Window{From: at, To: at}))
	f.Severity = High
	f.Confidence = Confidence{Ratio: 0.9, Reasons: []string{"a standby that copies files or disks is not seen"}}
	f.Summary = fmt.Sprintf("%s has no replica: if its host fails, the site is down until a backup is restored.", s.Name)
	f.Effort = Hours
	f.Gain.RecoveryMinutes = Between(30, 480)
	f.Remedy = []Step{
		{Kind: Advice, Text: "Clone a replica on another host (mariadb-backup, or MySQL's CLONE plugin), let it follow by GTID, and try a switch on a quiet day."},
		{Kind: Advice, Text: "Let the site reach the database by a name or a proxy that can be pointed at the replica."},
	}
	f.Risks = []string{"A clone reads all data once: make it in a quiet hour."}
	f.Verify = Verify{What: "replicas", Expect: "at least 1, and mysql/failover-readiness quiet", After: "a day"}
	return f
}
