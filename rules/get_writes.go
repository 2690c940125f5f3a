package rules

import (
	"fmt"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// getWrites finds kinds of requests that should only read, and write: they cannot be cached, nor sent to a
// replica.
func getWrites() Rule {
	return Rule{
		ID: "phpfpm/get-writes", Title: "A GET request writes to the database",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm/profile"},
		Threshold: Threshold{
			Value: 10, Unit: Count,
			Source: "default of this rule: ten waits for the write that were seen are no chance, and each stands for many that were too short to be seen",
		},
		Check: func(c Case) Result {
			return c.eachApp(func(a *app) ([]Finding, *NotReady) { return getWritesIn(c, a), nil })
		},
	}
}

func getWritesIn(c Case, a *app) []Finding {
	var out []Finding
	byRoute := map[string][]appRow{}
	var order []string
	for _, r := range a.rows(readsByMethod) {
		if r.text.Class != string(sqltext.DML) || len(r.text.Writes) == 0 {
			continue
		}
		key := r.Method + " " + r.Route
		if byRoute[key] == nil {
			order = append(order, key)
		}
		byRoute[key] = append(byRoute[key], r)
	}
	for _, key := range order {
		if rows := byRoute[key]; waitsOf(rows) >= c.Rule.Threshold.Value {
			out = append(out, getWritesFinding(c, a, rows))
		}
	}
	return out
}

// readsByMethod reports whether a row is waiting for the database in a request that should change nothing. What
// runs the site's jobs is phpfpm/web-cron's, however it is called.
func readsByMethod(r snapshot.ProfileRow) bool {
	return (r.Method == "GET" || r.Method == "HEAD") && r.State == snapshot.PHPMySQL && r.Fingerprint != "" && !isWebCron(r.Route)
}

func waitsOf(rows []appRow) float64 {
	var n uint64
	for _, r := range rows {
		n += r.waits
	}
	return float64(n)
}

func getWritesFinding(c Case, a *app, rows []appRow) Finding {
	w, first := a.window(), rows[0]
	waited, margin := sumOf(rows...)
	var tables []string
	for _, r := range rows {
		tables = append(tables, r.text.Writes...)
	}
	slices.Sort(tables)
	tables = slices.Compact(tables)
	f := Found(c.Rule, aboutRoute(a, first.Method, first.Route),
		c.evidence("waits for a write that were seen", waitsOf(rows), "plimsoll-probe", w),
		Evidence{What: "tables that it writes", Unit: Text, Words: printable(strings.Join(tables, ", ")), Source: "the statements", Window: w},
		sampledWorkers("workers that wait for it, on average", waited, margin, w),
	)
	for _, r := range rows[:min(len(rows), mostRows)] {
		f.addDigests(r.Fingerprint)
		f.Evidence = append(f.Evidence, Evidence{What: "in " + r.codeSite(), Unit: Text, Words: statement(r.text.Text), Source: "plimsoll-probe", Window: w})
	}
	f.Gain.WorkerSeconds = Between(0, waited)
	f.Severity = graver(severityOf(f.Gain.WorkerSeconds, a.busy()), Low)
	f.Confidence = c.appConfidence(0.9, a)
	f.Summary = fmt.Sprintf("%s writes to %s, in %s: no cache and no replica can answer it.", printable(first.Method+" "+first.Route), printable(strings.Join(tables, ", ")), first.codeSite())
	f.Effort = Hours
	f.Remedy = getWritesSteps(first)
	f.Risks = []string{"A counter that is written later is behind by as long."}
	f.Verify = Verify{What: "waits for a write that were seen", Expect: "none", After: "a day"}
	return f
}

func getWritesSteps(r appRow) []Step {
	out := []Step{{
		Kind: Advice, Text: "Count in Redis or Memcached, and write the sums once a minute from a cron job; or let the page send a POST of its own when it was shown.",
	}}
	if r.Package != "" {
		out = append(out, Step{Kind: Advice, Text: "It is code of " + printable(r.Package) + ": look for its setting first, then for another one."})
	}
	return out
}

// graver is the graver of two severities.
func graver(a, b Severity) Severity {
	if a.Rank() < b.Rank() {
		return a
	}
	return b
}
