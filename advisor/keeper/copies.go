package keeper

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// How long copies are kept.
const (
	hourly = 48 * time.Hour
	daily  = 40 * 24 * time.Hour
)

// The names of copies: seconds since 1970, and a prefix while one is written.
const (
	copySuffix = ".json.gz"
	newPrefix  = "new-"
)

// Copies returns the copies of one agent that bound w, oldest first, with the
// latest as the last: the oldest alone if it bounds every total of the latest, and
// all of them otherwise. Where none is of the first half of w, the oldest is the
// one from before: copies are an hour apart, and the first of an agent that runs
// for about as long as w is older than that.
func (k *Keeper) Copies(latest *snapshot.Snapshot, w fleet.Window) ([]*snapshot.Snapshot, error) {
	times, err := k.kept(latest.AgentID)
	if err != nil {
		return nil, err
	}
	wanted := totalsOf(latest)
	var out []*snapshot.Snapshot
	for _, t := range bounding(times, w, latest.Taken) {
		older, err := k.load(latest.AgentID, t, len(out) == 0)
		if err != nil {
			k.log.Warn("cannot read a kept snapshot", "error", err)
			continue
		}
		out = append(out, older.Snapshot)
		if older.bounds.all(wanted) {
			break
		}
	}
	return append(out, latest), nil
}

// bounding returns which of the times of copies bound w, of which the latest is of
// another time.
func bounding(times []time.Time, w fleet.Window, latest time.Time) []time.Time {
	within := slices.DeleteFunc(slices.Clone(times), func(t time.Time) bool { return t.Before(w.From) || !t.Before(latest) })
	if len(within) > 0 && within[0].Before(w.From.Add(w.Duration()/2)) {
		return within
	}
	if t, ok := before(times, w.From); ok && t.Before(latest) && w.From.Sub(t) <= fleet.Reach {
		return slices.Insert(within, 0, t)
	}
	return within
}

// base is a copy that bounds a window, and what it bounds.
type base struct {
	*snapshot.Snapshot
	bounds bounds
}

// bounds are the names of totals with their epochs: what can be subtracted from a
// later copy that has them too.
type bounds map[string]bool

// all reports whether all of others are among b.
func (b bounds) all(others bounds) bool {
	for name := range others {
		if !b[name] {
			return false
		}
	}
	return true
}

// totals returns what is subtracted from a later copy: of the oldest copy nothing
// else is asked, and texts and structure are most of what a copy takes.
func totals(s *snapshot.Snapshot) *snapshot.Snapshot {
	out := *s
	out.Events, out.Gaps, out.Agent, out.Servers = nil, nil, nil, nil
	if p := out.PHPProfile; p != nil {
		lean := *p
		lean.Texts = nil
		out.PHPProfile = &lean
	}
	for name, full := range s.Servers {
		lean := out.Server(name)
		*lean = snapshot.Server{
			Status: full.Status, Digests: full.Digests, Coverage: full.Coverage, Locks: full.Locks,
			Transactions: full.Transactions, Deadlocks: full.Deadlocks, Use: full.Use, Binlog: full.Binlog,
		}
		if d := full.Digests; d != nil {
			rows := *d
			rows.Texts, rows.Series = nil, nil
			lean.Digests = &rows
		}
	}
	return &out
}

// totalsOf names the totals of s with their epochs: of each part, and of each pool of
// PHP-FPM, as one that comes later begins within the epoch of the others.
func totalsOf(s *snapshot.Snapshot) bounds {
	out := bounds{}
	add := func(parts ...string) { out[fmt.Sprintf("%q", parts)] = true }
	if s.Machine != nil {
		add("machine", s.Machine.Epoch)
	}
	if p := s.PHP; p != nil {
		add("phpfpm", p.Epoch)
		for _, pool := range p.Pools {
			add("phpfpm", p.Epoch, pool.Name, pool.Server)
		}
	}
	if p := s.PHPProfile; p != nil {
		add("php_profile", p.Epoch)
		for _, pool := range p.Pools {
			add("php_profile", p.Epoch, pool.Name, pool.Server)
		}
	}
	for name, server := range s.Servers {
		lean := *server
		lean.Positions = nil
		for i, h := range lean.Headers() {
			add("server", name, strconv.Itoa(i), h.Epoch)
		}
	}
	return out
}

// lastBounds returns what the newest copy bounds, which after a restart has to be
// read once.
func (k *Keeper) lastBounds(id string, t time.Time) bounds {
	k.mu.Lock()
	known := k.bounds[id]
	k.mu.Unlock()
	if known != nil {
		return known
	}
	s, err := read(k.path(id, t))
	if err != nil {
		return nil // a damaged copy is replaced by a new one
	}
	k.remember(s)
	return totalsOf(s)
}

func (k *Keeper) remember(s *snapshot.Snapshot) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bounds[s.AgentID] = totalsOf(s)
}

