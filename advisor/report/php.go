package report

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"plimsoll/advisor/layout"
	"plimsoll/rules"
)

// php is where the time of PHP's workers goes, in words.
type php struct {
	Apps []phpApp
	// Blind say where that is not known, and Adds what plimsoll-probe would tell there; empty where it does.
	Blind []blindSpot
	Adds  string
	// Rest says which applications are left out; empty where none is.
	Rest string
}

// phpApp is one application.
type phpApp struct {
	Name string
	// Verdict is the one sentence; Figures how busy it is.
	Verdict, Figures string
	// Parts are what the busy time goes to, as a legend of the bars.
	Parts []phpPart
	// Bars are its pools.
	Bars []loadBar
	Rest string
	// Peers says whom workers wait for, Unknown how much could not be told; empty for nothing to say.
	Peers, Unknown string
	Routes         []phpRoute
}

// phpPart is one thing that workers spend time on.
type phpPart struct {
	segment
	// Share is of the busy time, with its interval where that matters.
	Share string
}

// phpRoute is one kind of request.
type phpRoute struct {
	Name, Figures string
	Bar           loadBar
	Statements    []phpStatement
	// More says how much the route waits for statements that are not named; empty if hardly.
	More string
}

// phpStatement is a statement that a route waits for.
type phpStatement struct {
	Share, Text, Fingerprint, Code string
	Findings                       []string
}

// What is shown of applications. A host of many sites runs hundreds.
const (
	topApps = 6
	topBars = 8
)

// phpCaption says what the figures are, signs how text draws them.
const (
	phpCaption = "Busy workers on average: this is what they are with, of every second in which they have a request."
	signs      = "In bars: c processors, d database, k Redis and Memcached, l locks and sleep, s other services, " +
		"r the rest (disks, child processes, clients), ? could not be told."
)

// routesCaption says what the figures of requests are.
const routesCaption = "Estimated by sampling, and for short requests so is how many there were. " +
	"± is the 95 % interval, where that is a twentieth of the figure or more."

// probeAdds is what nobody knows without the probe.
const probeAdds = "plimsoll-probe would tell what the workers wait for, statement by statement, by kind of request and place in the program: " +
	"findings about the database would name the pages that they slow down, and the rules about PHP could judge."

func lookAtPHP(all []rules.App) php {
	var out php
	seen, rest := cut(withTime(all), topApps, "applications, less busy, stand")
	out.Rest = rest
	longest := 0.0
	for _, a := range seen {
		for _, p := range a.Pools {
			longest = max(longest, valueOf(p.BusyWorkers))
		}
	}
	for _, a := range seen {
		out.Apps = append(out.Apps, lookAtApp(a, longest))
	}
	out.Blind = blindApps(all)
	if slices.ContainsFunc(out.Blind, func(b blindSpot) bool { return b.Remedy != "" }) {
		out.Adds = probeAdds // where a probe runs it will tell by itself
	}
	return out
}

func withTime(all []rules.App) []rules.App {
	var out []rules.App
	for _, a := range all {
		if a.Time != nil {
			out = append(out, a)
		}
	}
	return out
}

// cut returns the first n of rows, and a sentence about the others.
func cut[T any](rows []T, n int, others string) ([]T, string) {
	if len(rows) <= n {
		return rows, ""
	}
	return rows[:n], rules.Words(float64(len(rows)-n), rules.Count) + " more " + others + " in the report's JSON form."
}

// blindApps says where it is not known what workers do: one reason, one line.
func blindApps(all []rules.App) []blindSpot {
	var spots []blindSpot
	for _, a := range all {
		for _, b := range a.Blind {
			name := layout.Clean(a.Name) + " on " + enumerate(cleanAll(b.Hosts))
			spots = append(spots, blindSpot{Reason: layout.Clean(b.Reason), Remedy: layout.Clean(b.Remedy), Where: []string{name}})
		}
	}
	return merged(spots)
}

