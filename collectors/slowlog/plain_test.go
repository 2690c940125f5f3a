package slowlog

import (
	"bytes"
	"testing"

	"plimsoll/fixtures/slowlogs"
)

// TestPlainEntriesEndWhereAllDo finds the end of each entry in both ways, and lines by counting them.
func TestPlainEntriesEndWhereAllDo(t *testing.T) {
	logs := recordings(t)
	logs["hostile"] = hostileLog(t)
	for _, l := range slowlogs.Layouts() {
		logs[string(l)] = slowlogs.Generate(l, 50_000, 50, 3)
	}
	o, taken := hostileOptions(), 0
	for name, log := range logs {
		for at, how := 0, ended; at < len(log); at++ {
			r := newSplitter(nil, o).bounds
			head, state := r.header(log[at:], how)
			if state != whole || at > 0 && log[at-1] != '\n' {
				continue
			}
			end, lines := r.plain(log[at:], head, how)
			if end == 0 {
				continue
			}
			taken++
			want, state := r.end(log[at:], head.body, how)
			counted := bytes.Count(log[at:at+end], newline)
			if end != want || state != whole || r.wholeStatement(log[at+head.body:at+end]) != 0 || lines != counted {
				t.Errorf("%s: the entry at %d has %d bytes and %d lines, want %d and %d", name, at, end, lines, want, counted)
			}
		}
	}
	if taken < 500 {
		t.Errorf("%d entries are plain, want nearly all", taken)
	}
}
