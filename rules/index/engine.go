package index

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/sqlshape"
)

// Options bound what is advised. The zero value has the defaults.
type Options struct {
	// Server is the server for which statements are written.
	Server Server
	// BudgetBytes is how large the new indexes are together at most; 0 for any size.
	BudgetBytes float64
	// MaxPerTable is how many indexes a table has at most with the new ones; 8 if zero.
	MaxPerTable int
	// MaxWriteRatio is the part of all statement time that the new indexes take to be kept up to date,
	// at most; a twentieth if zero.
	MaxWriteRatio float64
	// MinShare is the share of all statement time from which on a statement counts; three ten-thousandths if zero.
	MinShare float64
}

// The defaults of Options.
const (
	DefaultMaxPerTable   = 8
	DefaultMaxWriteRatio = 0.05
	DefaultMinShare      = 0.0003
)

func (o Options) withDefaults() Options {
	o.MaxPerTable = cmp.Or(o.MaxPerTable, DefaultMaxPerTable)
	o.MaxWriteRatio = cmp.Or(o.MaxWriteRatio, DefaultMaxWriteRatio)
	o.MinShare = cmp.Or(o.MinShare, DefaultMinShare)
	return o
}

// What an index must be worth.
const (
	// leastDigestGain is the part of the time of at least one of its statements that an index spares.
	leastDigestGain = 0.2
	// leastRowGain is the part of the rows that this statement then does not read: to read as many of a
	// smaller index is a gain that is gone once the table is in memory.
	leastRowGain = 0.2
	// leastTotalGain is the part that it spares of the time that statements take with all that was
	// chosen before it.
	leastTotalGain = 0.005
	// writesWorth is how many times what it costs in writes it must spare in reads.
	writesWorth = 2
)

// engine is one analysis.
type engine struct {
	workload *Workload
	options  Options
	catalog  catalog
	tables   map[*snapshot.Table]*table
	queries  []*query
	skipped  []NotAnalysed
	uses     uses
	// load is all statement time, in seconds a second.
	load float64
	// unit is what a microsecond of the model takes on this server.
	unit float64
	// chosen are the designs to add, bytes how large they are together, less what they replace.
	chosen []*design
	bytes  float64
}

func newEngine(w *Workload, o Options) *engine {
	e := &engine{workload: w, options: o.withDefaults(), catalog: newCatalog(w.Tables), tables: map[*snapshot.Table]*table{}, unit: 1, uses: usesOf(*w)}
	for i := range w.Statements {
		s := &w.Statements[i]
		if !s.Own && s.Calls > 0 {
			e.load += s.Seconds / max(s.WindowSeconds, 1e-9)
		}
	}
	e.read()
	e.learn()
	return e
}

// read makes the models of all statements.
func (e *engine) read() {
	for i := range e.workload.Statements {
		s := &e.workload.Statements[i]
		if s.Own || s.Calls == 0 {
			continue
		}
		shape, err := e.shape(s)
		switch {
		case err == nil && shape.Partial:
			e.skip(s, "its text was cut off by the server; raise max_digest_length and performance_schema_max_digest_length")
		case err != nil:
			e.skip(s, "its grammar is not understood")
		case len(shape.Tables) > 0:
			e.add(s, shape)
		}
	}
}

// shape is what a statement asks for, as its sample tells it or else its text.
func (e *engine) shape(s *Statement) (*sqlshape.Shape, error) {
	columns := e.catalog.columns(s.Schema)
	if s.Sample != "" {
		if shape, err := sqlshape.Parse(s.Sample, columns); err == nil && !shape.Partial {
			return shape, nil
		}
	}
	shape, err := sqlshape.Parse(string(s.Text), columns)
	if err == nil && s.Truncated {
		shape.Partial = true
	}
	return shape, err
}

func (e *engine) skip(s *Statement, reason string) {
	e.skipped = append(e.skipped, NotAnalysed{
		Fingerprint: s.Fingerprint, Schema: s.Schema, Text: s.Text, Reason: reason, ShareRatio: e.shareOf(s),
	})
}

// shareOf is a statement's share of all statement time.
func (e *engine) shareOf(s *Statement) float64 {
	if e.load == 0 {
		return 0
	}
	return s.Seconds / max(s.WindowSeconds, 1e-9) / e.load
}

// add makes the model of a statement, and counts what it writes.
func (e *engine) add(s *Statement, shape *sqlshape.Shape) {
	e.countWrites(s, shape)
	q, reason := e.newQuery(s, shape)
	switch {
	case reason != "":
		e.skip(s, reason)
		return
	case !slices.ContainsFunc(q.occurrences, func(o *occurrence) bool { return o != nil }):
		return
	case slices.ContainsFunc(q.occurrences, func(o *occurrence) bool { return o != nil && math.IsInf(o.table.rows, 1) }):
		e.skip(s, "how many rows its tables have is not known")
		return
	}
	e.queries = append(e.queries, q)
	for _, o := range q.occurrences {
		if o != nil && !slices.Contains(o.table.queries, q) {
			o.table.queries = append(o.table.queries, q)
		}
	}
}

func (e *engine) countWrites(s *Statement, shape *sqlshape.Shape) {
	for i := range shape.Tables {
		if source := &shape.Tables[i]; source.Write {
			if t := e.find(s.Schema, source.Schema, source.Name); t != nil {
				t.writes.count(s, t, source.Sets)
			}
		}
	}
}

