package rules

import (
	"fmt"
	"math"
	"slices"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// Bound is what keeps the workers of a pool.
type Bound string

// What workers can be bound by. Healthy is a pool of which nothing has half of the time, or whose
// workers are mostly free.
const (
	ByDatabase Bound = "database"
	ByCPU      Bound = "processors"
	ByLocks    Bound = "locks"
	ByServices Bound = "other services"
	Healthy    Bound = "nothing"
)

// boundBy is what of the busy time tells for each.
func boundBy() map[Bound][]Spending {
	return map[Bound][]Spending{
		ByDatabase: {OnDatabase}, ByCPU: {OnCPU}, ByLocks: {OnLocks}, ByServices: {OnServices, OnCaches},
	}
}

// freePool is the share of its workers below which a pool that is busy so much on average is not short
// of any: Erlang's formula gives less than one request in a hundred that waits, for five workers and more.
const freePool = 0.2

// Verdict says what a pool is bound by, and the share of its busy time that this takes. It is false
// where the time of its workers is not known.
func Verdict(p *fleet.Pool, threshold float64) (Bound, float64, bool) {
	if p.Workers == nil || p.Workers.WorkerSeconds <= 0 {
		return "", 0, false
	}
	by, share := boundOf(func(on ...Spending) float64 { return p.Workers.Share(statesOf(on...)...) }, threshold)
	return by, share, true
}

// boundOf says what takes most of the busy time, and its share; nothing where that is below threshold.
func boundOf(share func(...Spending) float64, threshold float64) (Bound, float64) {
	by, most := Healthy, 0.0
	for _, b := range []Bound{ByDatabase, ByCPU, ByLocks, ByServices} {
		if s := share(boundBy()[b]...); s > most {
			by, most = b, s
		}
	}
	if most < threshold {
		return Healthy, most
	}
	return by, most
}

// poolVerdict says what keeps the workers of a pool: the sentence under which all other findings
// about PHP stand.
func poolVerdict() Rule {
	return Rule{
		ID: "phpfpm/pool-verdict", Title: "PHP workers wait for one thing",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm/profile", "phpfpm"},
		Threshold: Threshold{
			Value: 0.5, Unit: Ratio,
			Source: "default of this rule: what takes half of the workers' time is the only thing that can make pages twice as fast",
		},
		Check: func(c Case) Result {
			return c.eachPool(func(p *fleet.Pool) (*Finding, *NotReady) { return poolVerdictOn(c, p) })
		},
	}
}

func poolVerdictOn(c Case, p *fleet.Pool) (*Finding, *NotReady) {
	if n := c.poolUnready(p, "phpfpm/profile", p.Workers.Seen()); n != nil {
		return nil, n
	}
	bound, share, known := Verdict(p, c.Rule.Threshold.Value)
	if !known || bound == Healthy {
		return nil, nil
	}
	limit, known := p.MaxChildren()
	if !known {
		return nil, c.poolUnknown(p, "phpfpm", "how many workers it may have (pm.max_children) is not known")
	}
	busy := p.Workers.BusySeconds() / p.Workers.Window.Seconds()
	if busy < freePool*float64(limit) {
		return nil, nil
	}
	f := poolVerdictFinding(c, p, bound, share, busy/float64(limit))
	return &f, nil
}

func poolVerdictFinding(c Case, p *fleet.Pool, bound Bound, share, used float64) Finding {
	w := p.Workers.Window
	f := Found(c.Rule, aboutPool(p),
		c.evidence(bound.Words()+", of the busy time", share, sourceOf(statesOf(boundBy()[bound]...)...), w).within(shareMargin(p, boundBy()[bound]...)),
		Evidence{What: "workers that are busy, of pm.max_children", Value: used, Unit: Ratio, Source: "plimsoll-probe", Window: w}.
			against(freePool, "Erlang's formula: below, less than one request in a hundred waits, of five workers and more"),
	)
	f.addStates(p, w)
	f.addPlaces(p, bound, w)
	f.Severity = Low
	if used >= 0.8 {
		f.Severity = High
	} else if used >= 0.5 {
		f.Severity = Medium
	}
	f.Confidence = c.confidence(0.9, w)
	f.Summary = fmt.Sprintf("The workers of %s spend %s of their busy time %s.", calledPool(p), Words(share, Ratio), bound.Words())
	f.Effort = Days
	f.Remedy = boundSteps(bound)
	if bound == ByLocks && p.Workers.States[snapshot.PHPSleep].Seconds > p.Workers.States[snapshot.PHPLock].Seconds {
		f.Remedy = sleepSteps()
	}
	f.Verify = Verify{What: bound.Words() + ", of the busy time", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "a busy day"}
	return f
}

// Words says what workers do that are bound so, such as waiting for the database; empty for nothing.
func (b Bound) Words() string {
	return map[Bound]string{
		ByDatabase: "waiting for the database",
		ByCPU:      "running or waiting for a processor",
		ByLocks:    "waiting for locks or sleeping",
		ByServices: "waiting for caches and other services",
	}[b]
}

// addStates adds each state that has a twentieth of the busy time, with its interval.
func (f *Finding) addStates(p *fleet.Pool, w fleet.Window) {
	busy := p.Workers.BusySeconds()
	states := slices.DeleteFunc(snapshot.PHPStates(), func(s snapshot.PHPState) bool {
		return s == snapshot.PHPIdle || p.Workers.States[s].Seconds < busy/20
	})
	for _, s := range states {
		what := string(s) + ", of the busy time"
		f.Evidence = append(f.Evidence, Evidence{What: what, Value: p.Workers.Share(s), Unit: Ratio, Source: sourceOf(s), Window: w, Margin: over(new(p.Workers.Interval(s)), busy)})
	}
}

// sourceOf is where the time in some states is from: the kernel counts what runs and what waits to run.
func sourceOf(states ...snapshot.PHPState) string {
	for _, s := range states {
		if s != snapshot.PHPCPU && s != snapshot.PHPRunQueue {
			return sampling
		}
	}
	return "/proc/PID/schedstat"
}

// shareMargin is half the width of the 95 % interval of what a pool spends on something, as a part of its busy time.
func shareMargin(p *fleet.Pool, on ...Spending) *float64 {
	margin := 0.0
	for _, s := range statesOf(on...) {
		margin = math.Hypot(margin, p.Workers.Interval(s))
	}
	return over(&margin, p.Workers.BusySeconds())
}

// addPlaces adds where most of the bound's time is spent, as far as places in the program were seen.
func (f *Finding) addPlaces(p *fleet.Pool, b Bound, w fleet.Window) {
	a := &app{cluster: p.Cluster, name: p.Name, pools: []*fleet.Pool{p}}
	states := statesOf(boundBy()[b]...)
	f.addRows(a.rows(func(r snapshot.ProfileRow) bool {
		return r.Code != "" && slices.Contains(states, r.State)
	}), a.busy(), w)
}

func sleepSteps() []Step {
	return []Step{{
		Kind: Advice, Text: "Take the sleeping out of requests: a limit for eager clients belongs into the web server (limit_req), and a wait for something into a queue.",
		Note: "A worker that sleeps serves nobody, and more workers only sleep in larger numbers.",
	}}
}

func boundSteps(b Bound) []Step {
	advise := func(text, note string) []Step { return []Step{{Kind: Advice, Text: text, Note: note}} }
	switch b {
	case ByDatabase:
		return advise("Take the findings about statements and indexes first: those that name requests cost visitors most.",
			"More workers would send the database more at once, and make each statement slower.")
	case ByCPU:
		return advise("Cache whole pages for visitors without a session, and see that opcache is large enough; then add web hosts.",
			"No change of the database makes these pages faster.")
	case ByLocks:
		return advise("Release the session before slow work (session_write_close), and do not let requests of one visitor wait for each other.",
			"More workers only wait in larger numbers.")
	default:
		return advise("Move calls of other services out of visitors' requests: into a queue, or behind a cache with a deadline of some hundred milliseconds.",
			"A service that hangs takes all workers with it.")
	}
}
