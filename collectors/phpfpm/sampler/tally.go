package sampler

import (
	"math"
	"time"

	"plimsoll/collectors/snapshot"
)

// seen is one wait of one request, as looks met it.
type seen struct {
	// key is what it is told apart by, without method and route, and line where it was in the program.
	key  snapshot.ProfileKey
	line int
	// weight is how much time its looks stand for, looks how many they are, drawn the variance of the weight in
	// square seconds that comes from looking at some workers only.
	weight float64
	looks  int
	drawn  float64
	// continued is true for a wait whose beginning was already accounted for.
	continued bool
	// repeat is true if the request had waited for the statement before, identical if with the same literals.
	repeat, identical bool
}

// blocked reports whether it is a wait at all: processor and run queue are known without looks.
func (s seen) blocked() bool { return s.key.State != snapshot.PHPCPU }

// variance is that of its weight as an estimate of how long the wait was, in square seconds. A wait that is
// shorter than looks are apart (T) is met with probability L/T and then counts T: its variance is TL-L², at most
// T² for each that is met. One that is longer is met once more or less often than its length says: the variance
// of T times a rounded number is at most T²/4, and T²/6 in the mean over all lengths.
//
// Where only some workers are looked at, one that is met with chance c counts T/c. What that adds for each look is
// (1-c)(T/c)² (Horvitz and Thompson, 1952), so that a long wait is no longer known within a part of T.
func (s seen) variance() float64 {
	apart := s.weight / float64(s.looks)
	if s.looks == 1 && !s.continued {
		return apart * apart
	}
	regular := max(0, apart*apart-s.drawn/float64(s.looks))
	return regular/6 + s.drawn
}

// met returns the wait with one more look at it.
func (s seen) met(by draw) seen {
	weight := seconds(by.every) / by.chance
	s.weight += weight
	s.drawn += (1 - by.chance) * weight * weight
	s.looks++
	return s
}

// draw is how it came to a look: at all busy workers every so often, at each with a chance above 0 and at most 1.
type draw struct {
	every  time.Duration
	chance float64
}

// meets is the probability that something is met which takes some seconds: each look at the worker may do so.
func (d draw) meets(took float64) float64 {
	every := seconds(d.every)
	if took < every {
		return d.chance * took / every
	}
	if d.chance >= 1 {
		return 1
	}
	return 1 - math.Pow(1-d.chance, took/every)
}

// tally is what is known of one kind of request since accounts were last closed.
type tally struct {
	spent    spent
	requests float64
	rows     map[snapshot.ProfileKey]*rowTally
	// unseen and unseenCount are how much time, and how many requests, the visits of this kind stand for that
	// nobody looked at: one whose parameters can be read for less time (D) than looks are apart (T) is met so with
	// probability D/T.
	unseen, unseenCount float64
	// unseenVariance is that of unseen, in square seconds.
	unseenVariance float64
	// doubt is the variance of what spent has of requests that nobody looked at, in square seconds.
	doubt float64
	// waiting is for how many closings there is time and no look to tell what it was.
	waiting int
}

type rowTally struct {
	weight, variance          float64
	waits                     uint64
	samples                   uint64
	repeats, identicalRepeats uint64
	line                      int
}

func newTally() *tally { return &tally{rows: map[snapshot.ProfileKey]*rowTally{}} }

// take moves what is known of a visit into the tally.
func (t *tally) take(v *visit) {
	t.spent.add(v.spent)
	v.spent = spent{}
	for i, s := range v.seen {
		t.row(s)
		v.seen[i].weight, v.seen[i].looks, v.seen[i].continued = 0, 0, true
	}
	// The last wait may go on; what came before it is done.
	if n := len(v.seen); n > 0 {
		v.seen = append(v.seen[:0], v.seen[n-1])
	}
}

