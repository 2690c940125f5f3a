package rules

import (
	"fmt"
	"math"

	"plimsoll/rules/fleet"
)

// listenQueue finds pools in front of which visitors wait for a free worker.
func listenQueue() Rule {
	return Rule{
		ID: "phpfpm/listen-queue", Title: "Visitors wait for a free PHP worker",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"phpfpm"},
		Threshold: Threshold{
			Value: 1, Unit: Count,
			Source: "default of this rule: one connection that waits in a hundredth of all looks is a pool that runs out of workers",
		},
		Check: func(c Case) Result {
			return c.eachPool(func(p *fleet.Pool) (*Finding, *NotReady) { return listenQueueOn(c, p) })
		},
	}
}

func listenQueueOn(c Case, p *fleet.Pool) (*Finding, *NotReady) {
	if n := c.poolUnready(p, "phpfpm", p.Served.Seen()); n != nil {
		return nil, n
	}
	if p.Served.PeakQueue == nil {
		return nil, c.poolUnknown(p, "phpfpm", "how many connections wait in front of it is not known")
	}
	waiting := *p.Served.PeakQueue
	if waiting < c.Rule.Threshold.Value || justArrived(p, waiting) {
		return nil, nil
	}
	if lasted, known := queueLasted(p, waiting); !known {
		return nil, &NotReady{Subject: aboutPool(p), Reason: "connections waited in front of it, but in how many looks is not known", ReadyAt: c.Fleet.Now.Add(c.Rule.MinWindow)}
	} else if !lasted {
		return nil, nil
	}
	f := listenQueueFinding(c, p, waiting)
	return &f, nil
}

// justArrived reports whether what waited was on its way to a free worker: until that has woken up a
// connection waits too, and a busy host takes its time for it. Only the probe knows that one was free.
func justArrived(p *fleet.Pool, waiting float64) bool {
	return waiting < 2 && p.Workers != nil && p.Workers.SaturatedSeconds == 0
}

// queuedLooks is how many looks must have met connections that waited: in a window of minutes one alone is a hundredth
// of all, and it may have met one that was about to be taken.
const queuedLooks = 2

// queueLasted reports whether connections waited for more than a moment; known is false if that cannot be told. A queue
// that was full turned others away, and a pool that wanted a worker more than it may have (max_children_reached) had none
// free, however seldom somebody looked.
func queueLasted(p *fleet.Pool, waiting float64) (lasted, known bool) {
	reached := p.Served.MaxChildrenReached
	switch looks := p.Served.QueueLooks; {
	case isFull(p, waiting), reached != nil && *reached > 0:
		return true, true
	case looks == nil:
		return false, false
	default:
		return looks.Waiting >= queuedLooks, true
	}
}

func isFull(p *fleet.Pool, waiting float64) bool {
	length, known := queueLength(p)
	return known && waiting >= length
}

func listenQueueFinding(c Case, p *fleet.Pool, waiting float64) Finding {
	w := p.Served.Window
	f := Found(c.Rule, aboutPool(p), c.evidence("connections that waited, 99th percentile", waiting, "sock_diag", w))
	f.Severity, f.Confidence, f.Effort = High, c.confidence(0.9, w), Hours
	f.Summary = fmt.Sprintf("%s waited in front of %s, and no worker took them at once.", waitingConnections(waiting), calledPool(p))
	if looks := p.Served.QueueLooks; looks != nil {
		met := Evidence{What: "looks that met connections that waited", Value: float64(looks.Waiting), Unit: Count, Source: "sock_diag", Window: w}
		f.Evidence = append(f.Evidence,
			met.against(queuedLooks, "default of this rule: one alone may have met a connection on its way to a worker"),
			Evidence{What: "looks at the queue", Value: float64(looks.Looks), Unit: Count, Source: "sock_diag", Window: w})
	}
	if length, known := queueLength(p); known {
		f.Evidence = append(f.Evidence, Evidence{What: "connections that can wait", Value: length, Unit: Count, Source: "sock_diag", Window: moment(c.Fleet.Now)})
	}
	if isFull(p, waiting) {
		f.Severity = Critical
		f.Summary = fmt.Sprintf("The queue of %s was full with %s connections: a full one turns visitors away.", calledPool(p), Words(waiting, Count))
	}
	if limit, known := p.MaxChildren(); known {
		f.Evidence = append(f.Evidence, Evidence{What: "pm.max_children", Value: float64(limit), Unit: Count, Source: "the pool's configuration", Window: moment(c.Fleet.Now)})
	}
	f.Remedy = []Step{
		{Kind: Advice, Text: "Look at what its workers wait for (phpfpm/pool-verdict): what makes each request shorter empties the queue."},
		{Kind: Advice, Text: "Only where processors and memory are free, and the database is not what they wait for, more workers help (phpfpm/pool-too-small)."},
	}
	f.Risks = []string{"A longer backlog lets visitors wait longer for what they have left by then; it serves nobody faster."}
	f.Verify = Verify{What: "connections that waited, 99th percentile", Expect: "below " + Words(c.Rule.Threshold.Value, Count), After: "the next peak"}
	return f
}

// waitingConnections names a percentile of how many waited, of which there are no parts.
func waitingConnections(n float64) string {
	if n = math.Round(n); n <= 1 {
		return "A connection"
	}
	return Words(n, Count) + " connections"
}

// queueLength is how many connections can wait in front of a pool.
func queueLength(p *fleet.Pool) (float64, bool) {
	if p.Latest == nil || p.Latest.Queue == nil || p.Latest.Queue.Length == nil || *p.Latest.Queue.Length == 0 {
		return 0, false
	}
	return float64(*p.Latest.Queue.Length), true
}
