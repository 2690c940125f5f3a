package index

import (
	"math"
	"strings"

	"plimsoll/collectors/snapshot"
)

// ColumnKey names a column.
type ColumnKey struct{ Schema, Table, Column string }

// Statistics is what is known of the values of columns beside what indexes tell. A column that is not
// in it is not known.
type Statistics map[ColumnKey]ColumnStatistics

// ColumnStatistics is what is known of the values of one column.
type ColumnStatistics struct {
	// Distinct is how many different values it has, at least 1.
	Distinct float64 `json:"distinct"`
	// NullRatio is the share of rows in which it is NULL; nil if not known.
	NullRatio *float64 `json:"null_ratio,omitempty"`
	// TopRatio is the share of rows that have its most frequent value, NULL not being one; nil if not known.
	TopRatio *float64 `json:"top_ratio,omitempty"`
	// MeanBytes is the mean length of a value; nil if not known.
	MeanBytes *float64 `json:"mean_bytes,omitempty"`
	// Prefixes tell how many different beginnings a text has, the shortest first.
	Prefixes []PrefixStatistics `json:"prefixes,omitempty"`
}

// PrefixStatistics is how many different values the beginnings of a text have.
type PrefixStatistics struct {
	Characters int     `json:"characters"`
	Distinct   float64 `json:"distinct"`
}

// values is how many different values a column has: as few as least, as many as most.
type values struct {
	least, mean, most float64
	sure              bool
	// top is the share of the most frequent value, 0 if not known, null that of NULL, below 0 if not
	// known.
	top, null float64
}

func exactly(n float64) values { return values{least: n, mean: n, most: n, sure: true, null: -1} }

// about is a figure of the server's own sampling, which looks at 20 pages: half as much again either
// way is usual.
func about(n float64) values {
	const off = 1.5
	return values{least: max(n/off, 1), mean: n, most: n * off, sure: true, null: -1}
}

// fewest is how few values a column is taken to have at least if nothing is known of it: with fewer no
// index is of use, and a column that is compared rarely has fewer.
const fewest = 10

// valuesOf returns what is known of the values of a column, from the best source that there is.
func (w *Workload) valuesOf(t *snapshot.Table, c *snapshot.Column) values {
	n := max(rows(t), 1)
	if s, ok := w.Statistics[ColumnKey{t.Schema, t.Name, c.Name}]; ok && s.Distinct >= 1 {
		v := exactly(min(s.Distinct, n))
		if s.TopRatio != nil {
			v.top = *s.TopRatio
		}
		if s.NullRatio != nil {
			v.null = *s.NullRatio
		}
		return v
	}
	if d, ok := distinct(t, c.Name); ok {
		if d >= n {
			return exactly(n)
		}
		return about(d)
	}
	switch k, few := kind(*c), fewValues(c.Type); {
	case few > 0:
		return values{least: 1, mean: min(few, n), most: min(few, n), sure: true, null: -1}
	case k == "date", k == "datetime", k == "timestamp":
		return values{least: min(fewest, n), mean: math.Sqrt(n * fewest), most: n, null: -1}
	}
	return behind(t, c.Name, n)
}

// behind returns what an index tells of a column that is not its first: with those before it, it has
// so many values, and each value of those has so many of it.
func behind(t *snapshot.Table, column string, n float64) values {
	v := values{least: min(fewest, n), mean: math.Sqrt(n * fewest), most: n, null: -1}
	for _, i := range t.Indexes {
		for at := 1; at < len(i.Parts); at++ {
			p, before := i.Parts[at], i.Parts[at-1]
			if !strings.EqualFold(p.Column, column) || p.Cardinality == nil || before.Cardinality == nil || *before.Cardinality == 0 {
				continue
			}
			v.most = min(v.most, float64(*p.Cardinality))
			v.least = min(max(v.least, float64(*p.Cardinality)/float64(*before.Cardinality)), v.most)
			v.mean = math.Sqrt(v.least * v.most)
		}
	}
	return v
}

// fewValues returns how many values a type has at most, 0 if that is not few.
func fewValues(columnType string) float64 {
	switch lower := strings.ToLower(columnType); {
	case strings.HasPrefix(lower, "enum("):
		return float64(strings.Count(lower, "','") + 1)
	case strings.HasPrefix(lower, "tinyint(1)"), lower == "bool", lower == "bit(1)":
		return 2
	}
	return 0
}

// widthOf is the mean bytes of a value.
func (w *Workload) widthOf(t *snapshot.Table, c *snapshot.Column, prefix int) float64 {
	mean := width(*c, prefix)
	if s, ok := w.Statistics[ColumnKey{t.Schema, t.Name, c.Name}]; ok && s.MeanBytes != nil {
		mean = *s.MeanBytes
		if prefix > 0 {
			mean = min(mean, float64(prefix))
		}
	}
	return mean
}
