package report

import (
	"cmp"
	"slices"

	"plimsoll/advisor/layout"
	"plimsoll/rules"
)

// thresholdRow is a limit that a rule judges by, in words.
type thresholdRow struct {
	Rule, Title string
	// What is the figure held against it; empty for a rule's own threshold.
	What, Value, Source string
	// Window says how long the rule needs to see; empty for a figure's limit.
	Window string
}

// thresholds lists the limits of the rules that judged, and those of the
// evidence beside them.
func thresholds(r *Report) []thresholdRow {
	var out []thresholdRow
	for _, rule := range r.Rules {
		out = append(out, thresholdRow{
			Rule: layout.Clean(string(rule.ID)), Title: layout.Clean(rule.Title), Source: layout.Clean(rule.ThresholdSource),
			Value: rules.Words(rule.Threshold, rule.Unit),
			Window: "judges after " + rules.Words(rule.MinWindowSeconds, rules.Seconds) +
				", and is fully confident after " + rules.Words(rule.WindowSeconds, rules.Seconds),
		})
	}
	for _, e := range r.Findings {
		for _, v := range e.Evidence {
			if v.Threshold != nil && !r.known(e.Rule, v) {
				seen := lookAtEvidence(v)
				out = append(out, thresholdRow{
					Rule: layout.Clean(string(e.Rule)), Title: layout.Clean(e.Title), What: seen.What, Value: seen.Threshold, Source: seen.ThresholdSource,
				})
			}
		}
	}
	slices.SortFunc(out, func(a, b thresholdRow) int {
		return cmp.Or(
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.What, b.What), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Source, b.Source),
			cmp.Compare(a.Title, b.Title),
		)
	})
	return slices.Compact(out)
}

// known reports whether v was held against its rule's own threshold.
func (r *Report) known(id rules.ID, v rules.Evidence) bool {
	return slices.ContainsFunc(r.Rules, func(rule Rule) bool {
		return rule.ID == id && rule.Threshold == *v.Threshold && rule.Unit == v.Unit
	})
}
