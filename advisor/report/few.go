package report

import (
	"cmp"
	"slices"

	"plimsoll/rules"
)

// mostRows is how many rows of a kind are shown: a site of a thousand hosts has
// a report that can be read too. The JSON form holds them all.
const mostRows = 30

// few returns the rows that matter most, if there are more than mostRows, and a
// sentence about the others. less orders by what matters.
func few[T any](rows []T, less func(a, b T) int, others string) (shown []T, note string) {
	if len(rows) <= mostRows {
		return rows, ""
	}
	shown = slices.Clone(rows)
	slices.SortStableFunc(shown, less)
	rest := rules.Words(float64(len(rows)-mostRows), rules.Count)
	return shown[:mostRows], rest + " more, " + others + ", stand in the report's JSON form."
}

func byLoad(a, b Server) int { return cmp.Compare(allSeconds(b), allSeconds(a)) }

func bySeen(a, b Host) int { return cmp.Compare(a.SeenRatio, b.SeenRatio) }

// byLag puts first what is not known, since that can be anything.
func byLag(a, b channel) int {
	return cmp.Or(cmp.Compare(known(a.P99), known(b.P99)), cmp.Compare(valueOf(b.P99), valueOf(a.P99)))
}

func known(v *float64) int {
	if v == nil {
		return 0
	}
	return 1
}

func valueOf(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}
