package rules

import (
	"fmt"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// longTransaction finds transactions that stay open: they keep their locks, and
// every old version of every row that anybody changes meanwhile.
func longTransaction() Rule {
	return Rule{
		ID: "mysql/long-transaction", Title: "A transaction stays open for long",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/transactions"},
		Threshold: Threshold{Value: 30, Unit: Seconds, Source: "default of this rule: a PHP request that is " +
			"still wanted has ended within 30 s (max_execution_time)"},
		Check: checkLongTransaction,
	}
}

func checkLongTransaction(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if n := c.unready(aboutServer(s), s, "mysql/transactions", s.Transactions.Seen()); n != nil {
			out.NotReady = append(out.NotReady, *n)
			continue
		}
		if age := oldest(s); age >= c.Rule.Threshold.Value {
			out.Findings = append(out.Findings, longTransactionFinding(c, s, age))
		}
	}
	return out
}

// oldest returns the age of the oldest transaction of the window: from series
// where there are any, and else from what is open now.
func oldest(s *fleet.Server) float64 {
	age := 0.0
	if peak := s.Transactions.PeakSeconds; peak != nil {
		age = *peak
	}
	if t := s.Latest.Transactions; t != nil && t.LongestSeconds != nil {
		age = max(age, *t.LongestSeconds)
	}
	return age
}

func longTransactionFinding(c Case, s *fleet.Server, age float64) Finding {
	w := s.Transactions
	f := Found(c.Rule, aboutServer(s), c.evidence("age of the oldest transaction", age, "information_schema.INNODB_TRX, trx_started", w.Window))
	f.Severity = Medium
	if blocked(s) > 0 {
		f.Severity = High
	}
	if w.PeakHistory != nil {
		f.Evidence = append(f.Evidence, Evidence{
			What: "undo logs not yet purged, most", Value: *w.PeakHistory, Unit: Count,
			Source: "history list length", Window: w.Window,
		})
	}
	if t := culprit(s); t != nil {
		f.addTransaction(t, w.Window)
	}
	f.Confidence = c.confidence(0.9, w.Window)
	f.Summary = fmt.Sprintf("A transaction on %s was open for %s.", s.Name, Words(age, Seconds))
	f.Effort = Days
	f.Remedy = longTransactionRemedy(s)
	f.Rollback = []Step{{Kind: SQL, Target: s.Name, Text: "SET GLOBAL idle_transaction_timeout = 0;"}}
	if mysqlFamily(s) {
		f.Rollback = nil
	}
	f.Risks = []string{"A connection that is ended in a transaction loses what the transaction had changed."}
	f.Verify = Verify{What: "age of the oldest transaction", Expect: "below " + Words(c.Rule.Threshold.Value, Seconds), After: "a day"}
	return f
}

// blocked is the time that others waited for locks each second.
func blocked(s *fleet.Server) float64 {
	if s.Locks == nil || s.Locks.Window.Seconds() <= 0 {
		return 0
	}
	return s.Locks.RowLockSeconds / s.Locks.Window.Seconds()
}

// culprit is the transaction to show: the oldest that is open now, or the last
// one of the window's events.
func culprit(s *fleet.Server) *snapshot.Transaction {
	if t := s.Latest.Transactions; t != nil && len(t.Longest) > 0 {
		return &t.Longest[0]
	}
	for i := len(s.Events) - 1; i >= 0; i-- {
		if e := s.Events[i]; e.Kind == snapshot.EventLongTransaction && e.Transaction != nil {
			return e.Transaction
		}
	}
	return nil
}

func (f *Finding) addTransaction(t *snapshot.Transaction, w fleet.Window) {
	if t.IdleSeconds != nil {
		f.Evidence = append(f.Evidence, Evidence{
			What: "of it idle: the program did something else", Value: *t.IdleSeconds, Unit: Seconds, Source: "SHOW PROCESSLIST, Time", Window: w,
		})
	}
	if t.Statement != nil {
		f.Digests = append(f.Digests, t.Statement.Fingerprint)
		f.Evidence = append(f.Evidence, Evidence{
			What: "its last known statement", Unit: Text, Words: string(t.Statement.Text), Source: "information_schema.INNODB_TRX, trx_query", Window: w,
		})
	}
	f.Evidence = append(f.Evidence, Evidence{
		What: "rows that it had changed", Value: float64(t.RowsModified), Unit: Rows, Source: "information_schema.INNODB_TRX, trx_rows_modified", Window: w,
	})
}

func longTransactionRemedy(s *fleet.Server) []Step {
	steps := []Step{{
		Kind: Advice, Text: "Move calls of other services, mail and file work out of the transaction, and commit batches every few hundred rows.",
		Note: "Most long transactions wait for something that is not the database.",
	}}
	if !mysqlFamily(s) {
		steps = append(steps, Step{
			Kind: SQL, Target: s.Name, Text: "SET GLOBAL idle_transaction_timeout = 60;",
			Note: "Ends connections that are idle in a transaction for a minute; new connections only.",
		})
	}
	return steps
}

func mysqlFamily(s *fleet.Server) bool {
	return s.Latest.Identity != nil && s.Latest.Identity.Family == snapshot.MySQL
}
