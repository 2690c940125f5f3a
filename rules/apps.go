package rules

import (
	"cmp"
	"slices"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// App is one application, the PHP-FPM pools of one name in a cluster: where a second of its workers goes.
// Figures called workers are worker-seconds a second: how many workers do something on average.
type App struct {
	Cluster string `json:"cluster"`
	Name    string `json:"name"`
	// Pools are ordered as the fleet has them: by host.
	Pools []AppPool `json:"pools"`
	// Time is where its workers' time went; nil where that is known of none of the pools.
	Time *AppTime `json:"time,omitempty"`
	// Blind are the hosts on which it is not known.
	Blind []AppBlind `json:"blind,omitempty"`
}

// AppPool is one pool of an application. What is nil is not known.
type AppPool struct {
	Host    string `json:"host"`
	Listen  string `json:"listen"`
	Version string `json:"version,omitempty"`
	// MaxWorkers is pm.max_children.
	MaxWorkers *int `json:"max_workers,omitempty"`
	// BusyWorkers have a request, and Spent is what they do; known with a probe only.
	BusyWorkers *float64 `json:"busy_workers,omitempty"`
	Spent       []Spent  `json:"spent,omitempty"`
	// RunningWorkers run or wait for a processor: the one part of a worker's time that needs no probe.
	RunningWorkers    *float64 `json:"running_workers,omitempty"`
	RequestsPerSecond *float64 `json:"requests_per_second,omitempty"`
	// Queue is how many connections wait for a worker now, PeakQueue the 99th percentile over the window.
	Queue     *int     `json:"queue,omitempty"`
	PeakQueue *float64 `json:"peak_queue,omitempty"`
	// SaturatedRatio is the share of the window in which no worker was free, 0..1.
	SaturatedRatio *float64 `json:"saturated_ratio,omitempty"`
}

// AppTime is where the time of an application's workers went, on all hosts that have a probe.
type AppTime struct {
	// Window is the shortest of the hosts'.
	Window fleet.Window `json:"window"`
	// Bound is what holds the workers up: nothing also where most of them are free. BoundRatio is the
	// share of the busy time that goes there, 0..1; of nothing, the largest share.
	Bound      Bound   `json:"bound"`
	BoundRatio float64 `json:"bound_ratio"`
	// BusyWorkers have a request; MaxWorkers is how many these hosts may have, nil if that is not known
	// of one of them.
	BusyWorkers       float64 `json:"busy_workers"`
	MaxWorkers        *int    `json:"max_workers,omitempty"`
	RequestsPerSecond float64 `json:"requests_per_second"`
	// Spent adds up to BusyWorkers.
	Spent []Spent `json:"spent"`
	// Peers are whom the workers wait for, and Routes what visitors ask for: the first by time.
	Peers  []AppPeer  `json:"peers,omitempty"`
	Routes []AppRoute `json:"routes,omitempty"`
}

// Spent is how many workers are with one thing.
type Spent struct {
	On      Spending `json:"on"`
	Workers float64  `json:"workers"`
	// Margin is half the width of the 95 % interval of Workers; 0 where the kernel counts, and nil where
	// it is not known.
	Margin *float64 `json:"margin,omitempty"`
}

// Spending is a kind of what workers spend time on: states that one cure helps.
type Spending string

// What workers spend time on.
const (
	OnCPU      Spending = "cpu"      // run, or wait for a processor
	OnDatabase Spending = "database" //
	OnCaches   Spending = "caches"   // Redis and Memcached
	OnLocks    Spending = "locks"    // wait for locks, or sleep, which is how some wait for them
	OnServices Spending = "services" // other services: HTTP, mail, search, queues, names
	OnRest     Spending = "rest"     // disks, network file systems, child processes, the client
	OnUnknown  Spending = "unknown"  // could not be told
)

// AppPeer is one server that workers wait for.
type AppPeer struct {
	State snapshot.PHPState `json:"state"`
	// Peer is an address, the path of a socket, or for files the folder.
	Peer string `json:"peer"`
	Spent
}

// AppBlind are hosts of an application on which it is not known what its workers do.
type AppBlind struct {
	Hosts  []string `json:"hosts"`
	Reason string   `json:"reason"`
	// Remedy is a command or a setting; empty if only time helps.
	Remedy string `json:"remedy,omitempty"`
}

// Apps returns the applications of a fleet, the busiest first, judged by the rules of judged. findings are
// those that stand: routes name them.
func Apps(f *fleet.Fleet, judged []Rule, findings []Finding) []App {
	verdict := poolVerdict()
	if i := slices.IndexFunc(judged, func(r Rule) bool { return r.ID == verdict.ID }); i >= 0 {
		verdict = judged[i]
	}
	var out []App
	for _, a := range (Case{Fleet: f}).apps() {
		a.forget(func(p *fleet.Pool) bool { return p.Workers.Window.Seconds() <= 0 })
		app := App{Cluster: a.cluster, Name: a.name, Pools: []AppPool{}, Blind: a.shownBlindness()}
		for _, p := range f.Pools {
			if p.Cluster == a.cluster && p.Name == a.name {
				app.Pools = append(app.Pools, appPool(p))
			}
		}
		if len(a.pools) > 0 {
			app.Time = a.time(verdict.Threshold.Value)
			app.Time.Routes = a.topRoutes(suffering{waitBook{f}, a, findings})
		}
		out = append(out, app)
	}
	slices.SortStableFunc(out, func(a, b App) int { return cmp.Compare(b.busy(), a.busy()) })
	return out
}

func (a App) busy() float64 {
	if a.Time == nil {
		return 0
	}
	return a.Time.BusyWorkers
}

// forget takes pools for blind.
func (a *app) forget(which func(*fleet.Pool) bool) {
	for _, p := range a.pools {
		if which(p) {
			a.blind = append(a.blind, p)
		}
	}
	a.pools = slices.DeleteFunc(a.pools, which)
}

func (a *app) shownBlindness() []AppBlind {
	var out []AppBlind
	for _, b := range a.blindness() {
		out = append(out, AppBlind{Hosts: b.hosts, Reason: b.reason, Remedy: b.remedy})
	}
	return out
}

func appPool(p *fleet.Pool) AppPool {
	out := AppPool{Host: p.Host, Listen: p.Listen}
	if limit, known := p.MaxChildren(); known {
		out.MaxWorkers = &limit
	}
	if p.Latest != nil {
		out.Version = p.Latest.Version
		if p.Latest.Queue != nil {
			out.Queue = &p.Latest.Queue.Waiting
		}
	}
	out.addServed(p.Served)
	out.addWorkers(p.Workers)
	return out
}

func (p *AppPool) addServed(w *fleet.PoolWindow) {
	if w == nil || w.Window.Seconds() <= 0 {
		return
	}
	p.PeakQueue = w.PeakQueue
	if w.CPUSeconds != nil && w.RunQueueSeconds != nil {
		p.RunningWorkers = new((*w.CPUSeconds + *w.RunQueueSeconds) / w.Window.Seconds())
	}
	if w.Accepted != nil {
		p.RequestsPerSecond = new(float64(*w.Accepted) / w.Window.Seconds())
	}
}

func (p *AppPool) addWorkers(w *fleet.WorkerWindow) {
	if w == nil || w.Window.Seconds() <= 0 {
		return
	}
	one := app{pools: []*fleet.Pool{{Workers: w}}}
	p.Spent = one.spent()
	p.BusyWorkers = new(allOf(p.Spent))
	p.RequestsPerSecond = new(float64(w.Requests) / w.Window.Seconds())
	p.SaturatedRatio = new(min(w.SaturatedSeconds/w.Window.Seconds(), 1))
}

func allOf(spent []Spent) float64 {
	var sum float64
	for _, s := range spent {
		sum += s.Workers
	}
	return sum
}

// time is where the application's workers' time went; there is a pool that tells.
func (a *app) time(threshold float64) *AppTime {
	out := &AppTime{
		Window: a.window(), Spent: a.spent(), Peers: a.topPeers(),
		RequestsPerSecond: a.perSecond(func(w *fleet.WorkerWindow) float64 { return float64(w.Requests) }),
	}
	out.BusyWorkers, out.MaxWorkers = allOf(out.Spent), a.maxWorkers()
	out.Bound, out.BoundRatio = boundOf(out.share, threshold)
	if out.MaxWorkers != nil && out.BusyWorkers < freePool*float64(*out.MaxWorkers) {
		out.Bound = Healthy
	}
	return out
}

// share is the part of the busy time that goes to some of Spent.
func (t *AppTime) share(on ...Spending) float64 {
	if t.BusyWorkers <= 0 {
		return 0
	}
	var sum float64
	for _, s := range t.Spent {
		if slices.Contains(on, s.On) {
			sum += s.Workers
		}
	}
	return sum / t.BusyWorkers
}

func (a *app) maxWorkers() *int {
	sum := 0
	for _, p := range a.pools {
		limit, known := p.MaxChildren()
		if !known {
			return nil
		}
		sum += limit
	}
	return &sum
}

// spent is what the workers of all pools are with, in the order of Spending, without what takes none.
// What no state has of the time in which they were busy could not be told either.
func (a *app) spent() []Spent {
	var out []Spent
	told := 0.0
	for _, group := range spendings() {
		s := Spent{On: group.on}
		var variance float64
		for _, state := range group.states {
			s.Workers += a.perSecond(func(w *fleet.WorkerWindow) float64 { return w.States[state].Seconds })
			variance += a.variance(state)
		}
		if rest := a.busy() - told; group.on == OnUnknown && rest > roundingShare*told {
			s.Workers = max(s.Workers, rest)
		}
		told += s.Workers
		if s.Margin = marginOf(variance); s.Workers > 0 {
			out = append(out, s)
		}
	}
	return out
}

// roundingShare is what sums of floating point numbers may differ by.
const roundingShare = 1e-9

// variance is that of the workers in a state. Hosts are sampled apart.
func (a *app) variance(state snapshot.PHPState) float64 {
	var sum float64
	for _, p := range a.pools {
		seconds := p.Workers.Window.Seconds()
		sum += p.Workers.States[state].Variance / (seconds * seconds)
	}
	return sum
}

// spending is one Spending with its states.
type spending struct {
	on     Spending
	states []snapshot.PHPState
}

// spendings are in the order in which they are shown. Each state is in one of them, but for idle.
func spendings() []spending {
	return []spending{
		{OnCPU, []snapshot.PHPState{snapshot.PHPCPU, snapshot.PHPRunQueue}},
		{OnDatabase, []snapshot.PHPState{snapshot.PHPMySQL}},
		{OnCaches, []snapshot.PHPState{snapshot.PHPRedis, snapshot.PHPMemcached}},
		{OnLocks, []snapshot.PHPState{snapshot.PHPLock, snapshot.PHPSleep}},
		{OnServices, []snapshot.PHPState{snapshot.PHPHTTP, snapshot.PHPSMTP, snapshot.PHPSearch, snapshot.PHPAMQP, snapshot.PHPDNS}},
		{OnRest, []snapshot.PHPState{snapshot.PHPDisk, snapshot.PHPNetFS, snapshot.PHPChild, snapshot.PHPClient}},
		{OnUnknown, []snapshot.PHPState{snapshot.PHPUnknown}},
	}
}

// maxPeers is how many servers an application names: beyond, none had a hundredth of the time.
const maxPeers = 6

// topPeers are the servers that workers wait for, on all hosts.
func (a *app) topPeers() []AppPeer {
	type key struct {
		state snapshot.PHPState
		peer  string
	}
	workers, variance := map[key]float64{}, map[key]float64{}
	for _, p := range a.pools {
		seconds := p.Workers.Window.Seconds()
		for _, b := range p.Workers.Backends {
			k := key{b.State, b.Peer}
			workers[k] += b.Seconds / seconds
			variance[k] += b.Variance / (seconds * seconds)
		}
	}
	var out []AppPeer
	for k, n := range workers {
		if k.peer != snapshot.OtherPeer && k.peer != "" {
			out = append(out, AppPeer{State: k.state, Peer: k.peer, Spent: Spent{On: spendingOf(k.state), Workers: n, Margin: marginOf(variance[k])}})
		}
	}
	slices.SortFunc(out, func(a, b AppPeer) int {
		return cmp.Or(cmp.Compare(b.Workers, a.Workers), cmp.Compare(a.Peer, b.Peer), cmp.Compare(a.State, b.State))
	})
	return out[:min(len(out), maxPeers)]
}

func statesOf(on ...Spending) []snapshot.PHPState {
	var out []snapshot.PHPState
	for _, group := range spendings() {
		if slices.Contains(on, group.on) {
			out = append(out, group.states...)
		}
	}
	return out
}

func spendingOf(s snapshot.PHPState) Spending {
	for _, group := range spendings() {
		if slices.Contains(group.states, s) {
			return group.on
		}
	}
	return OnUnknown
}
