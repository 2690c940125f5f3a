package rules

import (
	"fmt"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
	"plimsoll/rules/index"
)

// workload gathers what a primary and its replicas were asked, with the tables
// that they share.
func (c Case) workload(primary *fleet.Server) index.Workload {
	w := index.Workload{Tables: primary.Latest.Schema.Tables}
	for _, s := range c.holders(primary) {
		if s.Digests == nil {
			continue
		}
		for _, d := range s.Digests.Rows {
			w.Statements = append(w.Statements, index.Statement{Digest: d, Server: s.Name, WindowSeconds: s.Digests.Window.Seconds()})
		}
	}
	return w
}

// schemaUnready returns why the tables or statements of a server are not known.
func (c Case) schemaUnready(s *fleet.Server) *NotReady {
	if n := c.unready(aboutServer(s), s, "mysql/digests", s.Digests.Seen()); n != nil {
		return n
	}
	if s.Latest.Schema == nil {
		return c.unready(aboutServer(s), s, "mysql/schema", nil)
	}
	return nil
}

func aboutIndex(s *fleet.Server, t *snapshot.Table, part string) Subject {
	return Subject{Cluster: s.Cluster, Kind: OfIndex, Schema: t.Schema, Name: t.Name, Part: part}
}

func quoteTable(t *snapshot.Table) string { return quoteName(t.Schema) + "." + quoteName(t.Name) }

// giveUp lets a change of structure fail where a transaction is in its way: it
// would wait for that for a day on MariaDB and a year on MySQL, and every
// statement on the table behind it.
const giveUp = "SET SESSION lock_wait_timeout = 5; "

// alter is a change of a table to copy. A name with characters that do not show
// cannot be written as it is, and must not be written as another: the table of
// that name may be there too.
func alter(s *fleet.Server, t *snapshot.Table, note, change string, names ...string) Step {
	for _, name := range append(names, t.Schema, t.Name) {
		if printable(name) != name {
			return Step{Kind: Advice, Target: called(s), Text: "A name holds characters that do not show: " +
				"write the statement by hand, with the names from information_schema.STATISTICS."}
		}
	}
	return Step{Kind: SQL, Target: called(s), Note: note, Text: giveUp + "ALTER TABLE " + quoteTable(t) + " " + change + ";"}
}

// hideSteps make an index invisible to the optimizer, and visible again; it is
// kept up to date meanwhile. MySQL has that from 8.0 on, MariaDB from 10.6.
func hideSteps(s *fleet.Server, t *snapshot.Table, name string) (hide, show Step) {
	word, back, since := "INVISIBLE", "VISIBLE", atLeast(s, 8, 0, 0)
	if !mysqlFamily(s) {
		word, back, since = "IGNORED", "NOT IGNORED", atLeast(s, 10, 6, 0)
	}
	if !since {
		try := Step{Kind: Advice, Target: called(s), Text: "Try it on a replica first: this version cannot hide an index, only drop it and build it anew."}
		return try, try
	}
	change := "ALTER INDEX " + quoteName(name) + " "
	return alter(s, t, "The optimizer then leaves it alone; nothing is rebuilt.", change+word, name), alter(s, t, "", change+back, name)
}

func dropStep(s *fleet.Server, t *snapshot.Table, name, when string) Step {
	return alter(s, t, when, "DROP INDEX "+quoteName(name), name)
}

func columnList(key []index.Part) string {
	var out []string
	for _, p := range key {
		text := quoteName(p.Column)
		if p.Prefix > 0 {
			text += fmt.Sprintf("(%d)", p.Prefix)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func plainColumns(key []index.Part) string {
	var out []string
	for _, p := range key {
		out = append(out, p.Column)
	}
	return strings.Join(out, ", ")
}

// addSize adds how large an index is, if that is known.
func (f *Finding) addSize(size *float64, w fleet.Window) {
	if size != nil {
		f.Evidence = append(f.Evidence, Evidence{What: "size, estimated", Value: *size, Unit: Bytes, Source: "rows and widths of the columns", Window: w})
	}
}
