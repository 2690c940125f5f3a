package rules

import (
	"cmp"
	"fmt"
	"slices"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// lockContention finds tables where sessions wait for each other's locks, and the
// statement that holds them up.
func lockContention() Rule {
	return Rule{
		ID: "mysql/lock-contention", Title: "Sessions wait for each other's locks",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/locks", "mysql/digests", "mysql/transactions"},
		Threshold: Threshold{
			Value: 0.02, Unit: Ratio,
			Source: "default of this rule: less than a fiftieth of all statement time is not what slows a site",
		},
		Check: checkLockContention,
	}
}

func checkLockContention(c Case) Result {
	var out Result
	for _, s := range c.writers() {
		if n := c.locksUnready(s); n != nil {
			out.NotReady = append(out.NotReady, *n)
			continue
		}
		// A table at a time: the advice is about the statement that locks it.
		found := false
		for _, t := range waitsByTable(s) {
			if lockShare(s, t.seconds) >= c.Rule.Threshold.Value {
				out.Findings = append(out.Findings, lockContentionFinding(c, s, t))
				found = true
			}
		}
		if !found {
			out.add(nil, c.unseenWaits(s))
		}
	}
	return out
}

// tableWaits is the waiting for one table.
type tableWaits struct {
	schema, table string
	seconds       float64
	// metadata is the part of it for the table's structure.
	metadata float64
	// blocker and waiter are the pair that waited longest; empty if not known.
	blocker, waiter string
}

// waitsByTable sums the waits of each table, longest first, without those for
// gaps where another isolation level is their cure.
func waitsByTable(s *fleet.Server) []tableWaits {
	var out []tableWaits
	at := map[[2]string]int{}
	withoutGaps := gapsDominate(s)
	for _, t := range waitTotals(s.Locks) {
		if t.Table == "" || withoutGaps && t.Kind == snapshot.LockGap {
			continue // of LockOther the tables are not known
		}
		key := [2]string{t.Schema, t.Table}
		if _, known := at[key]; !known {
			at[key] = len(out)
			out = append(out, tableWaits{schema: t.Schema, table: t.Table})
		}
		out[at[key]].add(t)
	}
	slices.SortStableFunc(out, func(a, b tableWaits) int { return cmp.Compare(b.seconds, a.seconds) })
	return out
}

// add adds a total; they come longest first.
func (w *tableWaits) add(t snapshot.LockTotal) {
	w.seconds += t.Seconds
	if t.Kind == snapshot.LockMetadata {
		w.metadata += t.Seconds
	}
	w.blocker, w.waiter = cmp.Or(w.blocker, t.Blocker), cmp.Or(w.waiter, t.Waiter)
}

func lockContentionFinding(c Case, s *fleet.Server, t tableWaits) Finding {
	w := s.Locks.Window
	about := Subject{Cluster: s.Cluster, Kind: OfTable, Schema: t.schema, Name: t.table}
	waiting := t.seconds / w.Seconds()
	f := Found(c.Rule, about,
		c.evidence("waiting for locks on this table, of all statement time", lockShare(s, t.seconds), countedWaits, w),
		Evidence{What: "sessions that wait, on average", Value: waiting, Unit: Count, Source: countedWaits, Window: w})
	f.waited(s, t.seconds)
	f.addStatement("statement that holds the lock", t.blocker, s.Digests)
	f.addStatement("statement that waits", t.waiter, s.Digests)
	f.Confidence = c.waitConfidence(0.8, s.Locks)
	f.Summary = fmt.Sprintf("%s sessions wait on average for locks on %s.", Words(waiting, Count), about)
	f.Effort = Days
	f.Remedy = rowLockRemedy()
	f.Risks = []string{"Another order of writes can make deadlocks: keep one order in all code."}
	if 2*t.metadata > t.seconds {
		f.Summary = fmt.Sprintf("%s sessions wait on average until %s may be used: its structure is to be changed, and an open transaction is in the way.",
			Words(waiting, Count), about)
		f.Effort, f.Remedy, f.Risks = Hours, metadataRemedy(), []string{"A change that gives up has to be tried again."}
	}
	f.Verify = Verify{What: "waiting for locks on the table", Expect: "below " + Words(c.Rule.Threshold.Value, Ratio) + " of statement time", After: "a busy hour"}
	return f
}

func rowLockRemedy() []Step {
	return []Step{
		{
			Kind: Advice, Text: "Take the lock last: do this write at the end of its transaction, and commit at once.",
			Note: "The lock is held from the write to the commit, whatever runs in between.",
		},
		{
			Kind: Advice, Text: "Spread a counter over several rows, or count in Redis and write the sum once a minute.",
			Note: "Where all sessions need the same row.",
		},
	}
}

// metadataRemedy is for a change of structure that waits: it holds up everybody
// who comes after it, for as long as any transaction before it is open.
func metadataRemedy() []Step {
	return []Step{
		{
			Kind: SQL, Text: "SET SESSION lock_wait_timeout = 5;",
			Note: "In the session that changes the structure, before ALTER TABLE: it then gives up instead of holding up the site.",
		},
		{Kind: Advice, Text: "End the transaction that was open first (mysql/long-transaction), and change structure in a quiet hour."},
	}
}

// addStatement names a statement of the finding by its text.
func (f *Finding) addStatement(what, fingerprint string, w *fleet.DigestWindow) {
	if fingerprint == "" {
		return
	}
	f.addDigests(fingerprint)
	words := fingerprint
	for _, d := range w.Rows {
		if d.Fingerprint == fingerprint {
			words = printable(string(d.Text))
			break
		}
	}
	f.Evidence = append(f.Evidence, Evidence{What: what, Unit: Text, Words: words, Source: "statement history of the session", Window: w.Window})
}
