package rules

import (
	"fmt"
	"strings"

	"plimsoll/collectors/sqltext"
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
		asked := workload(s)
		asked.MinShare = c.Rule.Threshold.Value
		found := index.Analyse(asked)
		for _, a := range found.Missing {
			out.Findings = append(out.Findings, missingIndexFinding(c, s, a))
		}
		if n := notUnderstood(s, found); n != nil {
			out.NotReady = append(out.NotReady, *n)
		}
	}
	return out
}

// notUnderstood says how many of the statements that matter were not analysed.
func notUnderstood(s *fleet.Server, found index.Analysis) *NotReady {
	if len(found.NotUnderstood) == 0 {
		return nil
	}
	var names []string
	for _, statement := range found.NotUnderstood[:min(len(found.NotUnderstood), 5)] {
		names = append(names, statement.Fingerprint)
	}
	return &NotReady{
		Subject: aboutServer(s),
		Reason: fmt.Sprintf("%d of %d statements that read too much were not understood, and so not judged: %s",
			len(found.NotUnderstood), found.Relevant, strings.Join(names, ", ")),
	}
}

func missingIndexFinding(c Case, s *fleet.Server, a index.Advice) Finding {
	top := a.Benefits[0]
	w := s.Digests.Window
	load, _ := statementLoad(s)
	f := Found(c.Rule, aboutIndex(s, a.Table, plainColumns(a.Columns)),
		c.evidence("statement time of what reads too much", share(a, load), "digests, SUM_TIMER_WAIT", w),
		Evidence{
			What: "rows examined a call", Value: float64(top.RowsExamined) / float64(top.Calls), Unit: RowsPerCall,
			Source: "digests, SUM_ROWS_EXAMINED / COUNT_STAR", Window: w, Threshold: new(float64(index.MinExamined)), ThresholdSource: "default of this rule",
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
	f.Gain.WorkerSeconds, f.Gain.DatabaseSeconds = Between(freed.Lo, freed.Hi), Between(freed.Lo, freed.Hi)
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
		"Adding it waits for open transactions on the table, and statements wait behind it: do it while none is long.",
		fmt.Sprintf("Each write to the table keeps it up to date; it takes about %s.", Words(a.SizeBytes, Bytes)),
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
	return c.confidence(0.85, w, "estimated, not tried")
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

// maxIndexName is the longest name of an index.
const maxIndexName = 64

func (f *Finding) addDDL(s *fleet.Server, a index.Advice) {
	name := sqltext.Clip("idx_"+strings.ReplaceAll(plainColumns(a.Columns), ", ", "_"), maxIndexName)
	add := fmt.Sprintf("ADD INDEX %s (%s), ALGORITHM=INPLACE, LOCK=NONE", quoteName(name), columnList(a.Columns))
	f.Remedy = []Step{alter(s, a.Table, "Online: reads and writes go on meanwhile.", add, name)}
	if a.Replaces != "" {
		f.Remedy = append(f.Remedy, dropStep(s, a.Table, a.Replaces, "The new index begins with its columns; once the new one is used, this one is redundant."))
	}
	f.Rollback = []Step{dropStep(s, a.Table, name, "")}
}
