package digest

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"plimsoll/advisor/layout"
	"plimsoll/collectors/snapshot"
)

// Comparison is what became of the statements of one digest in a later one.
type Comparison struct {
	Schema  int    `json:"schema"`
	Version string `json:"version"`
	Before  Side   `json:"before"`
	After   Side   `json:"after"`
	// SlowerFactor is by which factor the mean and the 95th percentile of the calls must both have grown
	// or shrunk for a statement to be called slower or faster. LeastCalls is how many calls each side must
	// have, and LeastErrors how many standard errors its median or mean must have moved: less can be chance.
	SlowerFactor float64 `json:"slower_factor"`
	LeastCalls   uint64  `json:"least_calls"`
	LeastErrors  float64 `json:"least_errors"`
	// Counts is how many statements there are of each kind, of which changes may be the first ones.
	Counts map[Kind]uint64 `json:"counts"`
	// Changes are in the order of their kinds, and of each kind by extra_seconds.
	Changes []Change `json:"changes"`
}

// Side is one of the two digests.
type Side struct {
	Files       []File     `json:"files"`
	FirstSeen   *time.Time `json:"first_seen,omitempty"`
	LastSeen    *time.Time `json:"last_seen,omitempty"`
	Entries     uint64     `json:"entries"`
	Statements  uint64     `json:"statements"`
	Calls       uint64     `json:"calls"`
	TimeSeconds float64    `json:"time_seconds"`
	Estimated   bool       `json:"estimated"`
}

// Kind is what became of a statement.
type Kind string

// The kinds.
const (
	Slower  Kind = "slower"
	New     Kind = "new"
	Gone    Kind = "gone"
	Faster  Kind = "faster"
	Unclear Kind = "unclear" // too few calls to tell
	Same    Kind = "same"
)

func kinds() []Kind { return []Kind{Slower, New, Gone, Faster, Unclear, Same} }

// Change is what became of one statement.
type Change struct {
	Kind        Kind              `json:"kind"`
	Fingerprint string            `json:"fingerprint"`
	Text        snapshot.Redacted `json:"text"`
	Class       string            `json:"class"`
	Tables      []string          `json:"tables"`
	Writes      []string          `json:"writes"`
	// ExtraSeconds is how much longer the calls after took than as many would have before: all of their
	// time if they are new, and less than 0 if they are faster. Of a statement that is gone it is the time
	// that it took before, below 0.
	ExtraSeconds float64 `json:"extra_seconds"`
	// MeanFactor is the mean after over that before; absent if one of them is not known or is 0.
	MeanFactor *float64 `json:"mean_factor,omitempty"`
	Before     *Figures `json:"before,omitempty"`
	After      *Figures `json:"after,omitempty"`
}

// Figures are those of a statement on one side.
type Figures struct {
	ShareRatio  float64 `json:"share_ratio"`
	Calls       uint64  `json:"calls"`
	Estimated   bool    `json:"estimated"`
	TimeSeconds Seconds `json:"time_seconds"`
}

// slowerFactor is above what one statement varies by from day to day with its data, and far above the
// error of the quantiles. leastCalls makes the 95th percentile more than the longest call. leastErrors
// lets chance move one statement of some hundreds.
const (
	slowerFactor = 1.2
	leastCalls   = 20
	leastErrors  = 3
)

// Compare says what became of the statements of before, top of each kind; 0 for all. Both digests must
// list all of their statements.
func Compare(before, after *Digest, top int) (*Comparison, error) {
	for _, d := range []*Digest{before, after} {
		if uint64(len(d.Queries)) < d.Statements {
			return nil, fmt.Errorf("compare digests: one lists only %d of its %d statements, so that others would seem new or gone; make it with --top 0",
				len(d.Queries), d.Statements)
		}
	}
	c := &Comparison{
		Schema: SchemaVersion, Version: after.Version, Before: side(before), After: side(after),
		SlowerFactor: slowerFactor, LeastCalls: leastCalls, LeastErrors: leastErrors, Counts: map[Kind]uint64{}, Changes: []Change{},
	}
	all := changes(before, after)
	for _, kind := range kinds() {
		some := ofKind(all, kind)
		c.Counts[kind] = uint64(len(some))
		if top > 0 {
			some = some[:min(top, len(some))]
		}
		c.Changes = append(c.Changes, some...)
	}
	return c, nil
}

