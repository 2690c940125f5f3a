package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strings"

	"plimsoll/collectors/metric"
	"plimsoll/collectors/snapshot"
)

// replicationSlow are the facts of a Replication that are read more rarely.
type replicationSlow struct {
	round    int
	replicas *[]snapshot.ConnectedReplica
	semiSync *snapshot.SemiSync
	gaps     []snapshot.Gap
}

// slowRounds is how many rounds pass from one reading to the next.
const slowRounds = 10

// read reads the facts if it is time, and puts them into the part.
func (s *replicationSlow) read(ctx context.Context, q *session, part *snapshot.Replication) error {
	if s.round%slowRounds == 0 {
		var fresh snapshot.Replication
		if err := readReplicas(ctx, q, &fresh); err != nil {
			return fmt.Errorf("read connected replicas: %w", err)
		}
		if err := readSemiSync(ctx, q, &fresh); err != nil {
			return fmt.Errorf("read semi-synchronous replication: %w", err)
		}
		s.replicas, s.semiSync, s.gaps = fresh.Replicas, fresh.SemiSync, fresh.Gaps
	}
	s.round++
	part.Replicas, part.SemiSync = s.replicas, s.semiSync
	part.Gaps = append(part.Gaps, s.gaps...)
	return nil
}

// The list of replicas itself (SHOW REPLICAS) wants REPLICATION SLAVE, the
// right to read every row that is written. Who reads the binary log now is seen
// with less. threads has the host without the port. MySQL 5.7; MariaDB 10.5.
const (
	selectDumps = `SELECT PROCESSLIST_HOST, PROCESSLIST_STATE FROM performance_schema.threads
		WHERE PROCESSLIST_COMMAND IN ('Binlog Dump', 'Binlog Dump GTID')`
	selectDumpsMariaDB = `SELECT HOST, STATE FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump'`
	// tryProcess is refused without PROCESS, where the process list is short
	// without a word.
	tryProcess = "SELECT 1 FROM information_schema.INNODB_TRX LIMIT 1"
)

// needProcess is for everything about other sessions.
func needProcess(fact string) need { return need{fact, "PROCESS ON *.*", "PROCESS ON *.*"} }

func readReplicas(ctx context.Context, q *session, part *snapshot.Replication) error {
	query, n := selectDumps, needPerformanceSchema("connected replicas")
	if q.identity.Family == snapshot.MariaDB && !q.on("performance_schema") {
		query, n = selectDumpsMariaDB, needProcess("connected replicas")
		err := q.each(ctx, tryProcess, func(*sql.Rows) error { return nil })
		if err != nil {
			return q.tolerate(&part.Meta, replicationJob, n, err)
		}
	}
	replicas := []snapshot.ConnectedReplica{}
	err := q.each(ctx, query, func(rows *sql.Rows) error {
		var host, state sql.NullString
		if err := rows.Scan(&host, &state); err != nil {
			return err
		}
		replicas = append(replicas, snapshot.ConnectedReplica{Address: withoutPort(host.String), State: state.String})
		return nil
	})
	if err == nil {
		part.Replicas = &replicas
	}
	return q.tolerate(&part.Meta, replicationJob, n, err)
}

// withoutPort takes away the port of the client's end, which says nothing.
func withoutPort(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// readSemiSync leaves the field nil where the server has no plugin for it.
// MySQL 8.0.26 brought new plugins with new names; MariaDB has the old ones
// built in.
func readSemiSync(ctx context.Context, q *session, part *snapshot.Replication) error {
	settings, err := q.settings(ctx, variablesAge)
	if err != nil {
		return err
	}
	status, err := q.status(ctx, statusAge)
	if err != nil {
		return err
	}
	values := map[string]float64{}
	addSemiSync(values, settings)
	addSemiSync(values, status)
	_, source := values["source_enabled"]
	_, replica := values["replica_enabled"]
	if !source && !replica {
		return nil
	}
	part.SemiSync = &snapshot.SemiSync{
		SourceEnabled: values["source_enabled"] == 1, ReplicaEnabled: values["replica_enabled"] == 1,
		SourceOn: values["source_status"] == 1, Clients: int(values["source_clients"]),
		TimeoutSeconds: values["source_timeout"] / 1000, NoTransactions: uint64(values["source_no_tx"]),
	}
	return nil
}

// addSemiSync adds what r has of the plugins, by the new names.
func addSemiSync(values map[string]float64, r *globals) {
	newNames := strings.NewReplacer("_master_", "_source_", "_slave_", "_replica_")
	for name, value := range r.values {
		name, ours := strings.CutPrefix(newNames.Replace(name), "rpl_semi_sync_")
		if number, ok := metric.Number(value); ours && ok {
			values[name] = number
		}
	}
}
