package rules

import (
	"fmt"

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
		Phase: Capacity, MinWindow: aMinute, Window: 7 * aDay,
		Needs: []string{"mysql/digests", "mysql/transactions", "host"},
		Threshold: Threshold{
			Value: 0.3, Unit: Ratio,
			Source: "default of this rule: a split that takes less than a third of the time off the primary does not pay for its stale reads",
		},
		Check: checkReadSplit,
	}
}

func checkReadSplit(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if s.Role == fleet.Replica {
			continue
		}
		out.add(readSplitResult(c, s))
	}
	return out
}

func readSplitResult(c Case, s *fleet.Server) (*Finding, *NotReady) {
	if n := c.unready(aboutServer(s), s, "mysql/digests", s.Digests.Seen()); n != nil {
		return nil, n
	}
	busy, known := primaryBusy(s)
	if !known {
		return nil, &NotReady{Subject: aboutServer(s), Reason: "the processors of its host are not known"}
	}
	reads := readRatio(s.Digests)
	if busy < busyPrimary || reads < c.Rule.Threshold.Value {
		return nil, nil
	}
	outside, known := outsideRatio(s)
	if !known {
		return nil, &NotReady{
			Subject: aboutServer(s),
			Reason:  fmt.Sprintf("fewer than %d running SELECTs were sampled, so that the share inside transactions is not known", minReadSamples),
			ReadyAt: c.Fleet.Now.Add(aDay),
		}
	}
	if reads*outside < c.Rule.Threshold.Value {
		return nil, nil
	}
	if cure := cureOn(c, s, "mysql/missing-index"); cure != nil {
		return nil, &NotReady{Subject: aboutServer(s), Reason: "an index is missing that takes much of the time to be split: add it first (finding " + cure.Fingerprint + ")"}
	}
	f := readSplitFinding(c, s, busy, reads, outside)
	return &f, nil
}

// primaryBusy is the utilisation of the server's host at its busiest minutes, or
// on average where there are no series.
func primaryBusy(s *fleet.Server) (float64, bool) {
	if s.Machine == nil || s.Machine.Machine == nil {
		return 0, false
	}
	if peak := s.Machine.Machine.PeakCPUBusyRatio; peak != nil {
		return *peak, true
	}
	return s.Machine.Machine.CPUBusyRatio, true
}

// readRatio is the share of statement time in SELECTs that lock nothing.
func readRatio(w *fleet.DigestWindow) float64 {
	var reads float64
	for _, d := range w.Rows {
		if d.Class == "select" && !d.Own {
			reads += d.Seconds
		}
	}
	return reads / max(w.Total.Seconds, 1e-9)
}

// outsideRatio is the share of reading time outside of transactions: routers keep
// the rest on the primary.
func outsideRatio(s *fleet.Server) (float64, bool) {
	if s.Transactions == nil || s.Transactions.Reads == nil {
		return 0, false
	}
	r := s.Transactions.Reads
	if r.Outside+r.Inside < minReadSamples {
		return 0, false
	}
	return float64(r.Outside) / float64(r.Outside+r.Inside), true
}

func readSplitFinding(c Case, s *fleet.Server, busy, reads, outside float64) Finding {
	w := s.Digests.Window
	share := reads * outside
	f := Found(c.Rule, aboutServer(s),
		c.evidence("statement time in reads outside of transactions", share, "digests, INNODB_TRX samples", w),
		Evidence{What: "processors of the primary busy, 95th percentile", Value: busy, Unit: Ratio, Source: "/proc/stat", Window: w,
			Threshold: ptr(busyPrimary), ThresholdSource: "default of this rule"},
		Evidence{What: "statement time in reads", Value: reads, Unit: Ratio, Source: "digests", Window: w},
		Evidence{What: "of it outside of transactions", Value: outside, Unit: Ratio, Source: "INNODB_TRX, trx_autocommit_non_locking, sampled", Window: s.Transactions.Window},
	)
	f.Severity = Medium
	f.Confidence = c.confidence(0.5, w, "which statements may be stale is not proven")
	load := s.Digests.Total.Seconds / w.Seconds()
	// Half is what is left when every reader is pinned after a write of its own.
	f.Gain.DatabaseSeconds = Between(share*load/2, share*load)
	f.Summary = fmt.Sprintf("%s of the time on %s is reading outside of transactions, which replicas could do.", Words(share, Ratio), s.Name)
	f.Effort = Days
	f.Remedy = []Step{
		{Kind: Advice, Text: "Begin with reports, admin grids and cron jobs: they bear old data, and read most.",
			Note: "Then the catalogue; never the cart, the checkout or a customer's account."},
		{Kind: Code, Text: "Magento: slave_connection in env.php; Laravel: read and write hosts with sticky => true."},
	}
	f.Rollback = []Step{{Kind: Code, Text: "Point the read connection at the primary again."}}
	f.Risks = []string{"A replica's answer can be old, and must not be what a later write is computed from."}
	f.Verify = Verify{What: "processors of the primary busy", Expect: "lower by up to " + Words(share*busy, Ratio), After: "a busy day"}
	return f
}
