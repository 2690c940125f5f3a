package rules

import (
	"cmp"
	"slices"

	"plimsoll/collectors/snapshot"
)

// AppRoute is one kind of request of an application, and what it waits for. Its figures are estimates: of requests
// that are shorter than looks are apart only some are met, and stand for the others.
type AppRoute struct {
	Method string `json:"method"`
	// Route is the path with what varies taken out: /product/{id}.
	Route             string  `json:"route"`
	RequestsPerSecond float64 `json:"requests_per_second"`
	// MeanSeconds is how long a worker has one; nil if none ended.
	MeanSeconds *float64 `json:"mean_seconds,omitempty"`
	Workers     float64  `json:"workers"`
	// Margin is half the width of the 95 % interval of Workers; nil where it is not known.
	Margin *float64 `json:"margin,omitempty"`
	// Spent adds up to Workers.
	Spent []Spent `json:"spent"`
	// Statements are those that its workers wait for most.
	Statements []AppStatement `json:"statements,omitempty"`
}

// AppStatement is a statement that the workers of a route wait for.
type AppStatement struct {
	Fingerprint string `json:"fingerprint"`
	// Text is without literals; empty where it is not known.
	Text    snapshot.Redacted `json:"text,omitempty"`
	Workers float64           `json:"workers"`
	// Margin is half the width of the 95 % interval of Workers.
	Margin *float64 `json:"margin,omitempty"`
	// ShareRatio is the part of the route's time, 0..1.
	ShareRatio float64 `json:"share_ratio"`
	// Code is where in the program most of it is waited; empty if that is not known.
	Code string `json:"code,omitempty"`
	// Findings are the fingerprints of the findings about it, the first by rank first.
	Findings []string `json:"findings,omitempty"`
}

// The limits of what an application shows. A page has hardly more than three statements of which each is
// worth a look.
const (
	maxRoutes     = 10
	maxStatements = 3
)

// topRoutes are the routes that take most time.
func (a *app) topRoutes(s suffering) []AppRoute {
	all := a.routes()
	rows := a.rows(isStatement)
	var out []AppRoute
	for _, r := range all[:min(len(all), maxRoutes)] {
		route := AppRoute{Method: r.method, Route: r.route, RequestsPerSecond: r.requests, Workers: r.busy, Margin: r.margin(r.busy, 0), Spent: r.spent()}
		if r.requests > 0 {
			route.MeanSeconds = new(r.busy / r.requests)
		}
		route.Statements = s.statements(r, rows)
		out = append(out, route)
	}
	return out
}

// spent is what the workers of a route are with.
func (r appRoute) spent() []Spent {
	var out []Spent
	for _, group := range spendings() {
		s := Spent{On: group.on}
		var variance float64
		for _, state := range group.states {
			s.Workers += r.seconds[state]
			variance += r.variance[state]
		}
		if s.Margin = r.margin(s.Workers, variance); s.Workers > 0 {
			out = append(out, s)
		}
	}
	return out
}

// suffering joins what an application waits for with the findings about it.
type suffering struct {
	waitBook
	app      *app
	findings []Finding
}

// statements are those that a route waits for most. Rows are in the order of their time, so that the code
// of a statement is where most of it is waited.
func (s suffering) statements(r appRoute, rows []appRow) []AppStatement {
	var out []AppStatement
	of := map[string][]appRow{}
	for _, row := range rows {
		if row.Method != r.method || row.Route != r.route {
			continue
		}
		i := slices.IndexFunc(out, func(o AppStatement) bool { return o.Fingerprint == row.Fingerprint })
		if i < 0 {
			i, out = len(out), append(out, AppStatement{Fingerprint: row.Fingerprint, Text: row.text.Text, Findings: s.about(r, row)})
		}
		out[i].Workers += row.seconds
		of[row.Fingerprint] = append(of[row.Fingerprint], row)
		if out[i].Code == "" && row.Code != "" {
			out[i].Code = row.codeSite()
		}
	}
	slices.SortStableFunc(out, func(a, b AppStatement) int { return cmp.Compare(b.Workers, a.Workers) })
	out = out[:min(len(out), maxStatements)]
	for i := range out {
		out[i].ShareRatio = min(out[i].Workers/r.busy, 1)
		_, out[i].Margin = sumOf(of[out[i].Fingerprint]...)
	}
	return out
}

// about returns the findings about a statement of a route, without those about other routes.
func (s suffering) about(r appRoute, row appRow) []string {
	var out []string
	for _, f := range s.findings {
		if f.Subject.Cluster != s.app.cluster || f.Subject.Kind == OfRoute && !f.Subject.Within(aboutRoute(s.app, r.method, r.route)) {
			continue
		}
		if s.isOne(s.app.cluster, f.Digests, row.Fingerprint, string(row.text.Text)) {
			out = append(out, f.Fingerprint)
		}
	}
	return out
}
