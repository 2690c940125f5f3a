package slowlog

import (
	"math/bits"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// Class is all calls of one statement.
//
// What every call changes comes first and is small: a log has more statements than the near caches of
// a processor have room for, so that to count a call takes as long as to fetch the lines it changes.
type Class struct {
	// Calls is how many there were.
	Calls uint64
	// Micros is the sum of the durations, in microseconds, MinMicros and MaxMicros the extremes.
	Micros, MinMicros, MaxMicros uint64
	first, last                  int64  // µs since 1970; 0 if unknown
	shape                        uint64 // sqltext's, of the text where it was first seen; 0 if unknown
	callers                      callers
	// Estimated says that some calls stand for several that were not logged.
	Estimated bool
	// Durations has the quantiles.
	Durations Sketch
	totals    [totalled]Total

	// Fingerprint is sqltext's identity of the statement. It begins with fp1t: if it was longer than
	// Options.MaxStatement, or broken.
	Fingerprint string
	// Text is the statement without its literals.
	Text snapshot.Redacted
	// Kind is what the statement asks for; Admin for commands of the protocol such as Ping.
	Kind sqltext.Class
	// Reads and Writes name its tables, as schema.table where it says so.
	Reads, Writes []string
	// Slowest is the call that took longest, of MaxMicros, the first of these.
	Slowest Sample
	// Planned is the call that took longest of those with a plan; nil if there is none, or no plans are
	// wanted.
	Planned *Planned

	seen place // where it was first seen, and its texts are from
}

// Admin is the kind of calls that are no SQL but other commands of the protocol.
const Admin sqltext.Class = "admin"

// Total returns a figure over all calls: LockTime, RowsSent, RowsExamined, RowsAffected, FullScan or
// TmpDiskTables. Others are of single entries only.
func (c *Class) Total(which Figure) Total { return c.totals[which] }

// Databases names those that the calls were made in.
func (c *Class) Databases() Names { return c.callers.names(databases) }

// Users names who made the calls.
func (c *Class) Users() Names { return c.callers.names(users) }

// Hosts names where the calls came from.
func (c *Class) Hosts() Names { return c.callers.names(hosts) }

// FirstSeen is the time of the earliest call; zero if unknown.
func (c *Class) FirstSeen() time.Time { return micros(c.first) }

// LastSeen is the time of the latest call; zero if unknown.
func (c *Class) LastSeen() time.Time { return micros(c.last) }

// place is where in the sources something is. Places have an order, so that of equals one is chosen.
type place struct {
	file   string
	offset int64
}

func (p place) before(o place) bool {
	if p.file != o.file {
		return p.file < o.file
	}
	return p.offset < o.offset
}

// Sample is one call.
type Sample struct {
	// File and Offset say where it is, in bytes; Line, from 1, is for people.
	File         string
	Offset, Line int64
	User, Host   string
	Database     string
	// Origin is where in a program the statement came from, as its comment says; nil if it does not.
	Origin *sqltext.Origin
	// SQL is the statement as Options.Samples says; empty by default.
	SQL string
	// Cut says that SQL is only its beginning.
	Cut bool

	micros int64 // since 1970; 0 if unknown
}

// Time is when the call was logged, see Entry.Micros; zero if unknown.
func (s *Sample) Time() time.Time { return micros(s.micros) }

func (s *Sample) place() place { return place{s.File, s.Offset} }

// Planned is a call with its plan.
type Planned struct {
	Micros uint64 // its duration

	at  place
	raw []byte
}

// Plan returns the plan.
func (p *Planned) Plan() []snapshot.PlanTable { return ParsePlan(p.raw) }

// add adds a call.
func (c *Class) add(e *Entry, known spellings) {
	c.Calls = plus(c.Calls, e.Calls)
	c.Estimated = c.Estimated || e.Estimated
	c.Micros = plus(c.Micros, times(e.Duration, e.Calls))
	c.MinMicros = min(c.MinMicros, e.Duration)
	c.MaxMicros = max(c.MaxMicros, e.Duration)
	c.Durations.add(e.Duration, e.Calls)
	for left := e.known & (1<<totalled - 1); left != 0; left &= left - 1 {
		which := bits.TrailingZeros32(left)
		c.totals[which].add(e.value[which], e.Calls)
	}
	c.callers.add(databases, e.Database, e.Calls, known)
	c.callers.add(users, e.User, e.Calls, known)
	c.callers.add(hosts, e.Host, e.Calls, known)
	c.saw(e.Micros, e.Micros)
}

// saw widens the time between the first and the last call.
func (c *Class) saw(first, last int64) {
	if first == 0 {
		return
	}
	if c.first == 0 || first < c.first {
		c.first = first
	}
	c.last = max(c.last, last)
}

// longestPlan bounds the plan that is kept, in bytes.
const longestPlan = 16 << 10

// planned keeps a call with a plan if it is the slowest of these.
func (c *Class) planned(e *Entry, at *position) {
	if len(e.Explain) > longestPlan || c.Planned != nil && e.Duration <= c.Planned.Micros {
		return
	}
	if c.Planned == nil {
		c.Planned = &Planned{}
	}
	p := c.Planned
	p.Micros, p.at = e.Duration, place{at.file, e.Offset}
	p.raw = append(p.raw[:0], e.Explain...)
}

// merge adds the calls of o, which is of the same statement and must not be used any more.
func (c *Class) merge(o *Class) {
	if o.Calls == 0 {
		return
	}
	if c.Calls == 0 || o.MaxMicros > c.MaxMicros || o.MaxMicros == c.MaxMicros && o.Slowest.place().before(c.Slowest.place()) {
		c.MaxMicros, c.Slowest = o.MaxMicros, o.Slowest
	}
	if o.seen.before(c.seen) {
		c.seen, c.shape, c.Text, c.Kind, c.Reads, c.Writes = o.seen, o.shape, o.Text, o.Kind, o.Reads, o.Writes
	}
	c.Calls = plus(c.Calls, o.Calls)
	c.Estimated = c.Estimated || o.Estimated
	c.Micros = plus(c.Micros, o.Micros)
	c.MinMicros = min(c.MinMicros, o.MinMicros)
	c.Durations.merge(&o.Durations)
	for which := range c.totals {
		c.totals[which].Merge(o.totals[which])
	}
	c.callers.merge(&o.callers)
	c.saw(o.first, o.last)
	if p := o.Planned; p != nil && (c.Planned == nil || p.Micros > c.Planned.Micros || p.Micros == c.Planned.Micros && p.at.before(c.Planned.at)) {
		c.Planned = p
	}
}
