package report

import (
	"time"

	"plimsoll/rules"
	"plimsoll/rules/fleet"
)

// unknown stands in tables for a figure that was not seen.
const unknown = "unknown"

// stamp writes a time in UTC.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }

// span writes a window by its length and its end, which say at a glance how much
// was seen and how old it is.
func span(w fleet.Window) string {
	switch {
	case w.To.IsZero():
		return "as it stands now"
	case w.Seconds() <= 0:
		return "at " + stamp(w.To)
	}
	return rules.Words(w.Seconds(), rules.Seconds) + " to " + stamp(w.To)
}

// zone says once how the report's times stand to local ones.
func zone(t time.Time) string {
	if _, offset := t.Zone(); offset != 0 {
		return "Times are UTC; local time at the advisor is UTC" + t.Format("-07:00") + "."
	}
	return "Times are UTC."
}

// figure writes a value that may be unknown.
func figure(value *float64, unit rules.Unit) string {
	if value == nil {
		return unknown
	}
	return rules.Words(*value, unit)
}

// count writes a number of things.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return rules.Words(float64(n), rules.Count) + " " + many
}

// estimate writes an interval, and that it is one that was computed.
func estimate(lo, hi float64, unit rules.Unit) string {
	from, to := rules.Words(lo, unit), rules.Words(hi, unit)
	switch {
	case from == to:
		return "an estimated " + to
	case lo <= 0:
		return "up to an estimated " + to
	}
	return "an estimated " + from + " to " + to
}

// gains writes what acting brings, the leading one first. Each says that it is
// estimated; none is ever a measurement.
func gains(g rules.Gain) []string {
	var out []string
	add := func(verb string, e *rules.Estimate, factor float64, unit rules.Unit, of string) {
		if e != nil {
			out = append(out, verb+" "+estimate(e.Lo*factor, e.Hi*factor, unit)+" "+of)
		}
	}
	add("frees", g.WorkerSeconds, 1, rules.Count, "PHP worker-seconds each second")
	add("frees", g.DatabaseSeconds, 1, rules.Count, "core-seconds of the database each second")
	add("takes", g.PrimaryWrites, 1, rules.Count, "write transactions a second off the primary")
	add("gives", g.Headroom, 1, rules.Count, "times today's peak as headroom")
	add("avoids", g.RecoveryMinutes, 60, rules.Seconds, "of outage or recovery")
	return out
}
