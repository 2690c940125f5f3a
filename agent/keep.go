package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"plimsoll/agent/config"
	"plimsoll/collectors/snapshot"
)

const (
	// writeEvery is the shortest time between two writes of the state. Figures
	// that wait for one are at most this late.
	writeEvery = 15 * time.Second
	// firstWrite is the same for what this run has not shown at all yet, so that
	// a restart leaves no hole in the totals. It lets the jobs that begin
	// together share a write.
	firstWrite = time.Second
	// unclaimedFor is how long the state of a job that no longer runs is kept:
	// a server may be away for a while.
	unclaimedFor = 30 * 24 * time.Hour
	// restartShown is how long a report can still have the start of totals in
	// its window.
	restartShown = 24 * time.Hour
)

// keep holds what must survive the process: the states of Keepers, and events
// with their numbers. Figures made from them are shown once they are on disk,
// so that no run ever resumes below what an earlier one showed.
type keep struct {
	dir   string // empty keeps nothing, and shows at once
	host  string
	board *board
	log   *slog.Logger
	wake  chan struct{}
	first chan struct{} // something has not been shown yet
	pause time.Duration // between two writes

	lock   *folderLock
	failed bool // the last write; belongs to whoever flushes

	mu      sync.Mutex
	stored  stored
	parts   map[string]*snapshot.Snapshot // not yet shown
	taken   map[string]bool               // of this run
	unshown bool                          // events
}

func newKeep(c *config.Config, b *board, log *slog.Logger) *keep {
	return &keep{
		dir: c.State, host: c.Host, board: b, log: log, wake: make(chan struct{}, 1), first: make(chan struct{}, 1),
		pause: writeEvery, stored: newStored(c.Host), parts: map[string]*snapshot.Snapshot{}, taken: map[string]bool{},
	}
}

// open takes the folder and loads what an earlier run left in it. Whatever is
// wrong with that, the agent starts: its totals then begin anew, and it says so.
func (k *keep) open() error {
	if k.dir != "" {
		lock, err := lockFolder(k.dir)
		if err != nil {
			return err
		}
		k.lock = lock
		if err := k.load(); err != nil {
			return errors.Join(err, lock.release())
		}
	}
	k.board.resume(k.stored.AgentID, slices.Clone(k.stored.Events))
	return nil
}

func (k *keep) load() error {
	earlier, err := readState(k.dir, k.host)
	switch {
	case errors.Is(err, errMissing) || errors.Is(err, errDamaged) || errors.Is(err, errForeign):
		k.startAnew(err)
		// Its new id is shown from now on, and must be the same if it is killed before the first write.
		if err := writeState(k.dir, k.stored.encode()); err != nil {
			k.fail(err)
		}
		return nil
	case err != nil:
		return err
	}
	earlier.forget(time.Now().Add(-unclaimedFor))
	k.stored = *earlier
	return nil
}

// startAnew tells why totals start at zero, as long as a report may cover that.
func (k *keep) startAnew(why error) {
	k.log.Warn("totals start anew", "folder", k.dir, "reason", clean(why))
	k.board.note("start", snapshot.Gap{
		Job:    "state",
		Reason: fmt.Sprintf("totals start at %s: %s", time.Now().UTC().Format(time.RFC3339), clean(why)),
	}, time.Now().Add(restartShown))
}

// state returns what the named job saved last.
func (k *keep) state(key string) (json.RawMessage, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.stored.Keepers[key]
	return s.State, ok
}

// take keeps events, and the state of a job together with the part that was
// made from it; a job that keeps no state has neither.
func (k *keep) take(key string, part *snapshot.Snapshot, state json.RawMessage, events []snapshot.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if part == nil && len(events) == 0 {
		return
	}
	if part != nil {
		k.parts[key] = part
		k.stored.Keepers[key] = savedState{Saved: time.Now(), State: state}
	}
	k.stored.append(events)
	k.unshown = k.unshown || len(events) > 0
	if k.dir == "" {
		k.show(k.batch())
		return
	}
	call(k.wake)
	if part != nil && !k.taken[key] {
		k.taken[key] = true
		call(k.first)
	}
}

// call asks run for a write.
func call(run chan<- struct{}) {
	select {
	case run <- struct{}{}:
	default:
	}
}

// run writes the state whenever there is something new, but not too often,
// until ctx ends.
func (k *keep) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		}
		select {
		case <-k.first: // It is in this write.
		default:
		}
		k.flush()
		k.rest(ctx)
	}
}

// rest waits until the next write may be.
func (k *keep) rest(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(k.pause):
		return
	case <-k.first:
	}
	select {
	case <-ctx.Done():
	case <-time.After(min(k.pause, firstWrite)):
	}
}

// close writes the state a last time and leaves the folder to others.
func (k *keep) close() error {
	if k.lock == nil {
		return nil
	}
	k.flush()
	return k.lock.release()
}

// flush writes the state, and then shows what was made from it. While it cannot
// write, totals stay at the last value that a new run would not fall below.
func (k *keep) flush() {
	k.mu.Lock()
	if len(k.parts) == 0 && !k.unshown {
		k.mu.Unlock()
		return
	}
	body, b := k.stored.encode(), k.batch()
	k.mu.Unlock()
	if err := writeState(k.dir, body); err != nil {
		k.putBack(b)
		k.fail(err)
		call(k.wake)
		return
	}
	k.show(b)
	k.recover()
}

// batch is what is shown together.
type batch struct {
	parts  map[string]*snapshot.Snapshot
	events []snapshot.Event // nil if there are no new ones
}

func (k *keep) batch() batch {
	b := batch{parts: k.parts}
	if k.unshown {
		b.events = slices.Clone(k.stored.Events)
	}
	k.parts, k.unshown = map[string]*snapshot.Snapshot{}, false
	return b
}

func (k *keep) show(b batch) {
	for _, part := range b.parts {
		k.board.merge(part)
	}
	if b.events != nil {
		k.board.showEvents(b.events)
	}
}

// putBack leaves for the next write what has not been replaced since.
func (k *keep) putBack(b batch) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for key, part := range b.parts {
		if k.parts[key] == nil {
			k.parts[key] = part
		}
	}
	k.unshown = k.unshown || b.events != nil
}

func (k *keep) fail(err error) {
	k.board.note("write", snapshot.Gap{
		Job:    "state",
		Reason: "state cannot be written, so that totals and events stay at their last values: " + clean(err),
		Remedy: "make room in " + k.dir + " and let the agent's user write there",
	}, time.Time{})
	if !k.failed {
		k.log.Error("state cannot be written", "folder", k.dir, "err", clean(err))
	}
	k.failed = true
}

func (k *keep) recover() {
	if !k.failed {
		return
	}
	k.failed = false
	k.board.note("write", snapshot.Gap{}, time.Time{})
	k.log.Info("state is written again", "folder", k.dir)
}
