package mysql

import (
	"testing"
	"time"
)

func TestTheFastestRoundTripKnowsTheClockBest(t *testing.T) {
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	const ahead = 250 * time.Millisecond
	var c clock
	for i, trip := range []time.Duration{9, 2, 40} {
		sent := start.Add(time.Duration(i) * time.Second)
		answered := sent.Add(trip * time.Millisecond)
		// The server answers at once: its clock is read at the beginning.
		c.add(sent, answered, sent.Add(ahead))
	}
	best, known := c.best()
	if want := (reading{offset: ahead - time.Millisecond, within: time.Millisecond}); !known || best != want {
		t.Errorf("best = %+v, %v, want %+v", best, known, want)
	}
}

func TestAClockThatWasSetIsMeasuredAnew(t *testing.T) {
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	var c clock
	for i := range 5 {
		sent := start.Add(time.Duration(i) * time.Second)
		c.add(sent, sent.Add(time.Millisecond), sent)
	}
	sent := start.Add(5 * time.Second)
	c.add(sent, sent.Add(30*time.Millisecond), sent.Add(time.Hour))
	best, _ := c.best()
	if want := time.Hour - 15*time.Millisecond; best.offset != want {
		t.Errorf("offset = %v after the server's clock went ahead by an hour, want %v", best.offset, want)
	}
}

func TestTheClockForgets(t *testing.T) {
	sent := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	var c clock
	c.add(sent, sent.Add(time.Millisecond), sent)
	for range clockMemory {
		c.add(sent, sent.Add(4*time.Millisecond), sent)
	}
	if best, _ := c.best(); best.within != 2*time.Millisecond {
		t.Errorf("error = %v, want that of the last minute, 2ms", best.within)
	}
}
