package mysql

import (
	"fmt"
	"strconv"

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

// gaps are what a round could not tell. unplaced are calls that nobody could tell
// apart, because the digest table is full.
func (d *digestJob) gaps(q *session, c change, digests *snapshot.Digests, active int, unplaced uint64, textErr error) []snapshot.Gap {
	var gaps []snapshot.Gap
	add := func(reason, remedy string) {
		gaps = append(gaps, snapshot.Gap{Job: "mysql/digests", Subject: q.server.cfg.Name, Reason: reason, Remedy: remedy})
	}
	if c.reset {
		add("the digest table was emptied since the last read: statements that ran between the two are not counted",
			"let nothing TRUNCATE performance_schema."+digestSummary+"; if it fills up, raise performance_schema_digests_size")
	}
	if unplaced > 0 {
		add(fmt.Sprintf("the digest table is full: %d statements since the last read could not be told apart", unplaced),
			fmt.Sprintf("performance_schema_digests_size = %d in the option file, and restart the server", 2*max(digests.Capacity, 5000)))
	}
	if textErr != nil {
		add("the texts of new statements could not be read in this round; they count as soon as they can", "")
	}
	if active > len(digests.Rows) {
		add(fmt.Sprintf("%d of %d statements are listed, by time", len(digests.Rows), active), "")
	}
	if digests.Used >= maxRows {
		add(fmt.Sprintf("only the first %d digests of the server's table are read", maxRows),
			"performance_schema_digests_size = "+strconv.Itoa(snapshot.MaxDigests))
	}
	return gaps
}
