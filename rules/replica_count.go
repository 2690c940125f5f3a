package rules

import (
	"fmt"
	"math"

	"plimsoll/rules/fleet"
)

// replayShare is what part of the primary's time for a write its replay takes on
// a replica: no statement is parsed and no row searched for by condition.
//
// An assumption: row-based replay is reported at 0.3 to 0.7.
const replayShare = 0.6

// replicaCount says whether another replica would help, and why not: it only
// carries reads, it applies every write of the primary too, and no server should
// be bought for what an index cures.
func replicaCount() Rule {
	return Rule{
		ID: "mysql/replica-count", Title: "Another replica would help, or would not",
		Phase: Capacity, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/digests", "mysql/replication", "host"},
		Threshold: Threshold{
			Value: 0.72, Unit: Ratio,
			Source: "queueing: on 4 processors the response time has grown by half at 72 % (Erlang C), and one replica must be able to fail",
		},
		Check: func(c Case) Result {
			return each(c.writers(), func(s *fleet.Server) (*Finding, *NotReady) { return replicaCountOn(c, s) })
		},
	}
}

func replicaCountOn(c Case, primary *fleet.Server) (*Finding, *NotReady) {
	if len(primary.Replicas) == 0 {
		return nil, nil
	}
	readers, n := c.readers(primary)
	if n != nil || len(readers) == 0 {
		return nil, n // without readers mysql/read-split speaks first
	}
	load, known := loadOf(readers)
	if !known {
		return nil, &NotReady{Subject: aboutServer(primary), Reason: "the processors of its replicas' hosts are not known"}
	}
	if load.ratio < c.Rule.Threshold.Value {
		return nil, nil
	}
	if n := c.unready(aboutServer(primary), primary, "mysql/digests", primary.Digests.Seen()); n != nil {
		return nil, n
	}
	f := replicaCountFinding(c, primary, len(readers), load)
	return &f, nil
}

// readers are the replicas that serve visitors. One whose statements are not
// known may be among them.
func (c Case) readers(primary *fleet.Server) ([]*fleet.Server, *NotReady) {
	var out []*fleet.Server
	for _, r := range primary.Replicas {
		rate, known := readRate(r)
		if !known {
			return nil, c.unready(aboutServer(r), r, "mysql/digests", r.Digests.Seen())
		}
		if rate >= servesReads {
			out = append(out, r)
		}
	}
	return out, nil
}

// loadOf is the mean of the servers' hosts, with the first doubt.
func loadOf(servers []*fleet.Server) (busyHost, bool) {
	var mean busyHost
	n := float64(len(servers))
	for _, s := range servers {
		h, known := hostOf(s)
		if !known {
			return busyHost{}, false
		}
		mean.ratio += h.ratio / n
		mean.cores += h.cores / n
		mean.what = h.what
		if mean.doubt == "" {
			mean.doubt = h.doubt
		}
	}
	return mean, true
}

// replay is how busy the primary's writes keep each replica, whatever it reads:
// replicas share out the reads and repeat the writes.
func replay(primary *fleet.Server, on busyHost) float64 {
	load, _ := statementLoad(primary)
	writes := load * timeRatio(primary.Digests, func(d fleet.Digest) bool { return len(d.Writes) > 0 })
	return min(replayShare*writes/on.cores, on.ratio)
}

// replicasWanted is how many replicas keep each at most at limit, for n that are
// as busy as load, of which replay stays on each: n (U - w) / (limit - w).
func replicasWanted(n int, load busyHost, replay, limit float64) int {
	return max(int(math.Ceil(float64(n)*(load.ratio-replay)/(limit-replay)-1e-9)), n+1)
}

// replicaCountFinding advises more replicas, or says what must come first.
func replicaCountFinding(c Case, primary *fleet.Server, n int, load busyHost) Finding {
	w, limit := primary.Digests.Window, c.Rule.Threshold.Value
	writes := replay(primary, load)
	f := Found(c.Rule, aboutServer(primary),
		load.evidence("the replicas", w, limit, c.Rule.Threshold.Source),
		Evidence{What: "replicas that serve reads", Value: float64(n), Unit: Count, Source: "digests of each replica", Window: w},
		Evidence{What: "of the processors for applying the primary's writes, at most", Value: writes, Unit: Ratio, Source: "digests of the primary; replay is taken for 60 % of a write's time", Window: w},
	)
	f.Severity = Medium
	f.Confidence = c.hostConfidence(0.6, w, load, "how much of a write's time its replay takes is assumed")
	f.Effort = Days
	f.Verify = Verify{What: "processors of the replicas busy", Expect: "below " + Words(limit, Ratio), After: "a busy day"}
	if why, first := c.whyNotAnother(primary, writes); why != "" {
		f.Summary = fmt.Sprintf("The replicas of %s are %s busy, and another one is not the cure: %s.", called(primary), Words(load.ratio, Ratio), why)
		f.Remedy = []Step{{Kind: Advice, Text: first}}
		return f
	}
	wanted := replicasWanted(n, load, writes, limit)
	after := writes + (load.ratio-writes)*float64(n)/float64(wanted)
	f.Gain.Headroom = Between(1, load.ratio/after)
	f.Summary = fmt.Sprintf("The %d replicas of %s are %s busy: with %d each would be %s busy.",
		n, called(primary), Words(load.ratio, Ratio), wanted, Words(after, Ratio))
	if n == 1 {
		f.Summary = fmt.Sprintf("The replica of %s is %s busy: with %d each would be %s busy.", called(primary), Words(load.ratio, Ratio), wanted, Words(after, Ratio))
	}
	f.Remedy = []Step{
		{Kind: Advice, Text: fmt.Sprintf("Add %d to the readers, and one more so that one may fail.", wanted-n), Note: "Warm each before it serves."},
		cloneStep(primary),
	}
	f.Risks = []string{"Every replica applies all writes: more of them carry no more of those."}
	return f
}

// whyNotAnother returns why another replica would not help and what comes first,
// or nothing.
func (c Case) whyNotAnother(primary *fleet.Server, replay float64) (why, first string) {
	switch {
	case c.missingIndexOn(primary) != nil:
		return "an index is missing, which the reads of every replica need", "Add the missing index first (mysql/missing-index)."
	case replay >= c.Rule.Threshold.Value/2:
		return "much of their work is repeating the primary's writes, which every replica has to",
			"Write less first: several rows a commit, and sessions, caches and counters in Redis."
	case c.cureOn(primary, "mysql/replica-falling-behind") != nil:
		return "one of them cannot even apply what is written", "Mend the replica that falls behind first (mysql/replica-falling-behind)."
	case c.cureOn(primary, "mysql/replica-stopped") != nil:
		return "one of them has stopped, and the others carry its readers", "Start the replica that has stopped first (mysql/replica-stopped)."
	}
	return "", ""
}
