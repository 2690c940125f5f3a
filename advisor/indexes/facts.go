package indexes

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plimsoll/advisor/digest"
	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
	"plimsoll/rules/fleet"
	"plimsoll/rules/index"
)

// Facts are what an analysis is made from.
type Facts struct {
	index.Workload
	Server index.Server
	// Notes say what limits the facts, in whole sentences.
	Notes []string
}

// FromFiles joins the tables of a dump, statistics or both, with the statements of a digest. One of
// tables and statistics may be absent.
func FromFiles(tables []snapshot.Table, s *Statistics, d *digest.Digest) (*Facts, error) {
	f := &Facts{}
	switch {
	case s == nil:
		f.Notes = append(f.Notes, "Without --stats the number of rows is what AUTO_INCREMENT or the largest scan suggests, and how many values columns have is guessed.")
	case tables == nil:
		tables = s.Tables
	default:
		if err := s.apply(tables); err != nil {
			return nil, err
		}
	}
	if s != nil {
		f.Statistics = s.values()
		f.Server = index.Server{MariaDB: s.Family == snapshot.MariaDB, Version: s.ServerVersion}
	}
	f.Tables = slices.Clone(tables)
	if err := f.addDigest(d); err != nil {
		return nil, err
	}
	f.placeTables()
	f.placeStatements()
	f.guessRows()
	return f, nil
}

// addDigest adds the statements of a digest.
func (f *Facts) addDigest(d *digest.Digest) error {
	if len(d.Queries) == 0 {
		return errors.New("the digest has no statement")
	}
	window := 1.0
	if d.FirstSeen != nil && d.LastSeen != nil {
		window = max(d.LastSeen.Sub(*d.FirstSeen).Seconds(), 1)
	}
	for i := range d.Queries {
		s := index.Statement{Digest: fromQuery(&d.Queries[i]), WindowSeconds: window}
		if sample := d.Queries[i].Sample; sample != nil && d.Samples == digest.Full && !sample.Cut {
			s.Sample = sample.SQL
		}
		f.Statements = append(f.Statements, s)
	}
	return nil
}

// fromQuery takes the totals of a statement. Of how many calls a log does not tell the rows, they count
// as those of which it does.
func fromQuery(q *digest.Query) fleet.Digest {
	out := fleet.Digest{
		Fingerprint: q.Fingerprint, Text: q.Text, Class: q.Class,
		Truncated: strings.HasPrefix(q.Fingerprint, "fp1t:"),
	}
	if len(q.Databases) > 0 {
		out.Schema = slices.MaxFunc(q.Databases, func(a, b digest.Name) int { return cmp.Compare(a.Calls, b.Calls) }).Name
	}
	out.Calls, out.Seconds = q.Calls, q.TimeSeconds.Sum
	out.RowsExamined, out.RowsSent, out.RowsAffected = ofAll(q.RowsExamined, q.Calls), ofAll(q.RowsSent, q.Calls), ofAll(q.RowsAffected, q.Calls)
	if q.LockSeconds != nil {
		out.LockSeconds = min(q.LockSeconds.Sum, out.Seconds)
	}
	if q.FullScans != nil {
		out.FullScans = *q.FullScans
	}
	return out
}

func ofAll(r *digest.Rows, calls uint64) uint64 {
	if r == nil || r.Calls == 0 {
		return 0
	}
	return uint64(float64(r.Sum) / float64(r.Calls) * float64(calls))
}

// placeTables gives tables of a dump that names no schema the one in which most statements ran.
func (f *Facts) placeTables() {
	if slices.ContainsFunc(f.Tables, func(t snapshot.Table) bool { return t.Schema != "" }) {
		return
	}
	calls := map[string]uint64{}
	most := ""
	for _, s := range f.Statements {
		calls[s.Schema] += s.Calls
		if s.Schema != "" && (most == "" || calls[s.Schema] > calls[most]) {
			most = s.Schema
		}
	}
	if most == "" {
		return
	}
	for i := range f.Tables {
		f.Tables[i].Schema = most
		for n := range f.Tables[i].ForeignKeys {
			f.Tables[i].ForeignKeys[n].ReferencedSchema = cmp.Or(f.Tables[i].ForeignKeys[n].ReferencedSchema, most)
		}
	}
	if len(calls) > 1 {
		f.Notes = append(f.Notes, fmt.Sprintf("The dump names no schema: its tables are taken for those of %s, in which most statements ran.", most))
	}
}

// placeStatements gives statements that name no schema the only one that there is.
func (f *Facts) placeStatements() {
	only := ""
	for _, t := range f.Tables {
		if only != "" && t.Schema != only {
			return
		}
		only = t.Schema
	}
	for i := range f.Statements {
		f.Statements[i].Schema = cmp.Or(f.Statements[i].Schema, only)
	}
}

// guessRows takes, for tables of which nothing else is known, what a statement examined that reads them
// alone: they have as many rows at least.
func (f *Facts) guessRows() {
	for i := range f.Tables {
		t := &f.Tables[i]
		if t.Rows != nil {
			continue
		}
		var most uint64
		for _, s := range f.Statements {
			if s.Calls > 0 && s.Schema == t.Schema && readsAlone(string(s.Text), t.Name) {
				most = max(most, s.RowsExamined/s.Calls)
			}
		}
		if most > 0 {
			t.Rows = &most
		}
	}
}

// readsAlone reports whether a statement reads this table and no other.
func readsAlone(text, table string) bool {
	reads := sqltext.Parse(text).Reads
	if len(reads) != 1 {
		return false
	}
	_, name, found := strings.Cut(reads[0], ".")
	if !found {
		name = reads[0]
	}
	return strings.EqualFold(name, table)
}
