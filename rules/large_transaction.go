package rules

import (
	"fmt"

	"plimsoll/rules/fleet"
)

// largeRows is how many rows one transaction may change before a replica, which
// applies it as one piece after the source is done, visibly stands behind: at
// 20,000 to 50,000 rows a second this is a fifth of a second to half a second.
const largeRows = 10000

// largeTransaction finds transactions that change much at once. Each replica
// begins to apply one only when the source has ended it.
func largeTransaction() Rule {
	return Rule{
		ID: "mysql/large-transaction", Title: "Transactions change very many rows at once",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/transactions", "mysql/binlog"},
		Threshold: Threshold{
			Value: largeRows, Unit: Rows,
			Source: "default of this rule: beyond it a replica stands behind for as long as it applies the transaction",
		},
		Check: checkLargeTransaction,
	}
}

func checkLargeTransaction(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if s.Role == fleet.Replica {
			continue // what it applies is its source's
		}
		if n := c.unready(aboutServer(s), s, "mysql/transactions", s.Transactions.Seen()); n != nil {
			out.NotReady = append(out.NotReady, *n)
			continue
		}
		if rows := s.Transactions.LargestRows; rows != nil && float64(*rows) >= c.Rule.Threshold.Value {
			out.Findings = append(out.Findings, largeTransactionFinding(c, s, float64(*rows)))
		}
	}
	return out
}

func largeTransactionFinding(c Case, s *fleet.Server, rows float64) Finding {
	w := s.Transactions.Window
	f := Found(c.Rule, aboutServer(s), c.evidence("rows changed by the largest transaction seen", rows,
		"information_schema.INNODB_TRX, trx_rows_modified", w))
	f.Severity = Low
	if len(s.Replicas) > 0 {
		f.Severity = Medium
	}
	if b := s.Binlog; b != nil && b.CacheUse > 0 {
		f.Evidence = append(f.Evidence, Evidence{
			What: "transactions that did not fit in binlog_cache_size", Value: float64(b.CacheDiskUse) / float64(b.CacheUse),
			Unit: Ratio, Source: "Binlog_cache_disk_use / Binlog_cache_use", Window: b.Window,
		})
	}
	for _, d := range largestWrites(s) {
		f.Digests = append(f.Digests, d.Fingerprint)
		f.Evidence = append(f.Evidence, Evidence{
			What: fmt.Sprintf("rows a call of %s", d.Text), Value: float64(d.RowsAffected) / float64(d.Calls), Unit: RowsPerCall,
			Source: "digests, SUM_ROWS_AFFECTED / COUNT_STAR", Window: s.Digests.Window,
		})
	}
	f.Confidence = c.confidence(0.8, w)
	f.Summary = fmt.Sprintf("One transaction on %s changed %s.", s.Name, Words(rows, Rows))
	f.Effort = Hours
	f.Remedy = []Step{
		{Kind: Code, Text: "Change at most 1,000 to 5,000 rows a transaction, in the order of the primary key: WHERE id > ? ORDER BY id LIMIT 2000.",
			Note: "pt-archiver does so for deletes."},
	}
	f.Risks = []string{"A job in pieces can stop half way: it must be able to go on from there."}
	f.Verify = Verify{What: "rows changed by the largest transaction", Expect: "below " + Words(c.Rule.Threshold.Value, Rows), After: "the job's next run"}
	return f
}

// largestWrites returns the statements that change most rows a call, at most 3,
// and only those that could have made such a transaction.
func largestWrites(s *fleet.Server) []fleet.Digest {
	var out []fleet.Digest
	if s.Digests == nil {
		return nil
	}
	for _, d := range s.Digests.Rows {
		if len(out) < 3 && float64(d.RowsAffected)/float64(d.Calls) >= largeRows/10 {
			out = append(out, d)
		}
	}
	return out
}
