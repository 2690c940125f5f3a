package digest

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"plimsoll/advisor/layout"
	"plimsoll/rules"
)

// view is a Digest in words. Every text in it is clean: a renderer lays out and escapes, and decides
// nothing.
type view struct {
	Version  string
	Caption  string
	Source   string
	Window   string
	Headline string
	// Notes are sentences that limit what is shown.
	Notes   []string
	Order   string
	Samples Samples
	Queries []queryView
	// Files are only told of where there are several.
	Files    []fileView
	Skipped  []skipView
	SkipRest string
}

// fileView is a source in words.
type fileView struct{ Name, Bytes, Entries, Skipped, Error string }

// skipView is a skipped part in words.
type skipView struct{ Where, Reason string }

// unknown stands for a figure that no log tells.
const unknown = "–"

func look(d *Digest) view {
	v := view{
		Version: layout.Clean(d.Version), Caption: caption(d), Source: sources(d.Files), Window: window(d.FirstSeen, d.LastSeen),
		Headline: headline(d), Notes: notes(d), Order: order(d), Samples: d.Samples,
	}
	for i := range d.Queries {
		v.Queries = append(v.Queries, lookAtQuery(i+1, &d.Queries[i]))
	}
	for _, f := range d.Files {
		v.Files = append(v.Files, fileView{
			Name: layout.Clean(f.Name), Bytes: rules.Words(float64(f.Bytes), rules.Bytes), Entries: number(f.Entries),
			Skipped: number(f.Skipped), Error: layout.Clean(f.Error),
		})
	}
	v.skips(d)
	return v
}

func sources(files []File) string {
	var names []string
	for _, f := range files {
		name := f.Name
		if name == "-" {
			name = "standard input"
		}
		names = append(names, name)
	}
	const most = 3
	if len(names) > most {
		names = append(names[:most-1:most-1], fmt.Sprintf("%d more", len(names)-most+1))
	}
	return layout.Clean(strings.Join(names, ", "))
}

// stamp writes a time in UTC, to the second: what most logs tell.
func stamp(t *time.Time) string {
	if t == nil {
		return unknown
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

func window(first, last *time.Time) string {
	if first == nil || last == nil {
		return "at times that the log does not tell"
	}
	if first.Equal(*last) {
		return stamp(first) + " UTC"
	}
	return stamp(first) + " to " + stamp(last) + " UTC"
}

func headline(d *Digest) string {
	switch {
	case d.Entries == 0:
		return "There are no entries."
	case d.Calls == 0:
		return "No call matches."
	}
	return fmt.Sprintf("%s of %s took %s.", count(d.Calls, "call", "calls"), count(d.Statements, "statement", "statements"),
		duration(d.TimeSeconds))
}

func order(d *Digest) string {
	words := map[Sort]string{
		ByTime: "time", ByCalls: "calls", ByMean: "mean time", ByP50: "median time", ByP95: "95th percentile", ByP99: "99th percentile",
		ByMax: "longest call", ByLock: "time waited for locks", ByExamined: "rows examined", BySent: "rows sent", ByAffected: "rows affected",
		ByScans: "full scans", ByTmpDisk: "temporary tables on disk", ByLastSeen: "time of the last call",
	}
	return cmp.Or(words[d.Sort], words[ByTime])
}

// caption says how figures are to be read.
func caption(d *Digest) string {
	return "Medians and percentiles are at most " + rules.Words(d.QuantileErrorRatio, rules.Ratio) +
		" off, other figures of times are exact; – is what the log does not tell."
}

// notes says what limits the figures.
func notes(d *Digest) []string {
	var out []string
	say := func(when bool, format string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	say(d.Samples == Full, "The samples show literals: they are data of customers. Do not pass this on.")
	if len(d.Files) == 1 { // of several there is a table
		say(d.Files[0].Error != "", "%s: %s.", layout.Clean(d.Files[0].Name), layout.Clean(d.Files[0].Error))
	}
	say(d.Estimated, "The server logged one of several calls. Calls, times and rows marked ≈ are estimates from those that it logged.")
	say(d.FilteredOut > 0, "%s of %s were left out by filters.", number(d.FilteredOut), count(d.Entries, "entry", "entries"))
	shown := uint64(len(d.Queries))
	say(shown == 1 && d.Statements > 1, "This is the first of %s statements.", number(d.Statements))
	say(shown > 1 && shown < d.Statements, "These are the first %s of %s statements.", number(shown), number(d.Statements))
	if d.Untold != nil {
		say(true, "%s that took %s are of further statements that are not told apart.", count(d.Untold.Calls, "call", "calls"), duration(d.Untold.TimeSeconds))
	}
	return out
}

func (v *view) skips(d *Digest) {
	const most = 20
	for _, s := range d.Skipped[:min(most, len(d.Skipped))] {
		v.Skipped = append(v.Skipped, skipView{
			Where:  layout.Clean(fmt.Sprintf("%s, line %d, %s", s.File, s.Line, rules.Words(float64(s.Bytes), rules.Bytes))),
			Reason: layout.Clean(s.Reason),
		})
	}
	if named := uint64(len(v.Skipped)); d.SkippedTotal > named {
		v.SkipRest = number(d.SkippedTotal-named) + " more"
	}
}

// list writes names.
func list(names []Name, more bool) string {
	var out []string
	for _, n := range names {
		out = append(out, n.Name)
	}
	if more {
		out = append(out, "…")
	}
	return layout.Clean(strings.Join(out, ", "))
}

// number writes how many, exactly while people read it at a glance.
func number(n uint64) string {
	const exact = 10_000
	if n < exact {
		return fmt.Sprint(n)
	}
	return rules.Words(float64(n), rules.Count)
}

func count(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

func duration(s float64) string { return rules.Words(s, rules.Seconds) }
