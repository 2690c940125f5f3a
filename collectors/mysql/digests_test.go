package mysql

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
	"plimsoll/fixtures/servers"
)

// generator runs statements and writes down how many of each it ran.
type generator struct {
	s     *servers.Server
	calls map[string]uint64 // by fingerprint
}

func newGenerator(t *testing.T, s *servers.Server) *generator {
	t.Helper()
	s.Exec(t, "CREATE DATABASE IF NOT EXISTS shop", "CREATE TABLE IF NOT EXISTS shop.items (id INT PRIMARY KEY, b INT)",
		"REPLACE INTO shop.items VALUES (1, 1), (2, 2), (3, 3)")
	return &generator{s: s, calls: map[string]uint64{}}
}

// run runs statement number n, calls times, each with another literal. The
// server counts a statement after it has answered it, so that only the answer
// to a further one on the same connection tells that all are counted; and to one
// more, that the further one is in the slow log, behind all of them.
func (g *generator) run(t *testing.T, n, calls int) {
	t.Helper()
	conn, err := g.s.DB().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exec := func(statement string) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for i := range calls {
		statement := fmt.Sprintf("SELECT b AS ledger_%d FROM shop.items WHERE id = %d", n, i)
		exec(statement)
		g.calls[sqltext.Fingerprint(statement)]++
	}
	exec("DO 0")
	exec("DO 0")
}

// counted are the calls that a snapshot has of the generator's statements.
func (g *generator) counted(d *snapshot.Digests) map[string]uint64 {
	calls := map[string]uint64{}
	for _, row := range d.Rows {
		if _, ours := g.calls[row.Fingerprint]; ours {
			calls[row.Fingerprint] += row.Calls
		}
	}
	return calls
}

// poller reads digests and holds against each other what one read says twice.
type poller struct {
	job  collectors.Job
	last *snapshot.Digests
}

func newPoller(t *testing.T, s *Server) *poller {
	t.Helper()
	p := &poller{job: find(t, s, "mysql/digests")}
	p.poll(t)
	return p
}

func (p *poller) poll(t *testing.T) *snapshot.Digests {
	t.Helper()
	d := run(t, p.job).Digests
	if p.last != nil {
		if p.last.Epoch != d.Epoch {
			t.Errorf("epoch changed from %s to %s", p.last.Epoch, d.Epoch)
		}
		rows := rowCalls(d) - rowCalls(p.last)
		if got := seriesCalls(d, p.last); got != rows {
			t.Errorf("series grew by %d calls, rows by %d", got, rows)
		}
	}
	p.last = d
	return d
}

// restart is what an agent's restart does to the job.
func (p *poller) restart(t *testing.T, s *Server) {
	t.Helper()
	state, err := p.job.Collector.(collectors.Keeper).Save()
	if err != nil {
		t.Fatal(err)
	}
	p.job = find(t, s, "mysql/digests")
	if err := p.job.Collector.(collectors.Keeper).Load(state); err != nil {
		t.Fatal(err)
	}
}

func rowCalls(d *snapshot.Digests) uint64 {
	calls := d.Overflow.Calls
	for _, row := range d.Rows {
		calls += row.Calls
	}
	return calls
}

// seriesCalls is what Prometheus sees: the increases of all series, where one
// that appears begins at the value it appears with, and none may fall.
func seriesCalls(d, before *snapshot.Digests) uint64 {
	last := map[string]uint64{}
	for _, s := range before.Series {
		last[s.Fingerprint+s.Schema] = s.Calls
	}
	var grown uint64
	for _, s := range d.Series {
		if was, shown := last[s.Fingerprint+s.Schema]; shown {
			grown += s.Calls - was
		}
	}
	return grown
}

func TestTotalsAreExactThroughTruncateAndRestarts(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, p)
			g := newGenerator(t, s)
			server := open(t, s, 1)
			polls := newPoller(t, server)
			check := func(after string) {
				t.Helper()
				if diff := cmp.Diff(g.calls, g.counted(polls.poll(t))); diff != "" {
					t.Errorf("after %s, ledger and digests differ (-ledger +digests):\n%s", after, diff)
				}
			}
			for n := range 8 {
				g.run(t, n, n+1)
			}
			check("the first statements")
			g.run(t, 3, 5)
			g.run(t, 20, 2)
			check("old and new statements")
			s.Exec(t, "TRUNCATE performance_schema.events_statements_summary_by_digest")
			g.run(t, 3, 2)
			g.run(t, 21, 4)
			check("TRUNCATE")
			g.run(t, 3, 40)
			s.Exec(t, "FLUSH STATUS")
			check("FLUSH STATUS")
			g.run(t, 4, 3)
			polls.restart(t, server)
			g.run(t, 4, 4)
			g.run(t, 22, 1)
			check("a restart of the agent")
			if err := s.Restart(context.WithoutCancel(t.Context())); err != nil {
				t.Fatal(err)
			}
			g.run(t, 4, 3)
			g.run(t, 23, 2)
			check("a restart of the server")
			polls.restart(t, server)
			if err := s.Restart(context.WithoutCancel(t.Context())); err != nil {
				t.Fatal(err)
			}
			g.run(t, 4, 1)
			check("a restart of both")
		})
	}
}
