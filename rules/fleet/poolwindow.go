package fleet

import (
	"cmp"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
)

// poolKey tells the pools of a host apart.
type poolKey struct{ name, listen string }

// pools makes the facts of the PHP-FPM pools of one host, ordered by name.
func pools(copies []*snapshot.Snapshot, w Window, host *Host) []*Pool {
	latest := copies[len(copies)-1]
	fresh := latest.Taken.Add(-stale)
	host.Probed = latest.PHPProfile != nil && latest.PHPProfile.Epoch != ""
	found := map[poolKey]*Pool{}
	pool := func(k poolKey) *Pool {
		if found[k] == nil {
			found[k] = &Pool{Cluster: host.Cluster, Host: host.Name, Name: k.name, Listen: k.listen, Machine: host, Gaps: poolGaps(latest, k)}
		}
		return found[k]
	}
	for i := range poolsOf(latest.PHP) {
		p := &latest.PHP.Pools[i]
		pool(poolKey{p.Name, p.Server}).Latest = p
	}
	for i := range profilesOf(latest.PHPProfile) {
		p := &latest.PHPProfile.Pools[i]
		pool(poolKey{p.Name, p.Server}).Profile = p
	}
	for k, p := range found {
		p.Served = over(copies, fresh, w, phpOf(k), servedWindow(k))
		p.Workers = over(copies, fresh, w, profileOf(k), workerWindow(k))
	}
	out := make([]*Pool, 0, len(found))
	for _, p := range found {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *Pool) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Listen, b.Listen))
	})
	return out
}

func poolsOf(p *snapshot.PHP) []snapshot.FPMPool {
	if p == nil {
		return nil
	}
	return p.Pools
}

func profilesOf(p *snapshot.PHPProfile) []snapshot.PoolProfile {
	if p == nil {
		return nil
	}
	return p.Pools
}

// poolGaps returns the gaps of a pool, and those of the jobs that read all of them.
func poolGaps(s *snapshot.Snapshot, k poolKey) []snapshot.Gap {
	all := slices.Clone(s.Gaps)
	if s.PHP != nil {
		all = append(all, s.PHP.Gaps...)
	}
	if s.PHPProfile != nil {
		all = append(all, s.PHPProfile.Gaps...)
	}
	return slices.DeleteFunc(all, func(g snapshot.Gap) bool {
		return !strings.HasPrefix(g.Job, "phpfpm") || g.Subject != "" && !k.called(g.Subject)
	})
}

// called reports whether a gap's subject is the pool: the agent calls it by its name, the probe with its address too.
func (k poolKey) called(subject string) bool {
	return subject == k.name || subject == k.listen || subject == k.name+" ("+k.listen+")"
}

// phpOf returns the part of a copy in which a pool is; over takes copies without it for missing.
func phpOf(k poolKey) func(*snapshot.Snapshot) *snapshot.PHP {
	return func(s *snapshot.Snapshot) *snapshot.PHP {
		if _, ok := findPool(poolsOf(s.PHP), k); !ok {
			return nil
		}
		return s.PHP
	}
}

func profileOf(k poolKey) func(*snapshot.Snapshot) *snapshot.PHPProfile {
	return func(s *snapshot.Snapshot) *snapshot.PHPProfile {
		if _, ok := findProfile(profilesOf(s.PHPProfile), k); !ok {
			return nil
		}
		return s.PHPProfile
	}
}

func findPool(pools []snapshot.FPMPool, k poolKey) (*snapshot.FPMPool, bool) {
	i := slices.IndexFunc(pools, func(p snapshot.FPMPool) bool { return p.Name == k.name && p.Server == k.listen })
	if i < 0 {
		return nil, false
	}
	return &pools[i], true
}

func findProfile(pools []snapshot.PoolProfile, k poolKey) (*snapshot.PoolProfile, bool) {
	i := slices.IndexFunc(pools, func(p snapshot.PoolProfile) bool { return p.Name == k.name && p.Server == k.listen })
	if i < 0 {
		return nil, false
	}
	return &pools[i], true
}