func (t *tally) row(s seen) {
	if s.looks == 0 {
		return
	}
	r := t.rows[s.key]
	if r == nil {
		r = &rowTally{}
		t.rows[s.key] = r
	}
	if s.line > 0 {
		r.line = s.line
	}
	r.weight += s.weight
	r.variance += s.variance()
	r.samples += uint64(s.looks)
	if s.continued {
		return
	}
	r.waits++
	if s.repeat {
		r.repeats++
	}
	if s.identical {
		r.identicalRepeats++
	}
}

// end counts a visit that ended, and those that it stands for.
func (t *tally) end(e ending, by draw) {
	t.requests++
	if by.every <= 0 {
		return
	}
	// At most one stands for a hundred for each that is drawn: what took no time at all is no measure.
	others := 1/max(by.meets(e.informed), 0.01*by.chance) - 1
	t.unseen += others * e.duration
	t.unseenCount += others
	// One that is met with chance c stands for 1/c of its kind. That many are met once more or less often than c
	// says, which is (1-c)/c² each (Horvitz and Thompson, 1952).
	t.unseenVariance += others * (others + 1) * e.duration * e.duration
}

// batch is what is known of a pool's requests since accounts were last closed.
type batch struct {
	routes map[routeName]*tally
	// gone are requests that came and went between two looks.
	gone      spent
	goneCount float64
}

func newBatch() *batch { return &batch{routes: map[routeName]*tally{}} }

// maxTallies bounds how many kinds of requests a batch tells apart.
const maxTallies = 1000

func (b *batch) tally(name routeName) *tally {
	t := b.routes[name]
	if t == nil {
		if len(b.routes) >= maxTallies {
			name = routeName{route: snapshot.OtherRoute}
		}
		if t = b.routes[name]; t == nil {
			t = newTally()
			b.routes[name] = t
		}
	}
	return t
}

// end books a request that ended. One that nobody looked at is known by its length only, which also tells
// nothing of its route; one whose parameters could not be read has an unknown route.
func (b *batch) end(e ending, by draw) {
	if e.visit == nil || len(e.visit.seen) == 0 && !e.visit.known {
		b.gone.add(*e.spent)
		b.goneCount += e.count
		return
	}
	b.carry(e.visit)
	b.tally(e.visit.name).end(e, by)
}

// carry books what is known of a request so far.
func (b *batch) carry(v *visit) {
	if !v.known {
		v.name = routeName{route: unknownRoute}
	}
	b.tally(v.name).take(v)
}

// spread shares out the requests that nobody looked at over the kinds that stand for them. Without any such
// kind they stay for the next time.
func (b *batch) spread() {
	kinds := b.standIns()
	var time, count, variance float64
	for _, t := range kinds {
		time += t.unseen
		count += t.unseenCount
		variance += t.unseenVariance
	}
	if time <= 0 || count <= 0 {
		return
	}
	for _, t := range kinds {
		share := t.unseen / time
		t.spent.add(spent{b.gone.busy * share, b.gone.cpu * share, b.gone.queue * share})
		// How long all of them took is known; the variance of a ratio is as in part.of.
		others := max(0, variance-t.unseenVariance)
		scale := b.gone.busy / time
		t.doubt += scale * scale * ((1-share)*(1-share)*t.unseenVariance + share*share*others)
		t.requests += b.goneCount * t.unseenCount / count
	}
	for _, t := range b.routes {
		t.unseen, t.unseenCount, t.unseenVariance = 0, 0, 0
	}
	b.gone, b.goneCount = spent{}, 0
}

// standIns returns the kinds that stand for requests that nobody looked at. One of no known kind was met before
// its parameters were there, and tells no kind of others, unless there is none else.
func (b *batch) standIns() []*tally {
	var known, unknown []*tally
	for name, t := range b.routes {
		switch {
		case t.unseen <= 0:
		case name.route == unknownRoute:
			unknown = append(unknown, t)
		default:
			known = append(known, t)
		}
	}
	if len(known) > 0 {
		return known
	}
	return unknown
}
