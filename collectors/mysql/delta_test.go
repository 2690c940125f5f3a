package mysql

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

const second = int64(1e6) // in the microseconds of FIRST_SEEN

// seen is one row of one read: how often the statement had run, and since when.
type seen struct {
	digest string
	first  int64
	calls  uint64
}

// read is one read of the table, at the server's time now.
type read struct {
	now     int64
	server  string
	started int64
	rows    []seen
}

// take runs a read and returns the calls that each digest counted.
func take(t *digestTable, r read) (map[string]uint64, change) {
	t.begin()
	for _, row := range r.rows {
		cells := &digestCells{digest: text{bytes: []byte(row.digest), null: row.digest == ""}, schema: text{null: true}}
		cells.first.micros = row.first
		cells.sums[sumCalls] = row.calls
		t.take(rowKey(nil, cells.schema, cells.digest), cells)
	}
	id := &snapshot.Identity{Key: "s" + r.server, Started: time.Unix(r.started, 0)}
	c := t.settle(id, r.now)
	calls := map[string]uint64{}
	for _, row := range c.active {
		calls[row.digest] = row.delta[sumCalls]
	}
	return calls, c
}

func TestEachRuleOfDifferences(t *testing.T) {
	const now, later = 100 * second, 160 * second
	old := read{now: now, rows: []seen{{"a", 10 * second, 5}, {"b", 20 * second, 7}}}
	for name, test := range map[string]struct {
		before, after read
		want          map[string]uint64
		reset         bool
	}{
		"the first read is a base": {
			read{}, old, map[string]uint64{}, false,
		},
		"a row that grew counts its growth": {
			old,
			read{now: later, rows: []seen{{"a", 10 * second, 9}, {"b", 20 * second, 7}}},
			map[string]uint64{"a": 4},
			false,
		},
		"a new row counts whole": {
			old,
			read{now: later, rows: []seen{{"a", 10 * second, 5}, {"b", 20 * second, 7}, {"c", 101 * second, 3}}},
			map[string]uint64{"c": 3},
			false,
		},
		"a new row of the second of the last read counts whole": {
			old,
			read{now: later, rows: []seen{{"a", 10 * second, 5}, {"b", 20 * second, 7}, {"c", 100 * second, 3}}},
			map[string]uint64{"c": 3},
			false,
		},
		"an old row that was not seen is a base": {
			old,
			read{now: later, rows: []seen{{"a", 10 * second, 5}, {"b", 20 * second, 7}, {"c", 99 * second, 3}}},
			map[string]uint64{},
			false,
		},
		"a row made anew counts whole": {
			old,
			read{now: later, rows: []seen{{"a", 110 * second, 6}, {"b", 120 * second, 7}}},
			map[string]uint64{"a": 6, "b": 7},
			true,
		},
		"a row made anew in the same second counts whole if it fell": {
			old,
			read{now: later, rows: []seen{{"a", 10 * second, 2}, {"b", 20 * second, 7}}},
			map[string]uint64{"a": 2},
			true,
		},
		"a row that went says that the table was emptied": {
			old,
			read{now: later, rows: []seen{{"a", 10 * second, 5}}},
			map[string]uint64{},
			true,
		},
		"all rows of a restarted server count whole": {
			old,
			read{now: later, started: 130, rows: []seen{{"a", 10 * second, 2}, {"c", 20 * second, 4}}},
			map[string]uint64{"a": 2, "c": 4},
			false,
		},
		"another server's table is a base": {
			old,
			read{now: later, server: "other", rows: []seen{{"a", 110 * second, 6}, {"c", 120 * second, 1}}},
			map[string]uint64{},
			false,
		},
		"two rows of one key are added": {
			old,
			read{now: later, rows: []seen{{"a", 10 * second, 5}, {"b", 20 * second, 7}, {"a", 150 * second, 2}}},
			map[string]uint64{"a": 2},
			false,
		},
		"the row without a digest counts like any other": {
			read{now: now, rows: []seen{{"", 10 * second, 5}}},
			read{now: later, rows: []seen{{"", 10 * second, 8}}},
			map[string]uint64{"": 3},
			false,
		},
		"what is unknown is new if the clock was put back": {
			old,
			read{now: 50 * second, rows: []seen{{"a", 10 * second, 5}, {"b", 20 * second, 7}, {"c", 45 * second, 2}}},
			map[string]uint64{"c": 2},
			false,
		},
		"a counter that passed its largest number is no reset": {
			read{now: now, rows: []seen{{"a", 10 * second, 1<<64 - 3}}},
			read{now: later, rows: []seen{{"a", 10 * second, 4}}},
			map[string]uint64{"a": 7},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var table digestTable
			if test.before.now != 0 {
				take(&table, test.before)
			}
			got, c := take(&table, test.after)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if c.reset != test.reset {
				t.Errorf("reset = %v, want %v", c.reset, test.reset)
			}
		})
	}
}

