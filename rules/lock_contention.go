package rules

import (
	"fmt"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// lockContention finds tables where sessions wait for each other's rows, and the
// statement that holds them up.
func lockContention() Rule {
	return Rule{
		ID: "mysql/lock-contention", Title: "Sessions wait for each other's locks",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs:  []string{"mysql/locks", "mysql/digests"},
		Yields: []ID{"mysql/gap-locks"},
		Threshold: Threshold{Value: 0.02, Unit: Ratio, Source: "default of this rule: waiting below a " +
			"fiftieth of all statement time is not what slows a site"},
		Check: checkLockContention,
	}
}

func checkLockContention(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if s.Role == fleet.Replica {
			continue
		}
		n := c.unready(aboutServer(s), s, "mysql/locks", s.Locks.Seen())
		if n == nil {
			n = c.unready(aboutServer(s), s, "mysql/digests", s.Digests.Seen())
		}
		if n != nil {
			out.NotReady = append(out.NotReady, *n)
			continue
		}
		// A table at a time: the advice is about the statement that locks it.
		for _, t := range waitsByTable(s.Locks) {
			if share, known := lockShare(s, t.Seconds); known && share >= c.Rule.Threshold.Value {
				out.Findings = append(out.Findings, lockContentionFinding(c, s, t, share))
			}
		}
	}
	return out
}

// waitsByTable sums the sampled waits of each table. The statements are those of
// the pair that waited longest.
func waitsByTable(w *fleet.LockWindow) []snapshot.LockTotal {
	var out []snapshot.LockTotal
	at := map[[2]string]int{}
	for _, t := range w.Totals {
		if t.Table == "" {
			continue // the rest, of which the tables are not known
		}
		key := [2]string{t.Schema, t.Table}
		i, ok := at[key]
		if !ok {
			at[key] = len(out)
			out = append(out, t)
			continue
		}
		out[i].Seconds += t.Seconds
		out[i].Waits += t.Waits
		if out[i].Blocker == "" {
			out[i].Blocker = t.Blocker
		}
	}
	return out
}

func lockContentionFinding(c Case, s *fleet.Server, t snapshot.LockTotal, share float64) Finding {
	w := s.Locks.Window
	about := Subject{Cluster: s.Cluster, Kind: OfTable, Schema: t.Schema, Name: t.Table}
	f := Found(c.Rule, about, c.evidence("waiting for locks on this table, of all statement time", share, "lock waits, sampled", w),
		Evidence{What: "sessions that wait, on average", Value: t.Seconds / w.Seconds(), Unit: Count, Source: "lock waits, sampled", Window: w})
	f.Severity = Medium
	if share >= 5*c.Rule.Threshold.Value {
		f.Severity = High
	}
	f.Confidence = c.confidence(0.8, w, "waits are sampled")
	f.Gain.WorkerSeconds = Between(0.5*t.Seconds/w.Seconds(), t.Seconds/w.Seconds())
	f.Summary = fmt.Sprintf("%s sessions wait on average for locks on %s.", Words(t.Seconds/w.Seconds(), Count), about)
	f.Effort = Days
	f.addStatement("statement that holds the lock", t.Blocker, s.Digests)
	f.addStatement("statement that waits", t.Waiter, s.Digests)
	f.Remedy = []Step{
		{Kind: Advice, Text: "Take the lock last: do this write at the end of its transaction, and commit at once.",
			Note: "The lock is held from the write to the commit, whatever runs in between."},
		{Kind: Advice, Text: "Spread a counter over several rows, or count in Redis and write the sum once a minute.",
			Note: "Where all sessions need the same row."},
	}
	f.Risks = []string{"Another order of writes can make deadlocks: keep one order in all code."}
	f.Verify = Verify{What: "waiting for locks on the table", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio) + " of statement time", After: "a busy hour"}
	return f
}

// addStatement names a statement of the finding by its text.
func (f *Finding) addStatement(what, fingerprint string, w *fleet.DigestWindow) {
	if fingerprint == "" {
		return
	}
	f.Digests = append(f.Digests, fingerprint)
	words := fingerprint
	for _, d := range w.Rows {
		if d.Fingerprint == fingerprint {
			words = string(d.Text)
		}
	}
	f.Evidence = append(f.Evidence, Evidence{What: what, Unit: Text, Words: words, Source: "statement history of the session", Window: w.Window})
}
