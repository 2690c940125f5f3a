package digest

import (
	"slices"
	"time"

	"plimsoll/collectors/slowlog"
)

// quantileError is the bound of slowlog.Sketch.
const quantileError = 1.0 / 128

// Digest returns what was read so far. The Builder must not be used afterwards.
func (b *Builder) Digest() *Digest {
	o := b.options
	d := &Digest{
		Schema: SchemaVersion, Version: o.Version, Files: b.files, Entries: b.sum.Entries, FilteredOut: b.sum.Refused,
		QuantileErrorRatio: quantileError, Samples: o.Samples, Sort: o.Sort,
		Queries: []Query{}, SkippedTotal: b.sum.Skipped, Skipped: skips(b.sum.Skips),
	}
	all := b.addQueries(d)
	if other := &b.sum.Other; other.Calls > 0 && o.Keep == nil {
		all.Merge(d.saw(other))
		d.Untold = &Rest{Calls: other.Calls, TimeSeconds: seconds(other.Micros)}
	}
	d.Calls, d.TimeSeconds = all.Calls, seconds(all.Sum)
	for i := range d.Queries {
		d.Queries[i].ShareRatio = ratio(d.Queries[i].TimeSeconds.Sum, d.TimeSeconds)
	}
	o.Sort.order(d.Queries)
	if o.Top > 0 {
		d.Queries = d.Queries[:min(o.Top, len(d.Queries))]
	}
	return d
}

// addQueries adds all statements that count, and returns their durations.
func (b *Builder) addQueries(d *Digest) (all slowlog.Total) {
	classes := b.sum.Classes()
	if keep := b.options.Keep; keep != nil {
		classes = slices.DeleteFunc(classes, func(c *slowlog.Class) bool { return !keep(c) })
	}
	for _, c := range classes {
		all.Merge(d.saw(c))
	}
	d.Statements = uint64(len(classes))
	d.Queries = make([]Query, len(classes))
	each(len(classes), func(i int) { d.Queries[i] = b.query(classes[i]) })
	return all
}

// saw notes when the calls of a class were and whether some are estimates, and returns their durations.
func (d *Digest) saw(c *slowlog.Class) slowlog.Total {
	d.Estimated = d.Estimated || c.Estimated
	if t := moment(c.FirstSeen()); t != nil && (d.FirstSeen == nil || t.Before(*d.FirstSeen)) {
		d.FirstSeen = t
	}
	if t := moment(c.LastSeen()); t != nil && (d.LastSeen == nil || t.After(*d.LastSeen)) {
		d.LastSeen = t
	}
	return slowlog.Total{Calls: c.Calls, Sum: c.Micros, Max: c.MaxMicros}
}

func (b *Builder) query(c *slowlog.Class) Query {
	by, from, in := c.Users(), c.Hosts(), c.Databases()
	q := Query{
		Fingerprint: c.Fingerprint, Text: c.Text, Class: string(c.Kind),
		Tables: tables(c.Reads, c.Writes), Writes: tables(c.Writes),
		Databases: names(in), Users: names(by), Hosts: names(from),
		MoreDatabases: in.More, MoreUsers: by.More, MoreHosts: from.More,
		Calls: c.Calls, Estimated: c.Estimated, TimeSeconds: durations(c),
		LockSeconds:  waits(c.Total(slowlog.LockTime)),
		RowsExamined: rows(c.Total(slowlog.RowsExamined)), RowsSent: rows(c.Total(slowlog.RowsSent)),
		RowsAffected: rows(c.Total(slowlog.RowsAffected)),
		FullScans:    total(c.Total(slowlog.FullScan), b.told.fullScans), TmpDiskTables: total(c.Total(slowlog.TmpDiskTables), b.told.tmpDisk),
		FirstSeen: moment(c.FirstSeen()), LastSeen: moment(c.LastSeen()),
	}
	if b.options.Samples != None {
		q.Sample = sample(c)
	}
	if c.Planned != nil {
		q.Plan = plan(c.Planned)
	}
	return q
}

// tables returns the names of all tables, each once. It is never nil, even of a statement that names none: that
// is known, and would else be null in JSON, which stands for what is not.
func tables(lists ...[]string) []string {
	out := []string{}
	for _, list := range lists {
		out = append(out, list...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func names(n slowlog.Names) []Name {
	out := make([]Name, 0, len(n.List))
	for _, name := range n.List {
		out = append(out, Name(name))
	}
	return out
}

func durations(c *slowlog.Class) Seconds {
	quantile := func(q float64) float64 {
		// The middle of a bucket can lie beyond all of its calls.
		return min(max(c.Durations.Quantile(q), float64(c.MinMicros)), float64(c.MaxMicros)) / 1e6
	}
	return Seconds{
		Sum: seconds(c.Micros), Min: seconds(c.MinMicros), Max: seconds(c.MaxMicros), Mean: ratio(seconds(c.Micros), float64(c.Calls)),
		P50: quantile(0.5), P95: quantile(0.95), P99: quantile(0.99),
	}
}

func waits(t slowlog.Total) *Waits {
	if t.Calls == 0 {
		return nil
	}
	return &Waits{Calls: t.Calls, Sum: seconds(t.Sum), Max: seconds(t.Max), Mean: seconds(t.Sum) / float64(t.Calls)}
}

func rows(t slowlog.Total) *Rows {
	if t.Calls == 0 {
		return nil
	}
	return &Rows{Calls: t.Calls, Sum: t.Sum, Max: t.Max}
}

// total returns a sum that is known if a call tells it, or all logs do.
func total(t slowlog.Total, told bool) *uint64 {
	if t.Calls == 0 && !told {
		return nil
	}
	return &t.Sum
}

func sample(c *slowlog.Class) *Sample {
	s := &c.Slowest
	return &Sample{
		File: s.File, Line: s.Line, Offset: s.Offset, Seconds: seconds(c.MaxMicros), Time: moment(s.Time()),
		User: s.User, Host: s.Host, Database: s.Database, Origin: s.Origin, SQL: s.SQL, Cut: s.Cut,
	}
}

// plan returns a plan; nil if none of its lines can be read.
func plan(p *slowlog.Planned) *Plan {
	steps := p.Plan()
	if len(steps) == 0 {
		return nil
	}
	return &Plan{Seconds: seconds(p.Micros), Steps: steps}
}

func skips(all []slowlog.Skip) []Skip {
	out := make([]Skip, 0, len(all))
	for _, s := range all {
		out = append(out, Skip(s))
	}
	return out
}

func seconds(micros uint64) float64 { return float64(micros) / 1e6 }

func ratio(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

// moment returns a time, and nil for that which is not known.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
