package keeper

import (
	"reflect"
	"slices"

	"plimsoll/collectors/snapshot"
)

// Texts of statements are most of an agent's bytes and hardly change. Each has a
// revision, which grows by one a text in each server, so that only those that
// are not known yet travel.

// knownTexts returns the revision up to which the texts of all servers are
// known. A server that never had one needs none.
func knownTexts(name snapshot.Section, known *snapshot.Snapshot) uint64 {
	if known == nil || name != snapshot.SectionDigests {
		return 0
	}
	var rev uint64
	for _, server := range known.Servers {
		if d := server.Digests; d != nil && d.Rev > 0 && (rev == 0 || d.Rev < rev) {
			rev = d.Rev
		}
	}
	return rev
}

// revisionsBeganAnew reports whether a server counts its texts from the start, so
// that those with a low revision are missing in fresh: one that was not there
// before, or whose totals began anew.
func revisionsBeganAnew(known, fresh *snapshot.Snapshot) bool {
	for name, server := range fresh.Servers {
		d := server.Digests
		if d == nil || d.Rev == 0 {
			continue
		}
		old := known.Servers[name]
		if old == nil || old.Digests == nil || old.Digests.Epoch != d.Epoch || old.Digests.Rev == 0 || old.Digests.Rev > d.Rev {
			return true
		}
	}
	return false
}

// keepTexts gives fresh the texts that are known already, as far as its rows
// still need them, and returns what these weigh.
func keepTexts(known, fresh *snapshot.Snapshot) (weight int64) {
	for name, server := range fresh.Servers {
		old := known.Servers[name]
		if server.Digests == nil || old == nil || old.Digests == nil {
			continue
		}
		have := map[string]bool{}
		for _, t := range server.Digests.Texts {
			have[t.Fingerprint] = true
		}
		needed := map[string]bool{}
		for _, row := range server.Digests.Rows {
			needed[row.Fingerprint] = true
		}
		for _, t := range old.Digests.Texts {
			if needed[t.Fingerprint] && !have[t.Fingerprint] {
				server.Digests.Texts = append(server.Digests.Texts, t)
				weight += weightOfText(t)
			}
		}
	}
	return weight
}

// weightOfText is what weigh counts for a text, about.
func weightOfText(t snapshot.DigestText) int64 {
	n := grown*int(reflect.TypeFor[snapshot.DigestText]().Size()) + len(t.Fingerprint) + len(t.Text)
	for _, table := range slices.Concat(t.Reads, t.Writes) {
		n += grown*int(reflect.TypeFor[string]().Size()) + len(table)
	}
	return int64(n)
}
