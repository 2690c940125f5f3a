package rules

import (
	"cmp"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// app is the pools of one name in a cluster: one application, on as many hosts as it has. What is
// true of its code is true on all of them.
type app struct {
	cluster, name string
	// pools are those whose workers' time is known; blind those of which it is not.
	pools, blind []*fleet.Pool
}

// apps returns the applications of the fleet in order.
func (c Case) apps() []*app {
	type key struct{ cluster, name string }
	found := map[key]*app{}
	var out []*app
	for _, p := range c.Fleet.Pools {
		k := key{p.Cluster, p.Name}
		if found[k] == nil {
			found[k] = &app{cluster: p.Cluster, name: p.Name}
			out = append(out, found[k])
		}
		if p.Workers == nil {
			found[k].blind = append(found[k].blind, p)
		} else {
			found[k].pools = append(found[k].pools, p)
		}
	}
	return out
}

// eachApp judges applications one by one. Where the workers' time is known of none of its pools the
// rule is not ready; of some, it is judged by these.
func (c Case) eachApp(judge func(*app) ([]Finding, *NotReady)) Result {
	var out Result
	for _, a := range c.apps() {
		if why := c.appUnready(a); len(why) > 0 {
			out.NotReady = append(out.NotReady, why...)
			continue
		}
		findings, n := judge(a)
		out.Findings = append(out.Findings, findings...)
		out.add(nil, n)
	}
	return out
}

// appUnready returns why an application cannot be judged by its workers' time: each reason once, with the hosts of
// which it is true where there are several.
func (c Case) appUnready(a *app) []NotReady {
	if len(a.pools) > 0 {
		if n := c.tooShort(aboutApp(a), "phpfpm/profile", a.window()); n != nil {
			return []NotReady{*n}
		}
		return nil
	}
	var out []NotReady
	reasons := a.blindness()
	for _, b := range reasons {
		n := c.blind(aboutApp(a), b.blindReason)
		if len(reasons) > 1 {
			n.Reason = "on " + strings.Join(b.hosts, ", ") + ": " + n.Reason
		}
		out = append(out, *n)
	}
	return out
}

// window is the shortest of the pools' windows: what is said of all was seen for so long.
func (a *app) window() fleet.Window {
	shortest := a.pools[0].Workers.Window
	for _, p := range a.pools[1:] {
		if w := p.Workers.Window; w.Duration() < shortest.Duration() {
			shortest = w
		}
	}
	return shortest
}

// perSecond sums a figure of each pool as a rate.
func (a *app) perSecond(of func(*fleet.WorkerWindow) float64) float64 {
	var sum float64
	for _, p := range a.pools {
		if seconds := p.Workers.Window.Seconds(); seconds > 0 {
			sum += of(p.Workers) / seconds
		}
	}
	return sum
}

// busy is how many workers have a request on average: worker-seconds a second.
func (a *app) busy() float64 { return a.perSecond((*fleet.WorkerWindow).BusySeconds) }

// appRow is a row of the profile on all hosts. Seconds are worker-seconds a second.
type appRow struct {
	snapshot.ProfileKey
	line    int
	seconds float64
	// variance is that of how its route's time was shared out, doubt that of the route's whole time over its
	// square: nil if a probe does not tell. See snapshot.RouteTime.
	variance  float64
	doubt     *float64
	samples   uint64
	waits     uint64
	repeats   uint64
	identical uint64
	text      snapshot.DigestText
}

// rows returns the rows of all pools that are wanted, by time, the most first.
func (a *app) rows(wanted func(snapshot.ProfileRow) bool) []appRow {
	sums := map[snapshot.ProfileKey]*appRow{}
	for _, p := range a.pools {
		for _, r := range p.Workers.Rows {
			if r.Route == snapshot.OtherRoute || !wanted(r) {
				continue
			}
			sum := sums[r.ProfileKey]
			if sum == nil {
				sum = &appRow{ProfileKey: r.ProfileKey, line: r.Line, text: p.Workers.Texts[r.Fingerprint]}
				sums[r.ProfileKey] = sum
			}
			window := p.Workers.Window.Seconds()
			sum.seconds += r.Seconds / window
			sum.variance += r.Variance / (window * window)
			sum.samples += r.Samples
			sum.waits += r.Waits
			sum.repeats += r.Repeats
			sum.identical += r.Identical
		}
	}
	out := make([]appRow, 0, len(sums))
	of := map[routeKey]bool{}
	for _, r := range sums {
		of[routeKey{r.Method, r.Route}] = true
	}
	doubts := a.doubts(of)
	for _, r := range sums {
		r.doubt = doubts[routeKey{r.Method, r.Route}]
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b appRow) int {
		return cmp.Or(cmp.Compare(b.seconds, a.seconds), compareKeys(a.ProfileKey, b.ProfileKey))
	})
	return out
}

