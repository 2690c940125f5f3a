package rules

import (
	"fmt"
	"slices"

	"plimsoll/rules/fleet"
)

// poolTooLarge finds hosts whose pools may have more workers than there is memory for, and pools that have more
// than the database bears: there raising pm.max_children makes it worse.
func poolTooLarge() Rule {
	return Rule{
		ID: "phpfpm/pool-too-large", Title: "The pool may have too many PHP workers",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm", "phpfpm/profile", "host"},
		Threshold: Threshold{
			Value: 1, Unit: Ratio,
			Source: "arithmetic: workers that want more memory than is available end in swapping or with the kernel's OOM killer",
		},
		Check: poolsTooLarge,
	}
}

// poolsTooLarge judges the pools of each host together, as they share its memory, and what each does to the database.
func poolsTooLarge(c Case) Result {
	var out Result
	for _, pools := range c.poolsByHost() {
		var sizes []poolSize
		unknown := 0
		for _, p := range pools {
			size, n := c.sizeOf(p)
			if n != nil {
				unknown++
				out.add(nil, n)
			} else {
				sizes = append(sizes, size)
			}
			out.add(floodBy(c, p), nil)
		}
		if used, known := memoryUsed(sizes); known && used >= c.Rule.Threshold.Value {
			f := memoryFinding(c, sizes, used, unknown)
			out.add(&f, nil)
		}
	}
	return out
}

// poolsByHost returns the pools of each host.
func (c Case) poolsByHost() [][]*fleet.Pool {
	var out [][]*fleet.Pool
	for _, p := range c.Fleet.Pools {
		i := slices.IndexFunc(out, func(pools []*fleet.Pool) bool { return pools[0].Machine == p.Machine })
		if i < 0 {
			i, out = len(out), append(out, nil)
		}
		out[i] = append(out[i], p)
	}
	return out
}

// saturatedShare is the time without a free worker from which people raise pm.max_children; the threshold
// of phpfpm/pool-too-small by default.
const saturatedShare = 0.01

// floodBy returns that more workers of a pool would only send the database more at once, if that is so.
func floodBy(c Case, p *fleet.Pool) *Finding {
	limit, known := p.MaxChildren()
	if !known || c.poolUnready(p, "phpfpm/profile", p.Workers.Seen()) != nil {
		return nil
	}
	saturated := p.Workers.SaturatedSeconds / p.Workers.Window.Seconds()
	if bound, _, _ := Verdict(p, verdictShare); bound != ByDatabase || saturated < saturatedShare {
		return nil
	}
	f := floodFinding(c, p, limit, saturated)
	return &f
}

// floodFinding says that more workers would only send the database more at once.
func floodFinding(c Case, p *fleet.Pool, limit int, saturated float64) Finding {
	w := p.Workers.Window
	f := Found(c.Rule, aboutPool(p),
		Evidence{What: "waiting for the database, of the busy time", Value: databaseShare(p), Unit: Ratio, Source: sampling, Window: w, Margin: shareMargin(p, OnDatabase)}.
			against(verdictShare, "phpfpm/pool-verdict"),
		Evidence{What: "of the time no worker was free", Value: saturated, Unit: Ratio, Source: "plimsoll-probe", Window: w}.
			against(saturatedShare, "phpfpm/pool-too-small"),
		Evidence{What: "pm.max_children", Value: float64(limit), Unit: Count, Source: "the pool's configuration", Window: moment(c.Fleet.Now)},
	)
	f.Severity, f.Confidence, f.Effort = Medium, c.confidence(0.8, w), Minutes
	f.Summary = fmt.Sprintf("%s runs out of workers because they wait for the database: raising pm.max_children makes it worse.", calledPool(p))
	f.Remedy = []Step{
		{Kind: Advice, Target: p.Host, Text: fmt.Sprintf("Leave pm.max_children at %d, or lower it.", limit), Note: "What waits in front of the pool costs the database nothing; what waits within it holds a connection and locks."},
		{Kind: Advice, Text: "Take the findings about statements, indexes and locks first."},
	}
	f.Verify = Verify{What: "waiting for the database, of the busy time", Expect: "below " + Words(verdictShare, Ratio), After: "the next peak"}
	return f
}
