package mysql

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

func wantRemedy(t *testing.T, gap snapshot.Gap, part string) {
	t.Helper()
	if gap.Reason == "" || !strings.Contains(gap.Remedy, part) {
		t.Errorf("gap = %+v, want a remedy with %q", gap, part)
	}
}

// useItems makes a table with a used and an unused index.
func useItems(t *testing.T, s *servers.Server, schema string) {
	t.Helper()
	s.Exec(t, "DROP DATABASE IF EXISTS "+schema, "CREATE DATABASE "+schema,
		"CREATE TABLE "+schema+".items (id INT PRIMARY KEY, a INT, b INT, KEY a (a), KEY b (b))",
		"INSERT INTO "+schema+".items VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)",
		"SELECT * FROM "+schema+".items WHERE a = 1", "SELECT * FROM "+schema+".items WHERE a = 2",
		"SELECT * FROM "+schema+".items", "UPDATE "+schema+".items SET b = 9 WHERE id = 3",
		"DELETE FROM "+schema+".items WHERE id = 1")
}

func TestUseTellsUsedFromUnusedIndexes(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		useItems(t, s, "used")
		defer s.Exec(t, "DROP DATABASE used")
		got := collect(t, open(t, s, 1), "mysql/use").Use
		reads := map[string]uint64{}
		for _, index := range got.Indexes {
			if index.Schema == "used" {
				reads[index.Index] = index.Reads
			}
		}
		if reads["a"] != 2 || reads["b"] != 0 || len(reads) != 3 {
			t.Errorf("reads by index = %v, want 2 of a, none of b, and PRIMARY", reads)
		}
		for _, table := range got.Tables {
			if table.Schema != "used" {
				continue
			}
			want := snapshot.TableUse{Schema: "used", Table: "items", Reads: 7, Inserts: 3, Updates: 1, Deletes: 1, ScanReads: new(uint64(3))}
			if diff := cmp.Diff(want, table, cmpopts.IgnoreFields(snapshot.TableUse{}, "Seconds")); diff != "" {
				t.Errorf("use of the table (-want +got):\n%s", diff)
			}
		}
	})
}

func TestUseBeginsAnewWhenItsStatisticsAreEmptied(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, p)
			useItems(t, s, "used")
			server := open(t, s, 1)
			job := find(t, server, "mysql/use")
			first := run(t, job).Use
			if started := collect(t, server, "mysql/identity").Identity.Started; !first.Since.Equal(started) {
				t.Errorf("use counts since %v, want the server's start %v", first.Since, started)
			}
			s.Exec(t, "SELECT * FROM used.items")
			second := run(t, job).Use
			if second.Epoch != first.Epoch || second.Since != first.Since {
				t.Errorf("epoch changed from %s to %s by itself", first.Epoch, second.Epoch)
			}
			s.Exec(t, "TRUNCATE performance_schema.table_io_waits_summary_by_index_usage")
			before := time.Now().Add(-2 * time.Second)
			emptied := run(t, job).Use
			if emptied.Epoch == second.Epoch || emptied.Since.Before(before) {
				t.Errorf("after TRUNCATE use counts since %v in epoch %s, want another epoch from now on", emptied.Since, emptied.Epoch)
			}
			for name, use := range map[string]*snapshot.Use{"second": second, "emptied": emptied} {
				for _, series := range use.Series {
					if series.Reads > 2 {
						t.Errorf("%s read: %s shows %d reads, want 2 at most", name, series.Table, series.Reads)
					}
				}
			}
		})
	}
}

