package rules

import (
	"fmt"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// gapShare is the share of lock waiting that must be for gaps before another
// isolation level is the cure.
const gapShare = 0.7

// gapLocks finds sites that wait for locks on rows which do not exist: REPEATABLE
// READ locks the gaps between rows, READ COMMITTED mostly does not.
func gapLocks() Rule {
	return Rule{
		ID: "mysql/gap-locks", Title: "Sessions wait for locks on gaps between rows",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/locks", "mysql/transactions"},
		Threshold: Threshold{Value: 0.01, Unit: Ratio, Source: "default of this rule: waiting below a " +
			"hundredth of all statement time is not worth another isolation level"},
		Check: checkGapLocks,
	}
}

func checkGapLocks(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if s.Role == fleet.Replica {
			continue
		}
		if n := c.unready(aboutServer(s), s, "mysql/locks", s.Locks.Seen()); n != nil {
			out.NotReady = append(out.NotReady, *n)
			continue
		}
		gaps, all := gapSeconds(s.Locks)
		share, known := lockShare(s, gaps)
		if known && share >= c.Rule.Threshold.Value && gaps/all >= gapShare {
			out.Findings = append(out.Findings, gapLocksFinding(c, s, share, gaps, all))
		}
	}
	return out
}

// gapSeconds returns the sampled waiting for gaps, and for all row locks.
func gapSeconds(w *fleet.LockWindow) (gaps, all float64) {
	for _, t := range w.Totals {
		switch t.Kind {
		case snapshot.LockGap:
			gaps += t.Seconds
			all += t.Seconds
		case snapshot.LockRecord:
			all += t.Seconds
		}
	}
	return gaps, all
}

// lockShare returns what part of all statement time some waiting is; false if
// statements are not known.
func lockShare(s *fleet.Server, waited float64) (float64, bool) {
	if s.Digests == nil || s.Digests.Total.Seconds <= 0 || s.Locks.Window.Seconds() <= 0 {
		return 0, false
	}
	load := s.Digests.Total.Seconds / s.Digests.Window.Seconds()
	return min(waited/s.Locks.Window.Seconds()/load, 1), true
}

func gapLocksFinding(c Case, s *fleet.Server, share, gaps, all float64) Finding {
	w := s.Locks.Window
	const source = "lock waits, sampled"
	f := Found(c.Rule, aboutServer(s),
		c.evidence("waiting for gaps, of all statement time", share, source, w),
		Evidence{What: "waiting for gaps, of all waiting for row locks", Value: gaps / all, Unit: Ratio, Source: source, Window: w,
			Threshold: ptr(gapShare), ThresholdSource: "default of this rule"},
	)
	f.Severity = Medium
	f.Confidence = c.confidence(0.7, w, "waits are sampled")
	f.Gain.WorkerSeconds = Between(0.5*gaps/w.Seconds(), gaps/w.Seconds())
	f.Summary = fmt.Sprintf("%s of the waiting for row locks on %s is for gaps between rows, which READ COMMITTED does not lock.",
		Words(gaps/all, Ratio), s.Name)
	f.Effort = Days
	f.addTopWaits(s.Locks, snapshot.LockGap)
	f.Remedy = []Step{
		{Kind: Code, Text: "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", Note: "Start with one pool of workers; Drupal recommends this level."},
		{Kind: SQL, Target: s.Name, Text: "SELECT @@binlog_format;", Note: "READ COMMITTED needs ROW (or MIXED)."},
	}
	f.Rollback = []Step{{Kind: Code, Text: "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"}}
	f.Risks = []string{"Two reads within one transaction may differ; code that relies on a stable view must lock what it reads."}
	f.Verify = Verify{What: "waiting for gaps, of all statement time", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "a busy hour"}
	return f
}

// addTopWaits adds the three pairs of statements that waited longest, of one kind
// or, with an empty one, of all.
func (f *Finding) addTopWaits(w *fleet.LockWindow, kind snapshot.LockKind) {
	added := 0
	for _, t := range w.Totals {
		if added == 3 || (kind != "" && t.Kind != kind) || t.Table == "" {
			continue
		}
		added++
		f.Evidence = append(f.Evidence, Evidence{
			What:  fmt.Sprintf("waiting for %s.%s, index %s, each second", t.Schema, t.Table, t.Index),
			Value: t.Seconds / w.Window.Seconds(), Unit: Seconds, Source: "lock waits, sampled", Window: w.Window,
		})
		for _, digest := range []string{t.Blocker, t.Waiter} {
			if digest != "" {
				f.Digests = append(f.Digests, digest)
			}
		}
	}
}

func ptr[T any](v T) *T { return &v }
