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
func workload(primary *fleet.Server) index.Workload {
	w := index.Workload{Tables: primary.Latest.Schema.Tables}
	for _, s := range append([]*fleet.Server{primary}, primary.Replicas...) {
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

// hideStep makes an index invisible to the optimizer, which is undone at once,
// while it is still kept up to date.
func hideStep(s *fleet.Server, t *snapshot.Table, name string) (hide, show Step) {
	word, back := "INVISIBLE", "VISIBLE"
	if !mysqlFamily(s) {
		word, back = "IGNORED", "NOT IGNORED"
	}
	alter := fmt.Sprintf("ALTER TABLE %s ALTER INDEX %s ", quoteTable(t), quoteName(name))
	return Step{Kind: SQL, Target: s.Name, Text: alter + word + ";", Note: "The optimizer then leaves it alone; nothing is rebuilt."},
		Step{Kind: SQL, Target: s.Name, Text: alter + back + ";"}
}

func dropStep(s *fleet.Server, t *snapshot.Table, name, when string) Step {
	return Step{
		Kind: SQL, Target: s.Name, Note: when,
		Text: fmt.Sprintf("ALTER TABLE %s DROP INDEX %s;", quoteTable(t), quoteName(name)),
	}
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
