package rules

import (
	"math"

	"plimsoll/rules/fleet"
)

// normal95 is the 97.5th percentile of the normal distribution.
const normal95 = 1.96

// marginOf is half the width of the 95 % interval of a figure with a variance.
func marginOf(variance float64) *float64 { return new(normal95 * math.Sqrt(variance)) }

// routeKey is a kind of request.
type routeKey struct{ method, route string }

// doubts are how far the whole time of some routes may be off: its variance over its square; nil where a probe does
// not tell, and where there was none.
func (a *app) doubts(of map[routeKey]bool) map[routeKey]*float64 {
	type sum struct {
		busy, variance float64
		unsure         bool
	}
	sums := map[routeKey]sum{}
	for _, p := range a.pools {
		window := p.Workers.Window.Seconds()
		for _, r := range p.Workers.Routes {
			k := routeKey{r.Method, r.Route}
			if !of[k] {
				continue
			}
			s := sums[k]
			s.busy += r.BusySeconds() / window
			if r.BusyVariance == nil {
				s.unsure = true
			} else {
				s.variance += *r.BusyVariance / (window * window)
			}
			sums[k] = s
		}
	}
	out := map[routeKey]*float64{}
	for k, s := range sums {
		if !s.unsure && s.busy > 0 {
			out[k] = new(s.variance / (s.busy * s.busy))
		}
	}
	return out
}

// margin is half the width of the 95 % interval of the workers that are with a part of the route, of which variance
// is that of how its time was shared out; nil if it is not known.
func (r *appRoute) margin(workers, variance float64) *float64 {
	if r.unsure || r.busy <= 0 {
		return nil
	}
	part := workers / r.busy
	return marginOf(variance + part*part*r.busyVariance)
}

// sumOf is how many workers rows are of, and half the width of the 95 % interval of that; nil if it is not known. How
// a route's time was shared out adds up as variances do, since of a known whole not all parts can be too large; of what
// the whole is off all of its parts are.
func sumOf(rows ...appRow) (workers float64, margin *float64) {
	var variance float64
	known := true
	wholes, doubts := map[routeKey]float64{}, map[routeKey]float64{}
	for _, r := range rows {
		workers += r.seconds
		variance += r.variance
		if r.doubt == nil {
			known = false
			continue
		}
		wholes[routeKey{r.Method, r.Route}] += r.seconds
		doubts[routeKey{r.Method, r.Route}] = *r.doubt
	}
	for k, seconds := range wholes {
		variance += seconds * seconds * doubts[k]
	}
	if !known {
		return workers, nil
	}
	return workers, marginOf(variance)
}

// sumOfRoutes is how many workers are with some kinds of requests, which are how many a second, and half the width
// of the 95 % interval of the first; nil if that is not known.
func sumOfRoutes(routes []appRoute) (workers, requests float64, margin *float64) {
	var variance float64
	unsure := false
	for _, r := range routes {
		workers += r.busy
		requests += r.requests
		variance += r.busyVariance
		unsure = unsure || r.unsure
	}
	if unsure {
		return workers, requests, nil
	}
	return workers, requests, marginOf(variance)
}

// together is the margin of the sum of two figures; nil if that of one is not known.
func together(a, b *float64) *float64 {
	if a == nil || b == nil {
		return nil
	}
	return new(math.Hypot(*a, *b))
}

// sampling is the source of figures that are estimated from looks at workers.
const sampling = "plimsoll-probe, by sampling"

// sampledWorkers is the evidence of how many workers do something on average.
func sampledWorkers(what string, workers float64, margin *float64, w fleet.Window) Evidence {
	return Evidence{What: what, Value: workers, Unit: Count, Source: sampling, Window: w, Margin: margin}
}

// within returns e with half the width of its 95 % interval, nil if that is not known.
func (e Evidence) within(margin *float64) Evidence {
	e.Margin = margin
	return e
}

// over is a margin of a part of something that is known: of a share.
func over(margin *float64, whole float64) *float64 {
	if margin == nil || whole <= 0 {
		return nil
	}
	return new(*margin / whole)
}
