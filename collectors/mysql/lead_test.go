package mysql

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"plimsoll/collectors/sqltext"
)

// call is one execution of a statement, at a time, and who sees it.
type call struct {
	at         int
	table, log bool
}

// Both sources are read once in roundLength. In each round the log is read
// first, then the table, and then it is noted how far the log is written.
const (
	roundLength = 100
	tableRead   = 3
	logMarked   = 6
)

// sources are a digest table and a slow log of one statement, read by a job.
type sources struct {
	job   *digestJob
	row   *digestRow
	calls []call
	round int
	// lead, if not nil, decides who leads in the place of what was counted.
	lead func(c *contest)
}

func newSources() *sources {
	s := &sources{
		job: &digestJob{server: &Server{own: newOwnStatements()}, ledger: newLedger(time.Unix(0, 0)), plans: plans{}},
		row: &digestRow{digest: "d"},
	}
	s.job.ledger.learn(s.row, statement(1), false)
	return s
}

// between counts what one source sees after one time and up to another.
func (s *sources) between(from, to int, sees func(call) bool) (n uint64) {
	for _, c := range s.calls {
		if c.at > from && c.at <= to && sees(c) {
			n++
		}
	}
	return n
}

// read is a round of the job. It returns what has been counted in all.
func (s *sources) read() uint64 {
	s.round++
	now, before := s.round*roundLength, (s.round-1)*roundLength
	var c change
	if s.row.delta[sumCalls] = s.between(before+tableRead, now+tableRead, func(c call) bool { return c.table }); s.row.delta[sumCalls] > 0 {
		c.active = []*digestRow{s.row}
	}
	var round []*logged
	log := func(c call) bool { return c.log }
	if n := s.between(before, now, log); n > 0 {
		round = []*logged{{fingerprint: statement(1).Fingerprint, entries: n, counted: sums{n}, marked: sums{s.between(before, before+logMarked, log)}}}
	}
	s.job.contest(c.active, round)
	if contest := s.job.ledger.leaders.contests[statement(1).Fingerprint]; s.lead != nil && contest != nil {
		s.lead(contest)
	}
	s.job.ledger.book(c, round)
	return s.counted()
}

func (s *sources) counted() (calls uint64) {
	for _, g := range s.job.ledger.groups {
		calls += g.total[sumCalls]
	}
	return calls
}

// rounds are how many calls of a statement each source sees in a number of
// rounds: both together, and each alone.
type rounds struct{ number, both, table, log int }

func TestWhoCountedMoreLeads(t *testing.T) {
	for name, test := range map[string]struct {
		rounds []rounds
		want   uint64
		log    bool
	}{
		"what both see alike is the table's":        {[]rounds{{5, 10, 0, 0}}, 50, false},
		"what only the log sees is the log's":       {[]rounds{{5, 0, 0, 10}}, 50, true},
		"what only the table sees is the table's":   {[]rounds{{5, 0, 10, 0}}, 50, false},
		"a log of what is slow sees a part":         {[]rounds{{5, 3, 7, 0}}, 50, false},
		"prepared and plain: the log sees all":      {[]rounds{{5, 3, 0, 7}}, 50, true},
		"a call more or less changes nothing":       {[]rounds{{5, 99, 0, 1}, {5, 99, 1, 0}}, 995, false},
		"a tenth more is too little for the log":    {[]rounds{{3, 1, 9, 0}, {1, 0, 0, 30}}, 30, false},
		"with more it takes over, and adds it":      {[]rounds{{3, 1, 9, 0}, {1, 0, 0, 31}}, 61, true},
		"a tenth more is too little for the table":  {[]rounds{{3, 0, 0, 10}, {1, 0, 33, 0}}, 30, true},
		"with more the table takes over":            {[]rounds{{3, 0, 0, 10}, {1, 0, 34, 0}}, 64, false},
		"ten rounds are compared":                   {[]rounds{{1, 0, 0, 1000}, {9, 0, 10, 0}, {1, 0, 10, 0}}, 1010, false},
		"who led before its silence leads after it": {[]rounds{{2, 0, 0, 5}, {20, 0, 0, 0}, {1, 4, 0, 0}}, 14, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSources()
			for _, r := range test.rounds {
				for range r.number {
					s.calls = append(s.calls, calls(s.round, r)...)
					s.read()
				}
			}
			if log := s.job.ledger.leaders.leader(statement(1).Fingerprint).log; log != test.log {
				t.Errorf("the log leads: %v, want %v", log, test.log)
			}
			if got := s.counted(); got != test.want {
				t.Errorf("%d calls were counted, want %d", got, test.want)
			}
		})
	}
}

