package report

import (
	"cmp"
	"slices"
	"time"

	"plimsoll/advisor/layout"
	"plimsoll/rules"
)

// unseen is what could not be seen or judged, and how to make it visible.
type unseen struct {
	Unreachable []Unreachable
	Gaps        []blindSpot
	Waiting     []blindSpot
	// Rest says what of them is left out; empty where nothing is.
	Rest struct{ Unreachable, Gaps, Waiting string }
}

// Empty reports whether everything was seen.
func (u unseen) Empty() bool { return len(u.Unreachable)+len(u.Gaps)+len(u.Waiting) == 0 }

// blindSpot is one reason, with all that it keeps from being seen.
type blindSpot struct {
	Reason string
	// Remedy is the grant, setting or command that helps; empty if none does.
	Remedy string
	// What are the jobs or rules concerned, Where the hosts and servers.
	What, Where []string
	// Ready says when waiting will have helped; empty if it does not.
	Ready string
}

// Names says where something is missing, and of what.
func (b blindSpot) Names() string {
	if len(b.Where) == 0 {
		return enumerate(b.What)
	}
	return enumerate(b.Where) + ": " + enumerate(b.What)
}

// Places says where something is missing.
func (b blindSpot) Places() string { return enumerate(b.Where) }

func lookAtUnseen(r *Report) unseen {
	var out unseen
	agents, rest := few(r.Unreachable, func(Unreachable, Unreachable) int { return 0 }, "as little readable")
	for _, u := range agents {
		out.Unreachable = append(out.Unreachable, Unreachable{Target: layout.Clean(u.Target), Reason: layout.Clean(u.Reason)})
	}
	out.Rest.Unreachable = rest
	var gaps, waiting []blindSpot
	for _, g := range r.Gaps {
		gaps = append(gaps, blindSpot{
			Reason: layout.Clean(g.Reason), Remedy: layout.Clean(g.Remedy), What: []string{layout.Clean(g.Job)}, Where: where(g),
		})
	}
	for _, n := range r.NotReady {
		spot := blindSpot{
			Reason: layout.Clean(n.Reason), Remedy: layout.Clean(n.Remedy), What: []string{layout.Clean(string(n.Rule))}, Ready: ready(n, r.Generated),
		}
		if about := layout.Clean(n.Subject.String()); about != "" {
			spot.Where = []string{about}
		}
		waiting = append(waiting, spot)
	}
	out.Gaps, out.Rest.Gaps = few(merged(gaps), byWeight, "which hide less")
	out.Waiting, out.Rest.Waiting = few(merged(waiting), byWeight, "which concern less")
	return out
}

// where names the host and the server of a gap; none for one of the advisor's.
func where(g Gap) []string {
	if name := placed(g.Host, g.Subject); name != "" {
		return []string{name}
	}
	return nil
}

func ready(n rules.NotReady, now time.Time) string {
	switch {
	case n.ReadyAt.IsZero():
		return ""
	case n.ReadyAt.Before(now):
		return "the next round"
	}
	return stamp(n.ReadyAt)
}

// merged joins blind spots with the same reason, remedy and time.
func merged(spots []blindSpot) []blindSpot {
	type key struct{ reason, remedy, ready string }
	at := map[key]int{}
	var out []blindSpot
	for _, s := range spots {
		k := key{s.Reason, s.Remedy, s.Ready}
		i, ok := at[k]
		if !ok {
			i, at[k] = len(out), len(out)
			out = append(out, blindSpot{Reason: s.Reason, Remedy: s.Remedy, Ready: s.Ready})
		}
		out[i].What, out[i].Where = append(out[i].What, s.What...), append(out[i].Where, s.Where...)
	}
	for i := range out {
		out[i].What, out[i].Where = distinct(out[i].What), distinct(out[i].Where)
	}
	slices.SortFunc(out, byWeight)
	return out
}

// byWeight puts first what can be repaired, then what hides most.
func byWeight(a, b blindSpot) int {
	return cmp.Or(
		cmp.Compare(min(len(b.Remedy), 1), min(len(a.Remedy), 1)),
		cmp.Compare(len(b.What)*max(len(b.Where), 1), len(a.What)*max(len(a.Where), 1)),
		cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Remedy, b.Remedy), cmp.Compare(a.Ready, b.Ready),
	)
}

func distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