// keep writes a copy if the last one is an hour old, or if s has totals that do
// not go on from it: without a copy of the new epoch they could not be
// subtracted for an hour. Positions stay out: they are of minutes, and most of a
// snapshot's bytes.
func (k *Keeper) keep(s *snapshot.Snapshot) error {
	times, err := k.kept(s.AgentID)
	if err != nil {
		return err
	}
	if last, ok := before(times, s.Taken); ok && s.Taken.Sub(last) < fleet.Reach && k.lastBounds(s.AgentID, last).all(totalsOf(s)) {
		return nil
	}
	lean := s.Clone()
	for _, server := range lean.Servers {
		server.Positions = nil
	}
	if err := makeFolder(filepath.Join(k.dir, s.AgentID)); err != nil {
		return err
	}
	path := k.path(s.AgentID, s.Taken)
	if err := k.write(path, lean); err != nil {
		return err
	}
	k.mu.Lock()
	delete(k.bases, path) // it was another copy of the same second
	k.mu.Unlock()
	k.remember(s)
	return k.prune(s.AgentID, times)
}

// before returns the last of times that is not after t. Later ones are of a time
// when the agent's clock was ahead.
func before(times []time.Time, t time.Time) (time.Time, bool) {
	for _, known := range slices.Backward(times) {
		if !known.After(t) {
			return known, true
		}
	}
	return time.Time{}, false
}

// maxAhead is how far ahead of ours an agent's clock may be. A copy from further
// ahead bounds no window, and would stay until we come there.
const maxAhead = time.Hour

// prune removes copies beyond their time: after two hours the first of each hour
// stays, after two days the first of each day, and after forty none.
func (k *Keeper) prune(id string, times []time.Time) error {
	const byHour = "2006-01-02 15"
	var faults []error
	day, hour := "", ""
	for _, t := range times {
		age, firstOfDay, firstOfHour := k.now().Sub(t), t.UTC().Format(time.DateOnly) != day, t.UTC().Format(byHour) != hour
		day, hour = t.UTC().Format(time.DateOnly), t.UTC().Format(byHour)
		if age > daily || age < -maxAhead || age > hourly && !firstOfDay || age > 2*time.Hour && !firstOfHour {
			faults = append(faults, os.Remove(k.path(id, t)))
			k.mu.Lock()
			delete(k.bases, k.path(id, t))
			k.mu.Unlock()
		}
	}
	return errors.Join(faults...)
}

// kept returns the times of an agent's copies, oldest first.
func (k *Keeper) kept(id string) ([]time.Time, error) {
	if !validID(id) {
		return nil, fmt.Errorf("agent id %.32q is not one", id)
	}
	entries, err := os.ReadDir(filepath.Join(k.dir, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []time.Time
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), copySuffix)
		if seconds, err := strconv.ParseInt(name, 10, 64); ok && err == nil {
			out = append(out, time.Unix(seconds, 0))
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out, nil
}

// load reads a copy, of the oldest its totals alone. The one that bounds the
// window now is wanted at every round, and so it is remembered.
func (k *Keeper) load(id string, t time.Time, oldest bool) (base, error) {
	path := k.path(id, t)
	k.mu.Lock()
	known, ok := k.bases[path]
	k.mu.Unlock()
	if ok {
		return known, nil
	}
	s, err := read(path)
	if err != nil {
		return base{}, fmt.Errorf("read %s: %w", path, err)
	}
	b := base{s, totalsOf(s)}
	if oldest {
		b.Snapshot = totals(s)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for old := range k.bases {
		if filepath.Dir(old) == filepath.Dir(path) && old < path {
			delete(k.bases, old)
		}
	}
	k.bases[path] = b
	return b, nil
}

func (k *Keeper) path(id string, t time.Time) string {
	return filepath.Join(k.dir, id, strconv.FormatInt(t.Unix(), 10)+copySuffix)
}

// validID accepts what an agent makes up for itself, and nothing that could
// lead out of the folder.
func validID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && r != '-'
	})
}

func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make folder for snapshots: %w", err)
	}
	return nil
}

func read(path string) (*snapshot.Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	packed, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var s snapshot.Snapshot
	if err := json.NewDecoder(bounded(packed, maxUnpacked)).Decode(&s); err != nil {
		return nil, err
	}
	dropNil(&s)
	return &s, nil
}

// write makes the file whole or not at all.
func (k *Keeper) write(path string, s *snapshot.Snapshot) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), newPrefix+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = errors.Join(k.pack(f, s), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func (k *Keeper) pack(to io.Writer, s *snapshot.Snapshot) error {
	k.packing.Lock()
	defer k.packing.Unlock()
	k.packer.Reset(to)
	return errors.Join(json.NewEncoder(k.packer).Encode(s), k.packer.Close())
}
