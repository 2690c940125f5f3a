package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
)

const (
	// slowRequest is the mean time of a request, in seconds, from which it is slow: Nielsen's limit for a
	// visitor's train of thought is one second, and the page's own files take half of that.
	slowRequest = 0.5
	// slowRouteShare is the share of all busy time below which a route is not why a site is slow.
	slowRouteShare = 0.01
)

// slowPlugin finds slow kinds of requests that spend most of their waiting in one package.
func slowPlugin() Rule {
	return Rule{
		ID: "phpfpm/slow-plugin", Title: "One package makes a page slow",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm/profile"},
		Threshold: Threshold{
			Value: 0.4, Unit: Ratio,
			Source: "default of this rule: what takes two fifths of a page's time is what makes it slow",
		},
		Check: func(c Case) Result {
			return c.eachApp(func(a *app) ([]Finding, *NotReady) { return slowPluginIn(c, a), nil })
		},
	}
}

func slowPluginIn(c Case, a *app) []Finding {
	var out []Finding
	busy := a.busy()
	for _, r := range a.routes() {
		if r.requests <= 0 || r.busy/r.requests < slowRequest || r.busy < slowRouteShare*busy {
			continue
		}
		name, rows, spent := a.costliest(r)
		if name != "" && spent >= c.Rule.Threshold.Value*r.busy && looksAt(rows) >= minLooks {
			out = append(out, slowPluginFinding(c, a, r, name, rows, spent))
		}
	}
	return out
}

// costliest returns the package in whose code a route spends most time, with where.
func (a *app) costliest(of appRoute) (name string, rows []appRow, spent float64) {
	sums, places := map[string]float64{}, map[string][]appRow{}
	inRoute := func(r snapshot.ProfileRow) bool {
		return r.Method == of.method && r.Route == of.route && r.Package != ""
	}
	for _, r := range a.rows(inRoute) {
		sums[r.Package] += r.seconds
		places[r.Package] = append(places[r.Package], r)
	}
	names := slices.SortedFunc(maps.Keys(sums), func(x, y string) int {
		return cmp.Or(cmp.Compare(sums[y], sums[x]), strings.Compare(x, y))
	})
	if len(names) == 0 {
		return "", nil, 0
	}
	return names[0], places[names[0]], sums[names[0]]
}

func slowPluginFinding(c Case, a *app, r appRoute, name string, rows []appRow, spent float64) Finding {
	w, busy := a.window(), a.busy()
	_, margin := sumOf(rows...)
	f := Found(c.Rule, aboutRoute(a, r.method, r.route),
		c.evidence("of the time of these requests waiting in "+printable(name), spent/r.busy, sampling, w).within(over(margin, r.busy)),
		Evidence{What: "a request takes, on average", Value: r.busy / r.requests, Unit: Seconds, Source: sampling, Window: w}.
			against(slowRequest, "Nielsen, Usability Engineering, 1993: one second keeps a visitor's train of thought, and the page's own files take half of it"),
		Evidence{What: "requests", Value: r.requests, Unit: PerSecond, Source: sampling, Window: w},
	)
	for _, row := range rows[:min(len(rows), mostRows)] {
		what := printable(fmt.Sprintf("%s, waiting: %s", row.codeSite(), row.State))
		_, margin := sumOf(row)
		f.Evidence = append(f.Evidence, Evidence{What: what, Value: row.seconds / r.busy, Unit: Ratio, Source: sampling, Window: w, Margin: over(margin, r.busy)})
		f.addDigests(row.Fingerprint)
	}
	f.Gain.WorkerSeconds = Between(spent/4, spent)
	f.Severity = severityOf(f.Gain.WorkerSeconds, busy)
	f.Confidence = c.appConfidence(0.75, a)
	f.Summary = fmt.Sprintf("%s takes %s, and %s of that is spent waiting in %s.", printable(r.method+" "+r.route), Words(r.busy/r.requests, Seconds), Words(spent/r.busy, Ratio), printable(name))
	f.Effort = Hours
	f.Remedy = []Step{
		{Kind: Advice, Text: "Look at the places above in " + printable(name) + ": cache what they read, or move them out of the request."},
		{Kind: Advice, Text: "Turn it off on a copy of the site and measure the page: that is the most that can be won.", Note: "Then look for its newer version, its settings, or another one."},
	}
	f.Verify = Verify{What: "a request takes, on average", Expect: "below " + Words((r.busy-f.Gain.WorkerSeconds.Lo)/r.requests, Seconds), After: "some hours of traffic"}
	return f
}
