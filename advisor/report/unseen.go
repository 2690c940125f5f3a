package report

import (
	"cmp"
	"slices"
	"time"

	"plimsoll/rules"
)

// unseen is what could not be seen or judged, and how to make it visible.
type unseen struct {
	Unreachable []Unreachable
	Gaps        []blindSpot
	Waiting     []blindSpot
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

func lookAtUnseen(r *Report) unseen {
	var out unseen
	for _, u := range r.Unreachable {
		out.Unreachable = append(out.Unreachable, Unreachable{Target: Clean(u.Target), Reason: Clean(u.Reason)})
	}
	for _, g := range r.Gaps {
		out.Gaps = merge(out.Gaps, blindSpot{
			Reason: Clean(g.Reason), Remedy: Clean(g.Remedy), What: []string{Clean(g.Job)}, Where: where(g),
		})
	}
	for _, n := range r.NotReady {
		spot := blindSpot{
			Reason: Clean(n.Reason), Remedy: Clean(n.Remedy), What: []string{Clean(string(n.Rule))}, Ready: ready(n, r.Generated),
		}
		if about := Clean(n.Subject.String()); about != "" {
			spot.Where = []string{about}
		}
		out.Waiting = merge(out.Waiting, spot)
	}
	return out.sorted()
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

// merge adds a blind spot to one with the same reason, remedy and time.
func merge(spots []blindSpot, s blindSpot) []blindSpot {
	for i := range spots {
		if spots[i].Reason == s.Reason && spots[i].Remedy == s.Remedy && spots[i].Ready == s.Ready {
			spots[i].What = append(spots[i].What, s.What...)
			spots[i].Where = append(spots[i].Where, s.Where...)
			return spots
		}
	}
	return append(spots, s)
}

// sorted puts first what can be repaired, then what keeps most from being seen.
func (u unseen) sorted() unseen {
	for _, spots := range [][]blindSpot{u.Gaps, u.Waiting} {
		for i := range spots {
			spots[i].What, spots[i].Where = distinct(spots[i].What), distinct(spots[i].Where)
		}
		slices.SortStableFunc(spots, func(a, b blindSpot) int {
			return cmp.Or(
				cmp.Compare(min(len(b.Remedy), 1), min(len(a.Remedy), 1)),
				cmp.Compare(len(b.What)*max(len(b.Where), 1), len(a.What)*max(len(a.Where), 1)),
				cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Remedy, b.Remedy), cmp.Compare(a.Ready, b.Ready),
			)
		})
	}
	return u
}

func distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
