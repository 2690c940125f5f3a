package sampler

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"plimsoll/collectors/snapshot"
)

// Profile returns what is known until the accounts were last closed.
func (s *Sampler) Profile() *snapshot.PHPProfile {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &snapshot.PHPProfile{
		Meta:    snapshot.Meta{Taken: s.closed, Epoch: s.epoch, Gaps: slices.Clone(s.gaps)},
		Version: s.options.Version, Started: s.started, Hertz: s.limit.hertz,
		Ticks: s.ticks, LateTicks: s.late, Samples: s.samples, CPUSeconds: processorTime().Seconds(),
		Pools: []snapshot.PoolProfile{},
	}
	for _, l := range s.sortedLedgers() {
		p := l.closed
		p.Version, p.Tested, p.Workers, p.Busy = l.version, l.tested, l.workers, l.busy
		out.Pools = append(out.Pools, p)
	}
	for _, p := range s.pools {
		out.Gaps = append(out.Gaps, p.sortedGaps()...)
	}
	slices.SortFunc(out.Gaps, func(a, b snapshot.Gap) int {
		return cmp.Or(strings.Compare(a.Subject, b.Subject), strings.Compare(a.Reason, b.Reason))
	})
	out.Gaps = slices.Compact(out.Gaps)
	out.Texts = s.digests.of(out.Pools)
	return out
}

func (l *ledger) profile() snapshot.PoolProfile {
	p := snapshot.PoolProfile{
		Name: l.name, Server: l.server, Version: l.version, Tested: l.tested,
		WorkerSeconds: l.book.workerSeconds(), Requests: l.requests, Durations: l.histogram(),
		Workers: l.workers, Busy: l.busy, MaxBusy: l.maxBusy, SaturatedSeconds: l.saturatedSeconds,
		States: map[snapshot.PHPState]snapshot.StateTime{}, Memory: l.memory.summary(),
		Backends: l.book.topBackends(), Routes: l.book.topRoutes(), Rows: l.book.topRows(),
	}
	for state, t := range l.book.states {
		p.States[state] = *t
	}
	return p
}

func (b *book) topBackends() []snapshot.BackendTime {
	all := make([]snapshot.BackendTime, 0, len(b.backends))
	for key, t := range b.backends {
		all = append(all, snapshot.BackendTime{State: key.state, Peer: key.peer, StateTime: *t})
	}
	slices.SortFunc(all, func(a, b snapshot.BackendTime) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.State, b.State), strings.Compare(a.Peer, b.Peer))
	})
	if len(all) <= snapshot.MaxPHPPeers {
		return all
	}
	// The rest is told by state, so that it adds up to States.
	rest := map[snapshot.PHPState]*snapshot.StateTime{}
	for _, t := range all[snapshot.MaxPHPPeers:] {
		if rest[t.State] == nil {
			rest[t.State] = &snapshot.StateTime{}
		}
		*rest[t.State] = rest[t.State].Plus(t.StateTime)
	}
	all = all[:snapshot.MaxPHPPeers]
	for _, state := range slices.Sorted(maps.Keys(rest)) {
		all = append(all, snapshot.BackendTime{State: state, Peer: snapshot.OtherPeer, StateTime: *rest[state]})
	}
	return all
}

func (b *book) topRoutes() []snapshot.RouteTime {
	all := make([]snapshot.RouteTime, 0, len(b.routes))
	for name, r := range b.routes {
		all = append(all, snapshot.RouteTime{
			Method: name.method, Route: name.route, Requests: uint64(r.requests), Seconds: maps.Clone(r.seconds),
			Variance: maps.Clone(r.variance), BusyVariance: new(r.busyVariance),
		})
	}
	slices.SortFunc(all, func(a, b snapshot.RouteTime) int {
		return cmp.Or(cmp.Compare(b.BusySeconds(), a.BusySeconds()), strings.Compare(a.Route, b.Route), strings.Compare(a.Method, b.Method))
	})
	return shortRoutes(all, snapshot.MaxPHPRoutes)
}

