package rules

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"plimsoll/rules/fleet"
)

// poolSize is how large a pool is and may become.
type poolSize struct {
	pool           *fleet.Pool
	limit, workers int
	// each is the memory that a worker has for itself, in bytes.
	each float64
}

// wants is what workers that may still be started would take, in bytes.
func (s poolSize) wants() float64 { return float64(max(s.limit-s.workers, 0)) * s.each }

// sizeOf returns the size of a pool, or why it is not known.
func (c Case) sizeOf(p *fleet.Pool) (poolSize, *NotReady) {
	if n := c.poolUnready(p, "phpfpm/profile", p.Workers.Seen()); n != nil {
		return poolSize{}, n
	}
	limit, known := p.MaxChildren()
	if !known {
		return poolSize{}, c.poolUnknown(p, "phpfpm", "how many workers it may have (pm.max_children) is not known")
	}
	if p.Machine.Latest == nil || p.Profile == nil || p.Profile.Memory == nil || p.Profile.Memory.P95USSBytes == 0 {
		return poolSize{}, c.poolUnknown(p, "phpfpm/profile", "how much memory its workers and its host have is not known")
	}
	return poolSize{p, limit, p.Profile.Workers, float64(p.Profile.Memory.P95USSBytes)}, nil
}

// wantedBy is what workers that pools may still start would take, in bytes.
func wantedBy(sizes []poolSize) float64 {
	sum := 0.0
	for _, s := range sizes {
		sum += s.wants()
	}
	return sum
}

// memoryUsed is what the pools of one host may still take, of the memory that it has available.
func memoryUsed(sizes []poolSize) (ratio float64, known bool) {
	if len(sizes) == 0 {
		return 0, false
	}
	return wantedBy(sizes) / math.Max(float64(sizes[0].pool.Machine.Latest.Memory.AvailableBytes), 1), true
}

// memoryFinding is about the pools of one host; of unknown more it is not known what they may take.
func memoryFinding(c Case, sizes []poolSize, used float64, unknown int) Finding {
	slices.SortStableFunc(sizes, func(a, b poolSize) int { return cmp.Compare(b.wants(), a.wants()) })
	host := sizes[0].pool.Machine
	now, memory, wanted := moment(c.Fleet.Now), host.Latest.Memory, math.Max(wantedBy(sizes), 1)
	f := Found(c.Rule, Subject{Cluster: host.Cluster, Kind: OfHost, Name: host.Name},
		c.evidence("memory that the workers which its pools may still start want, of what is available", used, "/proc/PID/smaps_rollup, /proc/meminfo", now),
		Evidence{What: "memory that is available", Value: float64(memory.AvailableBytes), Unit: Bytes, Source: "/proc/meminfo", Window: now},
		Evidence{What: "memory of the host", Value: float64(memory.TotalBytes), Unit: Bytes, Source: "/proc/meminfo", Window: now},
		Evidence{What: "memory of all workers that its pools may have, each for itself", Value: wholeOf(sizes), Unit: Bytes, Source: "/proc/PID/smaps_rollup", Window: now},
	)
	more := 0
	window := sizes[0].pool.Workers.Window
	for _, s := range sizes {
		more += max(s.limit-s.workers, 0)
		if w := s.pool.Workers.Window; w.Duration() < window.Duration() {
			window = w
		}
		f.addPoolSize(s, wanted, now)
	}
	f.Severity, f.Effort = High, Minutes
	f.Confidence = c.confidence(0.8, window, memoryDoubts(sizes, unknown)...)
	// From a kernel that kills one worker to somebody who has to find out and reload: a guess, and not measured.
	f.Gain.RecoveryMinutes = Between(5, 30)
	f.Summary = fmt.Sprintf("The PHP pools of %s may start %d workers more, which want %s of the memory that is available: once all are there the host swaps, or the kernel kills.%s",
		printable(host.Name), more, Words(used, Ratio), mostWanted(sizes, wanted))
	f.Remedy, f.Rollback = sizeSteps(sizes, wanted)
	f.Risks = []string{"With fewer workers visitors wait in front of the pool at a peak, where they would have met an error."}
	f.Verify = Verify{What: "memory that the workers which its pools may still start want, of what is available", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "the reload"}
	return f
}

// wholeOf is the memory of all workers that pools may have.
func wholeOf(sizes []poolSize) float64 {
	sum := 0.0
	for _, s := range sizes {
		sum += float64(max(s.limit, s.workers)) * s.each
	}
	return sum
}

func memoryDoubts(sizes []poolSize, unknown int) []string {
	doubts := []string{"other programs of the host may take memory too"}
	if len(sizes) > 1 {
		doubts = append(doubts, "its pools may never be full at one time")
	}
	if unknown > 0 {
		doubts = append(doubts, fmt.Sprintf("what %d more of its pools may take is not known, and not in it", unknown))
	}
	return doubts
}

// mostWanted names the pool that wants most, where there are several.
func mostWanted(sizes []poolSize, wanted float64) string {
	if len(sizes) == 1 {
		return ""
	}
	return fmt.Sprintf(" Pool %s wants %s of that.", printable(aboutPool(sizes[0].pool).Part), Words(sizes[0].wants()/wanted, Ratio))
}

// addPoolSize adds a pool's share of what all of its host want.
func (f *Finding) addPoolSize(s poolSize, wanted float64, now fleet.Window) {
	what := fmt.Sprintf("of which pool %s (%d workers of %s, pm.max_children is %d)",
		printable(aboutPool(s.pool).Part), s.workers, Words(s.each, Bytes), s.limit)
	f.Evidence = append(f.Evidence, Evidence{
		What: what, Value: s.wants() / wanted, Unit: Ratio, Source: "FPM's scoreboard, /proc/PID/smaps_rollup, the pool's configuration", Window: now,
	})
}

// sizeSteps share out the memory that may be taken as the pools want it, over those that want any.
func sizeSteps(sizes []poolSize, wanted float64) (do, undo []Step) {
	spare := freeMemory * float64(sizes[0].pool.Machine.Latest.Memory.AvailableBytes)
	for _, s := range sizes {
		if s.wants() == 0 {
			continue
		}
		fits := max(s.workers+int(spare*s.wants()/wanted/s.each), 1)
		do = append(do, Step{
			Kind: Config, Target: calledPool(s.pool), Text: fmt.Sprintf("pm.max_children = %d", fits),
			Note: "What fits beside all else, with a fifth of the memory left for files. Reload PHP-FPM then.",
		})
		undo = append(undo, Step{Kind: Config, Target: calledPool(s.pool), Text: fmt.Sprintf("pm.max_children = %d", s.limit)})
	}
	return do, undo
}
