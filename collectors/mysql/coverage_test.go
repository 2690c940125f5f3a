package mysql

import (
	"testing"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors"
	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/servers"
)

// runPrepared runs a statement as PHP's native prepared statements do.
func runPrepared(t *testing.T, s *servers.Server, query string, times int) {
	t.Helper()
	conn := connect(t, s, "")
	prepared, err := conn.PrepareContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer prepared.Close()
	for i := range times {
		var b int
		if err := prepared.QueryRowContext(t.Context(), i%3+1).Scan(&b); err != nil {
			t.Fatal(err)
		}
	}
	execOn(t, conn, "DO 0", "DO 0") // The first one tells that all are counted, the second that it is logged.
}

func TestCoverageShowsWhatDigestsDoNotSee(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		g := newGenerator(t, s)
		job := find(t, open(t, s, 1), "mysql/digests")
		before := run(t, job).Coverage
		if before.Statements != 0 || before.Digested != 0 {
			t.Errorf("coverage begins at %d of %d, want 0", before.Digested, before.Statements)
		}
		g.run(t, 1, 50)
		const prepared = "SELECT b AS prepared_here FROM shop.items WHERE id = ?"
		runPrepared(t, s, prepared, 60)
		parts := run(t, job)
		got := parts.Coverage
		if got.PreparedExecutions != 60 {
			t.Errorf("%d prepared executions, want 60", got.PreparedExecutions)
		}
		if got.Seconds == nil || *got.Seconds <= 0 || got.HiddenSeconds == nil {
			t.Fatalf("coverage has no times: %+v", got)
		}
		var calls uint64
		for _, row := range parts.Digests.Rows {
			if row.Fingerprint == sqltext.Fingerprint(prepared) {
				calls += row.Calls
			}
		}
		if s.Family == scratch.MySQL {
			if got.PreparedHidden || calls != 60 || *got.HiddenSeconds != 0 {
				t.Errorf("hidden = %v for %v s, %d calls, want 60 calls and nothing hidden", got.PreparedHidden, *got.HiddenSeconds, calls)
			}
			if got.Digested < got.Statements*9/10 {
				t.Errorf("%d of %d statements are digested, want nearly all", got.Digested, got.Statements)
			}
			return
		}
		if !got.PreparedHidden || calls != 0 || *got.HiddenSeconds <= 0 || *got.HiddenSeconds > *got.Seconds {
			t.Errorf("hidden = %v for %v of %v s, %d calls, want them hidden", got.PreparedHidden, *got.HiddenSeconds, *got.Seconds, calls)
		}
		if missing := got.Statements - got.Digested; missing < 60 || missing > 70 {
			t.Errorf("%d of %d statements are digested, want 60 missing", got.Digested, got.Statements)
		}
	})
}

// A server shows by itself whether its digests see prepared statements; its
// family is only the first guess.
func TestWhatIsHiddenIsMeasured(t *testing.T) {
	var c coverageTotals
	base := coverageSeen{}
	c.book(base, &booking{table: 0, calls: 0}, false)
	next := base
	next.counters[seenPlain], next.counters[seenExecutions] = 100, 50
	c.book(next, &booking{table: 101, calls: 101}, false)
	if c.Hidden == nil || !*c.Hidden {
		t.Errorf("100 plain statements, 50 executions, 101 digested: hidden = %v, want true", c.Hidden)
	}
	again := next
	again.counters[seenPlain], again.counters[seenExecutions] = 200, 100
	c.book(again, &booking{table: 149, calls: 149}, false)
	if c.Hidden == nil || *c.Hidden {
		t.Errorf("100 plain statements, 50 executions, 149 digested: hidden = %v, want false", c.Hidden)
	}
}

func TestLatencyIsOfTheLastInterval(t *testing.T) {
	s := sharedServers.server(t, servers.MySQL97)
	server := open(t, s, 1)
	var digests, latency collectors.Job
	for _, job := range server.Jobs() {
		switch job.Name {
		case "mysql/digests":
			digests = job
		case "mysql/latency":
			latency = job
		}
	}
	run(t, digests)
	slow := func(seconds string) {
		for range 4 {
			s.Exec(t, "SELECT SLEEP("+seconds+") AS latency_here")
		}
		s.Exec(t, "DO 0")
	}
	slow("0.02")
	run(t, digests)
	if rows := run(t, latency).Latency.Rows; len(rows) != 0 {
		t.Errorf("latency of the first read = %v, want none", rows)
	}
	slow("0.05")
	fingerprint := sqltext.Fingerprint("SELECT SLEEP(1) AS latency_here")
	for range 10 { // Each round reads what was read longest ago.
		for _, row := range run(t, latency).Latency.Rows {
			if row.Fingerprint != fingerprint {
				continue
			}
			var calls uint64
			for _, bucket := range row.Buckets {
				calls += bucket.Count
			}
			if calls != 4 || row.P50 == nil || *row.P50 < 0.05 || *row.P50 > 0.08 || *row.P99 < *row.P50 {
				t.Errorf("latency = %+v, want 4 executions of a little over 0.05 s", row)
			}
			return
		}
	}
	t.Error("the latency of the leading statement is not read")
}

func TestLatencyWithoutHistogramsIsAGap(t *testing.T) {
	got := collect(t, open(t, sharedServers.server(t, servers.MariaDB1011), 1), "mysql/latency").Latency
	if len(got.Rows) != 0 || len(got.Gaps) != 1 {
		t.Errorf("latency on MariaDB = %+v, want a gap", got)
	}
}
