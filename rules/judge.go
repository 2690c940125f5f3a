package rules

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"plimsoll/rules/fleet"
)

// Judge runs every rule over f, cures before capacity, and returns one Result:
// findings by rank, each at most once, without those that gave way to another.
func Judge(f *fleet.Fleet, all []Rule) Result {
	cures := run(f, all, Cure, nil)
	join(f, cures.Findings)
	capacity := run(f, all, Capacity, cures.Findings)
	out := Result{
		Findings: slices.Concat(cures.Findings, capacity.Findings),
		NotReady: slices.Concat(cures.NotReady, capacity.NotReady),
	}
	out.Findings = giveWay(out.Findings, all)
	sortByRank(out.Findings)
	out.Findings = once(out.Findings)
	return out
}

func run(f *fleet.Fleet, all []Rule, phase Phase, cures []Finding) Result {
	var out Result
	for _, r := range all {
		if r.Phase != phase {
			continue
		}
		result := check(r, Case{Fleet: f, Rule: r, Cures: cures})
		out.Findings = append(out.Findings, result.Findings...)
		for _, n := range result.NotReady {
			n.Rule = r.ID
			out.NotReady = append(out.NotReady, n)
		}
	}
	return out
}

// check runs one rule. A bug in it costs its own findings, and is told; the other
// rules judge all the same.
func check(r Rule, c Case) (result Result) {
	defer func() {
		if bug := recover(); bug != nil {
			result = Result{NotReady: []NotReady{{
				Subject: Subject{Kind: OfCluster, Name: "the whole site"},
				Reason:  fmt.Sprintf("BUG: the rule failed: %v", bug), Remedy: "report it with the version of plimsoll",
			}}}
		}
	}()
	result = r.Check(c)
	for i, f := range result.Findings {
		result.Findings[i] = checked(r, f)
	}
	return result
}

// checked holds what is true of every finding: it has evidence, its figures are
// numbers, one of low confidence calls nobody out of bed, and a gain that is only
// likely is not critical. A loss that is only likely is.
func checked(r Rule, f Finding) Finding {
	if len(f.Evidence) == 0 {
		panic(fmt.Sprintf("BUG: rule %s found something about %s without evidence", r.ID, f.Subject))
	}
	for _, e := range f.Evidence {
		if math.IsNaN(e.Value) || math.IsInf(e.Value, 0) {
			panic(fmt.Sprintf("BUG: rule %s gives no number for %q about %s", r.ID, e.What, f.Subject))
		}
	}
	for _, e := range f.Gain.estimates() {
		if math.IsNaN(e.Lo+e.Hi) || math.IsInf(e.Lo+e.Hi, 0) {
			panic(fmt.Sprintf("BUG: rule %s gives no number for the gain about %s", r.ID, f.Subject))
		}
	}
	switch level := f.Confidence.Level(); {
	case level == "low":
		f.Severity = Info
	case level == "medium" && f.Severity == Critical && f.Gain.WorkerSeconds != nil:
		f.Severity = High
	}
	return f
}

// giveWay leaves out a finding whose rule yields to another's about a subject
// inside its own.
func giveWay(findings []Finding, all []Rule) []Finding {
	yields := map[ID][]ID{}
	for _, r := range all {
		yields[r.ID] = r.Yields
	}
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool {
		return slices.ContainsFunc(findings, func(other Finding) bool {
			return slices.Contains(yields[f.Rule], other.Rule) && other.Subject.Within(f.Subject)
		})
	})
}

// sortByRank puts first what loses data or the site, then what gains most for
// its effort. The fingerprint makes the order the same each time.
func sortByRank(findings []Finding) {
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.Severity.Rank(), b.Severity.Rank()),
			cmp.Compare(score(b), score(a)),
			cmp.Compare(a.Fingerprint, b.Fingerprint),
		)
	})
}

// once keeps the first of several findings with one fingerprint: two agents may
// read one server, and two servers hold tables of one name.
func once(findings []Finding) []Finding {
	seen := map[string]bool{}
	return slices.DeleteFunc(findings, func(f Finding) bool {
		again := seen[f.Fingerprint]
		seen[f.Fingerprint] = true
		return again
	})
}

// score is the lower bound of the gain, weighted by confidence, for the effort.
func score(f Finding) float64 {
	cost := map[Effort]float64{Minutes: 1, Hours: 3, Days: 10, Project: 40}[f.Effort]
	if cost == 0 {
		cost = 3
	}
	return f.Gain.worth() * f.Confidence.Ratio / cost
}
