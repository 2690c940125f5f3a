package rules

import (
	"fmt"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// replicaCount says whether another replica would help, and why not: it only
// carries reads, it applies every write of the primary too, and no server should
// be bought for what an index cures.
func replicaCount() Rule {
	return Rule{
		ID: "mysql/replica-count", Title: "Another replica would help, or would not",
		Phase: Capacity, MinWindow: aMinute, Window: 7 * aDay,
		Needs: []string{"mysql/digests", "mysql/replication", "host"},
		Threshold: Threshold{
			Value: 0.75, Unit: Ratio,
			Source: "queueing: with 4 cores the response time has grown by half at 72 % (Erlang C), and one replica must be able to fail",
		},
		Check: checkReplicaCount,
	}
}

func checkReplicaCount(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if s.Role == fleet.Replica {
			continue
		}
		out.add(replicaCountResult(c, s))
	}
	return out
}

func replicaCountResult(c Case, primary *fleet.Server) (*Finding, *NotReady) {
	if n := c.unready(aboutServer(primary), primary, "mysql/digests", primary.Digests.Seen()); n != nil {
		return nil, n
	}
	readers, n := readingReplicas(c, primary)
	if n != nil || len(readers) == 0 {
		return nil, n // without readers mysql/read-split speaks first
	}
	busy, known := meanBusy(readers)
	if !known {
		return nil, &NotReady{Subject: aboutServer(primary), Reason: "the processors of its replicas' hosts are not known"}
	}
	if busy < c.Rule.Threshold.Value {
		return nil, nil
	}
	f := replicaCountFinding(c, primary, readers, busy)
	return &f, nil
}

// readingReplicas are those that serve visitors. A replica whose statements are
// not known may be one.
func readingReplicas(c Case, primary *fleet.Server) ([]*fleet.Server, *NotReady) {
	var out []*fleet.Server
	for _, r := range primary.Replicas {
		if n := c.unready(aboutServer(r), r, "mysql/digests", r.Digests.Seen()); n != nil {
			return nil, n
		}
		if rate, known := r.Status.Rate("com_select"); known && rate >= servesReads {
			out = append(out, r)
		}
	}
	return out, nil
}

func meanBusy(servers []*fleet.Server) (float64, bool) {
	var sum float64
	for _, s := range servers {
		busy, known := primaryBusy(s)
		if !known {
			return 0, false
		}
		sum += busy
	}
	return sum / float64(len(servers)), true
}

// replicaCountFinding advises another replica, or says what must come first.
func replicaCountFinding(c Case, primary *fleet.Server, readers []*fleet.Server, busy float64) Finding {
	w := primary.Digests.Window
	writes := writeRatio(primary.Digests)
	f := Found(c.Rule, aboutServer(primary),
		c.evidence("processors of the replicas busy, 95th percentile, mean", busy, "/proc/stat", w),
		Evidence{What: "replicas that serve reads", Value: float64(len(readers)), Unit: Count, Source: "Com_select of each replica", Window: w},
		Evidence{What: "the primary's statement time in writes, which every replica repeats", Value: writes, Unit: Ratio, Source: "digests", Window: w},
	)
	f.Severity = Medium
	f.Confidence = c.confidence(0.5, w, "how much of a replica's time is applying writes is estimated")
	f.Effort = Hours
	f.Risks = []string{"A new replica begins with an empty buffer pool: give it reads little by little."}
	f.Verify = Verify{What: "processors of the replicas busy", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "a busy day"}
	why := whyNotAnother(c, primary, writes)
	if why == "" {
		// With one more, the same reads are spread over n+1 replicas.
		n := float64(len(readers))
		f.Gain.Headroom = Between(1, (n+1)/n)
		f.Summary = fmt.Sprintf("The %d replicas of %s are %s busy with reads: one more takes a share off each.", len(readers), primary.Name, Words(busy, Ratio))
		f.Remedy = []Step{{Kind: Advice, Text: "Clone one more replica, warm it, and add it to the readers; plan so that one may fail."}}
		return f
	}
	f.Summary = fmt.Sprintf("The replicas of %s are %s busy, and another one is not the cure: %s.", primary.Name, Words(busy, Ratio), why)
	f.Remedy = []Step{{Kind: Advice, Text: "First: " + why + "."}}
	return f
}

// whyNotAnother returns the reason why another replica would not help, or
// nothing.
func whyNotAnother(c Case, primary *fleet.Server, writes float64) string {
	switch {
	case cureOn(c, primary, "mysql/missing-index") != nil:
		return "add the missing index, which every replica's reads need too"
	case writes > 0.5:
		return "most of the time is writing, which every replica has to repeat; write less"
	case anyBehind(primary):
		return "a replica stands behind: it cannot even apply what is written"
	}
	return ""
}

func writeRatio(w *fleet.DigestWindow) float64 {
	var writes float64
	for _, d := range w.Rows {
		if len(d.Writes) > 0 {
			writes += d.Seconds
		}
	}
	return writes / max(w.Total.Seconds, 1e-9)
}

func anyBehind(primary *fleet.Server) bool {
	for _, r := range primary.Replicas {
		for _, lag := range r.Lag {
			if lag.TrendRatio != nil && *lag.TrendRatio > 0.1 && lag.Max != nil && *lag.Max >= fallingBehindFloor {
				return true
			}
		}
		if rep := r.Latest.Replication; rep != nil {
			for _, channel := range rep.Channels {
				if channel.State == snapshot.LagError {
					return true
				}
			}
		}
	}
	return false
}
