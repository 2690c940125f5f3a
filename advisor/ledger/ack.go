package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"go.yaml.in/yaml/v3"
)

// MaxAck is how long an acknowledgement may hold: what is not looked at again
// within half a year is forgotten and not acknowledged.
const MaxAck = 180 * 24 * time.Hour

// Ack says that somebody knows of a finding and leaves it for a while.
type Ack struct {
	Fingerprint string `yaml:"fingerprint" json:"fingerprint"`
	Who         string `yaml:"who" json:"who"`
	Why         string `yaml:"why" json:"why"`
	// Until is required: an acknowledgement without an end is a blind spot.
	Until Date `yaml:"until" json:"until"`
}

// Date is a day, written 2026-12-31; an acknowledgement holds to its end in UTC.
type Date struct{ time.Time }

// UnmarshalYAML reads a date.
func (d *Date) UnmarshalYAML(node *yaml.Node) error {
	t, err := time.Parse(time.DateOnly, node.Value)
	if err != nil {
		return fmt.Errorf("line %d: until: %q is not a date; write it like 2026-12-31", node.Line, node.Value)
	}
	d.Time = t.Add(24 * time.Hour)
	return nil
}

// MarshalYAML writes the date as it was read.
func (d Date) MarshalYAML() (any, error) { return d.day(), nil }

func (d Date) day() string { return d.Add(-time.Second).UTC().Format(time.DateOnly) }

// NewDate returns the last day on which something holds.
func NewDate(t time.Time) Date {
	return Date{t.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)}
}

// ReadAcks reads a file of acknowledgements; a missing one holds none. Every
// fault of the file is told, with its line.
func ReadAcks(path string) ([]Ack, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || path == "" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read acknowledgements: %w", err)
	}
	var acks []Ack
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	if err := decoder.Decode(&acks); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read acknowledgements %s: %w", path, err)
	}
	var faults []error
	for i, a := range acks {
		if err := a.check(); err != nil {
			faults = append(faults, fmt.Errorf("%s: entry %d: %w", path, i+1, err))
		}
	}
	return acks, errors.Join(faults...)
}

func (a Ack) check() error {
	switch {
	case a.Fingerprint == "":
		return errors.New("fingerprint is missing; `plimsoll report` shows it beside each finding")
	case a.Who == "":
		return errors.New("who is missing")
	case a.Why == "":
		return errors.New("why is missing")
	case a.Until.IsZero():
		return errors.New("until is missing; an acknowledgement must end, at most 180 days from now")
	}
	return nil
}

// AddAck writes one more acknowledgement to the file at path, replacing an older
// one of the same finding.
func AddAck(path string, a Ack, now time.Time) error {
	if err := a.check(); err != nil {
		return err
	}
	if a.Until.Sub(now) > MaxAck+24*time.Hour {
		return fmt.Errorf("until: %s is more than 180 days away", a.Until.day())
	}
	acks, err := ReadAcks(path)
	if err != nil {
		return err
	}
	kept := []Ack{a}
	for _, old := range acks {
		if old.Fingerprint != a.Fingerprint {
			kept = append(kept, old)
		}
	}
	raw, err := yaml.Marshal(kept)
	if err != nil {
		return err
	}
	if err := WriteFile(path, raw); err != nil {
		return err
	}
	// The advisor runs as a user of its own, and there is no secret in the file.
	return os.Chmod(path, 0o644)
}
