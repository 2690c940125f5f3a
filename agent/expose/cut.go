package expose

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"plimsoll/collectors/snapshot"
)

// cut returns s with at most budget bytes in each of its lists that can grow
// without bound, and a gap where something was left out.
func cut(s *snapshot.Snapshot, budget int) *snapshot.Snapshot {
	out := s.Clone()
	out.Events = newest(s.Events, budget)
	budget /= max(1, len(out.Servers))
	for name, server := range out.Servers {
		cutDigests(server, name, budget)
		cutSchema(server, name, budget)
		cutUse(server, name, budget)
		cutPositions(server, name, budget)
	}
	return out
}

// cutDigests keeps those that took the most time, together with their texts.
func cutDigests(s *snapshot.Server, name string, budget int) {
	if s.Digests == nil {
		return
	}
	type digest struct {
		row  snapshot.Digest
		text *snapshot.DigestText
	}
	texts := map[string]*snapshot.DigestText{}
	for i, t := range s.Digests.Texts {
		texts[t.Fingerprint] = &s.Digests.Texts[i]
	}
	var all []digest
	for _, row := range s.Digests.Rows {
		all = append(all, digest{row, texts[row.Fingerprint]})
	}
	slices.SortStableFunc(all, func(a, b digest) int { return cmp.Compare(b.row.Seconds, a.row.Seconds) })
	kept := all[:within(all, budget, func(d digest) []any { return []any{d.row, d.text} })]

	d := *s.Digests
	d.Rows, d.Texts = nil, nil
	for _, k := range kept {
		d.Rows = append(d.Rows, k.row)
		if k.text != nil && texts[k.row.Fingerprint] != nil {
			d.Texts = append(d.Texts, *k.text)
			delete(texts, k.row.Fingerprint) // Once, however many schemas run it.
		}
	}
	d.Gaps = leftOut(d.Gaps, "mysql/digests", name, "digests", len(all), len(kept))
	s.Digests = &d
}

// cutSchema keeps the largest tables.
func cutSchema(s *snapshot.Server, name string, budget int) {
	if s.Schema == nil {
		return
	}
	size := func(t snapshot.Table) uint64 { return or(t.DataBytes) + or(t.IndexBytes) }
	d := *s.Schema
	d.Tables = slices.SortedStableFunc(slices.Values(d.Tables), func(a, b snapshot.Table) int {
		return cmp.Compare(size(b), size(a))
	})
	d.Tables = d.Tables[:within(d.Tables, budget, itself)]
	d.Gaps = leftOut(d.Gaps, "mysql/schema", name, "tables", len(s.Schema.Tables), len(d.Tables))
	s.Schema = &d
}

// cutUse keeps the tables and indexes that are read most.
func cutUse(s *snapshot.Server, name string, budget int) {
	if s.Use == nil {
		return
	}
	d := *s.Use
	d.Tables = slices.SortedStableFunc(slices.Values(d.Tables), func(a, b snapshot.TableUse) int {
		return cmp.Compare(b.Reads, a.Reads)
	})
	d.Indexes = slices.SortedStableFunc(slices.Values(d.Indexes), func(a, b snapshot.IndexUse) int {
		return cmp.Compare(b.Reads, a.Reads)
	})
	d.Tables = d.Tables[:within(d.Tables, budget/2, itself)]
	d.Indexes = d.Indexes[:within(d.Indexes, budget/2, itself)]
	d.Gaps = leftOut(d.Gaps, "mysql/use", name, "tables and indexes",
		len(s.Use.Tables)+len(s.Use.Indexes), len(d.Tables)+len(d.Indexes))
	s.Use = &d
}

// cutPositions keeps the newest.
func cutPositions(s *snapshot.Server, name string, budget int) {
	if s.Positions == nil {
		return
	}
	d := *s.Positions
	d.Ring = newest(d.Ring, budget)
	d.Gaps = leftOut(d.Gaps, "mysql/positions", name, "positions", len(s.Positions.Ring), len(d.Ring))
	s.Positions = &d
}

// within returns how many of items, from the first on, fit into budget bytes,
// where an item is sent as its pieces.
func within[T any](items []T, budget int, pieces func(T) []any) int {
	for i, item := range items {
		for _, piece := range pieces(item) {
			text, err := json.Marshal(piece)
			if budget -= len(text) + 1; err != nil || budget < 0 {
				return i
			}
		}
	}
	return len(items)
}

func itself[T any](item T) []any { return []any{item} }

// newest returns the last items that fit into budget bytes.
func newest[T any](items []T, budget int) []T {
	backwards := slices.Clone(items)
	slices.Reverse(backwards)
	kept := backwards[:within(backwards, budget, itself)]
	slices.Reverse(kept)
	return kept
}

func leftOut(gaps []snapshot.Gap, job, server, what string, all, kept int) []snapshot.Gap {
	if kept == all {
		return gaps
	}
	return append(slices.Clone(gaps), snapshot.Gap{
		Job: job, Subject: server,
		Reason: fmt.Sprintf("%d of %d %s are left out: with them the section would be too large", all-kept, all, what),
	})
}

func or(n *uint64) uint64 {
	if n == nil {
		return 0
	}
	return *n
}