func lookAtApp(a rules.App, longest float64) phpApp {
	t := a.Time
	out := phpApp{Name: layout.Clean(a.Name), Verdict: phpVerdict(layout.Clean(a.Name), *t), Figures: phpFigures(a), Peers: peers(t.Peers)}
	for _, s := range t.Spent {
		part := phpPart{segment: segmentOf(s.On), Share: share(s, t.BusyWorkers)}
		out.Parts = append(out.Parts, part)
		if s.On == rules.OnUnknown && s.Workers > muchUnknown*t.BusyWorkers {
			out.Unknown = "What " + rules.Words(s.Workers/t.BusyWorkers, rules.Ratio) + " of the busy time went to could not be told: the other shares may be as much larger."
		}
	}
	var rows []rules.AppPool
	for _, p := range a.Pools {
		if p.BusyWorkers != nil {
			rows = append(rows, p)
		}
	}
	rows, out.Rest = cut(rows, topBars, "pools stand")
	for _, p := range rows {
		out.Bars = append(out.Bars, phpBar(layout.Clean(p.Host), ofMany(*p.BusyWorkers, p.MaxWorkers), p.Spent, longest))
	}
	for _, r := range t.Routes {
		out.Routes = append(out.Routes, lookAtRoute(r, t.Routes[0].Workers))
	}
	return out
}

// muchUnknown is the share of the busy time from which on what could not be told is said in a sentence: a
// probe that works has less.
const muchUnknown = 0.02

// phpVerdict is one sentence: what holds the workers up.
func phpVerdict(name string, t rules.AppTime) string {
	if t.BusyWorkers <= 0 {
		return "The workers of " + name + " had nothing to do."
	}
	if words := t.Bound.Words(); words != "" {
		return "The workers of " + name + " spend " + rules.Words(t.BoundRatio, rules.Ratio) + " of their busy time " + words + "."
	}
	most := t.Spent[0]
	for _, s := range t.Spent {
		if s.Workers > most.Workers {
			most = s
		}
	}
	return "Nothing alone holds up the workers of " + name + ": " + ofMany(t.BusyWorkers, t.MaxWorkers) + " are busy, and most of their time, " +
		rules.Words(most.Workers/t.BusyWorkers, rules.Ratio) + ", goes to the " + segmentOf(most.On).Name + "."
}

// phpFigures says how busy an application is.
func phpFigures(a rules.App) string {
	t := a.Time
	parts := []string{ofMany(t.BusyWorkers, t.MaxWorkers) + " workers busy on average", rules.Words(t.RequestsPerSecond, rules.PerSecond)}
	if t.RequestsPerSecond > 0 {
		parts[1] += " of " + rules.Words(t.BusyWorkers/t.RequestsPerSecond, rules.Seconds)
	}
	parts = append(parts, "listen queue "+queueWords(a.Pools), "seen for "+rules.Words(t.Window.Seconds(), rules.Seconds))
	return strings.Join(parts, "; ") + "."
}

// queueWords says how many connections wait in front of all pools, and how many did at the busiest.
func queueWords(pools []rules.AppPool) string {
	now, known := 0, true
	peak := 0.0
	for _, p := range pools {
		if p.Queue == nil {
			known = false
			continue
		}
		now += *p.Queue
		peak = max(peak, valueOf(p.PeakQueue))
	}
	out := unknown
	if known {
		out = rules.Words(float64(now), rules.Count)
	}
	if peak > 0 {
		out += ", and in front of one pool " + rules.Words(peak, rules.Count) + " at the 99th percentile"
	}
	return out
}

// ofMany writes a number of workers beside how many there may be.
func ofMany(n float64, limit *int) string {
	if limit == nil {
		return rules.Words(n, rules.Count)
	}
	return rules.Words(n, rules.Count) + " of " + rules.Words(float64(*limit), rules.Count)
}

// share writes the part of the busy time, with its interval where that changes the figure: by a twentieth
// of it and more.
func share(s rules.Spent, busy float64) string {
	out := rules.Words(ratio(s.Workers, busy), rules.Ratio)
	if matters(s.Workers, s.Margin) {
		thousandths := math.Ceil(1000 * ratio(*s.Margin, busy))
		out = strings.TrimSuffix(out, " %") + " ± " + rules.Words(thousandths/1000, rules.Ratio)
	}
	return out
}

// matters reports whether an interval changes a figure: by a twentieth of it and more.
func matters(value float64, margin *float64) bool {
	return margin != nil && *margin > 0 && *margin >= value/20
}