func TestAReadThatFailsIsForgotten(t *testing.T) {
	var table digestTable
	take(&table, read{now: 100 * second, rows: []seen{{"a", 10 * second, 5}}})
	table.begin()
	cells := &digestCells{digest: text{bytes: []byte("a")}, schema: text{null: true}}
	cells.first.micros, cells.sums[sumCalls] = 10*second, 6
	table.take(rowKey(nil, cells.schema, cells.digest), cells)
	// The server hung here: the rest never came.
	got, _ := take(&table, read{now: 160 * second, rows: []seen{{"a", 10 * second, 8}}})
	if diff := cmp.Diff(map[string]uint64{"a": 3}, got); diff != "" {
		t.Errorf("calls after a read that failed (-want +got):\n%s", diff)
	}
}

// TestSeriesAddUpToWhatIsCounted runs a changing load through the ledger and
// holds what Prometheus would see against what was counted.
func TestSeriesAddUpToWhatIsCounted(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	l := newLedger(time.Unix(0, 0))
	rows := make([]*digestRow, 400)
	for i := range rows {
		rows[i] = &digestRow{digest: string(rune('a'+i%26)) + string(rune('a'+i/26))}
		if i%7 != 0 { // The texts of the others come later.
			l.learn(rows[i], statement(i), false)
		}
	}
	shown, members := map[groupKey]uint64{}, map[groupKey]bool{}
	var counted, increased uint64
	for round := range 200 {
		c := change{}
		for i, row := range rows {
			row.delta = sums{}
			if random.IntN(400) < i/2+round%3*60 {
				row.delta[sumCalls], row.delta[sumTime] = random.Uint64N(100), random.Uint64N(1e9)+uint64(i)*1e6
				c.active = append(c.active, row)
				counted += row.delta[sumCalls]
			}
			if row.group == nil && round == 5 {
				l.learn(row, statement(i), false)
			}
		}
		l.book(c, nil)
		now := map[groupKey]bool{}
		for _, s := range l.series() {
			key := groupKey{s.Schema, s.Fingerprint}
			now[key] = true
			last, before := shown[key]
			if s.Calls < last {
				t.Fatalf("round %d: %s fell from %d to %d", round, s.Fingerprint, last, s.Calls)
			}
			if !members[key] && round > 0 && s.Calls != last {
				t.Fatalf("round %d: %s appears at %d, want its old value %d", round, s.Fingerprint, s.Calls, last)
			}
			if before || round == 0 {
				increased += s.Calls - last
			}
			shown[key] = s.Calls
		}
		if changes := differences(members, now); round > 0 && changes > maxChanges {
			t.Fatalf("round %d: %d series came or went, want at most %d", round, changes, maxChanges)
		}
		if len(now) > maxSeries+2 {
			t.Fatalf("round %d: %d series, want at most %d", round, len(now), maxSeries+2)
		}
		members = now
	}
	for _, row := range rows {
		counted -= row.pending[sumCalls]
	}
	if increased != counted {
		t.Errorf("the series grew by %d, want %d", increased, counted)
	}
	if len(members) != maxSeries+2 {
		t.Errorf("%d series in the end, want %d", len(members), maxSeries+2)
	}
}

