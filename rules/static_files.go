package rules

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// staticFiles finds files that PHP serves and a web server could.
func staticFiles() Rule {
	return Rule{
		ID: "phpfpm/static-files", Title: "PHP serves files that the web server could",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm/profile"},
		Threshold: Threshold{
			Value: 0.01, Unit: Ratio,
			Source: "default of this rule: a hundredth of the workers' time",
		},
		Check: func(c Case) Result {
			return c.eachApp(func(a *app) ([]Finding, *NotReady) { return staticFilesIn(c, a), nil })
		},
	}
}

// staticSuffixes are the endings of files that are the same for every visitor.
func staticSuffixes() []string {
	return []string{
		".css", ".js", ".mjs", ".map", ".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".ico", ".woff", ".woff2",
		".ttf", ".eot", ".otf", ".mp4", ".webm", ".txt", ".xml",
	}
}

// isStatic reports whether a route is a file. Maps of a site and robots.txt are made by PHP on purpose, and
// asked for rarely.
func isStatic(r appRoute) bool {
	name := strings.ToLower(path.Base(r.route))
	if (r.method != "GET" && r.method != "HEAD") || strings.HasPrefix(name, "sitemap") || name == "robots.txt" {
		return false
	}
	return slices.Contains(staticSuffixes(), path.Ext(name))
}

func staticFilesIn(c Case, a *app) []Finding {
	files := slices.DeleteFunc(a.routes(), func(r appRoute) bool { return !isStatic(r) })
	spent, requests, margin := sumOfRoutes(files)
	busy := a.busy()
	if busy <= 0 || len(files) == 0 || spent < c.Rule.Threshold.Value*busy {
		return nil
	}
	w := a.window()
	f := Found(c.Rule, aboutApp(a),
		c.evidence("of the busy time serving files", spent/busy, sampling, w).within(over(margin, busy)),
		Evidence{What: "requests for files", Value: requests, Unit: PerSecond, Source: sampling, Window: w},
	)
	f.addRoutes(files, busy, w)
	f.Gain.WorkerSeconds = Between(spent/2, spent)
	f.Severity = severityOf(f.Gain.WorkerSeconds, busy)
	f.Confidence = c.appConfidence(0.85, a)
	f.Summary = fmt.Sprintf("Workers of %s spend %s of their busy time on files such as %s.", printable(a.name), Words(spent/busy, Ratio), printable(files[0].route))
	f.Effort = Hours
	f.Remedy = []Step{
		{
			Kind: Config, Text: "location ~* \\.(css|js|jpe?g|png|gif|webp|svg|ico|woff2?)$ {\n    try_files $uri =404;\n    expires 30d;\n    access_log off;\n}",
			Note: "nginx: files that are there are sent by it. Where a program makes them at first sight, as Drupal's image styles and Magento's static files are, name the program instead of =404: once made, they are files.",
		},
		{Kind: Command, Text: "nginx -t && systemctl reload nginx"},
	}
	f.Rollback = []Step{{Kind: Advice, Text: "Remove the location, and reload nginx."}}
	f.Risks = []string{"Files that a program protects by a login become open to all who know their address: leave their folders out."}
	f.Verify = Verify{What: "of the busy time serving files", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "some minutes of traffic"}
	return []Finding{f}
}
