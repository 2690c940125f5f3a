package main

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told is a pulse whose messages are counted.
func told(patience time.Duration) (*pulse, func() map[string]int) {
	var mu sync.Mutex
	counts := map[string]int{}
	p := newPulse(patience)
	p.notify = func(state string) error {
		mu.Lock()
		defer mu.Unlock()
		counts[state]++
		return nil
	}
	return p, func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		out := map[string]int{}
		maps.Copy(out, counts)
		return out
	}
}

func TestTheWatchdogIsFedWhileRoundsEndAndNotWhenOneHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, counts := told(6 * time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = p.feed(ctx, 10*time.Minute) }()
		for range 5 { // rounds of five minutes each: long, and no death
			time.Sleep(5 * time.Minute)
			p.beat()
		}
		p.ready()
		p.ready()
		time.Sleep(time.Second)
		if diff := cmp.Diff(map[string]int{"WATCHDOG=1": 5, "READY=1": 1}, counts()); diff != "" {
			t.Errorf("told after 25 minutes (-want +got):\n%s", diff)
		}
		time.Sleep(time.Hour) // it hangs
		if n := counts()["WATCHDOG=1"]; n > 6 {
			t.Errorf("the watchdog was fed %d times in the hour in which a round hung", n-5)
		}
		cancel()
		synctest.Wait()
		if counts()["STOPPING=1"] != 1 {
			t.Error("the end was not told")
		}
	})
}

func TestWithoutAWatchdogNothingIsFed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, counts := told(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := p.feed(ctx, 0); err != nil || counts()["WATCHDOG=1"] != 0 {
			t.Errorf("feed: %v, told %v", err, counts())
		}
	})
}

func TestTheFirstPartThatFailsEndsAll(t *testing.T) {
	fault := errors.New("listen: address in use")
	err := runAll(t.Context(),
		func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		func(context.Context) error { return fault },
		func(context.Context) error { return nil },
	)
	if !errors.Is(err, fault) {
		t.Errorf("runAll = %v, want %v", err, fault)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := runAll(ctx, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }); err != nil {
		t.Errorf("runAll that was ended = %v, want none", err)
	}
}
