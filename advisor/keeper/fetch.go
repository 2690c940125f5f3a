package keeper

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"plimsoll/advisor/store"
	"plimsoll/collectors/snapshot"
)

// What an agent may send at most. A larger section is cut by the agent itself;
// one that is not is no agent's.
const (
	maxIndex    = 64 << 10
	maxPacked   = 8 << 20
	maxUnpacked = 64 << 20
	// maxWeight is what one agent's snapshot may take of our memory, as weigh
	// counts it. The largest section that an agent sends, a million columns in
	// 64 MiB, weighs two thirds of that.
	maxWeight = 256 << 20
)

// index is the answer to GET /v1/snapshot.
type index struct {
	Schema   int    `json:"schema"`
	AgentID  string `json:"agent_id"`
	Sections []struct {
		Name snapshot.Section `json:"name"`
		ETag string           `json:"etag"`
	} `json:"sections"`
}

// section is one section as it was last read.
type section struct {
	etag   string
	weight int64
	*snapshot.Snapshot
}

// fetch returns a with what changed since. Neither a nor its snapshot changes.
//
// Sections are kept apart, and the snapshot is put together of them: what a
// section no longer holds, such as a server that was taken out of the agent's
// configuration, is then gone. A section that cannot be read costs a gap, and
// stays as it was; it is asked for again in the next round.
func (d *desk) fetch(ctx context.Context, t store.Target, a agent) (agent, error) {
	var idx index
	asked := time.Now()
	header, _, err := d.get(ctx, t, "/v1/snapshot", maxIndex, maxWeight, &idx)
	if err != nil {
		return a, err
	}
	if err := idx.check(); err != nil {
		return a, err
	}
	a.clock = a.clock.add(header.Get("Plimsoll-Time"), asked, time.Now())
	a.ClockOffsetSeconds, a.ClockErrorSeconds = a.clock.best()

	known := a.sections
	if a.Latest == nil || a.Latest.AgentID != idx.AgentID {
		known = nil
	}
	a.sections, a.Err = map[snapshot.Section]section{}, nil
	var gaps []snapshot.Gap
	room := maxWeight - weightOf(known)
	for name, etag := range idx.known() {
		s := known[name]
		if etag == "" || etag != s.etag {
			fresh, err := d.fetchSection(ctx, t, name, s, idx.AgentID, room+s.weight)
			if ctx.Err() != nil {
				return a, fmt.Errorf("section %s: %w", name, err)
			}
			if err != nil {
				gaps = append(gaps, snapshot.Gap{Job: "advisor", Reason: fmt.Sprintf("section %s could not be fetched: %v", name, err)})
				fresh, etag = s, ""
			}
			room += s.weight - fresh.weight
			s = section{etag, fresh.weight, fresh.Snapshot}
		}
		a.sections[name] = s
	}
	a.Latest = idx.join(a.sections, gaps)
	return a, nil
}

func (i index) check() error {
	if i.Schema > snapshot.SchemaVersion {
		return fmt.Errorf("it speaks schema %d and this advisor %d: upgrade the advisor", i.Schema, snapshot.SchemaVersion)
	}
	if !validID(i.AgentID) {
		return errors.New("it names no agent: is this the address of a Plimsoll agent?")
	}
	return nil
}

// known yields the sections that there are, with their ETags, in our order. What
// a newer agent has beyond them we do not judge.
func (i index) known() iter.Seq2[snapshot.Section, string] {
	return func(yield func(snapshot.Section, string) bool) {
		for _, name := range snapshot.Sections() {
			for _, s := range i.Sections {
				if s.Name == name && !yield(name, s.ETag) {
					return
				}
			}
		}
	}
}

// join puts sections together again.
func (i index) join(sections map[snapshot.Section]section, gaps []snapshot.Gap) *snapshot.Snapshot {
	out := &snapshot.Snapshot{Schema: i.Schema, AgentID: i.AgentID}
	for _, name := range snapshot.Sections() {
		if s := sections[name].Snapshot; s != nil {
			out.Merge(s)
		}
	}
	out.Gaps = slices.Concat(out.Gaps, gaps)
	return out
}

func weightOf(sections map[snapshot.Section]section) int64 {
	var sum int64
	for _, s := range sections {
		sum += s.weight
	}
	return sum
}

// fetchSection reads a section, which may take so much room in memory.
func (d *desk) fetchSection(ctx context.Context, t store.Target, name snapshot.Section, known section, id string, room int64) (section, error) {
	fresh, err := d.getSection(ctx, t, name, knownTexts(name, known.Snapshot), id, room)
	if err != nil || name != snapshot.SectionDigests || known.Snapshot == nil {
		return fresh, err
	}
	if revisionsBeganAnew(known.Snapshot, fresh.Snapshot) {
		return d.getSection(ctx, t, name, 0, id, room)
	}
	fresh.weight += keepTexts(known.Snapshot, fresh.Snapshot)
	if fresh.weight > room {
		return section{}, errors.New("texts that came before, and those that came now, are more than an agent's can be")
	}
	return fresh, nil
}

// getSection reads a section, with the texts after a revision.
func (d *desk) getSection(ctx context.Context, t store.Target, name snapshot.Section, after uint64, id string, room int64) (section, error) {
	path := "/v1/snapshot/" + string(name)
	if after > 0 {
		path += fmt.Sprintf("?after=%d", after)
	}
	var fresh snapshot.Snapshot
	_, weight, err := d.get(ctx, t, path, maxPacked, room, &fresh)
	if err != nil {
		return section{}, err
	}
	if fresh.AgentID != id {
		return section{}, fmt.Errorf("it is of another agent (%.64q)", fresh.AgentID)
	}
	dropNil(&fresh)
	return section{weight: weight, Snapshot: &fresh}, nil
}

// dropNil removes servers without parts: JSON may say null where an agent never
// does.
func dropNil(s *snapshot.Snapshot) {
	maps.DeleteFunc(s.Servers, func(_ string, parts *snapshot.Server) bool { return parts == nil })
}
