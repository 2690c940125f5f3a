package mysql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"plimsoll/collectors/snapshot"
)

const deadlocksJob = "mysql/deadlocks"

// deadlockReader counts deadlocks, and reads the last one when there are new
// ones: the server describes no other. Those between two rounds are counted
// only.
type deadlockReader struct {
	server *Server
	able   *abilities

	deadlockState
	// unread says why the last one could not be read.
	unread string
	events []snapshot.Event
}

// deadlockState is what outlives the agent.
type deadlockState struct {
	Epoch string `json:"epoch"`
	// Known is false before the first round, whose last deadlock may be old.
	Known bool                    `json:"known"`
	Total uint64                  `json:"total"`
	Pairs []snapshot.DeadlockPair `json:"pairs"`
	// ID is the last one's, Last what may be told of it.
	ID   string             `json:"id"`
	Last *snapshot.Deadlock `json:"last,omitempty"`
}

func newDeadlockReader(s *Server, able *abilities) *deadlockReader {
	return &deadlockReader{server: s, able: able, deadlockState: deadlockState{Epoch: newEpoch(time.Now())}}
}

// Collect implements collectors.Collector.
func (r *deadlockReader) Collect(ctx context.Context, into *snapshot.Snapshot) error {
	r.events = nil
	if err := r.server.round(ctx, into, r.read); err != nil {
		return err
	}
	into.Events = append(into.Events, r.events...)
	return nil
}

func (r *deadlockReader) read(ctx context.Context, q *session, into *snapshot.Server) error {
	if err := r.able.refresh(ctx, q); err != nil {
		return err
	}
	part := &snapshot.Deadlocks{Meta: snapshot.Meta{Epoch: q.epoch() + "/" + r.Epoch}}
	if gap, refused := q.gap(deadlocksJob, needProcess("deadlocks"), r.able.process); refused {
		part.Gaps = append(part.Gaps, gap)
	} else if err := r.readCounters(ctx, q, part); err != nil {
		return fmt.Errorf("count deadlocks: %w", err)
	}
	if part.Total != nil {
		if err := r.readLast(ctx, q, *part.Total); err != nil {
			return fmt.Errorf("read the last deadlock: %w", err)
		}
	}
	if r.unread != "" {
		part.Gaps = append(part.Gaps, snapshot.Gap{Job: deadlocksJob, Subject: q.server.cfg.Name, Reason: r.unread})
	}
	part.Taken, part.Pairs, part.Last = time.Now(), slices.Clone(r.Pairs), r.Last
	into.Deadlocks = part
	return nil
}

// The columns differ: STATUS is enabled on MySQL, ENABLED is 1 on MariaDB.
// MySQL 5.6; MariaDB 10.0.
const selectDeadlockMetrics = "SELECT * FROM information_schema.INNODB_METRICS WHERE NAME IN ('lock_deadlocks', 'lock_timeouts')"

func (r *deadlockReader) readCounters(ctx context.Context, q *session, part *snapshot.Deadlocks) error {
	return q.eachMap(ctx, selectDeadlockMetrics, func(row map[string]string) error {
		name := row["NAME"]
		if row["STATUS"] != "enabled" && row["ENABLED"] != "1" {
			part.Gaps = append(part.Gaps, snapshot.Gap{
				Job: deadlocksJob, Subject: q.server.cfg.Name, Reason: "InnoDB does not count " + name,
				Remedy: fmt.Sprintf("SET GLOBAL innodb_monitor_enable = '%s'", name),
			})
			return nil
		}
		count, err := strconv.ParseUint(row["COUNT"], 10, 64)
		if name == "lock_deadlocks" {
			part.Total = &count
		} else {
			part.Timeouts = &count
		}
		return err
	})
}

const (
	showInnoDBStatus = "SHOW ENGINE INNODB STATUS"
	// InnoDB prints its times in the system's time zone.
	selectSystemOffset = "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM'))"
)

