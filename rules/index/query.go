package index

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/sqlshape"
)

// maxOccurrences is how many tables a statement may read to be analysed: what the optimizer makes of
// more is nobody's guess.
const maxOccurrences = 60

// query is one statement as the cost model sees it.
type query struct {
	*Statement
	shape       *sqlshape.Shape
	occurrences []*occurrence // by their index in the shape; nil for what is not read from a table
	blocks      []*block
	// load is statement time in seconds a second, without waits for locks.
	load float64
	// relevant says that it shows the evidence for which indexes are sought.
	relevant bool
	// hidden is how many rows a call examined that the server did not count; 0 if it did.
	hidden float64
	// call is what a call costs that reads nothing, in microseconds of the model.
	call float64
	// before is what a call costs before anything is changed, in microseconds, by mode: at most what the
	// rows that it was seen to examine can cost.
	before [3]float64
	// now is the share of base that a call takes with what is chosen so far, reads the rows.
	now, reads float64
}

// comparison is how a condition compares a column.
type comparison uint8

const (
	equal     comparison = iota // one value
	list                        // one of some
	null                        // IS NULL
	ranged                      // between values
	beginning                   // LIKE 'x%'
)

// condition is what a statement asks of a column, in a way that an index can serve.
type condition struct {
	column int
	by     comparison
	// items is how many values are compared with.
	items float64
	// to is the occurrence whose row has to be known before; -1 for none.
	to int
}

// occurrence is one mention of a table in a statement.
type occurrence struct {
	at     int
	table  *table
	source *sqlshape.Table
	// conditions are those that an index can serve, residual is the share of rows that the others leave.
	conditions []condition
	residual   float64
	either     []either
	// needed are the columns that are read, unless all are.
	needed []int
	all    bool
	order  []wanted // the order or grouping that the block wants
	// seen is what evidence tells of the selectivity of conditions; nil if there is none.
	seen *evidence
	semi bool
}

// either is a disjunction; branches are alternatives.
type either struct {
	branches [][]condition
	served   bool // an index can serve each branch
}

// wanted is a column of an order.
type wanted struct {
	column int
	desc   bool
}

// block is tables that are joined with one another.
type block struct {
	occurrences []*occurrence
	outer       int  // the block around it; -1 for none
	correlated  bool // it is executed for each row of the outer one
	outerMask   uint64
	limited     bool
	limit       float64
	ordered     bool
	grouped     bool
	gathers     bool // more rows go in than come out
}

// unknownItems is how many values a list has that a digest text has cut to one.
const unknownItems = 5

// newQuery returns the model of a statement, or why it is not analysed.
func (e *engine) newQuery(s *Statement, shape *sqlshape.Shape) (*query, string) {
	q := &query{Statement: s, shape: shape, now: 1, load: max(s.Seconds-s.LockSeconds, 0) / max(s.WindowSeconds, 1e-9)}
	if len(shape.Tables) > maxOccurrences {
		return nil, fmt.Sprintf("it reads %d tables, and at most %d are analysed", len(shape.Tables), maxOccurrences)
	}
	q.occurrences = make([]*occurrence, len(shape.Tables))
	for i := range shape.Tables {
		source := &shape.Tables[i]
		if source.Derived || source.Name == "" || system(cmp.Or(source.Schema, s.Schema)) || q.onlyWritten(source) {
			continue
		}
		t := e.find(s.Schema, source.Schema, source.Name)
		if t == nil {
			return nil, unknownTable(s, source)
		}
		o, missing := newOccurrence(i, t, shape)
		if missing != "" {
			return nil, fmt.Sprintf("table %s has no column %s", t.Name, missing)
		}
		q.occurrences[i] = o
	}
	q.forgetConverted()
	q.arrange()
	q.useEvidence()
	return q, ""
}

func unknownTable(s *Statement, source *sqlshape.Table) string {
	name := source.Name
	switch schema := cmp.Or(source.Schema, s.Schema); {
	case schema == "":
		return "it says no schema for table " + name + ", and none is told of its session"
	default:
		name = schema + "." + name
	}
	return name + " is no table that is known: a view, a temporary table, or one that is gone"
}

// onlyWritten reports whether a table is the target of an INSERT.
func (q *query) onlyWritten(source *sqlshape.Table) bool {
	return source.Write && !source.All && len(source.Sets) == 0
}

func newOccurrence(at int, t *table, shape *sqlshape.Shape) (o *occurrence, missing string) {
	source := &shape.Tables[at]
	o = &occurrence{at: at, table: t, source: source, all: source.All}
	r := resolver{table: t}
	o.conditions = r.conditions(&source.Predicates)
	for _, j := range source.Joins {
		o.conditions = append(o.conditions, condition{column: r.at(j.Column), items: 1, to: j.To})
		o.semi = o.semi || j.Semi && j.Correlated
	}
	for _, or := range source.Or {
		x := either{served: or.Complete}
		for i := range or.Branches {
			x.branches = append(x.branches, r.conditions(&or.Branches[i]))
		}
		o.either = append(o.either, x)
	}
	for _, name := range source.Needed {
		o.needed = append(o.needed, r.at(name))
	}
	o.order = r.order(source, shape.Blocks[source.Block])
	o.residual = residual(source)
	return o, r.missing
}

// resolver finds columns by name, and remembers one that is not there.
type resolver struct {
	table   *table
	missing string
}

