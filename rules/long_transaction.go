package rules

import (
	"fmt"
	"slices"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// longTransaction finds transactions that stay open: they keep their locks, and
// every old version of every row that anybody changes meanwhile.
func longTransaction() Rule {
	return Rule{
		ID: "mysql/long-transaction", Title: "A transaction stays open for long",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/transactions", "mysql/locks"},
		Threshold: Threshold{
			Value: 30, Unit: Seconds,
			Source: "default of this rule: PHP allows a request 30 s (max_execution_time), and nobody waits for a page longer",
		},
		Check: func(c Case) Result {
			return each(c.Fleet.Servers, func(s *fleet.Server) (*Finding, *NotReady) { return longTransactionOn(c, s) })
		},
	}
}

func longTransactionOn(c Case, s *fleet.Server) (*Finding, *NotReady) {
	about := aboutServer(s)
	if n := c.unready(about, s, "mysql/transactions", s.Transactions.Seen()); n != nil {
		return nil, n
	}
	age, known := oldest(s)
	if !known {
		return nil, c.unknown(about, s, "mysql/transactions", "open transactions are not known")
	}
	if age < c.Rule.Threshold.Value {
		return nil, nil
	}
	f := longTransactionFinding(c, s, age)
	return &f, nil
}

// oldest returns the age of the oldest transaction of the window: from series,
// from what is open now, or the greatest age that one reached for certain.
func oldest(s *fleet.Server) (age float64, known bool) {
	if peak := s.Transactions.PeakSeconds; peak != nil {
		age, known = *peak, true
	}
	if t := s.Latest.Transactions; t != nil && t.LongestSeconds != nil {
		age, known = max(age, *t.LongestSeconds), true
	}
	for _, reached := range s.Transactions.Ages {
		if reached.Count > 0 {
			age, known = max(age, reached.UpToSeconds), true
		}
	}
	return age, known
}

func longTransactionFinding(c Case, s *fleet.Server, age float64) Finding {
	w := s.Transactions
	f := Found(c.Rule, aboutServer(s), c.evidence("age of the oldest transaction", age, "information_schema.INNODB_TRX, trx_started", w.Window))
	t, open := culprit(s, c.Rule.Threshold.Value)
	f.Severity = Medium
	if t != nil && t.ReadOnly {
		f.Severity = Low // it holds no locks, only old versions
	}
	if waiters := heldUp(s, c.Rule.Threshold.Value); waiters > 0 {
		f.Severity = High
		f.Evidence = append(f.Evidence, Evidence{
			What: "sessions that waited for a transaction of that age", Value: float64(waiters), Unit: Count, Source: "lock waits, sampled", Window: w.Window,
		})
	}
	if w.PeakHistory != nil {
		f.Evidence = append(f.Evidence, Evidence{
			What: "undo logs not yet purged, most", Value: *w.PeakHistory, Unit: Count,
			Source: "information_schema.INNODB_METRICS, trx_rseg_history_len", Window: w.Window,
		})
	}
	if t != nil {
		f.addTransaction(t, w.Window)
	}
	f.Confidence = c.confidence(0.9, w.Window)
	f.Summary = fmt.Sprintf("A transaction on %s was open for %s%s.", called(s), Words(age, Seconds), mostlyIdle(t))
	f.Effort = Days
	f.Risks = []string{"A connection that is ended in a transaction loses what the transaction had changed."}
	f.remedyLong(s, t, open)
	f.Verify = Verify{What: "age of the oldest transaction", Expect: "below " + Words(c.Rule.Threshold.Value, Seconds), After: "a day"}
	return f
}

// heldUp is the most sessions that waited at once for a transaction of at least
// the age.
func heldUp(s *fleet.Server, age float64) int {
	var graphs []*snapshot.LockGraph
	if s.Latest.Locks != nil {
		graphs = append(graphs, s.Latest.Locks.Graph)
	}
	for _, e := range s.Events {
		graphs = append(graphs, e.Locks)
	}
	most := 0
	for _, g := range graphs {
		if g == nil {
			continue
		}
		for _, b := range g.Blockers {
			if b.TransactionSeconds != nil && *b.TransactionSeconds >= age {
				most = max(most, len(b.Waiters))
			}
		}
	}
	return most
}

// culprit is the transaction to show: the oldest one if it is open now, or the
// last one of the window's events.
func culprit(s *fleet.Server, age float64) (t *snapshot.Transaction, open bool) {
	if now := s.Latest.Transactions; now != nil && len(now.Longest) > 0 && now.Longest[0].Seconds >= age {
		return &now.Longest[0], true
	}
	for _, e := range slices.Backward(s.Events) {
		if e.Kind == snapshot.EventLongTransaction && e.Transaction != nil {
			return e.Transaction, false
		}
	}
	return nil, false
}

// idle reports whether a transaction waits for its program and not for us.
func idle(t *snapshot.Transaction) bool {
	return t != nil && t.IdleSeconds != nil && *t.IdleSeconds >= t.Seconds/2
}

func mostlyIdle(t *snapshot.Transaction) string {
	if idle(t) {
		return ", and mostly idle: its program did something else"
	}
	return ""
}

func (f *Finding) addTransaction(t *snapshot.Transaction, w fleet.Window) {
	if t.IdleSeconds != nil {
		f.Evidence = append(f.Evidence, Evidence{
			What: "of it idle when it was seen", Value: *t.IdleSeconds, Unit: Seconds, Source: "process list, time of Sleep", Window: w,
		})
	}
	if t.Statement != nil {
		f.addDigests(t.Statement.Fingerprint)
		f.Evidence = append(f.Evidence, Evidence{
			What: "its last known statement", Unit: Text, Words: printable(string(t.Statement.Text)), Source: "statement history, or trx_query", Window: w,
		})
	}
	if t.User != "" {
		f.Evidence = append(f.Evidence, Evidence{What: "its account", Unit: Text, Words: printable(t.User), Source: "process list", Window: w})
	}
	f.Evidence = append(f.Evidence, Evidence{
		What: "rows that it had changed", Value: float64(t.RowsModified), Unit: Rows, Source: "information_schema.INNODB_TRX, trx_rows_modified", Window: w,
	})
}

// applying reports whether a transaction is replication's own. To kill its
// connection stops the channel.
func applying(s *fleet.Server, t *snapshot.Transaction) bool {
	r := s.Latest.Replication
	return t != nil && (t.User == "system user" || t.User == "" && r != nil && len(r.Channels) > 0)
}

// remedyLong is about the program, and about the connection while it is there.
func (f *Finding) remedyLong(s *fleet.Server, t *snapshot.Transaction, open bool) {
	switch {
	case open && t.Connection == 0:
		f.Remedy = []Step{{
			Kind: SQL, Target: called(s), Text: "XA RECOVER;",
			Note: "No connection has it any more: it is prepared, and only XA COMMIT or XA ROLLBACK with its name ends it. Ask its coordinator which.",
		}}
		f.Risks = []string{"Part of the same transaction may be committed elsewhere: whichever way it ends here must be the way it ended there."}
		return
	case applying(s, t):
		f.Remedy = []Step{{
			Kind: Advice, Text: "Replication applies it: its source committed that much at once (mysql/large-transaction), or a reader of the replica holds it up.",
			Note: "Do not kill its connection: that stops the replica.",
		}}
		f.Risks = nil
		return
	}
	f.Remedy = []Step{{
		Kind: Advice, Text: "Move calls of other services, mail and file work out of the transaction, and commit batches every few hundred rows.",
		Note: "Most long transactions wait for something that is not the database.",
	}}
	if open {
		f.Remedy = append(f.Remedy,
			Step{
				Kind: SQL, Target: called(s), Text: fmt.Sprintf("SELECT * FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = %d;", t.Connection),
				Note: "It was still open when it was last looked for. Look what it is.",
			},
			Step{
				Kind: SQL, Target: called(s), Text: fmt.Sprintf("KILL %d;", t.Connection),
				Note: "Only if nobody needs what it did: all of it is rolled back, which takes about as long.",
			})
	}
	if idle(t) && !mysqlFamily(s) {
		f.Remedy = append(f.Remedy, setVariable(s, "idle_transaction_timeout", "60", "Ends connections that are idle in a transaction for a minute; new connections only.")...)
		f.Rollback = undoVariable(s, "idle_transaction_timeout", "0")
	}
}
