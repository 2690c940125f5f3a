package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestTheMemoryLimitLeavesRoomForGarbage(t *testing.T) {
	const mib = 1 << 20
	for name, c := range map[string]struct {
		live uint64
		want int64
	}{
		"a small site":         {50 * mib, usualMemory},
		"a thousand agents":    {750 * mib, usualMemory},
		"three thousand":       {2000 * mib, 3000 * mib},
		"before the first run": {0, usualMemory},
	} {
		t.Run(name, func(t *testing.T) {
			if got := memoryLimit(c.live); got != c.want {
				t.Errorf("limit for %d MiB live = %d MiB, want %d", c.live/mib, got/mib, c.want/mib)
			}
		})
	}
}

func TestMemoryIsBoundWhileTheAdvisorServes(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "")
	before := debug.SetMemoryLimit(-1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- boundMemory(ctx) }()
	for debug.SetMemoryLimit(-1) != usualMemory { // set at once; the test's deadline ends this
		runtime.Gosched()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got := debug.SetMemoryLimit(-1); got != before {
		t.Errorf("limit afterwards = %d, want %d as before", got, before)
	}
}

func TestMemoryIsBoundByTheEnvironmentIfItSaysHow(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "3GiB")
	if err := boundMemory(t.Context()); err != nil {
		t.Fatal(err)
	}
}
