package slowlog

import (
	"bytes"
	"math/bits"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// Class is all calls of one statement.
type Class struct {
	// Fingerprint is sqltext's identity of the statement. It begins with fp1t: if it was longer than
	// Options.MaxStatement, or broken.
	Fingerprint string
	// Text is the statement without its literals.
	Text snapshot.Redacted
	// Kind is what the statement asks for; Admin for commands of the protocol such as Ping.
	Kind sqltext.Class
	// Reads and Writes name its tables, as schema.table where it says so.
	Reads, Writes []string

	// Calls is how many there were. Estimated says that some stand for several that were not logged.
	Calls     uint64
	Estimated bool
	// Micros is the sum of the durations, in microseconds, MinMicros and MaxMicros the extremes.
	Micros, MinMicros, MaxMicros uint64
	// Durations has the quantiles.
	Durations Sketch
	Databases Names
	Users     Names
	Hosts     Names
	// Slowest is the call that took longest, the first of these.
	Slowest Sample
	// Planned is the call that took longest of those with a plan; its Plan is empty if there is none.
	Planned Planned

	totals      [figures]Total
	first, last int64 // µs since 1970; 0 if unknown
	seen        place // where it was first seen, and its texts are from
}

// Admin is the kind of calls that are no SQL but other commands of the protocol.
const Admin sqltext.Class = "admin"

// Total returns a figure over all calls.
func (c *Class) Total(which Figure) Total { return c.totals[which] }

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
	Micros       uint64    // its duration
	Time         time.Time // see Entry.Micros
	User, Host   string
	Database     string
	Figures
	// Origin is where in a program the statement came from, as its comment says.
	Origin sqltext.Origin
	// SQL is the statement with its literals, at most Options.SampleBytes of it: it must not leave the
	// host. It is empty by default.
	SQL string

	at place
}

// Planned is a call with its plan.
type Planned struct {
	Micros uint64
	Plan   []PlanRow

	at  place
	raw []byte
}

// add adds a call, which is at a place.
func (c *Class) add(e *Entry, at *position) {
	if at.place.before(c.seen) {
		c.seen = at.place
	}
	c.Calls = plus(c.Calls, e.Calls)
	c.Estimated = c.Estimated || e.Estimated
	c.Micros = plus(c.Micros, times(e.Duration, e.Calls))
	c.MinMicros = min(c.MinMicros, e.Duration)
	c.Durations.add(e.Duration, e.Calls)
	for left := e.known; left != 0; left &= left - 1 {
		which := bits.TrailingZeros32(left)
		c.totals[which].add(e.value[which], e.Calls)
	}
	c.Databases.add(e.Database, e.Calls, at.names)
	c.Users.add(e.User, e.Calls, at.names)
	c.Hosts.add(e.Host, e.Calls, at.names)
	c.saw(e.Micros, e.Micros)
	c.slowest(e, at)
	c.planned(e, at)
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

// slowest keeps a call if it is the slowest one.
func (c *Class) slowest(e *Entry, at *position) {
	if e.Duration < c.MaxMicros || e.Duration == c.MaxMicros && !at.place.before(c.Slowest.at) {
		return
	}
	c.MaxMicros = e.Duration
	c.Slowest = Sample{
		at: at.place, File: at.place.file, Offset: e.Offset, Line: at.line,
		Micros: e.Duration, Time: e.Time(), Figures: e.Figures,
		User: at.names.of(e.User), Host: at.names.of(e.Host), Database: at.names.of(e.Database),
		SQL: string(e.Statement[:min(len(e.Statement), at.sample)]),
	}
	if bytes.Contains(e.Statement, []byte("/*")) {
		c.Slowest.Origin = sqltext.OriginOf(string(e.Statement))
	}
}

// longestPlan bounds the plan that is kept, in bytes.
const longestPlan = 16 << 10

// planned keeps a call with a plan if it is the slowest of these.
func (c *Class) planned(e *Entry, at *position) {
	if len(e.Explain) == 0 || len(e.Explain) > longestPlan {
		return
	}
	p := &c.Planned
	if e.Duration < p.Micros || e.Duration == p.Micros && !at.place.before(p.at) {
		return
	}
	p.Micros, p.at = e.Duration, at.place
	p.raw = append(p.raw[:0], e.Explain...)
}

// merge adds the calls of o, which is of the same statement.
func (c *Class) merge(o *Class, known spellings) {
	if o.seen.before(c.seen) {
		c.seen, c.Text, c.Kind, c.Reads, c.Writes = o.seen, o.Text, o.Kind, o.Reads, o.Writes
	}
	c.Calls = plus(c.Calls, o.Calls)
	c.Estimated = c.Estimated || o.Estimated
	c.Micros = plus(c.Micros, o.Micros)
	c.MinMicros = min(c.MinMicros, o.MinMicros)
	c.Durations.merge(&o.Durations)
	for which := range c.totals {
		c.totals[which].merge(o.totals[which])
	}
	c.Databases.merge(&o.Databases, known)
	c.Users.merge(&o.Users, known)
	c.Hosts.merge(&o.Hosts, known)
	c.saw(o.first, o.last)
	if o.MaxMicros > c.MaxMicros || o.MaxMicros == c.MaxMicros && o.Slowest.at.before(c.Slowest.at) {
		c.MaxMicros, c.Slowest = o.MaxMicros, o.Slowest
	}
	if p := &c.Planned; o.Planned.Micros > p.Micros || o.Planned.Micros == p.Micros && o.Planned.at.before(p.at) {
		*p = o.Planned
	}
}
