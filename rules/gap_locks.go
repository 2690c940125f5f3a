package rules

import (
	"fmt"
	"strings"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// gapShare is the share of waiting for row locks that must be for gaps before
// another isolation level is the cure.
const gapShare = 0.7

// gapLocks finds sites that wait for locks on rows which do not exist: REPEATABLE
// READ locks the gaps between rows, READ COMMITTED mostly does not.
func gapLocks() Rule {
	return Rule{
		ID: "mysql/gap-locks", Title: "Sessions wait for locks on gaps between rows",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/locks", "mysql/digests", "mysql/transactions"},
		Threshold: Threshold{
			Value: 0.01, Unit: Ratio,
			Source: "default of this rule: less than a hundredth of all statement time is not worth another isolation level",
		},
		Check: func(c Case) Result {
			return each(c.writers(), func(s *fleet.Server) (*Finding, *NotReady) { return gapLocksOn(c, s) })
		},
	}
}

func gapLocksOn(c Case, s *fleet.Server) (*Finding, *NotReady) {
	if n := c.locksUnready(s); n != nil {
		return nil, n
	}
	waited := 0.0
	for _, t := range waitTotals(s.Locks) {
		if t.Kind == snapshot.LockGap {
			waited += t.Seconds
		}
	}
	if !gapsDominate(s) || lockShare(s, waited) < c.Rule.Threshold.Value {
		return nil, c.unseenWaits(s)
	}
	f := gapLocksFinding(c, s, waited)
	return &f, nil
}

// gapsDominate reports whether READ COMMITTED would cure most of the waiting for
// row locks. mysql/lock-contention then leaves the gaps to this rule.
func gapsDominate(s *fleet.Server) bool {
	gaps, all := rowWaits(s.Locks)
	return gaps > 0 && gaps >= gapShare*all && !readCommitted(s)
}

// readCommitted reports whether most open transactions use that level, or the one
// below it, already: the gaps are then locked for foreign keys and unique keys.
func readCommitted(s *fleet.Server) bool {
	if s.Transactions == nil {
		return false
	}
	var lower, all uint64
	for level, n := range s.Transactions.Isolation {
		all += n
		if strings.HasPrefix(level, "READ") {
			lower += n
		}
	}
	return 2*lower > all
}

func gapLocksFinding(c Case, s *fleet.Server, waited float64) Finding {
	w := s.Locks.Window
	gaps, all := rowWaits(s.Locks)
	f := Found(c.Rule, aboutServer(s),
		c.evidence("waiting for gaps, of all statement time", lockShare(s, waited), countedWaits, w),
		Evidence{What: "waiting for gaps, of all waiting for row locks", Value: gaps / all, Unit: Ratio, Source: "lock waits, sampled", Window: w}.
			against(gapShare, "default of this rule: below, most of the waiting would stay"),
	)
	f.addTopWaits(s.Locks, snapshot.LockGap)
	f.waited(s, waited)
	f.Confidence = c.waitConfidence(0.7, s.Locks)
	f.Summary = fmt.Sprintf("%s of the waiting for row locks on %s is for gaps between rows, which READ COMMITTED mostly does not lock.",
		Words(gaps/all, Ratio), called(s))
	f.Effort = Days
	if b := s.Latest.Binlog; b != nil && b.Format == "STATEMENT" {
		f.Remedy = setVariable(s, "binlog_format", "'ROW'", "READ COMMITTED is refused with binlog_format = STATEMENT; new connections only.")
	}
	f.Remedy = append(f.Remedy, Step{
		Kind: Code, Text: "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
		Note: "When a session begins, in one pool of workers first; Drupal and Laravel: 'isolation_level' => 'READ COMMITTED' of the connection.",
	})
	f.Rollback = []Step{{Kind: Code, Text: "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"}}
	f.Risks = []string{"Two reads within one transaction may differ; code that relies on a stable view must lock what it reads."}
	f.Verify = Verify{What: "waiting for gaps, of all statement time", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio), After: "a busy hour"}
	return f
}

// addTopWaits adds the three pairs of statements that waited longest for one
// kind of lock.
func (f *Finding) addTopWaits(w *fleet.LockWindow, kind snapshot.LockKind) {
	added := 0
	for _, t := range waitTotals(w) {
		if added == 3 || t.Kind != kind || t.Table == "" {
			continue
		}
		added++
		on := Subject{Schema: t.Schema, Name: t.Table, Part: t.Index}
		f.Evidence = append(f.Evidence, Evidence{
			What: "sessions that wait on " + on.String(), Value: t.Seconds / w.Window.Seconds(), Unit: Count, Source: countedWaits, Window: w.Window,
		})
		f.addDigests(t.Blocker, t.Waiter)
	}
}
