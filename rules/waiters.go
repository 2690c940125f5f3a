package rules

import (
	"cmp"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
	"plimsoll/rules/fleet"
)

// Waiter is a kind of request whose PHP workers wait for the statements of a finding.
type Waiter struct {
	// Pool is the pool's name; pools of that name on several hosts are one.
	Pool   string `json:"pool"`
	Method string `json:"method"`
	Route  string `json:"route"`
	// SecondsPerSecond is how many workers wait so on average, as samples estimate it, and Margin half the width
	// of its 95 % interval, nil where that is not known.
	SecondsPerSecond float64  `json:"seconds_per_second"`
	Margin           *float64 `json:"margin,omitempty"`
	// Code is where in the program most of it is waited, such as Cart::total in
	// wp-content/plugins/cart/cart.php; empty if that is not known.
	Code string `json:"code,omitempty"`
}

// MaxWaiters is how many kinds of requests a finding names.
const MaxWaiters = 5

// join tells findings about statements which requests suffer from them, and holds their gain against
// what PHP workers were seen to wait: without a probe a second of a statement counts as one of a worker.
func join(f *fleet.Fleet, findings []Finding) {
	w := waitBook{fleet: f}
	for i := range findings {
		if f := &findings[i]; len(f.Digests) > 0 && !ofWorkers(f.Subject.Kind) {
			w.join(f)
		}
	}
}

// ofWorkers reports whether a finding is about PHP's workers: its gain is measured by them already.
func ofWorkers(k Kind) bool { return k == OfPool || k == OfApp || k == OfRoute }

// waitBook knows who waits for statements.
type waitBook struct{ fleet *fleet.Fleet }

func (w waitBook) join(f *Finding) {
	rows := w.of(f.Subject.Cluster, f.Digests)
	waited, margin := 0.0, new(0.0)
	for _, r := range rows {
		waited, margin = waited+r.SecondsPerSecond, together(margin, r.Margin)
	}
	if waited == 0 {
		return
	}
	f.Waiters = rows[:min(len(rows), MaxWaiters)]
	f.Evidence = append(f.Evidence, Evidence{
		What: "PHP workers that wait for these statements, on average", Value: waited, Unit: Count,
		Source: sampling, Window: w.window(f.Subject.Cluster), Margin: margin,
	})
	if f.Gain.WorkerSeconds == nil || !w.complete(f.Subject.Cluster) {
		return
	}
	// Not all that workers wait for is the statement: there is the way to the server and back. And a
	// statement of a job that is no PHP worker makes nobody wait.
	if ran := w.ran(f.Subject.Cluster, f.Digests); ran > 0 && waited < ran {
		f.Gain.WorkerSeconds = Between(f.Gain.WorkerSeconds.Lo*waited/ran, f.Gain.WorkerSeconds.Hi*waited/ran)
	}
}

// of returns who waits for statements, the most first.
func (w waitBook) of(cluster string, digests []string) []Waiter {
	var out []Waiter
	cut := slices.ContainsFunc(digests, isCut)
	maybe := func(r snapshot.ProfileRow) bool {
		return isStatement(r) && (cut || isCut(r.Fingerprint) || slices.Contains(digests, r.Fingerprint))
	}
	for _, a := range w.apps(cluster) {
		byRoute := map[routeKey][]appRow{}
		for _, r := range a.rows(maybe) {
			if w.isOne(cluster, digests, r.Fingerprint, string(r.text.Text)) {
				k := routeKey{r.Method, r.Route}
				byRoute[k] = append(byRoute[k], r)
			}
		}
		for k, rows := range byRoute {
			out = append(out, a.waiter(k, rows))
		}
	}
	slices.SortFunc(out, func(a, b Waiter) int {
		return cmp.Or(cmp.Compare(b.SecondsPerSecond, a.SecondsPerSecond), strings.Compare(a.Route, b.Route),
			strings.Compare(a.Method, b.Method), strings.Compare(a.Pool, b.Pool))
	})
	return out
}

// waiter is a route that waits in rows, which are in the order of their time.
func (a *app) waiter(k routeKey, rows []appRow) Waiter {
	out := Waiter{Pool: a.name, Method: k.method, Route: k.route}
	out.SecondsPerSecond, out.Margin = sumOf(rows...)
	if i := slices.IndexFunc(rows, func(r appRow) bool { return r.Code != "" }); i >= 0 {
		out.Code = rows[i].codeSite()
	}
	return out
}

// apps are the applications of a cluster, with the pools whose workers' time is known.
func (w waitBook) apps(cluster string) []*app {
	all := (Case{Fleet: w.fleet}).apps()
	for _, a := range all {
		a.forget(func(p *fleet.Pool) bool { return p.Workers.Window.Seconds() <= 0 })
	}
	return slices.DeleteFunc(all, func(a *app) bool { return a.cluster != cluster })
}

// isOne reports whether a statement with a fingerprint, whose text is live, is one of digests: by
// fingerprint, or where either text was cut by its beginning.
func (w waitBook) isOne(cluster string, digests []string, fingerprint, live string) bool {
	if slices.Contains(digests, fingerprint) {
		return fingerprint != ""
	}
	for _, fp := range digests {
		if live == "" || !isCut(fp) && !isCut(fingerprint) {
			continue
		}
		if text := string(w.text(cluster, fp)); text != "" && (sqltext.HasPrefixOf(live, text) || sqltext.HasPrefixOf(text, live)) {
			return true
		}
	}
	return false
}

// isCut reports whether a fingerprint is that of a text that was cut.
func isCut(fingerprint string) bool { return strings.HasPrefix(fingerprint, "fp1t:") }

// text is that of a statement, as a server tells it.
func (w waitBook) text(cluster, fingerprint string) snapshot.Redacted {
	for _, s := range w.servers(cluster) {
		for _, d := range s.Digests.Rows {
			if d.Fingerprint == fingerprint {
				return d.Text
			}
		}
	}
	return ""
}

// ran is for how long statements ran on all servers, in seconds a second.
func (w waitBook) ran(cluster string, digests []string) float64 {
	var sum float64
	for _, s := range w.servers(cluster) {
		for _, d := range s.Digests.Rows {
			if slices.Contains(digests, d.Fingerprint) {
				sum += d.Seconds / s.Digests.Window.Seconds()
			}
		}
	}
	return sum
}

func (w waitBook) servers(cluster string) []*fleet.Server {
	return slices.DeleteFunc(slices.Clone(w.fleet.Servers), func(s *fleet.Server) bool {
		return s.Cluster != cluster || s.Digests == nil || s.Digests.Window.Seconds() <= 0
	})
}

// pools are those of a cluster whose workers' time is known.
func (w waitBook) pools(cluster string) []*fleet.Pool {
	return slices.DeleteFunc(slices.Clone(w.fleet.Pools), func(p *fleet.Pool) bool {
		return p.Cluster != cluster || p.Workers == nil || p.Workers.Window.Seconds() <= 0
	})
}

// complete reports whether the time of all workers of a cluster is known.
func (w waitBook) complete(cluster string) bool {
	for _, p := range w.fleet.Pools {
		if p.Cluster == cluster && p.Workers == nil {
			return false
		}
	}
	return true
}

// window is the shortest for which a pool of the cluster was seen.
func (w waitBook) window(cluster string) fleet.Window {
	a := app{pools: w.pools(cluster)}
	return a.window()
}
