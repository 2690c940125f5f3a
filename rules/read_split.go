package rules

import (
	"fmt"

	"plimsoll/collectors/sqltext"
	"plimsoll/rules/fleet"
)

const (
	// busyPrimary is the share of the primary's processors from which taking
	// reads off it is worth an application's change: below, it has the headroom
	// for twice its load.
	busyPrimary = 0.5
	// minReadSamples is how many running SELECTs must have been seen: with 30,
	// a share of 30 % is known to within 17 points.
	minReadSamples = 30
)

// readSplit finds primaries that could give much of their reading to replicas.
// It says that a split is worth looking into, and not which statements are safe.
func readSplit() Rule {
	return Rule{
		ID: "mysql/read-split", Title: "Reads could leave the primary",
		Phase: Capacity, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/digests", "mysql/transactions", "host"},
		Threshold: Threshold{
			Value: 0.3, Unit: Ratio,
			Source: "default of this rule: a split that takes less than a third of the time off the primary does not pay for its stale reads",
		},
		Check: func(c Case) Result {
			return each(c.writers(), func(s *fleet.Server) (*Finding, *NotReady) { return readSplitOn(c, s) })
		},
	}
}

func readSplitOn(c Case, s *fleet.Server) (*Finding, *NotReady) {
	about := aboutServer(s)
	if n := c.unready(about, s, "mysql/digests", s.Digests.Seen()); n != nil {
		return nil, n
	}
	host, known := hostOf(s)
	if !known {
		return nil, &NotReady{Subject: about, Reason: "the processors of its host are not known"}
	}
	reads := timeRatio(s.Digests, isRead)
	if host.ratio < busyPrimary || reads < c.Rule.Threshold.Value {
		return nil, nil
	}
	outside, n := c.outsideRatio(s)
	if n != nil || reads*outside < c.Rule.Threshold.Value {
		return nil, n
	}
	if cure := c.missingIndexOn(s); cure != nil {
		return nil, &NotReady{Subject: about, Reason: "an index is missing that takes much of the time to be split: add it first (finding " + cure.Fingerprint + ")"}
	}
	f := readSplitFinding(c, s, host, reads, outside)
	return &f, nil
}

// isRead is true for a SELECT that locks nothing.
func isRead(d fleet.Digest) bool { return d.Class == string(sqltext.Select) && len(d.Reads) > 0 }

// timeRatio is the share of the site's statement time in some of its statements.
func timeRatio(w *fleet.DigestWindow, of func(fleet.Digest) bool) float64 {
	var seconds float64
	for d := range w.Site() {
		if of(d) {
			seconds += d.Seconds
		}
	}
	return shareOf(seconds, w)
}

// outsideRatio is the share of reading time outside of transactions: routers keep
// the rest on the primary.
func (c Case) outsideRatio(s *fleet.Server) (float64, *NotReady) {
	about := aboutServer(s)
	if s.Transactions == nil || s.Transactions.Reads == nil {
		return 0, c.unknown(about, s, "mysql/transactions", "the share of reads inside transactions is not known")
	}
	r := s.Transactions.Reads
	if r.Outside+r.Inside < minReadSamples {
		return 0, &NotReady{
			Subject: about, ReadyAt: c.Fleet.Now.Add(aDay),
			Reason: fmt.Sprintf("fewer than %d running SELECTs were sampled, so that the share inside transactions is not known", minReadSamples),
		}
	}
	return float64(r.Outside) / float64(r.Outside+r.Inside), nil
}

func readSplitFinding(c Case, s *fleet.Server, host busyHost, reads, outside float64) Finding {
	w, share := s.Digests.Window, reads*outside
	f := Found(c.Rule, aboutServer(s),
		c.evidence("statement time in reads outside of transactions", share, "digests, INNODB_TRX samples", w),
		host.evidence("the primary", s.Machine.Machine.Window, busyPrimary, "default of this rule: below, there is headroom for twice the load"),
		Evidence{What: "statement time in reads", Value: reads, Unit: Ratio, Source: "digests", Window: w},
		Evidence{What: "of it outside of transactions", Value: outside, Unit: Ratio, Source: "INNODB_TRX, trx_autocommit_non_locking, sampled", Window: s.Transactions.Window},
	)
	f.Severity = Medium
	f.Confidence = c.hostConfidence(0.6, w, host, "which statements may be stale is not proven")
	// Half is what is left when every reader is pinned after a write of its own.
	freed := share * host.ratio * host.cores
	f.Gain.DatabaseSeconds = Between(freed/2, freed)
	f.Summary = fmt.Sprintf("%s of the time on %s is reading outside of transactions, which replicas could do.", Words(share, Ratio), called(s))
	f.Effort = Days
	f.addTopReads(s)
	f.Remedy = []Step{
		{
			Kind: Advice, Text: "Begin with reports, admin grids and cron jobs: they bear old data, and read most.",
			Note: "Then the catalogue; never the cart, the checkout or a customer's account.",
		},
		{Kind: Code, Text: "'read' => ['host' => ['replica']], 'write' => ['host' => ['primary']], 'sticky' => true", Note: "Laravel, config/database.php; Magento: slave_connection in env.php."},
	}
	if followers(s) == 0 {
		f.Remedy = append([]Step{{Kind: Advice, Text: "Add a replica first: there is none (mysql/single-point-of-failure)."}}, f.Remedy...)
	}
	f.Rollback = []Step{{Kind: Code, Text: "'read' => ['host' => ['primary']]", Note: "Point the read connection at the primary again."}}
	f.Risks = []string{"A replica's answer can be old, and must not be what a later write is computed from."}
	f.Verify = Verify{What: "processors of the primary busy", Expect: "lower by up to " + Words(share*host.ratio, Ratio), After: "a busy day"}
	return f
}

// addTopReads names the three reads that take most time.
func (f *Finding) addTopReads(s *fleet.Server) {
	added := 0
	for d := range s.Digests.Site() {
		if added < 3 && isRead(d) {
			added++
			f.addDigests(d.Fingerprint)
			f.Evidence = append(f.Evidence, Evidence{
				What: "time in " + statement(d.Text), Value: shareOf(d.Seconds, s.Digests), Unit: Ratio, Source: "digests, SUM_TIMER_WAIT", Window: s.Digests.Window,
			})
		}
	}
}
