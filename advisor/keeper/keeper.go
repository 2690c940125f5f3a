// Package keeper fetches the snapshots of agents and keeps copies of them: the
// latest of each always, one an hour for two days, and one a day for forty.
//
// Totals are exact differences of two copies, so that a copy from the beginning
// of a window and the latest one say how much happened, whatever the advisor
// missed in between. An agent is known by its identifier and not by its name:
// two agents that were given one name are two agents here.
package keeper

import (
	"compress/gzip"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"plimsoll/advisor/store"
	"plimsoll/collectors/snapshot"
)

const (
	// parallel is how many agents are asked at a time.
	parallel = 16
	// patience is how long one agent may take for all its sections.
	patience = 10 * time.Second
)

// Keeper holds the latest snapshot of each agent in memory, and older ones in
// its folder.
type Keeper struct {
	dir string
	log *slog.Logger
	now func() time.Time

	desks   chan *desk // one for each agent that may be asked at a time
	packing sync.Mutex // of packer, which is 800 KiB
	packer  *gzip.Writer

	mu      sync.Mutex
	targets map[string]*agent // by target
	bases   map[string]base   // by path, those that bound the window
	bounds  map[string]bounds // by agent, of its newest copy
	swept   time.Time         // when copies were last looked through
}

// Agent is what the keeper knows of one target.
type Agent struct {
	// Target is the address that was asked.
	Target string
	// Latest is nil until the agent answered once.
	Latest *snapshot.Snapshot
	// Seen is when it last answered, and Err why it did not since; nil if the
	// last round went well.
	Seen time.Time
	Err  error
	// ClockOffsetSeconds is the agent's clock minus ours, known to within
	// ClockErrorSeconds: half the fastest recent round trip.
	ClockOffsetSeconds float64
	ClockErrorSeconds  float64
}

// agent is an Agent and what is needed to ask it only for what changed.
type agent struct {
	Agent
	sections map[snapshot.Section]section
	clock    clock
}

// Open uses dir for copies; it is made if it is missing.
func Open(dir string, log *slog.Logger, now func() time.Time) (*Keeper, error) {
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	k := &Keeper{
		dir: dir, log: log, now: now, desks: make(chan *desk, parallel), packer: gzip.NewWriter(nil),
		targets: map[string]*agent{}, bases: map[string]base{}, bounds: map[string]bounds{},
	}
	for range parallel {
		k.desks <- &desk{known: fields{}}
	}
	return k, nil
}

// Fetch asks every target once, some at a time, and keeps what came. An agent
// that fails keeps its latest snapshot and says why; the others are not held up
// by it. Targets that are no longer listed are forgotten; their copies stay
// until they are too old.
func (k *Keeper) Fetch(ctx context.Context, targets []store.Target) {
	k.forget(targets)
	k.sweepHourly()
	var wg sync.WaitGroup
	for _, t := range targets {
		d := <-k.desks
		wg.Go(func() {
			defer func() { k.desks <- d }()
			k.fetchOne(ctx, d, t)
		})
	}
	wg.Wait()
}

func (k *Keeper) fetchOne(ctx context.Context, d *desk, t store.Target) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	before := k.agent(t.String())
	defer func() {
		if fault := recover(); fault != nil { // what one agent says must not end us
			k.note(before, fmt.Errorf("BUG: fetch snapshot from %s: %v", t, fault))
		}
	}()
	after, err := d.fetch(ctx, t, before)
	if err != nil {
		k.note(before, fmt.Errorf("fetch snapshot from %s: %w", t, err))
		return
	}
	after.Seen = k.now()
	if twin := k.put(after); twin != "" {
		before.Latest = nil
		k.note(before, fmt.Errorf("%s and %s answer as one agent (%s): list it once; if these are two hosts, one's state folder "+
			"is a copy of the other's: remove it and restart that agent", t, twin, after.Latest.AgentID))
		return
	}
	if err := k.keep(after.Latest); err != nil {
		k.log.Warn("cannot keep a copy of a snapshot", "agent", t.String(), "error", err)
	}
}

// Agents returns what is known of every target, by target.
func (k *Keeper) Agents() []Agent {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []Agent
	for _, name := range slices.Sorted(maps.Keys(k.targets)) {
		out = append(out, k.targets[name].Agent)
	}
	return out
}

func (k *Keeper) agent(target string) agent {
	k.mu.Lock()
	defer k.mu.Unlock()
	if a := k.targets[target]; a != nil {
		return *a
	}
	return agent{Agent: Agent{Target: target}}
}

// put takes over what was fetched. It does not, and returns the other target,
// if an agent of the same identifier answers there: its copies would be mixed up
// with this one's, or every figure would count twice.
func (k *Keeper) put(a agent) (twin string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, other := range k.targets {
		if name != a.Target && other.Err == nil && other.Latest != nil && other.Latest.AgentID == a.Latest.AgentID {
			return name
		}
	}
	k.targets[a.Target] = &a
	return ""
}

// note records a failure, and logs it when it is new.
func (k *Keeper) note(a agent, err error) {
	if a.Err == nil {
		k.log.Warn("cannot fetch a snapshot", "agent", a.Target, "error", err)
	}
	a.Err = err
	k.mu.Lock()
	defer k.mu.Unlock()
	k.targets[a.Target] = &a
}

func (k *Keeper) forget(targets []store.Target) {
	listed := map[string]bool{}
	for _, t := range targets {
		listed[t.String()] = true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.targets, func(name string, _ *agent) bool { return !listed[name] })
}
