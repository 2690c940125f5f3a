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
)

// maxRows bounds what is read of the digest table: twice MySQL's own size.
const maxRows = 20000

// digestJob is the job mysql/digests. It reads the digest table whole, because
// a filter saves transfer but not the scan, and in no order, because sorting
// doubles what MariaDB pays; then what the server counted of all statements.
type digestJob struct {
	server *Server

	mu       sync.Mutex // held for a round
	table    digestTable
	ledger   ledger
	coverage coverageTotals

	// leaders are the statements that took most time in the last interval.
	leaders atomic.Pointer[[]leader]
}

func newDigestJob(s *Server) *digestJob {
	return &digestJob{server: s, ledger: newLedger(time.Now())}
}

// Collect implements collectors.Collector.
func (d *digestJob) Collect(ctx context.Context, into *snapshot.Snapshot) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	q, err := d.server.session(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()

	digests := &snapshot.Digests{Meta: snapshot.Meta{Epoch: d.ledger.epoch}}
	coverage := &snapshot.Coverage{Meta: snapshot.Meta{Epoch: d.ledger.epoch}}
	if gap, missing := q.digestGap(); missing {
		digests.Gaps, coverage.Gaps = []snapshot.Gap{gap}, []snapshot.Gap{gap}
	} else if err := d.round(ctx, q, digests, coverage); err != nil {
		return err
	}
	digests.Taken = time.Now()
	coverage.Taken = digests.Taken
	parts := into.Server(d.server.cfg.Name)
	parts.Digests, parts.Coverage = digests, coverage
	return nil
}

// round reads, counts and publishes. What was counted stays counted if the
// texts cannot be read now: they are asked for again.
func (d *digestJob) round(ctx context.Context, q *session, digests *snapshot.Digests, coverage *snapshot.Coverage) error {
	previous := d.table.read
	now, err := d.read(ctx, q)
	if err != nil {
		return err
	}
	seen, err := q.readCoverage(ctx)
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
	calls := d.ledger.book(c)
	d.coverage.book(seen, calls)
	d.ledger.forget(d.table.scan, time.Now())

	active := d.publish(q, digests)
	digests.ServerTime, digests.Previous = unixMicros(now), unixMicros(previous)
	digests.Lost = seen.lost
	digests.Gaps = d.gaps(q, c, digests, active, textErr)
	d.coverage.publish(q.identity.Family, coverage)
	digests.Epoch, coverage.Epoch = d.ledger.epoch, d.ledger.epoch
	return nil
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
func (d *digestJob) publish(q *session, digests *snapshot.Digests) (active int) {
	rows, active := d.ledger.rows()
	overflow := d.ledger.overflow.totals(d.ledger.cpu)
	digests.Rows, digests.Overflow = rows, &overflow
	digests.Used = len(d.table.rows)
	digests.Capacity, _ = strconv.Atoi(q.variables["performance_schema_digests_size"])
	digests.Rev, digests.Texts = d.ledger.rev, d.ledger.texts
	digests.Series = d.ledger.series()
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
