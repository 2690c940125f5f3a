package index

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
)

// Kind says what an advice is.
type Kind string

// The kinds of advice.
const (
	Add     Kind = "add"     // an index
	Extend  Kind = "extend"  // an index that exists, by more columns: a new one takes its place
	Drop    Kind = "drop"    // an index that nothing needs
	Analyze Kind = "analyze" // collect statistics
	Rewrite Kind = "rewrite" // a statement that no index serves as it is written
)

// Tier says how far an advice was tried.
type Tier string

// Estimated is the tier of what was worked out from statistics, and not tried on a server.
const Estimated Tier = "estimated"

// Report is what a workload and its tables give rise to. It is a pure function of them.
type Report struct {
	// Advice has what gains most first; drops, which spare writes and disk, come last.
	Advice []Advised `json:"advice"`
	// NotAnalysed are the statements of which nothing is known but their cost, the dearest first.
	NotAnalysed []NotAnalysed `json:"not_analysed"`
	// Statements is how many statements there were, Analysed how many of them were understood, and
	// Relevant how many of these show that an index could help.
	Statements int `json:"statements"`
	Analysed   int `json:"analysed"`
	Relevant   int `json:"relevant"`
	// LoadSeconds is the time of all statements, in seconds a second.
	LoadSeconds float64 `json:"load_seconds"`
	// Bytes is how large the new indexes are together, less those that they replace.
	Bytes float64 `json:"size_bytes"`
}

// Advised is one thing to do.
type Advised struct {
	Kind   Kind   `json:"kind"`
	Schema string `json:"schema"`
	Table  string `json:"table"`
	// Columns are those of the index, or those that a rewrite is about.
	Columns []Part `json:"columns"`
	// Index is the name of the index that is made or dropped; empty for other kinds.
	Index string `json:"index,omitempty"`
	// Replaces is the index that an extended one takes the place of.
	Replaces string `json:"replaces,omitempty"`
	// DDL is the statement to run, and Rollback what undoes it; both are empty for a rewrite, and Rollback
	// for statistics too. Let them give up waiting for locks: SET SESSION lock_wait_timeout = 5.
	DDL      string `json:"ddl"`
	Rollback string `json:"rollback"`
	// Digests are the statements that gain, the one that gains most first, Payers those that pay.
	Digests []Effect `json:"digests"`
	Payers  []Payer  `json:"payers,omitempty"`
	// Gain is the statement time that is spared, in seconds a second; Cost what writes take more.
	Gain Interval `json:"gain"`
	Cost float64  `json:"cost"`
	// SizeBytes is how large the index is; nil for kinds that have none, or if it is not known.
	SizeBytes *float64 `json:"size_bytes,omitempty"`
	// BuildSeconds is how long it takes to be built.
	BuildSeconds *Interval `json:"build_seconds,omitempty"`
	Tier         Tier      `json:"tier"`
	// Confidence is 0..1.
	Confidence float64  `json:"confidence"`
	Reasons    []string `json:"reasons"`
	// Card is what to know before the statement is run; empty for a rewrite.
	Card []string `json:"card,omitempty"`
	// Migration is the same change in the words of the framework that owns the table; nil if none is known.
	Migration *Migration `json:"migration,omitempty"`
}

// Effect is what one statement gains.
type Effect struct {
	Fingerprint    string            `json:"fingerprint"`
	Schema         string            `json:"schema"`
	Text           snapshot.Redacted `json:"text"`
	CallsPerSecond float64           `json:"calls_per_second"`
	// Before is observed, After estimated: seconds and rows examined a call.
	SecondsBefore float64  `json:"seconds_before"`
	SecondsAfter  Interval `json:"seconds_after"`
	RowsBefore    float64  `json:"rows_before"`
	RowsAfter     Interval `json:"rows_after"`
}

// Payer is a statement that writes more.
type Payer struct {
	Fingerprint string            `json:"fingerprint"`
	Schema      string            `json:"schema"`
	Text        snapshot.Redacted `json:"text"`
	// SecondsMore is how much longer a call takes.
	SecondsMore float64 `json:"seconds_more"`
}

// NotAnalysed is a statement that was left out.
type NotAnalysed struct {
	Fingerprint string            `json:"fingerprint"`
	Schema      string            `json:"schema"`
	Text        snapshot.Redacted `json:"text"`
	Reason      string            `json:"reason"`
	// ShareRatio is its share of the time of all statements.
	ShareRatio float64 `json:"share_ratio"`
}

