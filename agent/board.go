package agent

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"plimsoll/agent/config"
	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// board is the joined snapshot and how each job fares.
type board struct {
	// run tells revisions of this run from those of others.
	run     string
	started time.Time

	mu        sync.Mutex
	joined    snapshot.Snapshot
	entries   []*entry
	notes     []note
	revisions map[snapshot.Section]uint64
	listed    bool          // all jobs that are known at the start are entries
	changed   chan struct{} // closed and replaced after every round
}

// entry is one job on the board.
type entry struct {
	key    string
	rounds int // that are needed before the agent is warm
	health snapshot.JobHealth
	gaps   []snapshot.Gap
}

// note is a gap that belongs to no round of a job.
type note struct {
	name  string
	gap   snapshot.Gap
	until time.Time // zero for ever
}

func newBoard(c *config.Config) *board {
	return &board{
		run: newID(), started: time.Now(), changed: make(chan struct{}),
		revisions: map[snapshot.Section]uint64{},
		joined: snapshot.Snapshot{
			Schema: snapshot.SchemaVersion, Cluster: c.Cluster, Host: c.Host, Labels: c.Labels,
		},
	}
}

// key names a job among those of all servers.
func key(job collectors.Job) string {
	if job.Server == "" {
		return job.Name
	}
	return job.Name + "@" + job.Server
}

func (b *board) add(job collectors.Job) *entry {
	e := &entry{key: key(job), rounds: 1, health: snapshot.JobHealth{
		Name: job.Name, Server: job.Server,
		EverySeconds: job.Every.Seconds(), IntervalSeconds: job.Every.Seconds(),
	}}
	if _, ok := job.Collector.(collectors.Keeper); ok {
		e.rounds = 2
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries = append(b.entries, e)
	return e
}

func (b *board) skip(e *entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e.health.Skipped++
	b.revisions[snapshot.SectionGaps]++
}

// finish notes how a round ended.
func (b *board) finish(e *entry, out outcome, interval time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := &e.health
	h.Runs++
	h.WallSeconds += out.took.Seconds()
	h.IntervalSeconds = interval.Seconds()
	if out.err != nil {
		h.Failures++
		h.LastError = clean(out.err)
		e.gaps = []snapshot.Gap{{Job: h.Name, Subject: h.Server, Reason: h.LastError}}
	} else {
		h.LastSuccess, h.LastError = time.Now(), ""
		e.gaps = out.fresh.Gaps
	}
	b.revisions[snapshot.SectionGaps]++
	b.signal()
}

// list says that all jobs which are known at the start have been added.
func (b *board) list() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listed = true
	b.signal()
}

// signal tells those who wait that something happened. The lock is held.
func (b *board) signal() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// merge shows fresh parts.
func (b *board) merge(fresh *snapshot.Snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.joined.Merge(fresh)
	for _, name := range snapshot.Sections() {
		if s := fresh.Section(name); s.Machine != nil || s.PHP != nil || s.PHPProfile != nil || len(s.Servers) > 0 {
			b.revisions[name]++
		}
	}
}

// showEvents shows events, which nobody may change any more.
func (b *board) showEvents(events []snapshot.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.joined.Events = events
	b.revisions[snapshot.SectionEvents]++
}

// resume states the agent's id, and the events of earlier runs: one without the
// other would look as if they had been lost.
func (b *board) resume(id string, events []snapshot.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.joined.AgentID, b.joined.Events = id, events
	b.revisions[snapshot.SectionEvents]++
}

// note sets the named gap, until a time or, if that is zero, for ever. A gap
// without a reason removes it.
func (b *board) note(name string, gap snapshot.Gap, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes = slices.DeleteFunc(b.notes, func(n note) bool { return n.name == name })
	if gap.Reason != "" {
		b.notes = append(b.notes, note{name, gap, until})
	}
	b.revisions[snapshot.SectionGaps]++
}

func (b *board) snapshot() *snapshot.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.joined.Clone()
	s.Taken = time.Now()
	s.Gaps = b.gaps(s.Taken)
	s.Agent = &snapshot.Agent{Meta: snapshot.Meta{Taken: s.Taken, Epoch: b.run}, Started: b.started}
	for _, e := range b.entries {
		s.Agent.Jobs = append(s.Agent.Jobs, e.health)
	}
	if s.Events == nil {
		s.Events = []snapshot.Event{}
	}
	return s
}

func (b *board) gaps(now time.Time) []snapshot.Gap {
	gaps := []snapshot.Gap{}
	for _, e := range b.entries {
		gaps = append(gaps, e.gaps...)
	}
	for _, n := range b.notes {
		if n.until.IsZero() || now.Before(n.until) {
			gaps = append(gaps, n.gap)
		}
	}
	return gaps
}

// revision names the present content of a section. It changes no later than the
// section does.
func (b *board) revision(name snapshot.Section) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.run + "-" + strconv.FormatUint(b.revisions[name], 36)
}

// warm reports whether every job has run as often as it must, and a channel
// that is closed after the next round of any.
func (b *board) warm() (bool, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	cold := func(e *entry) bool { return e.health.Runs < uint64(e.rounds) }
	return b.listed && !slices.ContainsFunc(b.entries, cold), b.changed
}

// maxReason bounds the text of an error in runes: it travels in every snapshot.
const maxReason = 300

// clean makes the text of an error fit for a snapshot and a terminal.
func clean(err error) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(err.Error(), "\uFFFD"))
	if runes := []rune(text); len(runes) > maxReason {
		text = string(runes[:maxReason-1]) + "…"
	}
	return cmp.Or(text, "unknown error")
}
