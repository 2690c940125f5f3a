package slowlog

import (
	"fmt"
	"strings"
	"testing"
)

func TestFieldsAreReadInAnyOrder(t *testing.T) {
	d := newDecoder(Options{})
	lines := []string{
		" Query_time: 1.5  Rows_sent: 7 Rows_sent_x: 9",
		" Query_time: 1.5  Lock_time: 0.1  Rows_sent: 7 Read_first: 1",
		" Rows_sent: 7  X: 1  Query_time: 1.5",
		" Rows_sent: 6 Rows_sent: 7  Query_time: 1.5 Query",
		" Schema: a b  Query_time: 1.5",
		" Query_time: 1.5  Rows_sent: 7",
	}
	for range 3 {
		for _, line := range lines {
			var e Entry
			d.fields.at = 0
			d.header = header{fields: &d.fields}
			d.header.pairs([]byte(line), &e)
			if strings.Contains(line, "Schema") {
				if want := "a b  Query_time: 1.5"; string(e.Database) != want {
					t.Errorf("%q: database %q, want %q", line, e.Database, want)
				}
				continue
			}
			if sent, known := e.Get(RowsSent); e.Duration != 1_500_000 || sent != 7 || !known {
				t.Errorf("%q: duration %d, rows sent %d %v", line, e.Duration, sent, known)
			}
		}
	}
}

func TestFieldsRememberNoMoreThanServersWrite(t *testing.T) {
	var f fields
	for i := range 1000 {
		name := fmt.Sprintf("Name_%d:", i)
		if got := f.next([]byte(name + " 1")); got == nil || got.name != name {
			t.Fatalf("next(%q) = %v", name, got)
		}
	}
	f.next([]byte(strings.Repeat("x", 4096) + ": 1"))
	if len(f.known) > mostFields {
		t.Errorf("%d names are remembered", len(f.known))
	}
	if got := f.next([]byte("Lock_time: 1")); got == nil || got.read == nil {
		t.Errorf("Lock_time behind them = %v", got)
	}
}
