package rules

import (
	"fmt"

	"plimsoll/rules/fleet"
	"plimsoll/rules/index"
)

// redundantIndex finds indexes that are the beginning of another: they are kept
// up to date at each write, and the other one serves all that they do.
func redundantIndex() Rule {
	return Rule{
		ID: "mysql/redundant-index", Title: "An index is the beginning of another",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/schema", "mysql/digests"},
		Threshold: Threshold{
			Value: index.MinExamined, Unit: Rows,
			Source: "default of this rule: an index of a table of less than a thousand rows costs nothing",
		},
		Check: checkRedundantIndex,
	}
}

func checkRedundantIndex(c Case) Result {
	var out Result
	for _, s := range c.writers() {
		if n := c.schemaUnready(s); n != nil {
			out.NotReady = append(out.NotReady, *n)
			continue
		}
		for _, r := range index.FindRedundant(c.workload(s)) {
			if r.Table.Rows != nil && float64(*r.Table.Rows) >= c.Rule.Threshold.Value {
				out.Findings = append(out.Findings, redundantIndexFinding(c, s, r))
			}
		}
	}
	return out
}

// hintRisk is true from the moment an index is hidden, on both families.
const hintRisk = "A statement that Plimsoll did not see may name the index in USE or FORCE INDEX: it fails with error 1176 " +
	"from the moment that the index is hidden. Show it again at once then."

func redundantIndexFinding(c Case, s *fleet.Server, r index.Redundant) Finding {
	w := s.Digests.Window
	f := Found(c.Rule, aboutIndex(s, r.Table, r.Index.Name),
		c.evidence("rows in the table, estimated by the server", float64(*r.Table.Rows), "information_schema.TABLES, TABLE_ROWS", w),
		Evidence{What: "the index", Unit: Text, Words: describeIndex(r.Index), Source: "information_schema.STATISTICS", Window: w},
		Evidence{What: "the one that serves all that it does", Unit: Text, Words: describeIndex(r.By), Source: "information_schema.STATISTICS", Window: w},
	)
	f.addSize(r.SizeBytes, w)
	f.Severity = Low
	f.Confidence = c.confidence(0.9, w)
	f.Summary = fmt.Sprintf("%s on %s.%s is the beginning of %s.", r.Index.Name, r.Table.Schema, r.Table.Name, r.By.Name)
	if r.KeyBehind {
		f.Summary = fmt.Sprintf("%s on %s.%s is %s with the primary key behind it, which InnoDB keeps in every index anyway.",
			r.Index.Name, r.Table.Schema, r.Table.Name, r.By.Name)
	}
	f.Effort = Minutes
	hide, show := hideSteps(s, r.Table, r.Index.Name)
	f.Remedy = []Step{hide, dropStep(s, r.Table, r.Index.Name, "After two weeks in which nothing got slower.")}
	f.Rollback = []Step{show}
	f.Risks = []string{hintRisk}
	if r.By.Name == "PRIMARY" {
		f.Confidence = c.confidence(0.7, w, "the primary key holds the rows too, and takes longer to read")
		f.Risks = append(f.Risks, "What reads many entries and no other column, such as COUNT(*), is slower then: the primary key holds the rows themselves.")
	}
	f.Verify = Verify{What: "time of the statements on the table", Expect: "no more than a tenth above today's", After: "two weeks"}
	return f
}
