package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// maxRows bounds what is read of the digest table: twice MySQL's own size.
const maxRows = 20000

// digestJob is the job mysql/digests. It reads the digest table whole, because
// a filter saves transfer but not the scan, and in no order, because sorting
// doubles what MariaDB pays; then what the server counted of all statements.
// What the slow log shows beyond that is added, see leadership.
type digestJob struct {
	server *Server

	mu       sync.Mutex // held for a round
	log      slowLog
	table    digestTable
	ledger   ledger
	coverage coverageTotals
	plans    plans

	// leaders are the statements that took most time in the last interval.
	leaders atomic.Pointer[[]leader]
}

func newDigestJob(s *Server) *digestJob {
	return &digestJob{server: s, log: newSlowLog(s.cfg.SlowLog), ledger: newLedger(time.Now()), plans: plans{}}
}

// Collect implements collectors.Collector.
func (d *digestJob) Collect(ctx context.Context, into *snapshot.Snapshot) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log.collect(ctx, func(fingerprint string) bool { return d.ledger.textOf[fingerprint] })
	q, err := d.server.session(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()

	parts := snapshot.Server{Digests: &snapshot.Digests{}, Coverage: &snapshot.Coverage{}, Plans: &snapshot.Plans{}}
	round := d.round
	if gap, missing := q.digestGap(); missing {
		parts.Digests.Gaps, parts.Coverage.Gaps = []snapshot.Gap{gap}, []snapshot.Gap{gap}
		round = d.roundAlone
	}
	if err := round(ctx, q, &parts); err != nil {
		return err
	}
	parts.Plans.Rows = d.plans.rows(&d.ledger)
	for _, part := range []*snapshot.Meta{&parts.Digests.Meta, &parts.Coverage.Meta, &parts.Plans.Meta} {
		part.Taken, part.Epoch = time.Now(), d.ledger.epoch
	}
	*into.Server(d.server.cfg.Name) = parts
	return nil
}

// round reads, counts and publishes. What was counted stays counted if the
// texts cannot be read now: they are asked for again.
func (d *digestJob) round(ctx context.Context, q *session, parts *snapshot.Server) error {
	previous := d.table.read
	now, err := d.read(ctx, q)
	if err != nil {
		return err
	}
	seen, err := q.readCoverage(ctx)
	if err != nil {
		return err
	}
	settings, err := q.settings(ctx, 0)
	if err != nil {
		return err
	}
	c := d.table.settle(&q.identity, now)
	if c.foreign {
		d.ledger.epoch = newEpoch(time.Now())
		d.coverage.Last = nil
	}
	textErr := d.learn(ctx, q, c.active)
	d.mark()
	d.lead(c.active)
	logged := d.takeLogged()
	d.contest(c.active, logged)
	unplaced := d.book(c, logged, seen)
	d.log.watch(q, settings.values)

	digests, hidden := parts.Digests, d.coverage.hidden(q.identity.Family)
	needed := hidden && d.coverage.Totals[seenExecutions] > 0
	active := d.publish(digests)
	overflow := d.ledger.overflow.totals(d.ledger.cpu)
	digests.Overflow, digests.Used = &overflow, len(d.table.rows)
	digests.Capacity, _ = strconv.Atoi(q.variables["performance_schema_digests_size"])
	digests.ServerTime, digests.Previous = unixMicros(now), unixMicros(previous)
	digests.Lost = seen.lost
	digests.Gaps = append(d.gaps(q, c, digests, active, unplaced, textErr), d.log.gaps(q, settings.values, needed, false)...)
	d.coverage.publish(hidden, parts.Coverage)
	return nil
}

// roundAlone is a round without the digest table: what the slow log tells is all
// there is.
func (d *digestJob) roundAlone(ctx context.Context, q *session, parts *snapshot.Server) error {
	status, err := q.status(ctx, 0)
	if err != nil {
		return err
	}
	settings, err := q.settings(ctx, 0)
	if err != nil {
		return err
	}
	followed := d.log.settings.File != ""
	logged := d.takeLogged()
	d.ledger.leaders.turnAlone()
	_ = d.book(change{}, logged, coverageOf(status)) // there is no table to be full
	d.log.watch(q, settings.values)
	parts.Digests.Gaps = append(parts.Digests.Gaps, d.log.gaps(q, settings.values, true, true)...)
	if followed {
		d.publish(parts.Digests)
		parts.Digests.ServerTime = status.at.UTC()
		parts.Digests.Partial = d.log.totals.ThresholdSeconds > 0
		d.coverage.publishAlone(parts.Coverage)
	}
	return nil
}

// takeLogged returns what the log told since the last round. Our own statements
// keep out of logs, but for the search for servers.
func (d *digestJob) takeLogged() []*logged {
	round := d.log.take()
	for _, s := range round {
		if d.server.own.has(sqltext.Statement{Fingerprint: s.fingerprint}) {
			d.ledger.group(groupKey{s.schema, s.fingerprint}).own = true
		}
		if g := d.ledger.groups[groupKey{s.schema, s.fingerprint}]; g != nil {
			g.scan = d.table.scan
		}
	}
	return round
}

