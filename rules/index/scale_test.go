package index

import (
	"fmt"
	"testing"
	"time"

	"plimsoll/rules/sqlshape"
)

// manyDigests is a workload of so many statements on so many tables.
func manyDigests(statements, tables int) Workload {
	var w Workload
	texts := []string{
		"SELECT * FROM t%d WHERE email = ?", "SELECT * FROM t%d WHERE customer_id = ? ORDER BY created_at DESC LIMIT ?",
		"SELECT COUNT(*) FROM t%d WHERE status = ? AND created_at > ?", "SELECT id, status FROM t%d WHERE status IN (...) AND customer_id = ?",
		"UPDATE t%d SET status = ? WHERE email = ? AND customer_id = ?", "SELECT a.* FROM t%d a JOIN t%d b ON b.customer_id = a.id WHERE a.status = ? AND b.email = ?",
		"SELECT * FROM t%d WHERE customer_id = ? AND status = ? AND created_at BETWEEN ? AND ?", "SELECT customer_id, SUM(id) FROM t%d GROUP BY customer_id",
		"INSERT INTO t%d (email) VALUES (?)", "SELECT * FROM t%d WHERE email LIKE ? OR customer_id = ?",
	}
	for i := range tables {
		t := orders(key("by_status", false, 4, "status"))
		t.Name = fmt.Sprintf("t%d", i)
		w.Tables = append(w.Tables, t)
	}
	for i := range statements {
		text := texts[i%len(texts)]
		at := i / len(texts) % tables
		args := []any{at}
		if i%len(texts) == 5 {
			args = append(args, (at+1)%tables)
		}
		s := asked(fmt.Sprintf(text, args...), 120000, 3)
		s.Fingerprint = fmt.Sprintf("fp1:%d", i)
		w.Statements = append(w.Statements, s)
	}
	return w
}

// A workload of 10,000 digests is to take less than 30 s where parsing it takes some 0.2 s: within a
// hundred times, with room for what runs beside. Both are measured in one run.
func TestAWorkloadTakesAHundredTimesItsParsingAtMost(t *testing.T) {
	w := manyDigests(3000, 150)
	began := time.Now()
	for _, s := range w.Statements {
		if _, err := sqlshape.Parse(string(s.Text), nil); err != nil {
			t.Fatal(err)
		}
	}
	parsing := time.Since(began)
	w2 := w
	for i := range w2.Statements {
		w2.Statements[i].Seconds *= float64(1 + i%7)
	}
	began = time.Now()
	Advise(w2, Options{MinShare: 1e-9})
	if took := time.Since(began); took > 100*parsing {
		t.Errorf("the advice took %s, parsing %s: %.0f times, want at most 100", took, parsing, took.Seconds()/parsing.Seconds())
	}
}
