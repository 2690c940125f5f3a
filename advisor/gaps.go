package advisor

import (
	"maps"
	"slices"

	"plimsoll/advisor/keeper"
	"plimsoll/advisor/store"
	"plimsoll/collectors/snapshot"
)

// storeGaps are what the embedded store lacks: everything while it is paused, and
// else the series of agents that answer and cannot be scraped. Those that do not
// answer at all are told of elsewhere.
func storeGaps(s *store.Store, agents []keeper.Agent) []snapshot.Gap {
	if s == nil {
		return nil
	}
	if err := s.Paused(); err != nil {
		return []snapshot.Gap{{
			Job: "advisor", Reason: "no series are stored: " + err.Error(),
			Remedy: "free disk space where the advisor keeps its data",
		}}
	}
	var out []snapshot.Gap
	health := s.Health()
	for _, target := range slices.Sorted(maps.Keys(health)) {
		err := health[target].Err
		if err != nil && answers(agents, target) {
			out = append(out, snapshot.Gap{Job: "advisor", Subject: target, Reason: "its series cannot be scraped: " + err.Error()})
		}
	}
	return out
}

func answers(agents []keeper.Agent, target string) bool {
	return slices.ContainsFunc(agents, func(a keeper.Agent) bool { return a.Target == target && a.Err == nil })
}
