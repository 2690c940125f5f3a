// Package ledger keeps the life of findings: when each was first and last seen,
// whether it has gone, and who acknowledged it until when.
//
// Its state is one small file, written whole or not at all. Acknowledgements are
// a file of the operator's own, so that they can be reviewed and kept in git;
// the ledger reads it and never writes it, except for `plimsoll ack`.
package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"plimsoll/rules"
)

// Status is where a finding is in its life.
type Status string

// The statuses of a finding.
const (
	StatusOpen         Status = "open"
	StatusAcknowledged Status = "acknowledged"
	StatusGone         Status = "gone"
)

// GoneAfter is how many rounds in a row must not see a finding before it is
// called gone: one round without it can be a quiet minute.
const GoneAfter = 3

// keepGone is how long a finding that has gone is remembered, so that it keeps
// its first day if it returns.
const keepGone = 90 * 24 * time.Hour

// Entry is what is known of one finding.
type Entry struct {
	rules.Finding
	Status    Status    `json:"status"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	// GoneSince is zero while the finding is there.
	GoneSince time.Time `json:"gone_since,omitzero"`
	// Ack is set while an acknowledgement holds.
	Ack *Ack `json:"ack,omitempty"`
	// Missed counts the rounds in a row that did not see it.
	Missed int `json:"missed,omitempty"`
}

// Open reports whether e is there and nobody has acknowledged it.
func (e Entry) Open() bool { return e.Status == StatusOpen }

// Ledger is the state on disk. It is not safe for concurrent use.
type Ledger struct {
	path    string
	entries map[string]*Entry
}

// Open reads the ledger at path. A missing file is an empty ledger; a damaged
// one is put aside as path.corrupt and an empty ledger is returned with an error
// that says so, and which need not be fatal.
func Open(path string) (*Ledger, error) {
	l := &Ledger{path: path, entries: map[string]*Entry{}}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	var entries []*Entry
	if err := json.Unmarshal(raw, &entries); err != nil {
		aside := path + ".corrupt"
		return l, errors.Join(
			fmt.Errorf("the ledger %s is damaged and was put aside as %s; findings are first seen anew: %w", path, aside, err),
			os.Rename(path, aside))
	}
	for _, e := range entries {
		if e != nil { // null, which only a stranger's hand writes
			l.entries[e.Fingerprint] = e
		}
	}
	return l, nil
}

// Record takes the result of one round and returns all entries that are not
// forgotten: what is open or acknowledged in the order of the findings, then
// what has gone, newest first. A finding about whose subject its rule was not
// ready is neither confirmed nor gone.
func (l *Ledger) Record(now time.Time, round rules.Result, acks []Ack) []Entry {
	seen := map[string]bool{}
	var out []Entry
	for _, f := range round.Findings {
		seen[f.Fingerprint] = true
		out = append(out, l.see(now, f, acks))
	}
	var gone []Entry
	for _, fp := range slices.Sorted(maps.Keys(l.entries)) {
		e := l.entries[fp]
		if seen[fp] {
			continue
		}
		if e.GoneSince.IsZero() && !unjudged(e.Finding, round.NotReady) {
			e.Missed++
		}
		switch {
		case e.Missed < GoneAfter:
			e.acknowledge(now, acks)
			out = append(out, *e)
		case e.GoneSince.IsZero():
			e.Status, e.GoneSince, e.Ack = StatusGone, now, nil
			gone = append(gone, *e)
		case now.Sub(e.GoneSince) > keepGone:
			delete(l.entries, fp)
		default:
			gone = append(gone, *e)
		}
	}
	slices.SortStableFunc(gone, func(a, b Entry) int { return b.GoneSince.Compare(a.GoneSince) })
	return append(out, gone...)
}

func (l *Ledger) see(now time.Time, f rules.Finding, acks []Ack) Entry {
	e := l.entries[f.Fingerprint]
	if e == nil {
		e = &Entry{FirstSeen: now}
		l.entries[f.Fingerprint] = e
	}
	e.Finding, e.LastSeen, e.GoneSince, e.Missed = f, now, time.Time{}, 0
	e.acknowledge(now, acks)
	return *e
}

func unjudged(f rules.Finding, notReady []rules.NotReady) bool {
	return slices.ContainsFunc(notReady, func(n rules.NotReady) bool {
		return n.Rule == f.Rule && f.Subject.Within(n.Subject)
	})
}

func (e *Entry) acknowledge(now time.Time, acks []Ack) {
	e.Status, e.Ack = StatusOpen, nil
	for _, a := range acks {
		if a.Fingerprint == e.Fingerprint && now.Before(a.Until.Time) {
			e.Status, e.Ack = StatusAcknowledged, &a
		}
	}
}

// Save writes the ledger, whole or not at all.
func (l *Ledger) Save() error {
	entries := make([]*Entry, 0, len(l.entries))
	for _, fp := range slices.Sorted(maps.Keys(l.entries)) {
		entries = append(entries, l.entries[fp])
	}
	raw, err := json.Marshal(entries)
	if err != nil {
		return fmt.Errorf("save ledger: %w", err)
	}
	if err := WriteFile(l.path, raw); err != nil {
		return fmt.Errorf("save ledger: %w", err)
	}
	return nil
}

// WriteFile replaces the file at path by data, whole or not at all, also when
// the power fails.
func WriteFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Chmod(0o640), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
