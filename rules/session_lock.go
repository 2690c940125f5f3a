package rules

import (
	"fmt"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// sessionLock finds time that requests of one visitor spend waiting for each other's session.
func sessionLock() Rule {
	return Rule{
		ID: "phpfpm/session-lock", Title: "Requests of one visitor wait for each other's session",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm/profile"},
		Threshold: Threshold{
			Value: 0.01, Unit: Ratio,
			Source: "default of this rule: a hundredth of the workers' time",
		},
		Check: func(c Case) Result {
			return c.eachApp(func(a *app) ([]Finding, *NotReady) { return sessionLockIn(c, a), nil })
		},
	}
}

// waitsForSession reports whether a row is waiting for a session: PHP's own handler locks a file, the one of
// the Redis extension sleeps between its tries, and so does Cm_RedisSession, which Magento has.
func waitsForSession(r snapshot.ProfileRow) bool {
	if r.State != snapshot.PHPLock && r.State != snapshot.PHPSleep {
		return false
	}
	return strings.HasPrefix(r.Call, "session_") ||
		strings.Contains(r.Via+r.Code, `RedisSession\Handler`) || strings.Contains(r.Via+r.Code, "Cm_RedisSession")
}

func sessionLockIn(c Case, a *app) []Finding {
	rows := a.rows(waitsForSession)
	waited, margin := sumOf(rows...)
	busy := a.busy()
	if busy <= 0 || waited < c.Rule.Threshold.Value*busy || looksAt(rows) < minLooks {
		return nil
	}
	w := a.window()
	f := Found(c.Rule, aboutApp(a),
		c.evidence("of the busy time waiting for a session", waited/busy, sampling, w).within(over(margin, busy)),
		sampledWorkers("workers that wait so, on average", waited, margin, w),
	)
	f.addRows(rows, busy, w)
	f.Gain.WorkerSeconds = Between(waited/2, waited)
	f.Severity = severityOf(f.Gain.WorkerSeconds, busy)
	f.Confidence = c.appConfidence(0.85, a)
	f.Summary = fmt.Sprintf("Workers of %s lose %s of their busy time to requests of the same visitor that hold the session.", printable(a.name), Words(waited/busy, Ratio))
	f.Effort = Hours
	f.Remedy = sessionSteps(rows)
	f.Rollback = []Step{{Kind: Code, Text: "session_start();", Note: "As it was: the session is held to the end of the request."}}
	f.Risks = []string{"What is written to $_SESSION after it was closed is lost."}
	f.Verify = Verify{What: "of the busy time waiting for a session", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "some hours of traffic"}
	return []Finding{f}
}

// sessionSteps depend on how the sessions are locked.
func sessionSteps(rows []appRow) []Step {
	out := []Step{
		{Kind: Code, Text: "session_start(['read_and_close' => true]);", Note: "In requests that only read the session, such as those that the page's own scripts send."},
		{Kind: Code, Text: "session_write_close();", Note: "In the others, as soon as the last thing was written: before calls of other services, mail and long statements."},
	}
	if rows[0].State == snapshot.PHPSleep {
		return append(out, Step{
			Kind: Advice, Text: "In Magento's env.php, session/redis: 'disable_locking' => '1' for requests that do not write, and a 'break_after_frontend' of a few seconds.",
			Note: "The handler sleeps between its tries, so that a request waits longer than the lock is held.",
		})
	}
	return append(out, Step{Kind: Advice, Text: "More workers do not help: they would wait for the same file."})
}

// mostRows is how many places of a program a finding shows.
const mostRows = 3

// addRoutes adds the kinds of requests that take most time.
func (f *Finding) addRoutes(routes []appRoute, busy float64, w fleet.Window) {
	for _, r := range routes[:min(len(routes), mostRows)] {
		f.Evidence = append(f.Evidence, Evidence{
			What: printable(r.method + " " + r.route), Value: r.busy / busy, Unit: Ratio, Source: sampling, Window: w, Margin: over(r.margin(r.busy, 0), busy),
		})
	}
}

// addRows adds the places that take most time.
func (f *Finding) addRows(rows []appRow, busy float64, w fleet.Window) {
	for _, r := range rows[:min(len(rows), mostRows)] {
		what := fmt.Sprintf("%s %s, in %s", r.Method, r.Route, r.codeSite())
		_, margin := sumOf(r)
		f.Evidence = append(f.Evidence, Evidence{What: printable(what), Value: r.seconds / busy, Unit: Ratio, Source: sampling, Window: w, Margin: over(margin, busy)})
	}
}