// learn fits the model to what was observed: how long its microsecond is, what a call takes that reads
// next to nothing, and what each statement takes before anything is changed.
func (e *engine) learn() {
	e.learnJoins()
	call := e.shortestCall()
	var units []float64
	for _, q := range e.queries {
		const much = 200 // microseconds of the model
		if model := min(q.cost(likely).micros, q.observedMicros()); model > much {
			units = append(units, max(q.Seconds/float64(q.Calls)*1e6-call, 1)/model)
		}
	}
	if len(units) > 0 {
		slices.Sort(units)
		e.unit = min(max(units[(len(units)-1)/2], leastUnit), mostUnit)
	}
	for _, q := range e.queries {
		q.call = call / e.unit
		q.uncounted(e.unit)
		for _, m := range []mode{likely, worst, best} {
			q.before[m] = max(min(q.cost(m).micros, q.observedMicros()), 1)
		}
		q.reads = min(q.cost(worst).read, q.mostReads())
		q.relevant = e.isRelevant(q)
	}
}

// A server is neither ten times faster nor thirty times slower than the one of the model's figures; one
// that seems to be waits for other things.
const leastUnit, mostUnit = 0.1, 30

// shortestCall is what a call takes in microseconds that reads next to nothing: the quarter of such
// statements below which it is luck, or if there is none what such a call usually takes.
func (e *engine) shortestCall() float64 {
	const fewRows, usual, longest = 10, 20, 1000
	var seen []float64
	for i := range e.workload.Statements {
		s := &e.workload.Statements[i]
		if s.Calls > 0 && s.Seconds > 0 && s.examined() <= fewRows && s.returned() <= fewRows && s.LockSeconds == 0 {
			seen = append(seen, s.Seconds/float64(s.Calls)*1e6)
		}
	}
	if len(seen) == 0 {
		return usual
	}
	slices.Sort(seen)
	return min(seen[len(seen)/4], longest)
}

// observedMicros bounds what a call can take by the rows that it examined: with each row looked up.
func (q *query) observedMicros() float64 {
	return q.call + diveMicros + q.rowsSeen()*(entryMicros+lookupMicros) + q.returned()*entryMicros
}

// uncounted finds joins that examined more rows than the server says: MariaDB counts the rows of a join
// buffer once, however often they are compared. Their time tells how many there were.
func (q *query) uncounted(unit float64) {
	const times = 20
	micros := max(q.Seconds-q.LockSeconds, 0) / float64(q.Calls) * 1e6 / unit
	if rows := micros / (entryMicros + lookupMicros); len(q.shape.Tables) > 1 && rows > times*max(q.examined(), 1) {
		q.hidden = rows
	}
}

// mostReads bounds the rows that a call reads by those that it examined, of which a join shows a part.
func (q *query) mostReads() float64 {
	const shown = 5
	if len(q.shape.Tables) > 1 {
		return max(shown*q.rowsSeen(), 1)
	}
	return max(q.rowsSeen(), 1)
}

// rowsSeen is how many rows a call examined, as the server says or its time.
func (q *query) rowsSeen() float64 { return max(q.examined(), q.hidden) }

// isRelevant reports whether a statement takes enough time, and reads enough for what it returns, to be
// worth an index.
func (e *engine) isRelevant(q *query) bool {
	if e.shareOf(q.Statement) < e.options.MinShare {
		return false
	}
	tables := 0
	for _, o := range q.occurrences {
		if o != nil {
			tables++
		}
	}
	return q.rowsSeen() >= leastExamined && q.rowsSeen() >= leastRatio*float64(tables)*q.returned() || q.SortRows > 0 && q.limited()
}

// What a statement reads at least for an index to be sought: a hundred rows are read in less time than
// the statement takes to be parsed.
const (
	leastExamined = 100
	leastRatio    = 1.5
)

func (q *query) limited() bool {
	return slices.ContainsFunc(q.shape.Blocks, func(b sqlshape.Block) bool { return b.Limited })
}

// learnJoins takes from the joins of the workload how many values columns have of which nothing else is
// known: one that is joined with another table's whole key has no more values than that has rows.
func (e *engine) learnJoins() {
	for _, q := range e.queries {
		for _, o := range q.occurrences {
			if o == nil {
				continue
			}
			for _, c := range o.conditions {
				if c.to < 0 || q.occurrences[c.to] == nil {
					continue
				}
				o.table.learn(c.column, q, o, q.occurrences[c.to].table)
			}
		}
	}
}

func (m *table) learn(column int, q *query, o *occurrence, other *table) {
	v := &m.values[column]
	if v.sure || len(other.key) != 1 || other == m {
		return
	}
	key := other.Columns[other.key[0]].Name
	for _, j := range o.source.Joins {
		if q.occurrences[j.To] != nil && q.occurrences[j.To].table == other && strings.EqualFold(j.ToColumn, key) &&
			m.position[strings.ToLower(j.Column)] == column {
			n := max(min(m.rows, other.rows), 1)
			*v = values{least: max(n/10, 1), mean: max(n/2, 1), most: n, sure: true, null: v.null}
		}
	}
}
