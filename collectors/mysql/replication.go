package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// replicationJobs are the jobs around replication and the binary log.
func (s *Server) replicationJobs() []collectors.Job {
	r := &replicationReader{channels: newChannelMemories(s.cfg.Name)}
	replication := s.job(replicationJob, time.Second, r.read)
	replication.Timeout = 5 * time.Second
	return []collectors.Job{
		replication,
		{
			Name: "mysql/lag_totals", Server: s.cfg.Name, Every: 10 * time.Second, Timeout: time.Second,
			Collector: r.channels,
		},
		s.job("mysql/binlog", time.Minute, readBinlog),
		s.job("mysql/membership", 10*time.Second, readMembership),
	}
}

const replicationJob = "mysql/replication"

// replicationReader reads, once a second and without writing anything, how far
// a server has come and how its channels fare.
type replicationReader struct {
	clock    clock
	ring     positionRing
	slow     replicationSlow
	channels *channelMemories
	// none is when the server last said that it has no channel at all.
	none time.Time
}

func (r *replicationReader) read(ctx context.Context, q *session, into *snapshot.Server) error {
	part := &snapshot.Replication{Meta: snapshot.Meta{Epoch: q.epoch()}}
	position, err := r.readPosition(ctx, q, part)
	if err != nil {
		return fmt.Errorf("read position: %w", err)
	}
	rows, err := r.lookForChannels(ctx, q, part)
	if err != nil {
		return fmt.Errorf("read replication status: %w", err)
	}
	listed := len(part.Gaps) == 0
	if len(part.Channels) > 0 {
		if err := readAppliers(ctx, q, part, rows); err != nil {
			return fmt.Errorf("read appliers: %w", err)
		}
	}
	if err := r.slow.read(ctx, q, part); err != nil {
		return err
	}
	part.Taken = time.Now()
	r.channels.look(part, rows, listed)
	into.Replication = part
	return r.addPosition(ctx, q, into, position, rows)
}

// The server's own time zone plays no part in UTC_TIMESTAMP.
const (
	selectPositionMySQL   = "SELECT UTC_TIMESTAMP(6), @@GLOBAL.read_only, @@GLOBAL.super_read_only, @@GLOBAL.gtid_executed"
	selectPositionMariaDB = "SELECT UTC_TIMESTAMP(6), @@GLOBAL.read_only, NULL, @@GLOBAL.gtid_slave_pos, @@GLOBAL.gtid_binlog_pos"
)

// readPosition reads the server's clock, mode and GTIDs in one round trip, so
// that the time belongs to the position.
func (r *replicationReader) readPosition(ctx context.Context, q *session, part *snapshot.Replication) (snapshot.Position, error) {
	var at, readOnly string
	var superReadOnly sql.NullString
	var position snapshot.Position
	query, targets := selectPositionMySQL, []any{&at, &readOnly, &superReadOnly, &position.GTID}
	if q.identity.Family == snapshot.MariaDB {
		query, targets = selectPositionMariaDB, append(targets, &position.Written)
	}
	sent := time.Now()
	if err := q.one(ctx, query, targets); err != nil {
		return position, err
	}
	answered := time.Now()
	var err error
	if position.Time, err = time.Parse("2006-01-02 15:04:05.999999", at); err != nil {
		return position, err
	}
	r.clock.add(sent, answered, position.Time)
	part.ReadOnly = optional(on(readOnly), true)
	part.SuperReadOnly = optional(on(superReadOnly.String), superReadOnly.Valid)
	return position, nil
}

// on reads a variable that is a number in SELECT and a word in SHOW. read_only
// of MariaDB 12 has more values, which all deny writes.
func on(value string) bool { return value != "0" && value != "OFF" && value != "" }

// needReplicaStatus is refused on MariaDB to who has REPLICATION CLIENT only.
func needReplicaStatus() need {
	return need{fact: "the replica status", mysql: "REPLICATION CLIENT ON *.*", mariadb: "SLAVE MONITOR ON *.*"}
}

// Statements for the replica status, in the order of preference. MariaDB's SHOW
// REPLICA STATUS hides named connections.
const (
	showReplicaStatus = "SHOW REPLICA STATUS"    // MySQL 8.0.22
	showSlaveStatus   = "SHOW SLAVE STATUS"      // MySQL until 8.3
	showAllSlaves     = "SHOW ALL SLAVES STATUS" // every MariaDB
)

// channelless is how long a server that replicates nothing is not asked again.
const channelless = 10 * time.Second

