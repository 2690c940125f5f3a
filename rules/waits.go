package rules

import (
	"fmt"
	"slices"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// countedWaits is the source of waiting for row locks: the server knows how much
// there was, and samples know of what.
const countedWaits = "Innodb_row_lock_time, shared out as the lock waits that were sampled"

// locksUnready returns why waiting cannot be held against the statements' time.
func (c Case) locksUnready(s *fleet.Server) *NotReady {
	about := aboutServer(s)
	if n := c.unready(about, s, "mysql/locks", s.Locks.Seen()); n != nil {
		return n
	}
	if n := c.unready(about, s, "mysql/digests", s.Digests.Seen()); n != nil {
		return n
	}
	if _, known := statementLoad(s); !known && (s.Locks.RowLockSeconds > 0 || len(s.Locks.Totals) > 0) {
		return &NotReady{Subject: about, Reason: "no statement of the site was seen, so that waiting for locks can be held against nothing"}
	}
	return nil
}

// rowWaits returns the sampled waiting for gaps, and for all row locks.
func rowWaits(w *fleet.LockWindow) (gaps, all float64) {
	for _, t := range w.Totals {
		if t.Kind == snapshot.LockGap {
			gaps += t.Seconds
		}
		if t.Kind == snapshot.LockGap || t.Kind == snapshot.LockRecord {
			all += t.Seconds
		}
	}
	return gaps, all
}

// waitTotals are the waits of the window in full: samples miss most of the short
// waits, and the server counts all of the time.
func waitTotals(w *fleet.LockWindow) []snapshot.LockTotal {
	_, sampled := rowWaits(w)
	factor := 1.0
	if sampled > 0 {
		factor = max(w.RowLockSeconds/sampled, 1)
	}
	out := slices.Clone(w.Totals)
	for i := range out {
		if out[i].Kind == snapshot.LockGap || out[i].Kind == snapshot.LockRecord {
			out[i].Seconds *= factor
		}
	}
	return out
}

// lockShare returns what part of all statement time some waiting is.
func lockShare(s *fleet.Server, waited float64) float64 {
	load, known := statementLoad(s)
	if !known || s.Locks.Window.Seconds() <= 0 {
		return 0
	}
	return min(waited/s.Locks.Window.Seconds()/load, 1)
}

// unseenWaits returns that the server counted waits worth a finding, and that
// none was sampled: without the privilege, or because they are few and short.
func (c Case) unseenWaits(s *fleet.Server) *NotReady {
	_, sampled := rowWaits(s.Locks)
	if sampled > 0 || lockShare(s, s.Locks.RowLockSeconds) < c.Rule.Threshold.Value {
		return nil
	}
	if gap, lacking := gapOf(s, "mysql/locks"); lacking && refused(gap) {
		return c.unknown(aboutServer(s), s, "mysql/locks", "")
	}
	return &NotReady{
		Rule: c.Rule.ID, Subject: aboutServer(s), ReadyAt: s.Locks.Window.To.Add(c.Rule.MinWindow),
		Reason: "the server counted waiting for row locks, but who waited for whom was not sampled yet",
	}
}

// fewWaits is how many sampled waits are too few to know whose they mostly were.
const fewWaits = 5

// waitConfidence returns how sure a finding about sampled waits is.
func (c Case) waitConfidence(ratio float64, w *fleet.LockWindow) Confidence {
	var waits uint64
	for _, t := range w.Totals {
		waits += t.Waits
	}
	if waits < fewWaits {
		return c.confidence(min(ratio, 0.5), w.Window, fmt.Sprintf("only %d waits were sampled", waits))
	}
	return c.confidence(ratio, w.Window, "waits are sampled")
}

// waited sets the gain and the severity of a finding about waiting: half of it at
// least is freed, since who does not wait for one lock may wait for the next.
func (f *Finding) waited(s *fleet.Server, seconds float64) {
	perSecond := seconds / s.Locks.Window.Seconds()
	f.Gain.WorkerSeconds = Between(perSecond/2, perSecond)
	load, _ := statementLoad(s)
	f.Severity = severityOf(f.Gain.WorkerSeconds, load)
}

// addDigests adds statements that are known, each once.
func (f *Finding) addDigests(fingerprints ...string) {
	for _, fp := range fingerprints {
		if fp != "" && !slices.Contains(f.Digests, fp) {
			f.Digests = append(f.Digests, fp)
		}
	}
}