// sampled writes a figure with its interval where that matters.
func sampled(value float64, margin *float64, unit rules.Unit) string {
	out := rules.Words(value, unit)
	if !matters(value, margin) {
		return out
	}
	if unit == rules.Ratio {
		out = strings.TrimSuffix(out, " %")
	}
	return out + " ± " + rules.Words(roundedUp(*margin), unit)
}

// roundedUp leaves two digits of what is above zero: an interval is no narrower for being written.
func roundedUp(v float64) float64 {
	unit := math.Pow10(int(math.Floor(math.Log10(v))) - 1)
	if unit == 0 || math.IsInf(v, 0) {
		return v
	}
	const rounding = 1e-9 // what the division is off by
	return math.Ceil(v/unit-rounding) * unit
}

// segmentOf returns how time on something is drawn, and what it is called.
func segmentOf(on rules.Spending) segment {
	switch on {
	case rules.OnCPU:
		return segment{Mark: 3, Sign: "c", Name: "processors", Label: "runs or waits for a processor"}
	case rules.OnDatabase:
		return segment{Mark: 1, Sign: "d", Name: "database", Label: "waits for the database"}
	case rules.OnCaches:
		return segment{Mark: 4, Sign: "k", Name: "caches", Label: "waits for Redis or Memcached"}
	case rules.OnLocks:
		return segment{Mark: 5, Sign: "l", Name: "locks", Label: "waits for locks, or sleeps"}
	case rules.OnServices:
		return segment{Mark: 2, Sign: "s", Name: "other services", Label: "waits for other services"}
	case rules.OnRest:
		return segment{Mark: other, Sign: "r", Name: "rest", Label: "disks, child processes, clients"}
	default:
		return segment{Mark: hidden, Sign: "?", Name: "unknown", Label: "could not be told"}
	}
}

func phpBar(name, figure string, spent []rules.Spent, longest float64) loadBar {
	out := loadBar{Server: name, Load: figure}
	for _, s := range spent {
		out.add(segmentOf(s.On), s.Workers, s.Margin, longest)
	}
	for _, s := range out.Segments {
		out.Ratio += s.Ratio
	}
	return out
}

func peers(all []rules.AppPeer) string {
	var out []string
	for _, p := range all {
		out = append(out, layout.Clean(p.Peer)+" ("+layout.Clean(string(p.State))+") "+sampled(p.Workers, p.Margin, rules.Count))
	}
	return strings.Join(out, ", ")
}

func lookAtRoute(r rules.AppRoute, longest float64) phpRoute {
	out := phpRoute{Name: layout.Clean(strings.TrimSpace(r.Method + " " + r.Route))}
	workers := workersWords(r.Workers, r.Margin)
	if r.Margin == nil {
		workers += ", interval not known"
	}
	out.Figures = "none ended; " + workers
	if r.MeanSeconds != nil {
		out.Figures = rules.Words(r.RequestsPerSecond, rules.PerSecond) + " of " + rules.Words(*r.MeanSeconds, rules.Seconds) + "; " + workers
	}
	out.Bar = phpBar(out.Name, rules.Words(r.Workers, rules.Count), r.Spent, longest)
	waited := 0.0
	for _, s := range r.Spent {
		if s.On == rules.OnDatabase {
			waited += s.Workers
		}
	}
	for _, s := range r.Statements {
		waited -= s.Workers
		out.Statements = append(out.Statements, lookAtStatement(s, r.Workers))
	}
	if rest := ratio(waited, r.Workers); rest >= muchUnknown {
		out.More = rules.Words(rest, rules.Ratio) + " waiting for other statements, or for such as are not known"
	}
	return out
}

func lookAtStatement(s rules.AppStatement, ofWorkers float64) phpStatement {
	return phpStatement{
		Share: share(rules.Spent{Workers: s.Workers, Margin: s.Margin}, ofWorkers), Text: layout.Cut(cmp.Or(layout.Clean(string(s.Text)), layout.Clean(s.Fingerprint)), 240),
		Fingerprint: layout.Clean(s.Fingerprint), Code: layout.Clean(s.Code), Findings: cleanAll(s.Findings),
	}
}