// lookForChannels fills part.Channels and returns the rows by channel.
func (r *replicationReader) lookForChannels(ctx context.Context, q *session, part *snapshot.Replication) (map[string]channelRow, error) {
	if time.Since(r.none) < channelless {
		return nil, nil
	}
	rows, err := r.readChannels(ctx, q, part)
	if err == nil && len(rows) == 0 && len(part.Gaps) == 0 {
		r.none = time.Now()
	}
	return rows, err
}

// readChannels fills part.Channels and returns the rows by channel.
func (r *replicationReader) readChannels(ctx context.Context, q *session, part *snapshot.Replication) (map[string]channelRow, error) {
	rows := map[string]channelRow{}
	scan := func(row map[string]string) error {
		kept := channelRow(maps.Clone(row)) // row is valid during the call only
		channel := kept.channel(q.identity.Family)
		rows[channel.Name] = kept
		part.Channels = append(part.Channels, channel)
		return nil
	}
	statements := []string{showReplicaStatus, showSlaveStatus}
	if q.identity.Family == snapshot.MariaDB {
		statements = []string{showAllSlaves}
	}
	var err error
	for _, statement := range statements {
		if err = q.eachMap(ctx, statement, scan); featureOf(err) != snapshot.FeatureUnsupported {
			break
		}
	}
	return rows, q.tolerate(&part.Meta, replicationJob, needReplicaStatus(), err)
}

// tolerate turns a refusal into a gap of the part and passes on other errors.
func (q *session) tolerate(part *snapshot.Meta, job string, n need, err error) error {
	gap, refused := q.gap(job, n, err)
	if !refused {
		return err
	}
	part.Gaps = append(part.Gaps, gap)
	return nil
}

const (
	showBinaryLogStatus = "SHOW BINARY LOG STATUS" // MySQL 8.2
	showMasterStatus    = "SHOW MASTER STATUS"     // MySQL until 8.3
)

// addPosition publishes the ring. A server without a binary log that replicates
// nothing has no place in any replication, and no positions.
func (r *replicationReader) addPosition(ctx context.Context, q *session, into *snapshot.Server, p snapshot.Position, rows map[string]channelRow) error {
	if !on(q.variables["log_bin"]) && len(rows) == 0 {
		return nil
	}
	part := &snapshot.Positions{Meta: snapshot.Meta{Taken: time.Now(), Epoch: q.epoch()}}
	if q.identity.Family == snapshot.MySQL && p.GTID == "" {
		if err := readFilePosition(ctx, q, part, &p); err != nil {
			return err
		}
		for _, c := range into.Replication.Channels {
			p.Executed = append(p.Executed, rows[c.Name].execution(c.Name))
		}
	}
	p.Received = received(p.GTID, rows)
	r.ring.add(p)
	part.Ring = r.ring.view()
	best, _ := r.clock.best()
	part.ClockOffsetSeconds, part.ClockErrorSeconds = best.offset.Seconds(), best.within.Seconds()
	if gap, short := r.ring.gap(replicationJob, q.server.cfg.Name, p); short {
		part.Gaps = append(part.Gaps, gap)
	}
	into.Positions = part
	return nil
}

// received is what all channels together had received: Retrieved_Gtid_Set, which
// starts anew with the relay log, and so is joined with what was executed;
// MariaDB: Gtid_IO_Pos, which is empty on channels that do not use GTIDs.
func received(executed string, rows map[string]channelRow) string {
	var texts []string
	for _, row := range rows {
		for _, text := range []string{row["Retrieved_Gtid_Set"], row["Gtid_IO_Pos"]} {
			if text != "" {
				texts = append(texts, text)
			}
		}
	}
	slices.Sort(texts)
	all := strings.Join(texts, ",")
	fetched, err := snapshot.ParseGTIDSet(all)
	if err != nil || fetched.Empty() {
		return ""
	}
	// Mostly everything was executed too; one text for both saves memory.
	if done, err := snapshot.ParseGTIDSet(executed); err == nil && done.Contains(fetched) {
		return executed
	}
	return all + "," + executed
}

func readFilePosition(ctx context.Context, q *session, part *snapshot.Positions, p *snapshot.Position) error {
	if !on(q.variables["log_bin"]) {
		return nil
	}
	scan := func(row map[string]string) error {
		p.File = row["File"]
		_, err := fmt.Sscan(row["Position"], &p.Offset)
		return err
	}
	err := q.eachMap(ctx, showBinaryLogStatus, scan)
	if featureOf(err) == snapshot.FeatureUnsupported {
		err = q.eachMap(ctx, showMasterStatus, scan)
	}
	n := need{fact: "the position of the binary log", mysql: "REPLICATION CLIENT ON *.*"}
	return q.tolerate(&part.Meta, replicationJob, n, err)
}