// Advise returns what to do about the indexes of a workload's tables.
func Advise(w Workload, o Options) Report {
	e := newEngine(&w, o)
	e.choose(e.moves())
	out := Report{Statements: len(w.Statements), Analysed: len(e.queries), LoadSeconds: e.load, NotAnalysed: e.skipped}
	for _, q := range e.queries {
		if q.relevant {
			out.Relevant++
		}
	}
	out.Bytes = e.bytes
	for _, d := range e.chosen {
		if a := e.advised(d); len(a.Digests) > 0 {
			out.Advice = append(out.Advice, a)
		}
	}
	out.Advice = append(out.Advice, e.lints()...)
	out.Advice = append(out.Advice, e.stale()...)
	slices.SortStableFunc(out.Advice, func(a, b Advised) int {
		return cmp.Or(cmp.Compare(b.Gain.Lo-b.Cost, a.Gain.Lo-a.Cost), strings.Compare(a.Schema+a.Table, b.Schema+b.Table))
	})
	out.Advice = append(out.Advice, e.drops()...)
	slices.SortStableFunc(out.NotAnalysed, func(a, b NotAnalysed) int {
		return cmp.Or(cmp.Compare(b.ShareRatio, a.ShareRatio), strings.Compare(a.Fingerprint, b.Fingerprint))
	})
	return out
}

// advised describes a chosen design.
func (e *engine) advised(d *design) Advised {
	a := Advised{
		Kind: Add, Schema: d.table.Schema, Table: d.table.Name, Columns: d.columns(), Tier: Estimated,
		SizeBytes: new(d.bytes), BuildSeconds: new(d.build()), Cost: d.writeCost() * e.unit,
	}
	if d.replaces != nil {
		a.Kind, a.Replaces = Extend, d.replaces.name
		a.Cost -= d.replaces.writeCost() * e.unit
	}
	a.Digests = e.effects(d)
	for _, f := range a.Digests {
		a.Gain.Lo += f.CallsPerSecond * max(f.SecondsBefore-f.SecondsAfter.Hi, 0)
		a.Gain.Hi += f.CallsPerSecond * max(f.SecondsBefore-f.SecondsAfter.Lo, 0)
	}
	a.Payers = e.payers(d)
	a.Index = freeName(d.table.Table, a.Columns)
	e.options.Server.write(&a, d.table.Table)
	e.migrate(&a, d.table.Table)
	a.Confidence, a.Reasons = e.confidence(d)
	return a
}

func (d *design) columns() []Part {
	var out []Part
	for _, p := range d.parts {
		out = append(out, Part{Column: d.table.Columns[p.column].Name, Prefix: p.prefix, Descending: p.desc})
	}
	return out
}

// build is how long the index takes to be built: 20 to 35 MB a second were measured of the table and the
// index together, on two cores in memory.
func (d *design) build() Interval {
	bytes := d.table.rows*d.table.rowBytes + d.bytes
	return Interval{Lo: bytes / 100e6, Hi: max(bytes/20e6, 1)}
}

// effects returns what statements gain by a design, among all that were chosen.
func (e *engine) effects(d *design) []Effect {
	var out []Effect
	queries := affected([]*design{d})
	after := map[*query][3]estimate{}
	for _, q := range queries {
		after[q] = [3]estimate{likely: q.cost(likely), worst: q.cost(worst), best: q.cost(best)}
	}
	e.remove(d)
	for _, q := range queries {
		with := after[q]
		without := q.cost(likely)
		least, most := q.part(with)
		if with[likely].micros > without.micros*(1-leastShown) || most > 1-leastShown {
			continue
		}
		out = append(out, q.effect(with, least, most))
	}
	e.chosen = append(e.chosen, d)
	d.table.designs = append(slices.Clone(d.table.designs), d)
	slices.SortStableFunc(out, func(a, b Effect) int { return cmp.Compare(b.gain(), a.gain()) })
	return out
}

// leastShown is the part of its time that a statement gains to be told of.
const leastShown = 0.05

// part is what a call takes afterwards, as a part of what it takes now: the least and the most.
func (q *query) part(after [3]estimate) (least, most float64) {
	least = 1
	for m, e := range after {
		part := min(e.micros/q.before[m], 1)
		least, most = min(least, part), max(most, part)
	}
	return least, most
}

func (q *query) effect(after [3]estimate, least, most float64) Effect {
	rows := Interval{Lo: math.Inf(1)}
	for _, e := range after {
		rows.Lo, rows.Hi = min(rows.Lo, e.read), max(rows.Hi, e.read)
	}
	now := max(q.examined(), 1)
	rows.Lo, rows.Hi = min(rows.Lo, now), min(rows.Hi, now)
	return Effect{
		Fingerprint: q.Fingerprint, Schema: q.Schema, Text: q.Text, CallsPerSecond: float64(q.Calls) / max(q.WindowSeconds, 1e-9),
		SecondsBefore: q.Seconds / float64(q.Calls), SecondsAfter: q.secondsAfter(least, most),
		RowsBefore: q.examined(), RowsAfter: rows,
	}
}

// secondsAfter takes the waits for locks to stay as they are.
func (q *query) secondsAfter(least, most float64) Interval {
	locked := min(q.LockSeconds, q.Seconds) / float64(q.Calls)
	work := q.Seconds/float64(q.Calls) - locked
	return Interval{locked + work*least, locked + work*most}
}

func (f Effect) gain() float64 { return f.CallsPerSecond * (f.SecondsBefore - f.SecondsAfter.Hi) }

