package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"plimsoll/collectors/snapshot"
)

// MySQL 8.0; MEMBER_ROLE is not in 5.7.
const selectGroup = `SELECT MEMBER_ID, MEMBER_HOST, MEMBER_PORT, MEMBER_STATE, MEMBER_ROLE
	FROM performance_schema.replication_group_members WHERE MEMBER_ID <> ''`

// readMembership reads the state of Galera or Group Replication.
func readMembership(ctx context.Context, q *session, into *snapshot.Server) error {
	status, err := q.status(ctx, statusAge)
	if err != nil {
		return err
	}
	part := &snapshot.Membership{Meta: snapshot.Meta{Taken: status.at, Epoch: q.epoch()}, Galera: galera(status.values)}
	if err := readGroup(ctx, q, part); err != nil {
		return fmt.Errorf("read group members: %w", err)
	}
	into.Membership = part
	return nil
}

// galera is nil on a server outside a cluster: MariaDB has the variables also
// without a provider, and says Disconnected then.
func galera(status map[string]string) *snapshot.Galera {
	provider := status["wsrep_provider_name"]
	if provider == "" && status["wsrep_cluster_status"] != "Primary" {
		return nil
	}
	number := func(name string) float64 {
		n, _ := strconv.ParseFloat(status["wsrep_"+name], 64)
		return n
	}
	const nanosecond = 1e-9
	return &snapshot.Galera{
		Size:   int(number("cluster_size")),
		Status: status["wsrep_cluster_status"],
		Ready:  on(status["wsrep_ready"]), Connected: on(status["wsrep_connected"]),
		State: status["wsrep_local_state_comment"],
		// wsrep_flow_control_paused is a share since FLUSH STATUS; this is a sum.
		PausedSeconds:    number("flow_control_paused_ns") * nanosecond,
		ReceiveQueue:     number("local_recv_queue"),
		CertFailures:     uint64(number("local_cert_failures")),
		BruteForceAborts: uint64(number("local_bf_aborts")),
	}
}

func readGroup(ctx context.Context, q *session, part *snapshot.Membership) error {
	if !q.has("replication_group_members", "member_role") {
		return nil
	}
	var members []snapshot.GroupMember
	err := q.each(ctx, selectGroup, func(rows *sql.Rows) error {
		var m snapshot.GroupMember
		var port sql.NullInt64
		if err := rows.Scan(&m.Key, &m.Host, &port, &m.State, &m.Role); err != nil {
			return err
		}
		m.Port = uint16(port.Int64)
		members = append(members, m)
		return nil
	})
	if len(members) > 0 {
		part.Group = &snapshot.Group{Members: members}
	}
	n := need{fact: "the members of a replication group", mysql: "SELECT ON performance_schema.*"}
	return q.tolerate(&part.Meta, "mysql/membership", n, err)
}
