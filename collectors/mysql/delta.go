package mysql

import (
	"time"

	"plimsoll/collectors/snapshot"
)

// The sums of a digest, in the order of digestColumns.
const (
	sumCalls = iota
	sumTime
	sumLockTime
	sumCPUTime
	sumErrors
	sumWarnings
	sumRowsAffected
	sumRowsSent
	sumRowsExamined
	sumTmpTables
	sumTmpDiskTables
	sumFullJoins
	sumFullScans
	sumNoIndex
	sumNoGoodIndex
	sumSortRows
	sumSortMerges
	sumCount
)

// digestColumns are the columns behind the sums. MariaDB, and MySQL before
// 8.0.28, have no SUM_CPU_TIME.
func digestColumns() [sumCount]string {
	return [sumCount]string{
		"COUNT_STAR", "SUM_TIMER_WAIT", "SUM_LOCK_TIME", "SUM_CPU_TIME", "SUM_ERRORS", "SUM_WARNINGS",
		"SUM_ROWS_AFFECTED", "SUM_ROWS_SENT", "SUM_ROWS_EXAMINED",
		"SUM_CREATED_TMP_TABLES", "SUM_CREATED_TMP_DISK_TABLES",
		"SUM_SELECT_FULL_JOIN", "SUM_SELECT_SCAN", "SUM_NO_INDEX_USED", "SUM_NO_GOOD_INDEX_USED",
		"SUM_SORT_ROWS", "SUM_SORT_MERGE_PASSES",
	}
}

// sums are the sums of one digest. Times are in picoseconds where the server
// wrote them, and in nanoseconds in our own totals: those must not overflow
// within 213 days of statement time.
type sums [sumCount]uint64

func (s *sums) add(o *sums) {
	for i := range s {
		s[i] += o[i]
	}
}

// minus returns what was counted between before and s. It reports false if a
// sum fell. Differences are taken modulo 2^64, as the server counts: a time
// passes 2^64 picoseconds after 213 days, and is no reset.
func (s *sums) minus(before *sums) (delta sums, ok bool) {
	for i := range s {
		delta[i] = s[i] - before[i]
		if delta[i] > 1<<63 {
			return sums{}, false
		}
	}
	return delta, true
}

// toNanoseconds brings the times of a difference to our own unit.
func (s *sums) toNanoseconds() {
	for _, i := range []int{sumTime, sumLockTime, sumCPUTime} {
		s[i] /= 1000
	}
}

// digestTable is the server's digest table as it was at the last complete read.
// What a read found is compared with it row by row, see settle.
type digestTable struct {
	// server and started tell whose table it was; read is when it was read, in
	// microseconds of the server's clock, and 0 for never.
	server  string
	started time.Time
	read    int64
	rows    map[string]*digestRow // by rowKey
	scan    uint64                // counts reads, complete or not
}

// digestRow is one row of it: a statement in a default schema, as the server
// tells statements apart.
type digestRow struct {
	schema string // empty for NULL
	digest string // empty for NULL: the row of what found the table full
	// group is where the row's sums go; nil until its text was read.
	group *digestGroup
	// overhead is true for MySQL's PREPARE and DEALLOCATE: their time belongs
	// to the statement, but they are no call of it.
	overhead bool
	tries    uint8 // reads of the text that found none

	known       bool // sums and first are of a complete read
	first, last int64
	sums        sums
	pending     sums // counted before the text was known

	// What the read under way found.
	scan      uint64
	nextFirst int64
	next      sums
	delta     sums
}

// rowKey appends the key of a row: NULL is not the empty name.
func rowKey(to []byte, schema, digest text) []byte {
	for _, part := range [2]text{schema, digest} {
		if part.null {
			to = append(to, 0)
		} else {
			to = append(append(to, 1), part.bytes...)
		}
	}
	return to
}

// begin starts a read. One that fails is forgotten by the next.
func (t *digestTable) begin() {
	if t.rows == nil {
		t.rows = map[string]*digestRow{}
	}
	t.scan++
}

// take adds a row of the read under way. A key can come twice while the server
// is inserting it (bugs.mysql.com/79533): both are counted.
func (t *digestTable) take(key []byte, c *digestCells) {
	row := t.rows[string(key)]
	if row == nil {
		row = &digestRow{schema: string(c.schema.bytes), digest: string(c.digest.bytes)}
		t.rows[string(key)] = row
	}
	if row.scan == t.scan {
		row.next.add(&c.sums)
		row.nextFirst, row.last = min(row.nextFirst, c.first.micros), max(row.last, c.last.micros)
		return
	}
	row.scan, row.next = t.scan, c.sums
	row.nextFirst, row.last = c.first.micros, c.last.micros
}

// change is what happened to a digest table between two complete reads.
type change struct {
	active   []*digestRow // rows that counted something, in no order
	restart  bool         // the server was started anew
	foreign  bool         // it is another server's table
	reset    bool         // it was emptied while the server ran
	orphaned sums         // counted for rows that went before their text was read
}

// settle ends a complete read at the server's time now: it sets the delta of
// every row and takes the read as the new base.
//
// FIRST_SEEN is what makes it exact: it changes when a row is made anew, by
// TRUNCATE or a restart, and not by FLUSH STATUS. A row that is new since the
// last read counts whole; one that is older, but unknown to us, only from now.
func (t *digestTable) settle(id *snapshot.Identity, now int64) change {
	c := change{foreign: t.read != 0 && t.server != id.Key}
	c.restart = t.read != 0 && !c.foreign && !t.started.Equal(id.Started)
	fresh := t.freshSince(now)
	for key, row := range t.rows {
		if row.scan != t.scan {
			c.reset = c.reset || row.known && !c.restart && !c.foreign
			c.orphaned.add(&row.pending)
			delete(t.rows, key)
			continue
		}
		row.delta = sums{}
		if t.read != 0 && !c.foreign {
			c.reset = row.settle(c.restart, fresh) || c.reset
		}
		row.known, row.first, row.sums = true, row.nextFirst, row.next
		if row.delta != (sums{}) {
			row.delta.toNanoseconds()
			c.active = append(c.active, row)
		}
	}
	t.server, t.started, t.read = id.Key, id.Started, now
	return c
}

// freshSince is the FIRST_SEEN from which on an unknown row must be newer than
// the last read. MariaDB has it in whole seconds. If the server's clock was put
// back meanwhile, all that we do not know is new.
func (t *digestTable) freshSince(now int64) int64 {
	const second = int64(time.Second / time.Microsecond)
	if now < t.read {
		return 0
	}
	return t.read - t.read%second
}

// settle sets the row's delta, and reports whether the row was made anew while
// the server ran on.
func (r *digestRow) settle(restart bool, fresh int64) (reset bool) {
	if r.known && !restart && r.first == r.nextFirst {
		delta, grown := r.next.minus(&r.sums)
		if grown {
			r.delta = delta
			return false
		}
	}
	if r.known || restart || r.nextFirst >= fresh {
		r.delta = r.next
	}
	return r.known && !restart
}