// payers returns the statements that keep a design up to date.
func (e *engine) payers(d *design) []Payer {
	var out []Payer
	for _, s := range d.table.writes.statements {
		more := float64(s.RowsAffected) / float64(max(s.Calls, 1)) * d.entryMicros() * e.unit / 1e6
		if more > 0 {
			out = append(out, Payer{Fingerprint: s.Fingerprint, Schema: s.Schema, Text: s.Text, SecondsMore: more})
		}
	}
	slices.SortStableFunc(out, func(a, b Payer) int { return cmp.Compare(b.SecondsMore, a.SecondsMore) })
	const most = 10
	return out[:min(len(out), most)]
}

// confidence says how sure an advice is, and why it is given.
func (e *engine) confidence(d *design) (float64, []string) {
	sure := 0.75
	var reasons []string
	var unknown []string
	for _, p := range d.parts {
		if v := d.table.values[p.column]; !v.sure && d.points() > 0 {
			unknown = append(unknown, d.table.Columns[p.column].Name)
		}
	}
	if len(unknown) > 0 {
		sure = 0.6
		reasons = append(reasons, "how many values "+strings.Join(unknown, ", ")+" has is not known; the estimate takes the worst")
	}
	if d.replaces != nil {
		reasons = append(reasons, "it begins with all columns of "+d.replaces.name+", which nothing else asks for")
	}
	return sure, append(reasons, "it is estimated from statistics, and was not tried")
}

// stale returns tables of which the server seems to know too little to use an index that is there.
func (e *engine) stale() []Advised {
	found := map[*table]*Advised{}
	var order []*table
	for _, q := range e.queries {
		if len(q.shape.Tables) != 1 || q.occurrences[0] == nil || e.shareOf(q.Statement) < staleShare {
			continue
		}
		t := q.occurrences[0].table
		now := q.cost(worst)
		if t.rows < leastRows || q.examined() < staleRows || now.read*staleFactor > q.examined() || q.NoIndexUsed+q.FullScans+q.NoGoodIndex == 0 {
			continue
		}
		a := found[t]
		if a == nil {
			a = &Advised{Kind: Analyze, Schema: t.Schema, Table: t.Name, Tier: Estimated, Confidence: 0.5}
			found[t] = a
			order = append(order, t)
		}
		a.Digests = append(a.Digests, Effect{
			Fingerprint: q.Fingerprint, Schema: q.Schema, Text: q.Text, CallsPerSecond: float64(q.Calls) / max(q.WindowSeconds, 1e-9),
			SecondsBefore: q.Seconds / float64(q.Calls), SecondsAfter: q.secondsAfter(min(now.micros/q.observedMicros(), 1), 1),
			RowsBefore: q.examined(), RowsAfter: Interval{min(now.read, q.examined()), q.examined()},
		})
		a.Gain.Hi += q.load * (1 - min(now.micros/max(q.observedMicros(), 1), 1))
	}
	var out []Advised
	for _, t := range order {
		a := found[t]
		a.Reasons = []string{"an index that is there would spare most of the rows, and statements scan the table: the server's statistics may be old, or its values uneven"}
		e.options.Server.write(a, t.Table)
		out = append(out, *a)
	}
	return out
}

// What shows that a server does not use an index that would serve.
const (
	staleShare  = 0.01
	staleRows   = 1000
	staleFactor = 20
)

// drops returns the indexes that can go, the largest first.
func (e *engine) drops() []Advised {
	var out []Advised
	add := func(t *snapshot.Table, x snapshot.Index, size *float64, confidence float64, reasons ...string) {
		if slices.ContainsFunc(e.chosen, func(d *design) bool { return d.replaces != nil && d.table.Table == t && d.replaces.name == x.Name }) {
			return
		}
		a := Advised{
			Kind: Drop, Schema: t.Schema, Table: t.Name, Index: x.Name, Columns: partsOf(x), SizeBytes: size,
			Tier: Estimated, Confidence: confidence, Reasons: reasons,
		}
		if m := e.modelOf(t); m != nil {
			for _, d := range m.designs {
				if d.name == x.Name {
					a.Gain = Interval{0, d.writeCost() * e.unit}
				}
			}
		}
		e.options.Server.write(&a, t)
		out = append(out, a)
	}
	for _, r := range FindRedundant(*e.workload) {
		why := r.By.Name + " begins with its columns and serves all that it does"
		if r.KeyBehind {
			why = "it is " + r.By.Name + " with the primary key behind it, which InnoDB keeps in every index anyway"
		}
		add(r.Table, r.Index, r.SizeBytes, 0.9, why)
	}
	if e.workload.Usage != nil {
		for _, u := range FindUnused(*e.workload, e.workload.Usage) {
			add(u.Table, u.Index, u.SizeBytes, 0.7, "no server read it in "+e.workload.UsageFor)
		}
	}
	slices.SortStableFunc(out, func(a, b Advised) int { return cmp.Compare(sizeOf(b), sizeOf(a)) })
	return out[:min(len(out), mostDrops)]
}

// mostDrops is how many indexes are advised to be dropped at once: more than that nobody watches.
const mostDrops = 10

func sizeOf(a Advised) float64 {
	if a.SizeBytes == nil {
		return math.Inf(1)
	}
	return *a.SizeBytes
}