func (r *resolver) at(name string) int {
	at, ok := r.table.position[strings.ToLower(name)]
	if !ok {
		r.missing = name
	}
	return at
}

func (r *resolver) conditions(p *sqlshape.Predicates) []condition {
	var out []condition
	add := func(by comparison, items float64, names ...string) {
		for _, name := range names {
			out = append(out, condition{column: r.at(name), by: by, items: items, to: -1})
		}
	}
	add(equal, 1, p.Equal...)
	add(null, 1, p.Null...)
	for _, in := range p.In {
		items := float64(in.Values)
		if items == 0 {
			items = unknownItems
		}
		if items == 1 {
			add(equal, 1, in.Column)
			continue
		}
		add(list, items, in.Column)
	}
	add(ranged, 1, p.Range...)
	add(beginning, 1, p.PrefixLike...)
	return slices.DeleteFunc(out, func(c condition) bool {
		return c.column < len(r.table.Columns) && asNumber(p, &r.table.Columns[c.column])
	})
}

func (r *resolver) order(source *sqlshape.Table, b sqlshape.Block) []wanted {
	columns := source.Order
	if b.Grouped {
		columns = source.Group
	}
	var out []wanted
	for _, c := range columns {
		out = append(out, wanted{r.at(c.Column), c.Desc})
	}
	return out
}

// residual is the share of rows that conditions leave which no index serves: nothing is known of them,
// and the optimizers' own guesses are about these.
func residual(t *sqlshape.Table) float64 {
	share := math.Pow(0.9, float64(len(t.Other)+len(t.NotNull)))
	share *= math.Pow(0.3, float64(len(t.Wrapped)+len(t.Like)))
	return max(share, 0.01)
}

// arrange sorts the occurrences into blocks. A subquery behind IN is joined where it stands.
func (q *query) arrange() {
	into := make([]int, len(q.shape.Blocks))
	for i := range into {
		into[i] = i
	}
	for _, t := range q.shape.Tables {
		for _, j := range t.Joins {
			if inner := t.Block; j.Semi && j.Correlated && q.plainBlock(inner) {
				into[inner] = into[q.shape.Tables[j.To].Block]
			}
		}
	}
	q.blocks = make([]*block, len(q.shape.Blocks))
	for i, b := range q.shape.Blocks {
		if into[i] == i {
			q.blocks[i] = q.newBlock(b)
		}
	}
	for _, o := range q.occurrences {
		if o == nil {
			continue
		}
		home := into[o.source.Block]
		for q.blocks[home] == nil && into[home] != home {
			home = into[home]
		}
		if b := q.blocks[home]; b != nil {
			b.occurrences = append(b.occurrences, o)
		}
	}
	q.correlate()
}

// plainBlock reports whether the optimizer can turn a subquery into a join.
func (q *query) plainBlock(at int) bool {
	b := q.shape.Blocks[at]
	return b.Outer >= 0 && !b.Limited && !b.Grouped && !b.Aggregated
}

func (q *query) newBlock(b sqlshape.Block) *block {
	out := &block{
		outer: b.Outer, limited: b.Limited, limit: float64(b.Limit), ordered: b.Ordered, grouped: b.Grouped,
		gathers: b.Grouped || b.Aggregated || b.Distinct,
	}
	if b.Limited && b.Limit == 0 {
		out.limit = unknownLimit
		if b.Outer < 0 {
			out.limit = max(q.returned(), 1)
		}
	}
	return out
}

// unknownLimit is the LIMIT of a subquery whose text does not tell it.
const unknownLimit = 100

// correlate finds the blocks that are executed for each row of the one around them.
func (q *query) correlate() {
	for _, b := range q.blocks {
		if b == nil {
			continue
		}
		var inside uint64
		for _, o := range b.occurrences {
			inside |= 1 << o.at
		}
		for _, o := range b.occurrences {
			for _, c := range o.conditions {
				if c.to >= 0 && inside&(1<<c.to) == 0 {
					b.correlated = true
					b.outerMask |= 1 << c.to
				}
			}
		}
	}
}

// gainsBy reports whether the statement can gain by a design: the first column is compared, or it is
// what the result is ordered by, or the design holds all that is read.
func (o *occurrence) gainsBy(d *design) bool {
	first := d.parts[0].column
	if slices.ContainsFunc(o.conditions, func(c condition) bool { return c.column == first }) {
		return true
	}
	if len(o.order) > 0 && slices.ContainsFunc(o.order, func(w wanted) bool { return w.column == first }) {
		return true
	}
	for _, e := range o.either {
		for _, branch := range e.branches {
			if slices.ContainsFunc(branch, func(c condition) bool { return c.column == first }) {
				return true
			}
		}
	}
	return o.covered(d)
}

// covered reports whether all that is read is in the design.
func (o *occurrence) covered(d *design) bool {
	return !o.all && !slices.ContainsFunc(o.needed, func(c int) bool { return !d.tells(c) })
}

// find returns the model of the table that a statement means; nil if it is not known.
func (e *engine) find(session, schema, name string) *table {
	t := e.catalog.find(session, schema, name)
	if t == nil {
		return nil
	}
	return e.modelOf(t)
}

func (e *engine) modelOf(t *snapshot.Table) *table {
	m := e.tables[t]
	if m == nil {
		m = e.workload.newTable(t)
		e.tables[t] = m
	}
	return m
}