// servedWindow is what one pool did between two copies.
func servedWindow(k poolKey) func(first, last *snapshot.PHP, w Window) *PoolWindow {
	return func(first, last *snapshot.PHP, w Window) *PoolWindow {
		a, _ := findPool(first.Pools, k)
		b, _ := findPool(last.Pools, k)
		out := &PoolWindow{
			Window: w, CPUSeconds: difference(a.CPUSeconds, b.CPUSeconds), RunQueueSeconds: difference(a.RunQueueSeconds, b.RunQueueSeconds),
		}
		if x, y := a.QueueLooks, b.QueueLooks; x != nil && y != nil {
			out.QueueLooks = &snapshot.QueueLooks{Looks: minus(y.Looks, x.Looks), Waiting: minus(y.Waiting, x.Waiting)}
		}
		if x, y := a.Status, b.Status; x != nil && y != nil && x.Started.Equal(y.Started) {
			out.Accepted = new(minus(y.Accepted, x.Accepted))
			out.MaxChildrenReached = new(minus(y.MaxChildrenReached, x.MaxChildrenReached))
			out.SlowRequests = new(minus(y.SlowRequests, x.SlowRequests))
		}
		return out
	}
}

// workerWindow is where the time of one pool's workers went between two copies; nil if it had none, or none that could
// be looked at: that nobody was seen busy is not known then.
func workerWindow(k poolKey) func(first, last *snapshot.PHPProfile, w Window) *WorkerWindow {
	return func(first, last *snapshot.PHPProfile, w Window) *WorkerWindow {
		a, _ := findProfile(first.Pools, k)
		b, _ := findProfile(last.Pools, k)
		out := &WorkerWindow{
			Window: w, Hertz: last.Hertz, WorkerSeconds: minus(b.WorkerSeconds, a.WorkerSeconds),
			Requests: minus(b.Requests, a.Requests), Durations: bucketsBetween(a.Durations, b.Durations),
			SaturatedSeconds: minus(b.SaturatedSeconds, a.SaturatedSeconds),
			States:           statesBetween(a.States, b.States),
			Backends:         backendsBetween(a.Backends, b.Backends),
			Routes:           routesBetween(a.Routes, b.Routes),
			Rows:             rowsBetween(a.Rows, b.Rows),
			Texts:            map[string]snapshot.DigestText{},
		}
		if out.WorkerSeconds == 0 {
			return nil
		}
		for _, t := range last.Texts {
			out.Texts[t.Fingerprint] = t
		}
		return out
	}
}

func bucketsBetween(first, last []snapshot.Bucket) []snapshot.Bucket {
	before := map[float64]uint64{}
	for _, b := range first {
		before[b.UpToSeconds] = b.Count
	}
	var out []snapshot.Bucket
	for _, b := range last {
		if b.Count = minus(b.Count, before[b.UpToSeconds]); b.Count > 0 {
			out = append(out, b)
		}
	}
	return out
}

func timeBetween(first, last snapshot.StateTime) snapshot.StateTime {
	return snapshot.StateTime{
		Seconds: minus(last.Seconds, first.Seconds), Variance: minus(last.Variance, first.Variance), Waits: minus(last.Waits, first.Waits),
	}
}

func statesBetween(first, last map[snapshot.PHPState]snapshot.StateTime) map[snapshot.PHPState]snapshot.StateTime {
	out := make(map[snapshot.PHPState]snapshot.StateTime, len(last))
	for state, t := range last {
		out[state] = timeBetween(first[state], t)
	}
	return out
}

