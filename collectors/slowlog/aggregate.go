package slowlog

import (
	"bytes"
	"cmp"
	"runtime"
	"slices"
	"sync"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// Options say how logs are read. The zero value reads everything.
type Options struct {
	// SQL says how the servers read quotes.
	SQL sqltext.Options
	// RateLimit is log_slow_rate_limit of a MariaDB server, which leaves no trace in its log: each
	// entry that does not tell a limit itself, as Percona Server's do, stands for so many calls. 0 and 1
	// are none.
	RateLimit uint64
	// AlwaysLogged is from which duration on a server logs every call in spite of its rate limit:
	// slow_query_log_always_write_time of Percona Server, log_slow_always_query_time of MariaDB 11.8. 0
	// is Percona's default of 10 s for entries that tell their limit, and never for others.
	AlwaysLogged time.Duration
	// Keep says which entries are added up; nil for all. It is called from several goroutines.
	Keep func(*Entry) bool
	// Samples says how the slowest call's statement is kept.
	Samples Samples
	// Plans says that the plan of the slowest call with one is kept.
	Plans bool
	// MaxStatement is how much of a statement is read, in bytes; 0 is 1 MiB. What is longer is cut.
	MaxStatement int
	// MaxClasses bounds the statements that are told apart; 0 is 100,000. Calls of others, as far as
	// they come later, are in Aggregate.Other.
	MaxClasses int
	// Workers is how many goroutines Digest uses; 0 is one for each processor.
	Workers int
}

// Samples is how statements are kept as they were called. The zero value is not at all.
type Samples struct {
	// Bytes is how much of a statement is kept.
	Bytes int
	// Literals says that its literals are: then it must not leave the host.
	Literals bool
}

const (
	defaultStatement = 1 << 20
	defaultClasses   = 100_000
)

func (o Options) statement() int { return cmp.Or(o.MaxStatement, defaultStatement) }

func (o Options) classes() int { return cmp.Or(o.MaxClasses, defaultClasses) }

// Aggregate is what logs hold, by statement. It is not safe for concurrent use: add with one each, and
// merge them.
type Aggregate struct {
	// Entries is how many entries were whole; those that Options.Keep refused are in Refused.
	Entries, Refused uint64
	// Calls and Micros are sums over all classes and Other.
	Calls, Micros uint64
	// Estimated says that some entries stand for several calls.
	Estimated bool
	// Other has the calls of statements beyond Options.MaxClasses, without texts; its Calls are 0 if
	// there were none.
	Other Class
	// Skipped is how many parts of the logs were no whole entry, and Skips the first of them.
	Skipped uint64
	Skips   []Skip

	options  Options
	classes  map[sqltext.Sum]*Class
	recent   []*Class // by the low bits of their shape, the last one of each
	spare    []Class  // to be taken next
	digester sqltext.Digester
	names    spellings
	told     uint32 // the figures that at least one entry told
	first    int64
	last     int64
}

// NewAggregate returns an empty aggregate.
func NewAggregate(o Options) *Aggregate {
	return &Aggregate{
		options: o, classes: map[sqltext.Sum]*Class{}, recent: make([]*Class, manyRecent), names: spellings{},
		Other: Class{MinMicros: noMicros}, digester: sqltext.Digester{Options: o.SQL},
	}
}

// manyRecent is for how many shapes the class is found without its sum: a power of two, and more than
// most logs have.
const manyRecent = 1 << 14

const noMicros = 1<<64 - 1

// Told reports whether any entry told a figure. Where one did, a server that leaves a figure out of an
// entry may mean zero: MariaDB writes Full_scan and Filesort only if one of them is Yes.
func (a *Aggregate) Told(which Figure) bool { return a.told&(1<<which) != 0 }

// FirstSeen is the time of the earliest entry; zero if unknown.
func (a *Aggregate) FirstSeen() time.Time { return micros(a.first) }

// LastSeen is the time of the latest entry; zero if unknown.
func (a *Aggregate) LastSeen() time.Time { return micros(a.last) }

// Add adds an entry, which is in a file of that name. The entries of a file are added in its order.
func (a *Aggregate) Add(file string, e *Entry) {
	if a.takes(e) {
		a.count(e, &position{file: file, shape: a.digester.Shape(textOf(e))})
	}
}

// position is what is known of the place of the entry that is being added.
type position struct {
	file  string
	line  int64  // 0 if unknown
	shape uint64 // of its statement; 0 if unknown
}

// takes reports whether an entry is to be added.
func (a *Aggregate) takes(e *Entry) bool {
	a.Entries++
	if a.options.Keep != nil && !a.options.Keep(e) {
		a.Refused++
		return false
	}
	return true
}

// count adds an entry that is to be added.
func (a *Aggregate) count(e *Entry, at *position) {
	a.Calls = plus(a.Calls, e.Calls)
	a.Micros = plus(a.Micros, times(e.Duration, e.Calls))
	a.Estimated = a.Estimated || e.Estimated
	a.told |= e.known
	a.saw(e.Micros, e.Micros)
	c := a.class(e, at)
	if e.Duration > c.MaxMicros || c.Calls == 0 {
		a.slowest(c, e, at)
	}
	if a.options.Plans && len(e.Explain) > 0 {
		c.planned(e, at)
	}
	c.add(e, a.names)
}

func (a *Aggregate) saw(first, last int64) {
	if first == 0 {
		return
	}
	if a.first == 0 || first < a.first {
		a.first = first
	}
	a.last = max(a.last, last)
}

// textOf returns the statement of an entry, with sqltext's mark if it was cut.
func textOf(e *Entry) []byte {
	if e.Cut {
		return append(slices.Clip(e.Statement), "..."...)
	}
	return e.Statement
}

// class returns the class of an entry's statement.
func (a *Aggregate) class(e *Entry, at *position) *Class {
	recent := &a.recent[at.shape%manyRecent]
	if c := *recent; c != nil && c.shape == at.shape && at.shape != 0 {
		return c
	}
	text := textOf(e)
	sum := a.digester.SumOf(at.shape, text)
	c := a.classes[sum]
	switch {
	case c != nil:
	case len(a.classes) >= a.options.classes():
		return &a.Other
	default:
		c = a.newClass()
		a.describe(c, text, e, at)
		a.classes[sum] = c
	}
	*recent = c
	return c
}

// describe makes c the class of the statement of e.
func (a *Aggregate) describe(c *Class, text []byte, e *Entry, at *position) {
	c.seen = place{at.file, e.Offset}
	st := a.digester.DescribeOf(at.shape, text)
	c.Fingerprint, c.Reads, c.Writes = st.Fingerprint, st.Reads, st.Writes
	if e.Admin {
		name := a.options.SQL.Redact(string(e.Statement[len(administrator):]))
		c.Text, c.Kind = snapshot.Redacted(administrator+name), Admin
		return
	}
	c.Text, c.Kind, c.shape = snapshot.Redacted(st.Text), st.Class, at.shape
}

// classesAtOnce is for how many statements memory is taken at once.
const classesAtOnce = 64

func (a *Aggregate) newClass() *Class {
	if len(a.spare) == 0 {
		a.spare = make([]Class, classesAtOnce)
	}
	c := &a.spare[0]
	a.spare = a.spare[1:]
	c.MinMicros = noMicros
	return c
}

// slowest keeps a call as the slowest one of its class.
func (a *Aggregate) slowest(c *Class, e *Entry, at *position) {
	c.Slowest = Sample{
		File: at.file, Offset: e.Offset, Line: at.line, micros: e.Micros,
		User: a.names.of(e.User), Host: a.names.of(e.Host), Database: a.names.of(e.Database),
	}
	if most := a.options.Samples.Bytes; most > 0 {
		c.Slowest.SQL, c.Slowest.Cut = a.sample(c, e.Statement, at.shape), len(e.Statement) >= most
	}
	if bytes.Contains(e.Statement, []byte("/*")) {
		if origin := sqltext.OriginOf(string(e.Statement)); origin != (sqltext.Origin{}) {
			c.Slowest.Origin = &origin
		}
	}
}

// sample returns what is kept of a statement of that shape.
func (a *Aggregate) sample(c *Class, statement []byte, shape uint64) string {
	most := a.options.Samples.Bytes
	switch {
	case a.options.Samples.Literals:
		return string(statement[:min(len(statement), most)])
	case len(statement) < most && shape != 0 && shape == c.shape:
		return string(c.Text) // as nearly always, and it takes no memory
	default:
		return a.options.SQL.Redact(string(statement[:min(len(statement), most)]))
	}
}

// Merge adds what o holds, which must not be used any more. It gives the same whatever was added to
// which of the two, as long as both stayed within Options.MaxClasses.
func (a *Aggregate) Merge(o *Aggregate) {
	a.Entries += o.Entries
	a.Refused += o.Refused
	a.Calls = plus(a.Calls, o.Calls)
	a.Micros = plus(a.Micros, o.Micros)
	a.Estimated = a.Estimated || o.Estimated
	a.told |= o.told
	a.saw(o.first, o.last)
	a.skip(o.Skipped, o.Skips)
	a.Other.merge(&o.Other)
	var shared []sharedClass
	for sum, c := range o.classes {
		switch have := a.classes[sum]; {
		case have != nil:
			shared = append(shared, sharedClass{have, c})
		case len(a.classes) >= a.options.classes():
			a.Other.merge(c)
		default:
			a.classes[sum] = c
		}
	}
	mergeAll(shared)
}

// sharedClass is a statement that two aggregates have.
type sharedClass struct{ into, from *Class }

// mergeAll merges classes on all processors, because they are ten thousands, far apart in memory.
func mergeAll(shared []sharedClass) {
	var working sync.WaitGroup
	n := runtime.GOMAXPROCS(0)
	for i := range n {
		part := shared[len(shared)*i/n : len(shared)*(i+1)/n]
		working.Go(func() {
			for _, c := range part {
				c.into.merge(c.from)
			}
		})
	}
	working.Wait()
}

// mostSkips bounds the skips that are named.
const mostSkips = 1000

// skip counts skips, and keeps the first ones.
func (a *Aggregate) skip(count uint64, skips []Skip) {
	a.Skipped += count
	a.Skips = append(a.Skips, skips...)
	slices.SortFunc(a.Skips, func(x, y Skip) int {
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Offset, y.Offset))
	})
	a.Skips = a.Skips[:min(len(a.Skips), mostSkips)]
}

// skipBatch takes over what a batch skipped.
func (a *Aggregate) skipBatch(file string, b *batch) {
	if len(b.skips) == 0 {
		return
	}
	for i := range b.skips {
		b.skips[i].File = file
	}
	a.skip(uint64(len(b.skips)), b.skips)
}

// Classes returns the statements by their time, the most first.
func (a *Aggregate) Classes() []*Class {
	list := make([]*Class, 0, len(a.classes))
	for _, c := range a.classes {
		list = append(list, c)
	}
	slices.SortFunc(list, func(x, y *Class) int {
		return cmp.Or(cmp.Compare(y.Micros, x.Micros), cmp.Compare(x.Fingerprint, y.Fingerprint))
	})
	return list
}
