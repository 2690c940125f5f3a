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
	// SecondsPerSecond is how many workers wait so on average, measured.
	SecondsPerSecond float64 `json:"seconds_per_second"`
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
	var waited float64
	for _, r := range rows {
		waited += r.SecondsPerSecond
	}
	if waited == 0 {
		return
	}
	f.Waiters = rows[:min(len(rows), MaxWaiters)]
	f.Evidence = append(f.Evidence, Evidence{
		What: "PHP workers that wait for these statements, on average", Value: waited, Unit: Count,
		Source: "plimsoll-probe", Window: w.window(f.Subject.Cluster),
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
	type key struct{ pool, method, route string }
	sums, most := map[key]*Waiter{}, map[key]float64{}
	for _, p := range w.pools(cluster) {
		for _, r := range p.Workers.Rows {
			if r.State != snapshot.PHPMySQL || r.Route == snapshot.OtherRoute || !w.isOne(cluster, digests, r.Fingerprint, string(p.Workers.Texts[r.Fingerprint].Text)) {
				continue
			}
			k := key{p.Name, r.Method, r.Route}
			if sums[k] == nil {
				sums[k] = &Waiter{Pool: p.Name, Method: r.Method, Route: r.Route}
			}
			seconds := r.Seconds / p.Workers.Window.Seconds()
			sums[k].SecondsPerSecond += seconds
			if r.Code != "" && seconds > most[k] {
				most[k], sums[k].Code = seconds, appRow{ProfileKey: r.ProfileKey}.codeSite()
			}
		}
	}
	out := make([]Waiter, 0, len(sums))
	for _, s := range sums {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Waiter) int {
		return cmp.Or(cmp.Compare(b.SecondsPerSecond, a.SecondsPerSecond), strings.Compare(a.Route, b.Route),
			strings.Compare(a.Method, b.Method), strings.Compare(a.Pool, b.Pool))
	})
	return out
}

// isOne reports whether a statement with a fingerprint, whose text is live, is one of digests: by
// fingerprint, or where either text was cut by its beginning.
func (w waitBook) isOne(cluster string, digests []string, fingerprint, live string) bool {
	if slices.Contains(digests, fingerprint) {
		return fingerprint != ""
	}
	for _, fp := range digests {
		if live == "" || !strings.HasPrefix(fp, truncated) && !strings.HasPrefix(fingerprint, truncated) {
			continue
		}
		if text := string(w.text(cluster, fp)); text != "" && (sqltext.HasPrefixOf(live, text) || sqltext.HasPrefixOf(text, live)) {
			return true
		}
	}
	return false
}

// truncated begins the fingerprint of a text that was cut.
const truncated = "fp1t:"

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
