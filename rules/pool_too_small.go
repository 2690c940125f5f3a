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
	more, doubts := c.moreWorkers(p)
	want := min(wantedWorkers(p, limit), limit+more)
	if want <= limit {
		return nil, nil
	}
	f := poolTooSmallFinding(c, p, saturated, limit, want)
	f.Confidence = c.roomConfidence(p.Workers.Window, doubts)
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

// hostCPUOf says of when hostCPU is.
func hostCPUOf(h *fleet.Host) string {
	if h.Machine.PeakCPUBusyRatio != nil {
		return "busiest minutes"
	}
	return "on average"
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

// moreWorkers is for how many more workers there is memory beside those that all pools of the host may start already,
// with what is to be doubted of it. Pools that together may take more than there is are phpfpm/pool-too-large's: more
// for this one is judged as if they were smaller.
func (c Case) moreWorkers(p *fleet.Pool) (more int, doubts []string) {
	var sizes []poolSize
	unknown := 0
	for _, o := range c.Fleet.Pools {
		if o.Machine != p.Machine {
			continue
		}
		if size, n := c.sizeOf(o); n == nil {
			sizes = append(sizes, size)
		} else if o != p {
			unknown++
		}
	}
	available := float64(p.Machine.Latest.Memory.AvailableBytes)
	spare, wanted := freeMemory*available, wantedBy(sizes)
	if wanted < available {
		spare -= wanted
	} else {
		doubts = append(doubts, "the pools of its host may have more workers than there is memory for: lower the others first")
	}
	if unknown > 0 {
		doubts = append(doubts, fmt.Sprintf("what %d other pools of its host may still take of its memory is not known", unknown))
	}
	if each := float64(p.Profile.Memory.P95USSBytes); each > 0 {
		more = max(int(spare/each), 0)
	}
	return more, doubts
}

// roomConfidence is how sure it is that more workers help, with what is to be doubted of the room for them.
func (c Case) roomConfidence(w fleet.Window, doubts []string) Confidence {
	ratio := 0.8
	if len(doubts) > 0 {
		ratio = 0.6
	}
	return c.confidence(ratio, w, append(doubts, "whatever its workers wait for must bear more of them")...)
}

// verdictShare is the share of the busy time by which a pool is taken to be bound; the threshold of
// phpfpm/pool-verdict by default.
const verdictShare = 0.5

func poolTooSmallFinding(c Case, p *fleet.Pool, saturated float64, limit, want int) Finding {
	w, memory := p.Workers.Window, p.Profile.Memory
	now := moment(c.Fleet.Now)
	f := Found(c.Rule, aboutPool(p),
		c.evidence("of the time no worker was free", saturated, "plimsoll-probe", w),
		Evidence{What: "processors of its host busy, " + hostCPUOf(p.Machine), Value: hostCPU(p.Machine), Unit: Ratio, Source: "/proc/stat", Window: p.Machine.Machine.Window}.
			against(1-freeCPU, "default of this rule: above, requests wait for a processor about as long as they run"),
		Evidence{What: "pm.max_children", Value: float64(limit), Unit: Count, Source: "the pool's configuration", Window: now},
		Evidence{What: "memory of a worker for itself, 95th percentile", Value: float64(memory.P95USSBytes), Unit: Bytes, Source: "/proc/PID/smaps_rollup", Window: now},
		Evidence{What: "memory that is available", Value: float64(p.Machine.Latest.Memory.AvailableBytes), Unit: Bytes, Source: "/proc/meminfo", Window: now},
	)
	f.Severity = Medium
	if p.Served != nil && p.Served.PeakQueue != nil && *p.Served.PeakQueue >= 1 {
		f.Severity = High
	}
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
