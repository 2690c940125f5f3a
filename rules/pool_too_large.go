package rules

import (
	"fmt"
	"math"

	"plimsoll/rules/fleet"
)

// poolTooLarge finds pools that may have more workers than their host has memory for, or than the
// database bears: there raising pm.max_children makes it worse.
func poolTooLarge() Rule {
	return Rule{
		ID: "phpfpm/pool-too-large", Title: "The pool may have too many PHP workers",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm", "phpfpm/profile", "host"},
		Threshold: Threshold{
			Value: 1, Unit: Ratio,
			Source: "arithmetic: workers that want more memory than is available end in swapping or with the kernel's OOM killer",
		},
		Check: func(c Case) Result {
			return c.eachPool(func(p *fleet.Pool) (*Finding, *NotReady) { return poolTooLargeOn(c, p) })
		},
	}
}

func poolTooLargeOn(c Case, p *fleet.Pool) (*Finding, *NotReady) {
	if n := c.poolUnready(p, "phpfpm/profile", p.Workers.Seen()); n != nil {
		return nil, n
	}
	limit, known := p.MaxChildren()
	if !known {
		return nil, c.poolUnknown(p, "phpfpm", "how many workers it may have (pm.max_children) is not known")
	}
	if p.Machine.Latest == nil || p.Profile == nil || p.Profile.Memory == nil {
		return nil, c.poolUnknown(p, "phpfpm/profile", "how much memory its workers and its host have is not known")
	}
	if used := memoryWanted(p, limit) / math.Max(float64(p.Machine.Latest.Memory.AvailableBytes), 1); used >= c.Rule.Threshold.Value {
		f := memoryFinding(c, p, limit, used)
		return &f, nil
	}
	saturated := p.Workers.SaturatedSeconds / p.Workers.Window.Seconds()
	if bound, _, _ := Verdict(p, verdictShare); bound == ByDatabase && saturated >= saturatedShare {
		f := floodFinding(c, p, limit, saturated)
		return &f, nil
	}
	return nil, nil
}

// saturatedShare is the time without a free worker from which people raise pm.max_children; the threshold
// of phpfpm/pool-too-small by default.
const saturatedShare = 0.01

// memoryWanted is what workers that may still be started would take, in bytes.
func memoryWanted(p *fleet.Pool, limit int) float64 {
	return float64(max(limit-p.Profile.Workers, 0)) * float64(p.Profile.Memory.P95USSBytes)
}

func memoryFinding(c Case, p *fleet.Pool, limit int, used float64) Finding {
	now, memory := moment(c.Fleet.Now), p.Profile.Memory
	available := p.Machine.Latest.Memory.AvailableBytes
	f := Found(c.Rule, aboutPool(p),
		c.evidence("memory that the workers it may still start want, of what is available", used, "/proc/PID/smaps_rollup, /proc/meminfo", now),
		Evidence{What: "pm.max_children", Value: float64(limit), Unit: Count, Source: "the pool's configuration", Window: now},
		Evidence{What: "workers now", Value: float64(p.Profile.Workers), Unit: Count, Source: "FPM's scoreboard", Window: now},
		Evidence{What: "memory of a worker for itself, 95th percentile", Value: float64(memory.P95USSBytes), Unit: Bytes, Source: "/proc/PID/smaps_rollup", Window: now},
		Evidence{What: "memory that is available", Value: float64(available), Unit: Bytes, Source: "/proc/meminfo", Window: now},
	)
	fits := max(p.Profile.Workers+int(freeMemory*float64(available)/math.Max(float64(memory.P95USSBytes), 1)), 1)
	f.Severity, f.Confidence, f.Effort = High, c.confidence(0.8, p.Workers.Window, "other programs of the host may take memory too"), Minutes
	f.Gain.RecoveryMinutes = Between(5, 30)
	f.Summary = fmt.Sprintf("%s may start %d workers more, which want %s of the memory that is available: at the next peak the host swaps or the kernel kills.",
		calledPool(p), limit-p.Profile.Workers, Words(used, Ratio))
	f.Remedy = []Step{{Kind: Config, Target: p.Host, Text: fmt.Sprintf("pm.max_children = %d", fits), Note: "What fits beside all else, with a fifth of the memory left for files. Reload PHP-FPM then."}}
	f.Rollback = []Step{{Kind: Config, Target: p.Host, Text: fmt.Sprintf("pm.max_children = %d", limit)}}
	f.Risks = []string{"With fewer workers visitors wait in front of the pool at a peak, where they would have met an error."}
	f.Verify = Verify{What: "memory that the workers it may still start want, of what is available", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "the reload"}
	return f
}

// floodFinding says that more workers would only send the database more at once.
func floodFinding(c Case, p *fleet.Pool, limit int, saturated float64) Finding {
	w := p.Workers.Window
	f := Found(c.Rule, aboutPool(p),
		Evidence{What: "waiting for the database, of the busy time", Value: databaseShare(p), Unit: Ratio, Source: "plimsoll-probe", Window: w}.
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
