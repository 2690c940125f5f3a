package rules

import (
	"cmp"
	"fmt"
	"slices"

	"plimsoll/collectors/sqltext"
	"plimsoll/rules/fleet"
)

// largeTransaction finds transactions that change much at once. Each replica
// begins to apply one only when the source has ended it.
func largeTransaction() Rule {
	return Rule{
		ID: "mysql/large-transaction", Title: "Transactions change very many rows at once",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/transactions", "mysql/digests", "mysql/binlog"},
		Threshold: Threshold{
			Value: 10000, Unit: Rows,
			Source: "default of this rule: at the 20,000 to 50,000 rows a second that one applier changes, a replica stands " +
				"behind by a fifth of a second to half a second from there on",
		},
		Check: func(c Case) Result {
			return each(c.writers(), func(s *fleet.Server) (*Finding, *NotReady) { return largeTransactionOn(c, s) })
		},
	}
}

// largeTransactionOn looks at open transactions, of which samples see those that
// last, and at statements, which are counted however short they are.
func largeTransactionOn(c Case, s *fleet.Server) (*Finding, *NotReady) {
	var evidence []Evidence
	if e, large := c.largestOpen(s); large {
		evidence = append(evidence, e)
	}
	statements := c.largeStatements(s)
	for _, d := range statements {
		evidence = append(evidence, c.evidence("rows a call of "+statement(d.Text), rowsPerCall(d),
			"digests, SUM_ROWS_AFFECTED / COUNT_STAR", s.Digests.Window))
	}
	if len(evidence) > 0 {
		f := largeTransactionFinding(c, s, evidence)
		for _, d := range statements {
			f.Digests = append(f.Digests, d.Fingerprint)
		}
		return &f, nil
	}
	about := aboutServer(s)
	if n := c.unready(about, s, "mysql/transactions", s.Transactions.Seen()); n != nil {
		return nil, n
	}
	if s.Transactions.LargestRows == nil {
		return nil, c.unknown(about, s, "mysql/transactions", "open transactions are not known")
	}
	return nil, c.unready(about, s, "mysql/digests", s.Digests.Seen())
}

// largestOpen is the most rows that one open transaction had changed.
func (c Case) largestOpen(s *fleet.Server) (Evidence, bool) {
	w := s.Transactions
	if w == nil || w.LargestRows == nil || float64(*w.LargestRows) < c.Rule.Threshold.Value {
		return Evidence{}, false
	}
	what := "rows changed by the largest transaction seen"
	if t := w.Largest; t != nil && t.Statement != nil {
		what += ", at " + statement(t.Statement.Text)
	}
	return c.evidence(what, float64(*w.LargestRows), "information_schema.INNODB_TRX, trx_rows_modified", w.Window), true
}

// largeStatements are the writes that change so many rows a call, at most three,
// the largest first. A mean is at most what the largest call changed.
func (c Case) largeStatements(s *fleet.Server) []fleet.Digest {
	if s.Digests == nil || s.Digests.Window.Duration() < c.Rule.MinWindow {
		return nil
	}
	var out []fleet.Digest
	for d := range s.Digests.Site() {
		if d.Class == string(sqltext.DML) && rowsPerCall(d) >= c.Rule.Threshold.Value {
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b fleet.Digest) int { return cmp.Compare(rowsPerCall(b), rowsPerCall(a)) })
	return out[:min(len(out), 3)]
}

func rowsPerCall(d fleet.Digest) float64 { return float64(d.RowsAffected) / float64(d.Calls) }

func largeTransactionFinding(c Case, s *fleet.Server, evidence []Evidence) Finding {
	f := Found(c.Rule, aboutServer(s), evidence[0], evidence[1:]...)
	f.Severity = Low
	if followers(s) > 0 {
		f.Severity = Medium
	}
	if b := s.Binlog; b != nil && b.CacheUse > 0 {
		f.Evidence = append(f.Evidence, Evidence{
			What: "transactions that did not fit in binlog_cache_size", Value: float64(b.CacheDiskUse) / float64(b.CacheUse),
			Unit: Ratio, Source: "Binlog_cache_disk_use / Binlog_cache_use", Window: b.Window,
		})
	}
	largest := 0.0
	for _, e := range evidence {
		largest = max(largest, e.Value)
	}
	f.Confidence = c.confidence(0.9, evidence[0].Window)
	f.Summary = fmt.Sprintf("One transaction on %s changed %s: a replica stands behind for as long as it applies them.", called(s), Words(largest, Rows))
	f.Effort = Hours
	f.Remedy = []Step{{
		Kind: Code, Text: "UPDATE … WHERE id > ? ORDER BY id LIMIT 2000",
		Note: "Change 1,000 to 5,000 rows a transaction in the order of the primary key, and commit after each; pt-archiver does so for deletes.",
	}}
	f.Risks = []string{"A job in pieces can stop half way: it must be able to go on from there."}
	f.Verify = Verify{What: "rows changed by the largest transaction", Expect: "below " + Words(c.Rule.Threshold.Value, Rows), After: "the job's next run"}
	return f
}