// calls are those of one round, far from the moments of reading.
func calls(round int, r rounds) []call {
	at := round*roundLength + roundLength/2
	var all []call
	for range r.both {
		all = append(all, call{at, true, true})
	}
	for range r.table {
		all = append(all, call{at, true, false})
	}
	for range r.log {
		all = append(all, call{at, false, true})
	}
	return all
}

// TestAChangeOfLeaderAddsNothingTwice lets anybody lead at any time while calls
// that both see come at every moment, those between two readings too.
func TestAChangeOfLeaderAddsNothingTwice(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	s := newSources()
	changes := 0
	s.lead = func(c *contest) {
		// The log begins: as the statement is new, nothing was counted before.
		c.log = s.round == 1 || random.IntN(2) == 0
		if c.log != c.led && !c.fresh {
			changes++
		}
	}
	const number = 500
	for range number * 30 {
		s.calls = append(s.calls, call{1 + random.IntN(number*roundLength), true, true})
	}
	for range number {
		got := s.read()
		if most := s.between(0, s.round*roundLength+tableRead, func(call) bool { return true }); got > most {
			t.Fatalf("round %d: %d calls were counted of %d", s.round, got, most)
		}
	}
	all := uint64(len(s.calls))
	// Between L and M are six hundredths of the calls of a round.
	if lost, most := all-s.counted(), uint64(changes)*30*2*logMarked/roundLength; lost > most {
		t.Errorf("%d of %d calls were lost in %d changes, want at most %d", lost, all, changes, most)
	}
}

func TestALeaderThatStaysLosesNothing(t *testing.T) {
	for name, log := range map[string]bool{"the table": false, "the log": true} {
		t.Run(name, func(t *testing.T) {
			s := newSources()
			s.lead = func(c *contest) { c.log = log }
			for at := range 20 * roundLength {
				s.calls = append(s.calls, call{at + 1, true, true})
			}
			for range 10 {
				if got, want := s.read(), uint64(s.round*roundLength); got != want {
					t.Errorf("round %d: %d calls were counted, want %d", s.round, got, want)
				}
			}
		})
	}
}

func TestWithoutATableTheLogCountsEverything(t *testing.T) {
	l := newLedger(time.Unix(0, 0))
	for round := range 3 {
		l.leaders.turnAlone()
		l.book(change{}, []*logged{{fingerprint: "fp1:a", entries: 5, counted: sums{5}, marked: sums{uint64(round)}}})
	}
	// What was marked in the first round may have been the table's.
	if got := l.groups[groupKey{"", "fp1:a"}].total[sumCalls]; got != 15 {
		t.Errorf("%d calls were counted, want 15", got)
	}
}

func TestATruncatedDigestAndTheWholeStatementHaveOneLeader(t *testing.T) {
	var columns strings.Builder
	for i := range 100 {
		fmt.Fprintf(&columns, "column_%d, ", i)
	}
	whole := sqltext.Parse("SELECT " + columns.String() + "id FROM items WHERE id = 5")
	cut := sqltext.Parse(whole.Text[:800] + "...")
	if !cut.Truncated || whole.Truncated || cut.Fingerprint == whole.Fingerprint {
		t.Fatalf("%s and %s are not a text and its beginning", whole.Fingerprint, cut.Fingerprint)
	}
	for name, tableFirst := range map[string]bool{"the table shows it first": true, "the log shows it first": false} {
		t.Run(name, func(t *testing.T) {
			s := newSources()
			s.row = &digestRow{digest: "cut"}
			table := func(calls uint64) (c change) {
				if s.row.group == nil {
					s.job.ledger.learn(s.row, cut, false)
				}
				s.row.delta = sums{calls}
				return change{active: []*digestRow{s.row}}
			}
			log := func(calls uint64) []*logged {
				return []*logged{{fingerprint: whole.Fingerprint, statement: whole, entries: calls, counted: sums{calls}}}
			}
			read := func(c change, round []*logged) {
				s.job.contest(c.active, round)
				s.job.ledger.book(c, round)
			}
			if tableFirst {
				read(table(3), nil)
			} else {
				read(change{}, log(3))
			}
			read(table(10), log(10))
			read(table(10), log(20))
			read(table(10), log(40))
			if got := s.counted(); got != 73 {
				t.Errorf("%d calls were counted, want the 13 of the table before the log took over, and the 60 of the log", got)
			}
			if !s.job.ledger.leaders.leader(cut.Fingerprint).log {
				t.Error("the table leads, though the log counted more")
			}
		})
	}
}
