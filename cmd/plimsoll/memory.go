package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// usualMemory is what an advisor with 1,000 agents runs well in: 750 MiB live,
	// and the collector may leave half as much as garbage. Left to itself it would
	// leave as much again, and give back late what it freed.
	usualMemory = 1344 << 20
	// boundEvery is how often the bound is set anew. A site grows in hours.
	boundEvery = 10 * time.Second
)

// boundMemory keeps garbage in bounds until ctx ends: the more there is that
// lives, the more memory we take, but never twice as much. GOMEMLIMIT in the
// environment bounds it instead.
func boundMemory(ctx context.Context) error {
	if os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	tick := time.NewTicker(boundEvery)
	defer tick.Stop()
	for {
		debug.SetMemoryLimit(memoryLimit(liveBytes()))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// memoryLimit is what the whole program may take while so many bytes live. A
// limit that does not leave room for garbage would have the collector run all
// the time.
func memoryLimit(live uint64) int64 { return max(usualMemory, int64(live)/2*3) }

// liveBytes is what lived at the end of the last collection.
func liveBytes() uint64 {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}