// readLast reads the last deadlock if the counter moved since the last round.
func (r *deadlockReader) readLast(ctx context.Context, q *session, total uint64) error {
	first, same := !r.Known, r.Total == total
	r.Known, r.Total = true, total
	if total == 0 || same && !first {
		return nil
	}
	var text string
	err := q.eachMap(ctx, showInnoDBStatus, func(row map[string]string) error {
		text = row["Status"]
		return nil
	})
	if err != nil {
		return err
	}
	var offset int64
	if err := q.one(ctx, selectSystemOffset, []any{&offset}); err != nil {
		return err
	}
	return r.take(text, time.Duration(offset)*time.Second, first)
}

// take reads the text. The deadlock of before the first round is shown, but not
// counted as one that was met.
func (r *deadlockReader) take(text string, offset time.Duration, first bool) error {
	parsed, err := parseDeadlock(text)
	r.unread = ""
	if errors.Is(err, errNoDeadlock) {
		return nil
	}
	if err != nil {
		r.unread = fmt.Sprintf("a deadlock could not be read: %v", err)
		return nil
	}
	if parsed.id() == r.ID {
		return nil
	}
	r.ID = parsed.id()
	local, err := time.Parse(time.DateTime, parsed.when)
	if err != nil {
		return err
	}
	r.Last = r.able.deadlock(parsed, local.Add(-offset))
	if !first {
		r.addPairs()
		r.tell()
	}
	return nil
}

// id tells a deadlock from the next.
func (d deadlockText) id() string {
	names := []string{d.when}
	for _, p := range d.parties {
		names = append(names, p.transaction)
	}
	return strings.Join(names, " ")
}

// deadlock is what may be told of one.
func (a *abilities) deadlock(d deadlockText, at time.Time) *snapshot.Deadlock {
	out := &snapshot.Deadlock{Time: at}
	for _, p := range d.parties {
		out.Transactions = append(out.Transactions, snapshot.DeadlockParty{
			Statement: a.statement(strings.TrimSpace(p.statement)), Schema: p.schema, Table: p.table, Index: p.index,
			Mode: p.mode, Victim: p.victim,
		})
	}
	return out
}

// maxPairs is how many pairs are told apart; the rest is one of "other".
const maxPairs = 50

// addPairs counts each pair of statements of the last deadlock.
func (r *deadlockReader) addPairs() {
	parties := r.Last.Transactions
	for i := range parties {
		for j := range i {
			r.addPair(fingerprintOf(parties[j]), fingerprintOf(parties[i]))
		}
	}
}

func fingerprintOf(p snapshot.DeadlockParty) string {
	if p.Statement == nil {
		return ""
	}
	return p.Statement.Fingerprint
}

func (r *deadlockReader) addPair(a, b string) {
	pair := snapshot.DeadlockPair{A: min(a, b), B: max(a, b), Count: 1}
	at := r.indexOf(pair)
	if at < 0 && len(r.Pairs) >= maxPairs-1 {
		pair.A, pair.B = "other", "other"
		at = r.indexOf(pair)
	}
	if at < 0 {
		r.Pairs = append(r.Pairs, pair)
		return
	}
	r.Pairs[at].Count++
}

func (r *deadlockReader) indexOf(pair snapshot.DeadlockPair) int {
	return slices.IndexFunc(r.Pairs, func(p snapshot.DeadlockPair) bool { return p.A == pair.A && p.B == pair.B })
}

func (r *deadlockReader) tell() {
	var tables []string
	for _, p := range r.Last.Transactions {
		tables = append(tables, p.Schema+"."+p.Table)
	}
	slices.Sort(tables)
	r.events = append(r.events, snapshot.Event{
		Time: time.Now(), Server: r.server.cfg.Name, Kind: snapshot.EventDeadlock,
		Summary: fmt.Sprintf("deadlock between %d transactions on %s",
			len(r.Last.Transactions), strings.Join(slices.Compact(tables), " and ")),
		Deadlock: r.Last,
	})
}

// Save implements collectors.Keeper.
func (r *deadlockReader) Save() (json.RawMessage, error) { return json.Marshal(r.deadlockState) }

// Load implements collectors.Keeper.
func (r *deadlockReader) Load(saved json.RawMessage) error {
	var state deadlockState
	if err := json.Unmarshal(saved, &state); err != nil {
		return fmt.Errorf("load deadlocks: %w", err)
	}
	r.deadlockState = state
	return nil
}
