package rules

import (
	"fmt"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
)

// webCron finds jobs that run in the requests of visitors.
func webCron() Rule {
	return Rule{
		ID: "phpfpm/web-cron", Title: "Visitors' requests start the site's jobs",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm/profile"},
		Threshold: Threshold{
			Value: 0.01, Unit: Ratio,
			Source: "default of this rule: a hundredth of the workers' time",
		},
		Check: func(c Case) Result {
			return c.eachApp(func(a *app) ([]Finding, *NotReady) { return webCronIn(c, a), nil })
		},
	}
}

// isWebCron reports whether a route runs jobs: WordPress starts wp-cron.php from visitors' requests, Drupal has
// /cron/KEY and runs it at the end of one, others have a cron.php.
func isWebCron(route string) bool {
	return strings.HasSuffix(route, "/wp-cron.php") || strings.HasSuffix(route, "/cron.php") ||
		strings.HasPrefix(route, "/cron/") || strings.HasPrefix(route, "/index.php/cron/")
}

// startsWebCron reports whether a row is a visitor's request that starts jobs by HTTP, and waits until it is
// sure that they run. The function is called so in WordPress.
func startsWebCron(r snapshot.ProfileRow) bool {
	return r.State == snapshot.PHPHTTP && r.Code == "spawn_cron"
}

func webCronIn(c Case, a *app) []Finding {
	jobs := slices.DeleteFunc(a.routes(), func(r appRoute) bool { return !isWebCron(r.route) })
	spent, requests, margin := sumOfRoutes(jobs)
	starting, startMargin := sumOf(a.rows(startsWebCron)...)
	spent, margin = spent+starting, together(margin, startMargin)
	busy := a.busy()
	if busy <= 0 || len(jobs) == 0 || spent < c.Rule.Threshold.Value*busy {
		return nil
	}
	w := a.window()
	f := Found(c.Rule, aboutApp(a),
		c.evidence("of the busy time running jobs", spent/busy, sampling, w).within(over(margin, busy)),
		Evidence{What: "requests that run jobs", Value: requests, Unit: PerSecond, Source: sampling, Window: w},
	)
	f.addRoutes(jobs, busy, w)
	if starting > 0 {
		f.Evidence = append(f.Evidence, Evidence{
			What: "requests that wait until jobs have started", Value: starting / busy, Unit: Ratio, Source: sampling, Window: w, Margin: over(startMargin, busy),
		})
	}
	f.Gain.WorkerSeconds = Between(spent/2, spent)
	f.Severity = severityOf(f.Gain.WorkerSeconds, busy)
	f.Confidence = c.appConfidence(0.85, a, "a system's own cron may call it too: then only its workers are shared")
	f.Summary = fmt.Sprintf("Workers of %s spend %s of their busy time on jobs, in %s.", printable(a.name), Words(spent/busy, Ratio), printable(jobs[0].route))
	f.Effort = Minutes
	f.Remedy = webCronSteps(jobs[0].route)
	f.Rollback = []Step{{Kind: Advice, Text: "Remove the timer, and what was written into the configuration."}}
	f.Risks = []string{"Without the timer nothing runs the jobs any more: test that before."}
	f.Verify = Verify{What: "of the busy time running jobs", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "an hour"}
	return []Finding{f}
}

func webCronSteps(route string) []Step {
	if !strings.HasSuffix(route, "/wp-cron.php") {
		return []Step{
			{Kind: Command, Text: "*/5 * * * * www-data drush --quiet --root=/var/www/html cron", Note: "Drupal: a line for /etc/cron.d; then set the interval of automated cron to never. Magento: bin/magento cron:run. One host is enough."},
		}
	}
	return []Step{
		{Kind: Code, Text: "define('DISABLE_WP_CRON', true);", Note: "In wp-config.php: visitors start no jobs any more."},
		{Kind: Command, Text: "* * * * * www-data wp --quiet --path=/var/www/html cron event run --due-now", Note: "A line for /etc/cron.d on one host, so that jobs run by PHP's command line, which takes no worker."},
	}
}
