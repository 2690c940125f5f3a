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
			Source: "default of this rule: one replica is the least from which a site comes back in minutes",
		},
		Check: func(c Case) Result {
			return each(c.writers(), func(s *fleet.Server) (*Finding, *NotReady) { return singlePointOn(c, s) })
		},
	}
}

func singlePointOn(c Case, s *fleet.Server) (*Finding, *NotReady) {
	n := followers(s)
	if float64(n) >= c.Rule.Threshold.Value || clustered(s) {
		return nil, nil
	}
	if unready := c.replicationUnready(s); unready != nil {
		return nil, unready
	}
	if s.Role == fleet.UnknownRole {
		return nil, c.unknown(aboutServer(s), s, "mysql/replication", "the list of connected replicas could not be read")
	}
	f := singlePointFinding(c, s, n)
	return &f, nil
}

func singlePointFinding(c Case, s *fleet.Server, n int) Finding {
	seen := moment(s.Latest.Replication.Taken)
	f := Found(c.Rule, aboutServer(s), c.evidence("replicas", float64(n), "process list, Binlog Dump; agents", seen))
	f.Severity = High
	f.Confidence = Confidence{Ratio: 0.9, Reasons: []string{"a standby that copies files or disks is not seen"}}
	if id := s.Latest.Identity; id != nil && id.Remote {
		f.Confidence = Confidence{Ratio: 0.5, Reasons: []string{"a provider's standby for a managed database is not seen"}}
	}
	f.Summary = fmt.Sprintf("%s has no replica: if its host fails, the site is down until a backup is restored.", called(s))
	if n > 0 {
		f.Summary = fmt.Sprintf("%s has %d of the %s replicas that are wanted.", called(s), n, Words(c.Rule.Threshold.Value, Count))
	}
	f.Effort = Hours
	f.Gain.RecoveryMinutes = Between(30, 480)
	f.Remedy = []Step{cloneStep(s), {
		Kind: Advice, Text: "Let the site reach the database by a name or a proxy that can be pointed at the replica, and try a switch on a quiet day.",
	}}
	f.Risks = []string{"A clone reads all data once: make it in a quiet hour."}
	f.Verify = Verify{What: "replicas", Expect: fmt.Sprintf("at least %s, and mysql/failover-readiness quiet", Words(c.Rule.Threshold.Value, Count)), After: "a day"}
	return f
}

// cloneStep is the beginning of the way to a replica, in the family's own tool.
func cloneStep(s *fleet.Server) Step {
	follow := "Then let it follow by GTID."
	if mysqlFamily(s) && atLeast(s, 8, 0, 17) {
		return Step{
			Kind: SQL, Target: "the new replica", Text: "CLONE INSTANCE FROM 'clone'@'source':3306 IDENTIFIED BY '…';",
			Note: "On another host, with the clone plugin on both and BACKUP_ADMIN for the account. " + follow,
		}
	}
	tool, unpack := "mariadb-backup", "mbstream"
	if mysqlFamily(s) {
		tool, unpack = "xtrabackup", "xbstream"
	}
	return Step{
		Kind: Command, Target: called(s), Text: tool + " --backup --stream=xbstream | ssh replica '" + unpack + " -x -C /var/lib/mysql'",
		Note: "For a new server on another host; prepare the copy there with --prepare. " + follow,
	}
}
