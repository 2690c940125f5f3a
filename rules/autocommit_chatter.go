package rules

import (
	"fmt"
	"slices"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// chatterShare is the share of writes that must be a transaction of their own.
const chatterShare = 0.5

// autocommitChatter finds sites that commit after every write: each commit waits
// for the disk, and what belongs together is not changed together.
func autocommitChatter() Rule {
	return Rule{
		ID: "mysql/autocommit-chatter", Title: "Every write is a transaction of its own",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/transactions"},
		Threshold: Threshold{
			Value: 20, Unit: PerSecond,
			Source: "default of this rule: below 20 commits a second even a disk of 10 ms a flush is idle most of the time",
		},
		Check: checkAutocommitChatter,
	}
}

func checkAutocommitChatter(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if s.Role == fleet.Replica {
			continue
		}
		n := c.unready(aboutServer(s), s, "mysql/transactions", s.Transactions.Seen())
		if n == nil && s.Transactions.Chatter == nil {
			n = &NotReady{Subject: aboutServer(s), Reason: "the server does not tell how many writes were transactions of their own"}
		}
		if n != nil {
			out.NotReady = append(out.NotReady, *n)
			continue
		}
		if f, found := chatterFinding(c, s); found {
			out.Findings = append(out.Findings, f)
		}
	}
	return out
}

func chatterFinding(c Case, s *fleet.Server) (Finding, bool) {
	chatter, w := s.Transactions.Chatter, s.Transactions.Window
	single, exact := singleWrites(chatter)
	rate := single / w.Seconds()
	if rate < c.Rule.Threshold.Value || single/float64(chatter.Writes) < chatterShare {
		return Finding{}, false
	}
	f := Found(c.Rule, aboutServer(s),
		c.evidence("writes that are a transaction of their own", rate, chatterSource(exact), w),
		Evidence{What: "of all writes", Value: single / float64(chatter.Writes), Unit: Ratio, Source: chatterSource(exact), Window: w,
			Threshold: ptr(chatterShare), ThresholdSource: "default of this rule"},
	)
	f.Severity = Low
	f.Confidence = c.confidence(0.7, w)
	if !exact {
		f.Confidence = c.confidence(0.5, w, "the share is an upper bound")
	}
	// Two writes in one transaction are the least that the advice can mean, and
	// ten are what a request of a shop makes.
	f.Gain.PrimaryWrites = Between(rate/2, rate*9/10)
	f.Summary = fmt.Sprintf("%s on %s are transactions of one write: each waits for the disk by itself.", Words(rate, PerSecond), s.Name)
	f.Effort = Days
	f.addTopWrites(s)
	f.Remedy = []Step{{
		Kind: Code, Text: "Begin a transaction at the first write of a request, and commit at its end; write several rows with one INSERT.",
		Note: "Sessions, caches and counters belong into Redis instead.",
	}}
	f.Risks = []string{"Locks are then held to the end of the request: look at lock waits afterwards."}
	f.Verify = Verify{What: "writes that are a transaction of their own", Expect: "below " + Words(c.Rule.Threshold.Value, PerSecond), After: "a busy hour"}
	return f, true
}

// singleWrites returns the number of writes that were transactions of their own,
// or the most that it can be.
func singleWrites(c *snapshot.Chatter) (n float64, exact bool) {
	if c.SingleWrites != nil {
		return float64(*c.SingleWrites), true
	}
	return max(float64(c.Writes)-float64(c.Explicit), 0), false
}

func chatterSource(exact bool) string {
	if exact {
		return "performance_schema, transactions of autocommit"
	}
	return "Com_insert + Com_update + Com_delete + Com_replace - Com_commit: an upper bound"
}

// addTopWrites names the three writes that are sent most often.
func (f *Finding) addTopWrites(s *fleet.Server) {
	if s.Digests == nil {
		return
	}
	for range 3 {
		best := -1
		for i, d := range s.Digests.Rows {
			if len(d.Writes) > 0 && !slices.Contains(f.Digests, d.Fingerprint) && (best < 0 || d.Calls > s.Digests.Rows[best].Calls) {
				best = i
			}
		}
		if best < 0 {
			return
		}
		d := s.Digests.Rows[best]
		f.Digests = append(f.Digests, d.Fingerprint)
		f.Evidence = append(f.Evidence, Evidence{
			What: fmt.Sprintf("calls of %s", d.Text), Value: float64(d.Calls) / s.Digests.Window.Seconds(), Unit: PerSecond,
			Source: "digests, COUNT_STAR", Window: s.Digests.Window,
		})
	}
}