// shortRoutes leaves at most n routes, and adds the rest to the one that is other.
func shortRoutes(all []snapshot.RouteTime, n int) []snapshot.RouteTime {
	other := snapshot.RouteTime{
		Route: snapshot.OtherRoute, Seconds: map[snapshot.PHPState]float64{}, Variance: map[snapshot.PHPState]float64{}, BusyVariance: new(0.0),
	}
	kept := all[:0:0]
	for _, r := range all {
		if len(kept) < n && (r.Route != other.Route || r.Method != "") {
			kept = append(kept, r)
			continue
		}
		other.Requests += r.Requests
		for state, seconds := range r.Seconds {
			other.Seconds[state] += seconds
		}
		for state, variance := range r.Variance {
			other.Variance[state] += variance
		}
		if r.BusyVariance != nil {
			*other.BusyVariance += *r.BusyVariance
		}
	}
	if len(kept) < len(all) {
		kept = append(kept, other)
	}
	return kept
}

func (b *book) topRows() []snapshot.ProfileRow {
	all := make([]snapshot.ProfileRow, 0, len(b.rows))
	for key, r := range b.rows {
		all = append(all, snapshot.ProfileRow{
			ProfileKey: key, Line: r.line, StateTime: r.time,
			Samples: r.samples, Repeats: r.repeats, Identical: r.identical,
		})
	}
	slices.SortFunc(all, func(a, b snapshot.ProfileRow) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), strings.Compare(a.Route, b.Route),
			strings.Compare(a.Fingerprint, b.Fingerprint), strings.Compare(a.Code, b.Code))
	})
	return shortRows(all, snapshot.MaxPHPRows)
}

// shortRows leaves at most n rows, and adds the rest to the one that is other.
func shortRows(all []snapshot.ProfileRow, n int) []snapshot.ProfileRow {
	other := snapshot.ProfileRow{ProfileKey: snapshot.OtherRow()}
	kept := all[:0:0]
	for _, r := range all {
		if len(kept) < n && r.ProfileKey != other.ProfileKey {
			kept = append(kept, r)
			continue
		}
		other.StateTime = other.StateTime.Plus(r.StateTime)
		other.Samples += r.Samples
		other.Repeats += r.Repeats
		other.Identical += r.Identical
	}
	if len(kept) < len(all) {
		kept = append(kept, other)
	}
	return kept
}

// of returns the texts of the statements in the pools' rows.
func (d *digests) of(pools []snapshot.PoolProfile) []snapshot.DigestText {
	wanted := map[string]bool{}
	for _, p := range pools {
		for _, r := range p.Rows {
			wanted[r.Fingerprint] = true
		}
	}
	var all []snapshot.DigestText
	for _, fingerprint := range slices.Sorted(maps.Keys(wanted)) {
		if t, ok := d.texts[fingerprint]; ok {
			all = append(all, t)
		}
	}
	return all
}

// Shorten leaves out the smaller half of the rows and routes of each pool, in one that is other, and says so in a
// gap. Where there are none left it leaves out pools.
func Shorten(p *snapshot.PHPProfile) {
	const reason = "a profile has at most 4 MiB: the smallest rows and routes of each pool are in one"
	if !slices.ContainsFunc(p.Gaps, func(g snapshot.Gap) bool { return g.Reason == reason }) {
		p.Gaps = append(p.Gaps, snapshot.Gap{Job: Job, Reason: reason})
	}
	cut := false
	used := map[string]bool{}
	for i := range p.Pools {
		pool := &p.Pools[i]
		cut = cut || len(pool.Rows) > 1 || len(pool.Routes) > 1
		pool.Rows = shortRows(pool.Rows, len(pool.Rows)/2)
		pool.Routes = shortRoutes(pool.Routes, len(pool.Routes)/2)
		for _, row := range pool.Rows {
			used[row.Fingerprint] = true
		}
	}
	if !cut {
		p.Pools = p.Pools[:len(p.Pools)/2]
	}
	p.Texts = slices.DeleteFunc(p.Texts, func(t snapshot.DigestText) bool { return !used[t.Fingerprint] })
}