// contest lets both sources say what they counted, and decides who leads.
func (d *digestJob) contest(active []*digestRow, round []*logged) {
	leaders := &d.ledger.leaders
	table, entries := map[string]uint64{}, map[string]uint64{}
	for _, row := range active {
		if row.group != nil && !row.overhead {
			table[row.group.fingerprint] += row.delta[sumCalls]
		}
	}
	for _, s := range round {
		if s.statement.Fingerprint != "" {
			leaders.join(s.statement)
		}
		entries[leaders.of(s.fingerprint)] += s.entries
	}
	leaders.turn(table, entries, d.log.follower.CaughtUp(), d.ledger.counted())
}

// book adds a round to all totals, and returns how many calls found the digest
// table full and are not in the log either.
func (d *digestJob) book(c change, round []*logged, seen coverageSeen) (unplaced uint64) {
	b := d.ledger.book(c, round)
	d.coverage.book(seen, b, d.log.settings.Threshold == 0)
	d.plans.keep(round, &d.ledger, time.Now())
	d.ledger.forget(d.table.scan, time.Now())
	return b.unplaced
}

const selectNow = "SELECT NOW(6)"

// read takes the whole table, at the server's time now. The clock is read
// before the table: what appears between the two is then newer than the read,
// and counts whole the next time.
func (d *digestJob) read(ctx context.Context, q *session) (now int64, err error) {
	var clock moment
	if err := q.one(ctx, selectNow, []any{&clock}); err != nil {
		return 0, fmt.Errorf("read the server's clock: %w", err)
	}
	d.ledger.cpu = q.has(digestSummary, "sum_cpu_time")
	d.table.begin()
	cells := newDigestCells()
	var key []byte
	err = q.each(ctx, selectDigests(d.ledger.cpu), func(rows *sql.Rows) error {
		if err := rows.Scan(cells.targets...); err != nil {
			return err
		}
		key = rowKey(key[:0], cells.schema, cells.digest)
		d.table.take(key, cells)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read digests: %w", err)
	}
	return clock.micros, nil
}

const digestSummary = "events_statements_summary_by_digest"

// selectDigests reads every row once. The server's cost is the scan: 26 ms for
// 10,000 digests on MariaDB, 57 ms on MySQL, whatever is selected.
func selectDigests(cpu bool) string {
	columns := digestColumns()
	if !cpu {
		columns[sumCPUTime] = "0"
	}
	return "SELECT SCHEMA_NAME, DIGEST, FIRST_SEEN, LAST_SEEN, " + strings.Join(columns[:], ", ") +
		" FROM performance_schema." + digestSummary + " LIMIT 20000"
}

// digestCells are the cells of one row, in the order of selectDigests.
type digestCells struct {
	schema, digest text
	first, last    moment
	sums           sums
	targets        []any
}

func newDigestCells() *digestCells {
	c := &digestCells{}
	c.targets = []any{&c.schema, &c.digest, &c.first, &c.last}
	for i := range c.sums {
		c.targets = append(c.targets, (*count)(&c.sums[i]))
	}
	return c
}

// mark notes which groups the server still has a row of.
func (d *digestJob) mark() {
	for _, row := range d.table.rows {
		if row.group != nil {
			row.group.scan = d.table.scan
		}
	}
}

// publish fills what the ledger holds, and returns how many active statements
// there are.
func (d *digestJob) publish(digests *snapshot.Digests) (active int) {
	digests.Rows, active = d.ledger.rows()
	digests.Rev, digests.Texts = d.ledger.rev, d.ledger.texts
	digests.Series = d.ledger.series()
	if d.log.settings.File != "" {
		log := d.log.totals
		for i := range digests.Rows {
			if digests.Rows[i].Source == snapshot.SourceSlowLog {
				log.Leads++
			}
		}
		digests.SlowLog = &log
	}
	return active
}

// lead notes the leading statements of a round.
func (d *digestJob) lead(active []*digestRow) {
	spent := map[*digestGroup]uint64{}
	digests := map[*digestGroup][]string{}
	for _, row := range active {
		if row.group != nil && !row.group.own && !row.overhead {
			spent[row.group] += row.delta[sumTime]
			digests[row.group] = append(digests[row.group], row.digest)
		}
	}
	groups := make([]*digestGroup, 0, len(spent))
	for g := range spent {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b *digestGroup) int {
		return cmp.Or(cmp.Compare(spent[b], spent[a]), a.compare(b.groupKey))
	})
	leaders := make([]leader, min(len(groups), maxLeaders))
	for i := range leaders {
		leaders[i] = leader{groups[i].groupKey, digests[groups[i]]}
	}
	d.leaders.Store(&leaders)
}

// Save implements collectors.Keeper.
func (d *digestJob) Save() (json.RawMessage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.save()
}

// Load implements collectors.Keeper.
func (d *digestJob) Load(state json.RawMessage) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.load(state)
}
