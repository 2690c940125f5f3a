package rules

import (
	"fmt"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
	"plimsoll/rules/index"
)

// missingIndex finds statements that read very many rows for few, and the index
// that would spare them that.
func missingIndex() Rule {
	return Rule{
		ID: "mysql/missing-index", Title: "An index is missing",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/digests", "mysql/schema"},
		Threshold: Threshold{
			Value: 0.01, Unit: Ratio,
			Source: "default of this rule: what takes less than a hundredth of the time is not why a site is slow",
		},
		Check: checkMissingIndex,
	}
}

func checkMissingIndex(c Case) Result {
	var out Result
	for _, s := range c.writers() {
		if n := c.schemaUnready(s); n != nil {
			out.NotReady = append(out.NotReady, *n)
			continue
		}
		asked := c.workload(s)
		asked.MinLoad = c.Rule.Threshold.Value * c.loadOfAll(s)
		found := index.Analyse(asked)
		for _, a := range found.Missing {
			out.Findings = append(out.Findings, missingIndexFinding(c, s, a))
		}
		if n := notJudged(s, found); n != nil {
			out.NotReady = append(out.NotReady, *n)
		}
	}
	return out
}

// loadOfAll is the statement time of a primary and its replicas, in seconds a
// second: what a missing index costs is spread over all of them.
func (c Case) loadOfAll(primary *fleet.Server) float64 {
	var sum float64
	for _, s := range c.holders(primary) {
		load, _ := statementLoad(s)
		sum += load
	}
	return sum
}

// notJudged says how many of the statements that matter could not be analysed.
func notJudged(s *fleet.Server, found index.Analysis) *NotReady {
	if len(found.NotJudged) == 0 {
		return nil
	}
	var names []string
	for _, statement := range found.NotJudged[:min(len(found.NotJudged), 5)] {
		names = append(names, statement.Fingerprint)
	}
	return &NotReady{
		Subject: aboutServer(s),
		Reason: fmt.Sprintf("%d of %d statements that read too much were not judged: cut texts, unknown grammar, "+
			"or tables and columns that are not known, such as views (%s)",
			len(found.NotJudged), found.Relevant, strings.Join(names, ", ")),
	}
}

func missingIndexFinding(c Case, s *fleet.Server, a index.Advice) Finding {
	top := a.Benefits[0]
	w := s.Digests.Window
	load := c.loadOfAll(s)
	f := Found(c.Rule, aboutIndex(s, a.Table, plainColumns(a.Columns)),
		c.evidence("statement time of what reads too much", share(a, load), "digests, SUM_TIMER_WAIT", w),
		Evidence{
			What: "rows examined a call", Value: float64(top.RowsExamined) / float64(top.Calls), Unit: RowsPerCall,
			Source: "digests, SUM_ROWS_EXAMINED / COUNT_STAR", Window: w, Threshold: new(float64(index.MinExamined)),
			ThresholdSource: "default of this rule: a thousand rows are read in a millisecond",
		},
		Evidence{
			What: "rows returned or changed a call", Value: float64(top.RowsSent+top.RowsAffected) / float64(top.Calls), Unit: RowsPerCall,
			Source: "digests, SUM_ROWS_SENT + SUM_ROWS_AFFECTED", Window: w,
		},
		Evidence{What: "calls", Value: float64(top.Calls) / w.Seconds(), Unit: PerSecond, Source: "digests, COUNT_STAR", Window: w},
		Evidence{What: "the statement", Unit: Text, Words: string(top.Text), Source: "digests", Window: w},
	)
	f.addTable(a, w)
	freed := a.Freed()
	f.Gain.WorkerSeconds = Between(freed.Lo, freed.Hi)
	f.Gain.DatabaseSeconds = Between(0, freed.Hi) // some of a statement's time, or all, is waiting for the disk
	f.Severity = severityOf(f.Gain.WorkerSeconds, load)
	f.Confidence = missingIndexConfidence(c, a, w)
	f.Summary = fmt.Sprintf("%s reads %s rows to return %s, %s times a second: an index on (%s) spares it that.",
		describe(top.Class), Words(float64(top.RowsExamined)/float64(top.Calls), Count),
		Words(float64(top.RowsSent+top.RowsAffected)/float64(top.Calls), Count),
		Words(float64(top.Calls)/w.Seconds(), Count), plainColumns(a.Columns))
	f.Effort = Minutes
	for _, b := range a.Benefits {
		f.Digests = append(f.Digests, b.Fingerprint)
	}
	f.addDDL(s, a)
	f.Risks = []string{
		"Adding it waits for open transactions on the table, and statements wait behind it: it gives up after 5 s, and is then to be tried again.",
		"Each write to the table keeps it up to date" + takes(a.SizeBytes) + ".",
		"A replica applies the change for as long as the primary took, and stands behind meanwhile.",
	}
	f.Verify = Verify{What: "rows examined a call", Expect: "at most " + Words(top.ExaminedAfter.Hi, Count) + " (estimated)", After: "some minutes of traffic"}
	return f
}