func side(d *Digest) Side {
	return Side{
		Files: d.Files, FirstSeen: d.FirstSeen, LastSeen: d.LastSeen,
		Entries: d.Entries, Statements: d.Statements, Calls: d.Calls, TimeSeconds: d.TimeSeconds, Estimated: d.Estimated,
	}
}

// changes pairs the statements of both sides.
func changes(before, after *Digest) []Change {
	old := map[string]*Query{}
	for i := range before.Queries {
		old[before.Queries[i].Fingerprint] = &before.Queries[i]
	}
	var out []Change
	for i := range after.Queries {
		q := &after.Queries[i]
		out = append(out, change(old[q.Fingerprint], q))
		delete(old, q.Fingerprint)
	}
	for i := range before.Queries {
		if q := &before.Queries[i]; old[q.Fingerprint] != nil {
			out = append(out, change(q, nil))
		}
	}
	return out
}

// change compares a statement with itself; one of the two may be nil.
func change(before, after *Query) Change {
	q := cmp.Or(after, before)
	c := Change{Fingerprint: q.Fingerprint, Text: q.Text, Class: q.Class, Tables: q.Tables, Writes: q.Writes, Before: figures(before), After: figures(after)}
	switch {
	case before == nil:
		c.Kind, c.ExtraSeconds = New, after.TimeSeconds.Sum
	case after == nil:
		c.Kind, c.ExtraSeconds = Gone, -before.TimeSeconds.Sum
	default:
		was, is := before.TimeSeconds.Mean, after.TimeSeconds.Mean
		c.Kind, c.ExtraSeconds = judge(before, after), (is-was)*float64(after.Calls)
		if was > 0 && is > 0 {
			factor := is / was
			c.MeanFactor = &factor
		}
	}
	return c
}

func figures(q *Query) *Figures {
	if q == nil {
		return nil
	}
	return &Figures{ShareRatio: q.ShareRatio, Calls: q.Calls, Estimated: q.Estimated, TimeSeconds: q.TimeSeconds}
}

// judge says whether a statement became slower or faster: the mean alone follows one call that waited,
// and the percentile alone does not see what all calls cost.
func judge(before, after *Query) Kind {
	was, is := before.TimeSeconds, after.TimeSeconds
	switch {
	case before.Calls < leastCalls || after.Calls < leastCalls:
		return Unclear
	case grew(was.Mean, is.Mean) && grew(was.P95, is.P95):
		return unlessByChance(Slower, before, after)
	case grew(is.Mean, was.Mean) && grew(is.P95, was.P95):
		return unlessByChance(Faster, after, before)
	}
	return Same
}

// unlessByChance returns kind if neither less nor chance explains that more took longer than less.
func unlessByChance(kind Kind, less, more *Query) Kind {
	if errorsBetween(less, more) < leastErrors {
		return Unclear
	}
	return kind
}

func grew(from, to float64) bool { return to > from && to >= from*slowerFactor }

// ofKind returns the changes of a kind, the largest first.
func ofKind(all []Change, kind Kind) []Change {
	var out []Change
	for _, c := range all {
		if c.Kind == kind {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(x, y Change) int {
		return cmp.Compare(math.Abs(y.ExtraSeconds), math.Abs(x.ExtraSeconds))
	})
	return out
}

// JSON writes the comparison as docs/digest-comparison.schema.json says.
func (c *Comparison) JSON(to io.Writer) error {
	raw, err := layout.JSON(c)
	if err != nil {
		return fmt.Errorf("encode comparison: %w", err)
	}
	_, err = to.Write(raw)
	return err
}
