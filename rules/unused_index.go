package rules

import (
	"fmt"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
	"plimsoll/rules/index"
)

// unusedDays is long enough to see the jobs of a month's end, whichever day it is.
const unusedDays = 35

// unusedIndex finds indexes that no statement has used on any server, for long
// enough that the jobs of a month's end were seen.
func unusedIndex() Rule {
	return Rule{
		ID: "mysql/unused-index", Title: "An index is not used",
		Phase: Cure, MinWindow: unusedDays * aDay, Window: unusedDays * aDay,
		Needs:  []string{"mysql/use", "mysql/schema", "mysql/replication"},
		Yields: []ID{"mysql/redundant-index"},
		Threshold: Threshold{
			Value: 1, Unit: PerSecond,
			Source: "default of this rule: below one write a second to its table an index costs only disk",
		},
		Check: checkUnusedIndex,
	}
}

func checkUnusedIndex(c Case) Result {
	var out Result
	for _, s := range c.writers() {
		if n := c.unusedUnready(s); n != nil {
			out.NotReady = append(out.NotReady, *n)
			continue
		}
		for _, u := range index.FindUnused(c.workload(s), usageOf(c.holders(s))) {
			writes := writesTo(s, u.Table)
			if writes >= c.Rule.Threshold.Value && !c.justMade(u.Table) {
				out.Findings = append(out.Findings, unusedIndexFinding(c, s, u, writes))
			}
		}
	}
	return out
}

// unusedUnready returns why it is not known who reads a server's indexes.
func (c Case) unusedUnready(s *fleet.Server) *NotReady {
	for _, holder := range c.holders(s) {
		if n := c.useUnready(holder); n != nil {
			return n
		}
	}
	if s.Latest.Schema == nil {
		return c.unready(aboutServer(s), s, "mysql/schema", nil)
	}
	return c.holdersUnready(s)
}

// useUnready asks for the time for which the server has counted, and not for the
// time that the advisor has watched.
func (c Case) useUnready(s *fleet.Server) *NotReady {
	if s.Use == nil {
		return c.unready(aboutServer(s), s, "mysql/use", nil)
	}
	counted := c.Fleet.Now.Sub(s.Use.Since.Since)
	if counted >= c.Rule.MinWindow {
		return nil
	}
	return &NotReady{
		Subject: aboutServer(s),
		Reason: fmt.Sprintf("the server has counted for %s, and the rule needs %s to see the jobs of a month's end",
			Words(counted.Seconds(), Seconds), Words(c.Rule.MinWindow.Seconds(), Seconds)),
		ReadyAt: s.Use.Since.Since.Add(c.Rule.MinWindow),
	}
}

// justMade is true for a table that was made or rebuilt too short a time ago: its
// use counts from then.
func (c Case) justMade(t *snapshot.Table) bool {
	return t.Created != nil && c.Fleet.Now.Sub(*t.Created) < c.Rule.MinWindow
}

// usageOf sums the reads of an index over the servers that hold it. An index that
// one of them does not list is not known to be unused.
func usageOf(servers []*fleet.Server) index.Usage {
	type key struct{ schema, table, index string }
	sum, listed := map[key]uint64{}, map[key]int{}
	for _, s := range servers {
		for _, i := range s.Use.Since.Indexes {
			k := key{i.Schema, i.Table, i.Index}
			sum[k] += i.Reads
			listed[k]++
		}
	}
	return func(schema, table, index string) (reads uint64, known bool) {
		k := key{schema, table, index}
		return sum[k], listed[k] == len(servers)
	}
}

func writesTo(s *fleet.Server, t *snapshot.Table) float64 {
	for _, u := range s.Use.Tables {
		if u.Schema == t.Schema && u.Table == t.Name {
			return float64(u.Inserts+u.Updates+u.Deletes) / s.Use.Window.Seconds()
		}
	}
	return 0
}

func unusedIndexFinding(c Case, s *fleet.Server, u index.Unused, writes float64) Finding {
	w := s.Use.Window
	counted := fleet.Window{From: s.Use.Since.Since, To: c.Fleet.Now}
	f := Found(c.Rule, aboutIndex(s, u.Table, u.Index.Name),
		c.evidence("rows written to its table", writes, "table_io_waits_summary_by_table", w),
		Evidence{What: "reads by the index, on all servers", Value: 0, Unit: Count, Source: s.Use.Since.Source, Window: counted},
		Evidence{What: "the index", Unit: Text, Words: describeIndex(u.Index), Source: "information_schema.STATISTICS", Window: w},
	)
	f.addSize(u.SizeBytes, w)
	f.Severity = Low
	f.Confidence = Confidence{Ratio: 0.8}
	if c.Rule.MinWindow < unusedDays*aDay {
		f.Confidence = Confidence{Ratio: shortWindowConfidence, Reasons: []string{"seen for " + Words(counted.Duration().Seconds(), Seconds)}}
	}
	f.Summary = fmt.Sprintf("%s on %s.%s was not read in %s, and is kept up to date at each write.",
		u.Index.Name, u.Table.Schema, u.Table.Name, Words(counted.Seconds(), Seconds))
	f.Effort = Minutes
	hide, show := hideSteps(s, u.Table, u.Index.Name)
	f.Remedy = []Step{hide, dropStep(s, u.Table, u.Index.Name, "After two weeks in which nothing got slower.")}
	f.Rollback = []Step{show}
	f.Risks = []string{"A job that runs once a quarter may need it.", hintRisk}
	f.Verify = Verify{What: "time of the statements on the table", Expect: "no more than a tenth above today's", After: "two weeks"}
	return f
}

func describeIndex(i snapshot.Index) string {
	var columns []string
	for _, p := range i.Parts {
		columns = append(columns, p.Column)
	}
	return i.Name + " (" + strings.Join(columns, ", ") + ")"
}