func TestUseCountsSince(t *testing.T) {
	start, now := time.Unix(1000, 0).UTC(), time.Unix(5000, 0).UTC()
	id := &snapshot.Identity{Key: "k", Started: start}
	use := func(source string, reads ...uint64) *snapshot.Use {
		u := &snapshot.Use{Source: source}
		for i, n := range reads {
			u.Tables = append(u.Tables, snapshot.TableUse{Schema: "s", Table: string(rune('a' + i)), Reads: n})
		}
		return u
	}
	restarted := &snapshot.Identity{Key: "k", Started: time.Unix(4000, 0).UTC()}
	for name, test := range map[string]struct {
		id    *snapshot.Identity
		after *snapshot.Use
		since time.Time
		epoch bool // a new one
	}{
		"the same epoch while all grows":           {id, use("performance_schema", 5, 6, 7), start, false},
		"a new epoch if a table was made anew":     {id, use("performance_schema", 5, 6, 1), start, true},
		"from now on if most fell":                 {id, use("performance_schema", 0, 0, 7), now, true},
		"from now on from another source":          {id, use("userstat", 9, 9, 9), now, true},
		"from the restart":                         {restarted, use("performance_schema", 9, 9, 9), restarted.Started, true},
		"the same epoch though a table is dropped": {id, use("performance_schema", 5, 6), start, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newUseState()
			before := use("performance_schema", 5, 5, 5)
			s.follow(id, before, now.Add(-time.Minute))
			s.follow(test.id, test.after, now)
			if !test.after.Since.Equal(test.since) || (test.after.Epoch != before.Epoch) != test.epoch {
				t.Errorf("since %v, epoch %s after %s; want since %v, a new epoch: %v",
					test.after.Since, test.after.Epoch, before.Epoch, test.since, test.epoch)
			}
		})
	}
}

func TestSeriesOfTablesNeverFall(t *testing.T) {
	s := servers.Start(t, servers.MariaDB1011)
	useItems(t, s, "used")
	server := open(t, s, 1)
	job := find(t, server, "mysql/use")
	var last map[string]uint64
	total := func() (sum uint64) {
		shown := map[string]uint64{}
		for _, series := range run(t, job).Use.Series {
			key := series.Schema + "." + series.Table
			shown[key] = series.Reads
			if series.Reads < last[key] {
				t.Errorf("reads of %s fell from %d to %d", key, last[key], series.Reads)
			}
			sum += series.Reads
		}
		last = shown
		return sum
	}
	if got := total(); got != 0 {
		t.Errorf("series begin at %d reads, want 0", got)
	}
	for round := range 3 {
		s.Exec(t, "SELECT * FROM used.items", "SELECT * FROM used.items WHERE a = 2")
		if got, want := total(), uint64(3*(round+1)); got != want {
			t.Errorf("series have %d reads, want %d", got, want)
		}
	}
	s.Exec(t, "DROP TABLE used.items", "CREATE TABLE used.items (id INT PRIMARY KEY)", "INSERT INTO used.items VALUES (1)", "SELECT * FROM used.items")
	if got := total(); got != 10 {
		t.Errorf("series have %d reads after the table was made anew, want 10", got)
	}
	state, err := job.Collector.(collectors.Keeper).Save()
	if err != nil {
		t.Fatal(err)
	}
	job = find(t, server, "mysql/use")
	if err := job.Collector.(collectors.Keeper).Load(state); err != nil {
		t.Fatal(err)
	}
	s.Exec(t, "SELECT * FROM used.items")
	if got := total(); got != 11 {
		t.Errorf("series have %d reads after a restart of the agent, want 11", got)
	}
	if err := s.Restart(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	s.Exec(t, "SELECT * FROM used.items")
	if got := total(); got != 12 {
		t.Errorf("series have %d reads after a restart of the server, want 12", got)
	}
}

func TestUseFromUserstat(t *testing.T) {
	for _, p := range []servers.Product{servers.MariaDB1011, servers.MariaDB118} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, p, servers.PerformanceSchema(false), servers.Settings("userstat=ON"))
			useItems(t, s, "shop")
			denied := collect(t, open(t, s, 2), "mysql/use").Use
			if last := len(denied.Gaps) - 1; last < 0 || len(denied.Tables) > 0 {
				t.Errorf("use without SELECT = %+v, want a gap", denied)
			} else {
				wantRemedy(t, denied.Gaps[last], "GRANT SELECT ON shop.* TO ")
			}
			got := collect(t, open(t, s, 3), "mysql/use").Use
			want := []snapshot.IndexUse{
				{Schema: "shop", Table: "items", Index: "PRIMARY", Reads: 2},
				{Schema: "shop", Table: "items", Index: "a", Reads: 2},
			}
			if got.Source != "userstat" {
				t.Errorf("source = %q, want userstat", got.Source)
			}
			if diff := cmp.Diff(want, got.Indexes); diff != "" {
				t.Errorf("use of indexes (-want +got):\n%s", diff)
			}
		})
	}
}
