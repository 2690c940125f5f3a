package sampler

import "time"

// spent is time with requests, in seconds: busy contains the other two.
type spent struct{ busy, cpu, queue float64 }

func (s *spent) add(o spent) {
	s.busy += o.busy
	s.cpu += o.cpu
	s.queue += o.queue
}

// account is where the time of one worker goes. Every moment from the first look to the last is in exactly one
// span: idle, with a request that was looked at, or with one that came and went between two looks.
//
// It is a pure function of what it is told: slots of the scoreboard at a time, and schedstat.
type account struct {
	pid     int
	at      time.Duration // Until here all is accounted for.
	last    slot
	current *visit // The request that the worker has; nil while idle.
	sched   sched
	known   bool // sched was read once.
	// owed is time with requests since schedstat was read: what that says next is shared out over it.
	owed []owed
}

type owed struct {
	to      *spent
	seconds float64
}

// visit is a request as it was looked at.
type visit struct {
	accepted time.Duration
	spent    spent
	// seen are the waits that were met; empty if no look fell into the request.
	seen []seen
	// tried is how often its parameters were read in vain.
	tried  int
	known  bool
	name   routeName
	root   string
	recall recall
}

// routeName is a kind of request.
type routeName struct{ method, route string }

// pace is how FPM's workers go from one request to the next.
type pace struct {
	// teardown is how long it takes from when FPM calls a request finished to when the worker waits for the next
	// one, in seconds: sessions are closed and destructors run in it. It is the mean of those that were seen whole.
	teardown float64
}

func (p *pace) learn(seconds float64) {
	const weight = 0.05
	if seconds >= 0 && seconds < 1 {
		p.teardown += weight * (seconds - p.teardown)
	}
}

// ending is a request that ended, or several that nobody looked at.
type ending struct {
	visit    *visit  // Nil for those that came and went between two looks.
	count    float64 // How many they are.
	spent    *spent
	duration float64 // How long one took.
	// informed is for how long of that its parameters were there to be read.
	informed float64
}

// look accounts for the time since the last look. It returns how long the worker was idle and which requests
// ended.
func (a *account) look(s slot, now time.Duration, p *pace) (idle float64, ended []ending) {
	from, before := a.at, a.last
	a.at, a.last = now, s
	came := s.requests - before.requests
	if came == 0 && (a.current != nil || !s.busy) {
		return a.stay(s, from, now, p)
	}
	accepted := clamp(s.accepted, from, now)
	if came == 0 { // The entry was read while FPM wrote it: the count comes last.
		came, accepted = 1, now
		a.last.requests++
	}
	tail, idleTail, gone := a.between(s, from, accepted, came, p)
	idle += idleTail
	if a.current != nil {
		a.owe(&a.current.spent, tail)
		ended = append(ended, a.finish(from+time.Duration(tail*float64(time.Second)), p))
	}
	if gone.count > 0 {
		ended = append(ended, gone)
	}
	if s.busy {
		a.current = &visit{accepted: accepted}
		a.owe(&a.current.spent, seconds(now-accepted))
		return idle, ended
	}
	end := clamp(s.changed, accepted, now)
	p.learn(seconds(s.changed - s.accepted - s.duration))
	whole := ending{count: 1, spent: &spent{}, duration: seconds(end - accepted)}
	a.owe(whole.spent, whole.duration)
	return idle + seconds(now-end), append(ended, whole)
}

// stay is a look at a worker that took no request since the last one.
func (a *account) stay(s slot, from, now time.Duration, p *pace) (idle float64, ended []ending) {
	switch {
	case a.current == nil:
		return seconds(now - from), nil
	case s.busy:
		a.owe(&a.current.spent, seconds(now-from))
		return 0, nil
	}
	end := clamp(s.changed, from, now)
	p.learn(seconds(s.changed - s.accepted - s.duration))
	a.owe(&a.current.spent, seconds(end-from))
	return seconds(now - end), []ending{a.finish(end, p)}
}

// finish ends the current request.
func (a *account) finish(end time.Duration, p *pace) ending {
	v := a.current
	a.current = nil
	took := seconds(end - v.accepted)
	return ending{visit: v, count: 1, spent: &v.spent, duration: took, informed: max(0, took-p.teardown)}
}

// between shares out the time before the last request was accepted: the tail of the one of the last look, others
// that came and went, and idleness. The scoreboard tells how many they were, and how long the one took that ended
// last; for the others this is the best guess.
func (a *account) between(s slot, from, accepted time.Duration, came uint64, p *pace) (tail, idle float64, gone ending) {
	left := seconds(accepted - from)
	one := seconds(s.duration) + p.teardown
	if a.current != nil {
		switch {
		case came == 1 && s.busy:
			// The duration is that of the request of the last look.
			tail = min(left, max(0, seconds(a.current.accepted+s.duration-from)+p.teardown))
		default:
			tail = min(left, one/2)
		}
		left -= tail
	}
	if came > 1 {
		n := float64(came - 1)
		gone = ending{count: n, spent: &spent{}, duration: one}
		busy := min(left, n*one)
		a.owe(gone.spent, busy)
		left -= busy
	}
	return tail, left, gone
}

func (a *account) owe(to *spent, seconds float64) {
	to.busy += seconds
	if n := len(a.owed); n > 0 && a.owed[n-1].to == to {
		a.owed[n-1].seconds += seconds
		return
	}
	a.owed = append(a.owed, owed{to, seconds})
}

// settle shares out what the scheduler counted since the last time over the time with requests since then. It
// may be more than that: a worker also runs to accept a request, which counts as idle.
func (a *account) settle(s sched) {
	before := a.sched
	a.sched = s
	if !a.known || s.cpu < before.cpu || s.queue < before.queue {
		a.known, a.owed = true, a.owed[:0]
		return
	}
	cpu, queue := float64(s.cpu-before.cpu)/1e9, float64(s.queue-before.queue)/1e9
	var all float64
	for _, o := range a.owed {
		all += o.seconds
	}
	if over := cpu + queue; over > all && over > 0 {
		cpu, queue = cpu*all/over, queue*all/over
	}
	for _, o := range a.owed {
		if all > 0 {
			o.to.cpu += cpu * o.seconds / all
			o.to.queue += queue * o.seconds / all
		}
	}
	a.owed = a.owed[:0]
}

func clamp(d, low, high time.Duration) time.Duration { return max(low, min(d, high)) }

func seconds(d time.Duration) float64 { return d.Seconds() }