func compareKeys(a, b snapshot.ProfileKey) int {
	return cmp.Or(
		strings.Compare(a.Method, b.Method), strings.Compare(a.Route, b.Route), strings.Compare(string(a.State), string(b.State)),
		strings.Compare(a.Peer, b.Peer), strings.Compare(a.Call, b.Call), strings.Compare(a.Via, b.Via),
		strings.Compare(a.Code, b.Code), strings.Compare(a.File, b.File), strings.Compare(a.Fingerprint, b.Fingerprint),
	)
}

// appRoute is a route on all hosts. Rates are a second.
type appRoute struct {
	method, route string
	requests      float64
	seconds       map[snapshot.PHPState]float64
	busy          float64
	// variance is that of how busy is shared out over states, busyVariance that of busy; unsure is true if a probe
	// does not tell.
	variance     map[snapshot.PHPState]float64
	busyVariance float64
	unsure       bool
}

// routes returns all routes that are listed, by time, the most first.
func (a *app) routes() []appRoute {
	sums := map[routeKey]*appRoute{}
	for _, p := range a.pools {
		for _, r := range p.Workers.Routes {
			if r.Route == snapshot.OtherRoute {
				continue
			}
			k := routeKey{r.Method, r.Route}
			if sums[k] == nil {
				sums[k] = &appRoute{method: r.Method, route: r.Route, seconds: map[snapshot.PHPState]float64{}, variance: map[snapshot.PHPState]float64{}}
			}
			sums[k].add(r, p.Workers.Window.Seconds())
		}
	}
	out := make([]appRoute, 0, len(sums))
	for _, r := range sums {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b appRoute) int {
		return cmp.Or(cmp.Compare(b.busy, a.busy), strings.Compare(a.method, b.method), strings.Compare(a.route, b.route))
	})
	return out
}

func (r *appRoute) add(o snapshot.RouteTime, window float64) {
	r.requests += float64(o.Requests) / window
	for _, s := range snapshot.PHPStates() {
		r.seconds[s] += o.Seconds[s] / window
		r.variance[s] += o.Variance[s] / (window * window)
	}
	r.busy += o.BusySeconds() / window
	if o.BusyVariance == nil {
		r.unsure = true
		return
	}
	r.busyVariance += *o.BusyVariance / (window * window)
}

// appConfidence is how sure a finding about an application is.
func (c Case) appConfidence(ratio float64, a *app, reasons ...string) Confidence {
	if len(a.blind) > 0 {
		reasons = append(reasons, "some of its hosts have no probe")
		ratio = min(ratio, 0.7)
	}
	return c.confidence(ratio, a.window(), reasons...)
}

// aboutApp is the subject of what is said of an application as a whole.
func aboutApp(a *app) Subject { return Subject{Cluster: a.cluster, Kind: OfApp, Name: a.name} }

// aboutRoute is the subject of what is said of one kind of request.
func aboutRoute(a *app, method, route string) Subject {
	return Subject{Cluster: a.cluster, Kind: OfRoute, Name: strings.TrimSpace(method + " " + route), Part: a.name}
}

// codeSite names a place in a program for people: its package, function, file and line.
func (r appRow) codeSite() string {
	site := r.Code
	if site == "" {
		site = "code that is not known"
	}
	if r.File != "" {
		site += " in " + r.File
	}
	return printable(site)
}
