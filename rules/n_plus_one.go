package rules

import (
	"fmt"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

// nPlusOne finds kinds of requests that send one statement many times: a list is read, and then each of its
// entries by a statement of its own.
func nPlusOne() Rule {
	return Rule{
		ID: "phpfpm/n-plus-one", Title: "A request sends one statement many times",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm/profile", "mysql/digests"},
		// What is read again with the same values needs no list of them, but to be kept.
		Yields: []ID{"phpfpm/repeated-reads"},
		Threshold: Threshold{
			Value: 20, Unit: Count,
			Source: "default of this rule: a page that shows twenty entries, as most lists do, and reads each by itself",
		},
		Check: func(c Case) Result {
			return c.eachApp(func(a *app) ([]Finding, *NotReady) { return nPlusOneIn(c, a) })
		},
	}
}

// minLooks is how many looks must have met a wait for its share of the time to be one: with ten, its standard error is
// a third of it at most. A pool that hardly works has shares of any size by chance.
const minLooks = 10

func looksAt(rows []appRow) float64 {
	var n uint64
	for _, r := range rows {
		n += r.samples
	}
	return float64(n)
}

// repeatedShare is the share of the busy time below which repeated statements are not why a site is slow.
const repeatedShare = 0.005

func nPlusOneIn(c Case, a *app) ([]Finding, *NotReady) {
	calls, known := c.callsPerSecond(a.cluster)
	if !known {
		return nil, &NotReady{Subject: aboutApp(a), Reason: "how often statements are called is not known: no database server of the site was seen twice"}
	}
	var out []Finding
	busy := a.busy()
	for _, r := range a.rows(isStatement) {
		if !r.readsTables() || r.samples < minLooks || r.seconds < repeatedShare*busy {
			continue
		}
		if each, known := a.callsPerRequest(r, calls[r.Fingerprint]); known && each >= c.Rule.Threshold.Value {
			out = append(out, nPlusOneFinding(c, a, r, each))
		}
	}
	return once(out), nil // two places of one route can send one statement
}

func isStatement(r snapshot.ProfileRow) bool {
	return r.State == snapshot.PHPMySQL && r.Fingerprint != ""
}

// readsTables reports whether a row's statement can be spared by reading more at once, or by keeping what was read.
// What ends a transaction, sets something or locks what it reads is to be sent each time, and so is a question about
// the connection, such as SELECT LAST_INSERT_ID(), which reads no table.
func (r appRow) readsTables() bool {
	return r.text.Class == string(sqltext.Select) && len(r.text.Reads) > 0
}

// usage is how often a statement is called, and for how long it runs, in calls and seconds a second.
type usage struct{ calls, seconds float64 }

// callsPerSecond is how often each statement is called, over all servers of a cluster; false where no server
// tells.
func (c Case) callsPerSecond(cluster string) (map[string]usage, bool) {
	out := map[string]usage{}
	known := false
	for _, s := range (waitBook{fleet: c.Fleet}).servers(cluster) {
		known = true
		for _, d := range s.Digests.Rows {
			sum, window := out[d.Fingerprint], s.Digests.Window.Seconds()
			out[d.Fingerprint] = usage{sum.calls + float64(d.Calls)/window, sum.seconds + d.Seconds/window}
		}
	}
	return out, known
}

// callsPerRequest is how often one request of a row's route sends its statement. Samples do not count
// calls, but the server does: those of the route are its share of all waiting for the statement, which takes
// each call to be as long wherever it comes from. Programs that nobody sampled call it too; but the route
// cannot have called it more often than would run, one call after the other, in the time that it waited.
func (a *app) callsPerRequest(r appRow, all usage) (float64, bool) {
	var waited, here float64
	for _, o := range a.rows(func(p snapshot.ProfileRow) bool {
		return p.State == snapshot.PHPMySQL && p.Fingerprint == r.Fingerprint
	}) {
		waited += o.seconds
		if o.Method == r.Method && o.Route == r.Route {
			here += o.seconds
		}
	}
	requests := 0.0
	for _, route := range a.routes() {
		if route.method == r.Method && route.route == r.Route {
			requests = route.requests
		}
	}
	if all.calls <= 0 || waited <= 0 || requests <= 0 {
		return 0, false
	}
	calls := all.calls * here / waited
	if all.seconds > 0 {
		calls = min(calls, here*all.calls/all.seconds)
	}
	return calls / requests, true
}

func nPlusOneFinding(c Case, a *app, r appRow, each float64) Finding {
	w := a.window()
	_, margin := sumOf(r)
	about := aboutRoute(a, r.Method, r.Route)
	about.Part += "/" + r.Fingerprint
	f := Found(c.Rule, about,
		c.evidence("calls a request, estimated", each, "digests, COUNT_STAR, shared out as plimsoll-probe saw who waits", w),
		sampledWorkers("workers that wait for it, on average", r.seconds, margin, w),
		Evidence{What: "the statement", Unit: Text, Words: statement(r.text.Text), Source: "plimsoll-probe", Window: w},
		Evidence{What: "sent in", Unit: Text, Words: r.codeSite(), Source: "plimsoll-probe", Window: w},
	)
	f.addDigests(r.Fingerprint)
	f.Gain.WorkerSeconds = Between(r.seconds/2, r.seconds*(1-1/each))
	f.Severity = severityOf(f.Gain.WorkerSeconds, a.busy())
	f.Confidence = c.appConfidence(0.7, a, "calls of other programs count for this one too")
	f.Summary = fmt.Sprintf("%s sends one statement an estimated %s times, from %s.", printable(r.Method+" "+r.Route), Words(each, Count), r.codeSite())
	f.Effort = Hours
	f.Remedy = []Step{
		{Kind: Code, Text: "SELECT … WHERE id IN (?, ?, …)", Note: "Read all entries of the list by one statement before the loop."},
		{Kind: Advice, Text: "Laravel: Model::with('relation'). Doctrine: join and addSelect. Magento: a collection with addIdFilter. Drupal: loadMultiple. WordPress: update_meta_cache, or WP_Query, which does it by itself."},
	}
	f.Risks = []string{"A list of thousands is better read in pages."}
	f.Verify = Verify{What: "calls a request, estimated", Expect: "below " + Words(c.Rule.Threshold.Value, Count), After: "some hours of traffic"}
	return f
}
