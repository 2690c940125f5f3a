package rules

import (
	"fmt"
	"math"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

const (
	// freeCPU is the share of the processors that has to be free for more workers to help: from 70 % on,
	// requests wait for a processor about as long as they run.
	freeCPU = 0.3
	// freeMemory is the share of what is available that more workers may take; the rest is for the page cache.
	freeMemory = 0.8
	// spareWorkers is the room above the busiest moments: a fifth of the pool stays free.
	spareWorkers = 1.25
)

// poolTooSmall finds pools that run out of workers while the host could bear more of them.
func poolTooSmall() Rule {
	return Rule{
		ID: "phpfpm/pool-too-small", Title: "The pool has too few PHP workers",
		Phase: Capacity, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm", "phpfpm/profile", "host"},
		Threshold: Threshold{
			Value: 0.01, Unit: Ratio,
			Source: "default of this rule: in a hundredth of all time a visitor finds no worker free",
		},
		Check: func(c Case) Result {
			return c.eachPool(func(p *fleet.Pool) (*Finding, *NotReady) { return poolTooSmallOn(c, p) })
		},
	}
}

func poolTooSmallOn(c Case, p *fleet.Pool) (*Finding, *NotReady) {
	if n := c.poolUnready(p, "phpfpm/profile", p.Workers.Seen()); n != nil {
		return nil, n
	}
	saturated := p.Workers.SaturatedSeconds / p.Workers.Window.Seconds()
	if saturated < c.Rule.Threshold.Value {
		return nil, nil
	}
	limit, known := p.MaxChildren()
	if !known {
		return nil, c.poolUnknown(p, "phpfpm", "how many workers it may have (pm.max_children) is not known")
	}
	if m := p.Machine.Machine; m == nil || p.Machine.Latest == nil || p.Profile == nil || p.Profile.Memory == nil {
		return nil, c.poolUnknown(p, "phpfpm/profile", "whether its host can bear more workers is not known: of its processors or the workers' memory nothing was seen")
	}
	if bound, _, _ := Verdict(p, verdictShare); bound == ByDatabase || hostCPU(p.Machine) > 1-freeCPU {
		return nil, nil // More workers make it worse: phpfpm/pool-too-large and phpfpm/pool-verdict say so.
	}
	want := min(wantedWorkers(p, limit), limit+moreWorkers(p))
	if want <= limit {
		return nil, nil
	}
	f := poolTooSmallFinding(c, p, saturated, limit, want)
	return &f, nil
}

// hostCPU is the share of a host's processors that was busy in its busiest minutes, or on average where
// these are not known.
func hostCPU(h *fleet.Host) float64 {
	if h.Machine.PeakCPUBusyRatio != nil {
		return *h.Machine.PeakCPUBusyRatio
	}
	return h.Machine.CPUBusyRatio
}

// wantedWorkers is how many workers the busiest moments want: those that were busy and those that waited,
// with some to spare.
func wantedWorkers(p *fleet.Pool, limit int) int {
	busy := float64(limit)
	if p.Served != nil && p.Served.PeakQueue != nil {
		busy += *p.Served.PeakQueue
	}
	return int(math.Ceil(busy * spareWorkers))
}

// moreWorkers is for how many more workers there is memory.
func moreWorkers(p *fleet.Pool) int {
	each := float64(p.Profile.Memory.P95USSBytes)
	if each <= 0 {
		return 0
	}
	return int(freeMemory * float64(p.Machine.Latest.Memory.AvailableBytes) / each)
}

// verdictShare is the share of the busy time by which a pool is taken to be bound; the threshold of
// phpfpm/pool-verdict by default.
const verdictShare = 0.5

func poolTooSmallFinding(c Case, p *fleet.Pool, saturated float64, limit, want int) Finding {
	w, memory := p.Workers.Window, p.Profile.Memory
	now := moment(c.Fleet.Now)
	f := Found(c.Rule, aboutPool(p),
		c.evidence("of the time no worker was free", saturated, "plimsoll-probe", w),
		Evidence{What: "processors of its host busy, busiest minutes", Value: hostCPU(p.Machine), Unit: Ratio, Source: "/proc/stat", Window: p.Machine.Machine.Window}.
			against(1-freeCPU, "default of this rule: above, requests wait for a processor about as long as they run"),
		Evidence{What: "pm.max_children", Value: float64(limit), Unit: Count, Source: "the pool's configuration", Window: now},
		Evidence{What: "memory of a worker for itself, 95th percentile", Value: float64(memory.P95USSBytes), Unit: Bytes, Source: "/proc/PID/smaps_rollup", Window: now},
		Evidence{What: "memory that is available", Value: float64(p.Machine.Latest.Memory.AvailableBytes), Unit: Bytes, Source: "/proc/meminfo", Window: now},
	)
	f.Severity = Medium
	if p.Served != nil && p.Served.PeakQueue != nil && *p.Served.PeakQueue >= 1 {
		f.Severity = High
	}
	f.Confidence = c.confidence(0.8, w, "whatever its workers wait for must bear more of them")
	f.Gain.Headroom = Between(1, float64(want)/float64(limit))
	f.Effort = Minutes
	f.Summary = fmt.Sprintf("%s had no free worker for %s of the time, and its host could bear more than %d.", calledPool(p), Words(saturated, Ratio), limit)
	f.Remedy = []Step{{
		Kind: Config, Target: p.Host, Text: fmt.Sprintf("pm.max_children = %d", want),
		Note: "In the pool's file, then reload PHP-FPM. It is what memory allows and the busiest moments want, with a fifth to spare.",
	}}
	f.Rollback = []Step{{Kind: Config, Target: p.Host, Text: fmt.Sprintf("pm.max_children = %d", limit)}}
	f.Risks = []string{"Each worker can hold a connection to the database: all pools together must stay below max_connections."}
	if bound, share, _ := Verdict(p, verdictShare); bound != Healthy {
		f.Risks = append(f.Risks, fmt.Sprintf("Its workers spend %s of their busy time %s: what makes that shorter helps more.", Words(share, Ratio), bound.Words()))
	}
	f.Verify = Verify{What: "of the time no worker was free", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "the next peak"}
	return f
}

// databaseShare is the part of a pool's busy time in which it waits for the database.
func databaseShare(p *fleet.Pool) float64 { return p.Workers.Share(snapshot.PHPMySQL) }
