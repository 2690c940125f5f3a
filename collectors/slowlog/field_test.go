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
		" Query_time: 1.5\n#   Rows_sent: 7",
		"\n# Id: 5 Query_time: 1.5  Rows_sent: 7\r\n# Rows_examined: 123456789  ",
		" Errno: x Query_time: 1.5  Rows_sent:  7 ",
	}
	statement := strings.Repeat("x", 100) // what is read quickly is not at the end of the log
	for range 3 {
		for _, line := range lines {
			var e Entry
			d.fields.at = 0
			d.header = header{fields: &d.fields, clock: &d.clock}
			text := "# User@Host: a[a] @ b []\n#" + line + "\n"
			d.header.read([]byte(text+statement), len(text), &e)
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
		if got, value := f.find([]byte(" "+name+" 1"), 0); got == nil || value != len(name)+2 {
			t.Fatalf("find(%q) = %v, %d", name, got, value)
		}
	}
	f.find([]byte(strings.Repeat("x", 4096)+": 1"), 0)
	if len(f.known) > mostFields {
		t.Errorf("%d names are remembered", len(f.known))
	}
	if got, _ := f.find([]byte("Lock_time: 1"), 0); got == nil || got.is != LockTime || got.form != inSeconds {
		t.Errorf("Lock_time behind them = %v", got)
	}
}
