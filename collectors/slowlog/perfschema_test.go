package slowlog

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/servers"
)

// digests returns what performance_schema has counted, by fingerprint, the test's own questions left out.
func digests(t *testing.T, s *servers.Server) map[string]counted {
	t.Helper()
	list := map[string]counted{}
	for _, c := range readSums(t, s, "DIGEST_TEXT", "events_statements_summary_by_digest") {
		// MySQL has three digests of a prepared statement, of which one is its calls.
		if strings.Contains(c.text, "performance_schema") || begins(c.text, "PREPARE ", "DEALLOCATE ") {
			continue
		}
		c.text = strings.TrimPrefix(c.text, "EXECUTE ")
		fingerprint := sqltext.Options{MaxDigestLength: 1024}.Fingerprint(c.text)
		if have, ok := list[fingerprint]; ok { // by another database
			c = total([]counted{have, c})
		}
		list[fingerprint] = c
	}
	return list
}

// events returns what performance_schema has counted by what the server was asked for.
func events(t *testing.T, s *servers.Server) map[string]counted {
	t.Helper()
	list := map[string]counted{}
	for _, c := range readSums(t, s, "EVENT_NAME", "events_statements_summary_global_by_event_name") {
		list[c.text] = c
	}
	return list
}

// readSums reads a table of performance_schema.
func readSums(t *testing.T, s *servers.Server, name, table string) []counted {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), "SELECT "+name+`, COUNT_STAR, SUM_ROWS_EXAMINED, SUM_ROWS_SENT,
		SUM_ROWS_AFFECTED, SUM_SELECT_SCAN, SUM_TIMER_WAIT DIV 1000, MIN_TIMER_WAIT DIV 1000 FROM performance_schema.`+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []counted
	for rows.Next() {
		c := counted{RowsAffected: new(uint64), FullScans: new(uint64)}
		if err := rows.Scan(&c.text, &c.Calls, &c.RowsExamined, &c.RowsSent, c.RowsAffected, c.FullScans, &c.spent, &c.shortest); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// reconcile makes both sources comparable, one difference after the other, in the order of docs/digest.md.
func (w *window) reconcile(t *testing.T) {
	t.Helper()
	w.cutTexts()
	w.innerStatements()
	if w.family == scratch.MySQL {
		w.administration()
		w.scansOfIndexes()
		return
	}
	w.severalInOne()
	w.syntaxErrors(t)
	w.prepared()
}

// cutTexts finds the statement of a digest text that was cut at performance_schema_max_digest_length.
func (w *window) cutTexts() {
	for fingerprint, c := range w.digests {
		if !strings.HasPrefix(fingerprint, "fp1t:") {
			continue
		}
		for whole, logged := range w.logged {
			if sqltext.HasPrefixOf(logged.text, c.text) {
				delete(w.digests, fingerprint)
				w.digests[whole] = c
			}
		}
	}
}

// innerStatements adds the rows of statements inside a procedure to its call, which are events of their
// own in performance_schema. Triggers of the traffic read no rows.
func (w *window) innerStatements() {
	for fingerprint, c := range w.digests {
		if inner := w.events["statement/sp/stmt"]; strings.HasPrefix(c.text, "CALL ") {
			c.RowsExamined += inner.RowsExamined
			c.RowsSent += inner.RowsSent
			w.digests[fingerprint] = c
		}
	}
}

// administration takes away what MySQL logs with log_slow_admin_statements only.
func (w *window) administration() {
	maps.DeleteFunc(w.digests, func(_ string, c counted) bool {
		return begins(c.text, "ALTER TABLE", "ANALYZE TABLE", "OPTIMIZE TABLE")
	})
}

// scansOfIndexes takes away the scans that MySQL's log does not show: of an index, or of a table in memory.
func (w *window) scansOfIndexes() {
	for fingerprint, c := range w.digests {
		if begins(c.text,
			"SELECT COUNT ( * ) AS AGGREGATE FROM `users`", "SELECT `id` , `email` FROM `users` ORDER BY `id`",
			"SELECT `post_id` , `meta_key` , `meta_value` FROM", "SELECT /*+ MAX_EXECUTION_TIME (?) */ `sku` FROM",
			"SELECT COUNT ( * ) , SUM ( `a` . `score` ) FROM `search_tmp_5b6f`") {
			c.FullScans = new(uint64)
			w.digests[fingerprint] = c
		}
	}
}

func begins(text string, with ...string) bool {
	return slices.ContainsFunc(with, func(prefix string) bool { return strings.HasPrefix(text, prefix) })
}

// severalInOne adds up statements that were sent together: MariaDB's digest of the first has the calls and
// rows of all. The traffic has one such call.
func (w *window) severalInOne() {
	var first string
	var together []counted
	for fingerprint, c := range w.logged {
		switch {
		case begins(c.text, "SET @"):
			first = fingerprint
		case begins(c.text, "INSERT INTO QUOTE(customer_email", "SELECT grand_total"):
			delete(w.logged, fingerprint)
		default:
			continue
		}
		together = append(together, c)
	}
	if first != "" {
		w.logged[first] = total(together)
	}
}

// syntaxErrors takes away what MariaDB logs and has no digest of.
func (w *window) syntaxErrors(t *testing.T) {
	t.Helper()
	for fingerprint, c := range w.logged {
		if strings.HasPrefix(fingerprint, "fp1t:") {
			if errors := w.events["statement/sql/error"]; errors.Calls != c.Calls {
				t.Errorf("%d calls of %s, and %d syntax errors", c.Calls, c.text, errors.Calls)
			}
			delete(w.logged, fingerprint)
		}
	}
}

// prepared adds up what has no digest: MariaDB has none of prepared statements. It counts their executions,
// all together.
func (w *window) prepared() {
	const event = "statement/com/Execute"
	var unseen []counted
	for fingerprint, c := range w.logged {
		if _, seen := w.digests[fingerprint]; !seen {
			unseen = append(unseen, c)
			delete(w.logged, fingerprint)
		}
	}
	if w.events[event].Calls > 0 {
		w.digests[event] = w.events[event]
	}
	if len(unseen) > 0 {
		w.logged[event] = total(unseen)
	}
}

// compareCommands compares what is no statement: MySQL logs such commands if they take a microsecond, and
// MariaDB does not.
func (w *window) compareCommands(t *testing.T) {
	t.Helper()
	calls := map[string]uint64{}
	for r := NewReader(bytes.NewReader(w.log), Options{}); ; {
		e, err := r.Next()
		if err != nil {
			break
		}
		if name, ok := strings.CutPrefix(string(e.Statement), administrator); ok && e.Admin {
			calls[name]++
		}
	}
	for name, n := range calls {
		if most := w.events["statement/com/"+name].Calls; n > most || w.family == scratch.MariaDB {
			t.Errorf("%d calls of %s in the log, and %d in performance_schema", n, name, most)
		}
	}
	if want := w.events["statement/com/Prepare"].Calls; w.family == scratch.MySQL && calls["Prepare"] != want {
		t.Errorf("%d calls of Prepare in the log, and %d in performance_schema", calls["Prepare"], want)
	}
}