// backendsBetween, routesBetween and rowsBetween are differences of lists of which only the first by
// time are listed. What left the list meanwhile is in the rest at the end, and was not at the beginning.
func backendsBetween(first, last []snapshot.BackendTime) []snapshot.BackendTime {
	type key struct {
		state snapshot.PHPState
		peer  string
	}
	of := func(b snapshot.BackendTime) key { return key{b.State, b.Peer} }
	rest := func(b snapshot.BackendTime) key { return key{b.State, snapshot.OtherPeer} }
	add := func(to, b snapshot.BackendTime) snapshot.BackendTime {
		to.StateTime = to.Plus(b.StateTime)
		return to
	}
	before := listed(first, last, of, rest, add)
	var out []snapshot.BackendTime
	for _, b := range last {
		b.StateTime = timeBetween(before[of(b)].StateTime, b.StateTime)
		if b.Seconds > 0 {
			out = append(out, b)
		}
	}
	slices.SortStableFunc(out, func(a, b snapshot.BackendTime) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return out
}

func routesBetween(first, last []snapshot.RouteTime) []snapshot.RouteTime {
	type key struct{ method, route string }
	of := func(r snapshot.RouteTime) key { return key{r.Method, r.Route} }
	rest := func(snapshot.RouteTime) key { return key{route: snapshot.OtherRoute} }
	before := listed(first, last, of, rest, plusRoute)
	var out []snapshot.RouteTime
	for _, r := range last {
		b := before[of(r)]
		grown := snapshot.RouteTime{
			Method: r.Method, Route: r.Route, Requests: minus(r.Requests, b.Requests), Seconds: grownBy(b.Seconds, r.Seconds),
			Variance: grownBy(b.Variance, r.Variance), BusyVariance: r.BusyVariance,
		}
		if before, now := b.BusyVariance, r.BusyVariance; before != nil && now != nil {
			grown.BusyVariance = new(minus(*now, *before))
		}
		if grown.Requests > 0 || len(grown.Seconds) > 0 {
			out = append(out, grown)
		}
	}
	slices.SortStableFunc(out, func(a, b snapshot.RouteTime) int { return cmp.Compare(b.BusySeconds(), a.BusySeconds()) })
	return out
}

// grownBy is by how much totals grew, of those that did; nil where they are not known.
func grownBy(first, last map[snapshot.PHPState]float64) map[snapshot.PHPState]float64 {
	if last == nil {
		return nil
	}
	out := map[snapshot.PHPState]float64{}
	for state, total := range last {
		if d := minus(total, first[state]); d > 0 {
			out[state] = d
		}
	}
	return out
}

func plusRoute(to, r snapshot.RouteTime) snapshot.RouteTime {
	sum := snapshot.RouteTime{
		Method: to.Method, Route: to.Route, Requests: to.Requests + r.Requests,
		Seconds: map[snapshot.PHPState]float64{}, Variance: map[snapshot.PHPState]float64{}, BusyVariance: r.BusyVariance,
	}
	for _, s := range snapshot.PHPStates() {
		sum.Seconds[s] = to.Seconds[s] + r.Seconds[s]
		sum.Variance[s] = to.Variance[s] + r.Variance[s]
	}
	if a, b := to.BusyVariance, r.BusyVariance; a != nil && b != nil {
		sum.BusyVariance = new(*a + *b)
	}
	return sum
}

func rowsBetween(first, last []snapshot.ProfileRow) []snapshot.ProfileRow {
	of := func(r snapshot.ProfileRow) snapshot.ProfileKey { return r.ProfileKey }
	rest := func(snapshot.ProfileRow) snapshot.ProfileKey { return snapshot.OtherRow() }
	before := listed(first, last, of, rest, func(to, r snapshot.ProfileRow) snapshot.ProfileRow {
		to.StateTime = to.Plus(r.StateTime)
		to.Samples, to.Repeats, to.Identical = to.Samples+r.Samples, to.Repeats+r.Repeats, to.Identical+r.Identical
		return to
	})
	var out []snapshot.ProfileRow
	for _, r := range last {
		b := before[r.ProfileKey]
		r.StateTime = timeBetween(b.StateTime, r.StateTime)
		r.Samples, r.Repeats, r.Identical = minus(r.Samples, b.Samples), minus(r.Repeats, b.Repeats), minus(r.Identical, b.Identical)
		if r.Seconds > 0 {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b snapshot.ProfileRow) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return out
}

// listed returns what the entries of last were in first. An entry of first that is not listed any
// more is added to the rest.
func listed[E any, K comparable](first, last []E, of, rest func(E) K, add func(to, e E) E) map[K]E {
	stays := make(map[K]bool, len(last))
	for _, e := range last {
		stays[of(e)] = true
	}
	before := make(map[K]E, len(first))
	for _, e := range first {
		k := of(e)
		if !stays[k] {
			k = rest(e)
		}
		before[k] = add(before[k], e)
	}
	return before
}
