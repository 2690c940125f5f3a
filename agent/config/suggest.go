package config

import (
	"slices"
	"strings"
)

// suggest names the allowed word that was probably meant, or all.
func suggest(word string, allowed []string) string {
	best, distance := "", 1+len(word)/3
	for _, candidate := range allowed {
		if strings.HasPrefix(candidate, word+"_") {
			return "did you mean " + candidate + "?"
		}
		if d := edits(word, candidate); d <= distance {
			best, distance = candidate, d-1
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "allowed are " + strings.Join(allowed, ", ")
}

// edits is the Levenshtein distance of a and b in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// jobKeys are the names and areas of jobs.
func jobKeys(known []string) []string {
	keys := slices.Clone(known)
	for _, name := range known {
		keys = append(keys, area(name))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// area is the part of a job's name before the slash.
func area(name string) string {
	a, _, _ := strings.Cut(name, "/")
	return a
}