// share is the statement time of all that gains, of the server's load.
func share(a index.Advice, load float64) float64 {
	var sum float64
	for _, b := range a.Benefits {
		sum += b.Seconds / b.WindowSeconds
	}
	return min(sum/max(load, 1e-9), 1)
}

func missingIndexConfidence(c Case, a index.Advice, w fleet.Window) Confidence {
	if !a.Sure {
		return c.confidence(0.5, w, "how many values the columns have is not known")
	}
	return c.confidence(0.75, w, "estimated, not tried")
}

// takes says how large an index will be, if that is known.
func takes(size *float64) string {
	if size == nil {
		return ""
	}
	return "; it takes about " + Words(*size, Bytes)
}

func describe(class string) string {
	if class == "dml" {
		return "A write"
	}
	return "A query"
}

func (f *Finding) addTable(a index.Advice, w fleet.Window) {
	if a.Table.Rows != nil {
		f.Evidence = append(f.Evidence, Evidence{
			What: "rows in the table, estimated by the server", Value: float64(*a.Table.Rows), Unit: Rows,
			Source: "information_schema.TABLES, TABLE_ROWS", Window: w,
		})
	}
	var have []string
	for _, i := range a.Table.Indexes {
		have = append(have, describeIndex(i))
	}
	f.Evidence = append(f.Evidence, Evidence{
		What: "indexes that exist", Unit: Text, Words: strings.Join(have, "; "), Source: "information_schema.STATISTICS", Window: w,
	})
}

func (f *Finding) addDDL(s *fleet.Server, a index.Advice) {
	if a.Hidden != "" {
		hide, show := hideSteps(s, a.Table, a.Hidden)
		show.Note = "It serves, and was hidden from the optimizer: nothing is built."
		f.Remedy, f.Rollback = []Step{show}, []Step{hide}
		return
	}
	name := indexName(a)
	online, note := ", ALGORITHM=INPLACE, LOCK=NONE", "Online: reads and writes go on meanwhile."
	switch m := s.Latest.Membership; {
	case !strings.EqualFold(a.Table.Engine, "InnoDB"):
		online, note = "", "Not online: nobody can write to a table of "+printable(a.Table.Engine)+" meanwhile."
	case m != nil && m.Galera != nil:
		note = "Every node stands still for as long as it takes (wsrep_OSU_method = TOI): on a large table use pt-online-schema-change."
	}
	add := fmt.Sprintf("ADD INDEX %s (%s)%s", quoteName(name), columnList(a.Columns), online)
	f.Remedy = []Step{alter(s, a.Table, note, add, name)}
	f.Rollback = []Step{dropStep(s, a.Table, name, "")}
	if a.Replaces != "" {
		hide, show := hideSteps(s, a.Table, a.Replaces)
		hide.Note = "The new index begins with its columns: hide it once the new one is used; mysql/redundant-index then says how to go on."
		f.Remedy, f.Rollback = append(f.Remedy, hide), append([]Step{show}, f.Rollback...)
	}
}

// maxIndexName is the longest name of an index.
const maxIndexName = 64

// indexName is a name that the table has no index of yet.
func indexName(a index.Advice) string {
	base := "idx_" + strings.ReplaceAll(plainColumns(a.Columns), ", ", "_")
	for n := 1; ; n++ {
		suffix := ""
		if n > 1 {
			suffix = fmt.Sprintf("_%d", n)
		}
		runes := []rune(base)
		name := strings.TrimRight(string(runes[:min(len(runes), maxIndexName-len(suffix))]), " ") + suffix
		taken := func(i snapshot.Index) bool { return strings.EqualFold(i.Name, name) }
		if !slices.ContainsFunc(a.Table.Indexes, taken) {
			return name
		}
	}
}