func statement(i int) sqltext.Statement {
	return sqltext.Statement{Fingerprint: "fp1:" + string(rune('0'+i/100)) + string(rune('0'+i/10%10)) + string(rune('0'+i%10))}
}

func differences(a, b map[groupKey]bool) (n int) {
	for key := range a {
		if !b[key] {
			n++
		}
	}
	for key := range b {
		if !a[key] {
			n++
		}
	}
	return n
}

func TestMembersLeaveAfterThreeQuietIntervals(t *testing.T) {
	r := newRoster(2, func(a, b int) int { return a - b })
	r.admit(r.turn([]int{1, 2}))
	for interval := 1; interval <= quietIntervals; interval++ {
		if !r.has(2) {
			t.Fatalf("2 left after %d quiet intervals, want %d", interval-1, quietIntervals)
		}
		r.admit(r.turn([]int{1, 3}))
	}
	if got := r.members(); !slices.Equal(got, []int{1, 3}) {
		t.Errorf("members = %v, want 1 and 3, who took the place of 2", got)
	}
}

func TestWhatIsForgottenBeginsAnEpoch(t *testing.T) {
	l := newLedger(time.Unix(0, 0))
	kept := &digestRow{digest: "kept"}
	l.learn(kept, sqltext.Statement{Fingerprint: "fp1:kept"}, false)
	for i := range maxGroups {
		l.group(groupKey{"tenant", statement(0).Fingerprint + string(rune(i))})
	}
	kept.group.scan = 7
	l.forget(7, time.Unix(9, 0))
	if len(l.groups) != 1 || l.groups[kept.group.groupKey] == nil || len(l.texts) != 1 {
		t.Errorf("%d statements and %d texts are left, want the one that the server has", len(l.groups), len(l.texts))
	}
	if want := newEpoch(time.Unix(9, 0)); l.epoch != want {
		t.Errorf("epoch = %s, want %s", l.epoch, want)
	}
}

func TestMoments(t *testing.T) {
	at := func(s string) int64 {
		at, err := time.Parse("2006-01-02 15:04:05.999999", s)
		if err != nil {
			t.Fatal(err)
		}
		return at.UnixMicro()
	}
	for _, s := range []string{"2026-11-20 10:13:59", "2026-11-20 10:13:59.5", "2026-11-20 10:13:59.832861", "1999-12-31 23:59:59.000001"} {
		if got, ok := parseMoment([]byte(s)); !ok || got != at(s) {
			t.Errorf("parseMoment(%q) = %d, %v, want %d", s, got, ok, at(s))
		}
	}
	for _, s := range []string{"", "0000-00-00 00:00:00", "0000-00-00 00:00:00.000000"} {
		if got, ok := parseMoment([]byte(s)); !ok || got != 0 {
			t.Errorf("parseMoment(%q) = %d, %v, want 0", s, got, ok)
		}
	}
	for _, s := range []string{"now", "2026-11-20", "2026-11-20T10:13:59", "20x6-11-20 10:13:59", "2026-11-20 10:13:-9"} {
		if got, ok := parseMoment([]byte(s)); ok {
			t.Errorf("parseMoment(%q) = %d, want none", s, got)
		}
	}
}

func FuzzMoment(f *testing.F) {
	f.Add([]byte("2026-11-20 10:13:59.832861"))
	f.Add([]byte("0000-00-00 00:00:00"))
	f.Fuzz(func(t *testing.T, s []byte) {
		got, ok := parseMoment(s)
		const layout = "2006-01-02 15:04:05.999999"
		if want, err := time.Parse(layout, string(s)); err == nil && want.Year() > 0 && want.Format(layout) == string(s) {
			if !ok || got != want.UnixMicro() {
				t.Errorf("parseMoment(%q) = %d, %v, want %d", s, got, ok, want.UnixMicro())
			}
		}
	})
}
