package rules

import (
	"fmt"
	"slices"

	"plimsoll/collectors/snapshot"
)

// externalCalls finds kinds of requests whose visitors wait for somebody else's service.
func externalCalls() Rule {
	return Rule{
		ID: "phpfpm/external-calls", Title: "Visitors wait for another service",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm/profile"},
		Threshold: Threshold{
			Value: 0.01, Unit: Ratio,
			Source: "default of this rule: a hundredth of the workers' time",
		},
		Check: func(c Case) Result {
			return c.eachApp(func(a *app) ([]Finding, *NotReady) { return externalCallsIn(c, a), nil })
		},
	}
}

// isExternal reports whether a row is waiting for a service that is no part of the shop's own machinery. The
// start of the site's own jobs is phpfpm/web-cron's.
func isExternal(r snapshot.ProfileRow) bool {
	return !startsWebCron(r) && slices.Contains([]snapshot.PHPState{snapshot.PHPHTTP, snapshot.PHPSMTP, snapshot.PHPDNS}, r.State)
}

func externalCallsIn(c Case, a *app) []Finding {
	busy := a.busy()
	type key struct{ method, route string }
	rows := map[key][]appRow{}
	var order []key
	for _, r := range a.rows(isExternal) {
		k := key{r.Method, r.Route}
		if rows[k] == nil {
			order = append(order, k)
		}
		rows[k] = append(rows[k], r)
	}
	var out []Finding
	for _, k := range order {
		if waited, _ := sumOf(rows[k]...); busy > 0 && waited >= c.Rule.Threshold.Value*busy && looksAt(rows[k]) >= minLooks {
			out = append(out, externalCallFinding(c, a, rows[k], busy))
		}
	}
	return out
}

func externalCallFinding(c Case, a *app, rows []appRow, busy float64) Finding {
	w, first := a.window(), rows[0]
	waited, margin := sumOf(rows...)
	f := Found(c.Rule, aboutRoute(a, first.Method, first.Route),
		c.evidence("of the busy time of all workers", waited/busy, sampling, w).within(over(margin, busy)),
		sampledWorkers("workers that wait so, on average", waited, margin, w),
	)
	if each, known := a.perRequest(first.Method, first.Route, waited); known {
		f.Evidence = append(f.Evidence, Evidence{What: "a request waits for it, on average", Value: each, Unit: Seconds, Source: sampling, Window: w})
	}
	for _, r := range rows[:min(len(rows), mostRows)] {
		words := fmt.Sprintf("%s by %s to %s", r.codeSite(), r.Call, r.Peer)
		f.Evidence = append(f.Evidence, Evidence{What: "called in", Unit: Text, Words: printable(words), Source: "plimsoll-probe", Window: w})
	}
	f.Gain.WorkerSeconds = Between(waited/2, waited)
	f.Severity = severityOf(f.Gain.WorkerSeconds, busy)
	f.Confidence = c.appConfidence(0.85, a)
	f.Summary = fmt.Sprintf("%s waits for %s: %s of the busy time of all workers.", printable(first.Method+" "+first.Route), printable(first.Peer), Words(waited/busy, Ratio))
	f.Effort = Days
	f.Remedy = []Step{
		{Kind: Advice, Text: "Put the call into a queue, and show the visitor the page at once; where its answer is needed, keep it in a cache."},
		{Kind: Code, Text: "curl_setopt_array($call, [CURLOPT_CONNECTTIMEOUT_MS => 200, CURLOPT_TIMEOUT_MS => 1000]);", Note: "Until then: a deadline, so that a service that hangs does not take all workers with it."},
	}
	f.Rollback = []Step{{Kind: Advice, Text: "Call it in the request again."}}
	f.Risks = []string{"What comes from a queue comes later, and can fail when the visitor has gone."}
	f.Verify = Verify{What: "of the busy time of all workers", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "some hours of traffic"}
	return f
}

// perRequest spreads some time over the requests of a route; false if none of them ended.
func (a *app) perRequest(method, route string, seconds float64) (float64, bool) {
	for _, r := range a.routes() {
		if r.method == method && r.route == route && r.requests > 0 {
			return seconds / r.requests, true
		}
	}
	return 0, false
}
