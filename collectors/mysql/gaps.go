package mysql

import (
	"fmt"

	"plimsoll/collectors/snapshot"
)

// needPerformanceSchema is what most facts about statements take.
func needPerformanceSchema(fact string) need {
	const grant = "SELECT ON performance_schema.*"
	return need{fact: fact, mysql: grant, mariadb: grant}
}

// digestGap says why the server's statements cannot be counted, if so.
func (q *session) digestGap() (snapshot.Gap, bool) {
	gap := snapshot.Gap{Job: "mysql/digests", Subject: q.server.cfg.Name}
	features := q.identity.Features
	switch {
	case features["performance_schema"] == snapshot.FeatureOff:
		gap.Reason, gap.Remedy = "performance_schema is off: statements are not counted", q.schemaRemedy()
	case features["digests"] == snapshot.FeatureNoPrivilege:
		gap.Reason, gap.Remedy = "the account may not read statement digests", q.grant(needPerformanceSchema(""))
	case features["digests"] != snapshot.FeatureOn:
		gap.Reason = fmt.Sprintf("this server (%s) has no statement digests", q.identity.Version)
	case features["consumer_statements_digest"] == snapshot.FeatureOff:
		gap.Reason = "the consumer statements_digest of performance_schema is off: statements are not counted"
		gap.Remedy = "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = 'statements_digest'; " +
			"and performance-schema-consumer-statements-digest = ON in the option file"
	default:
		return snapshot.Gap{}, false
	}
	return gap, true
}

// schemaRemedy is how performance_schema is switched on: it takes a restart.
func (p *probe) schemaRemedy() string {
	section, file := "[mysqld]", "/etc/mysql/mysql.conf.d/plimsoll.cnf"
	if p.identity.Family == snapshot.MariaDB {
		section, file = "[mariadb]", "/etc/mysql/mariadb.conf.d/99-plimsoll.cnf"
	}
	return fmt.Sprintf("write to %s and restart the server (about 100 MB of memory and 10 µs a statement):\n%s\nperformance_schema = ON", file, section)
}
