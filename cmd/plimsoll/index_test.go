package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"plimsoll/advisor/indexes"
	"plimsoll/fixtures/servers"
	"plimsoll/rules/index"
)

// parcels makes a table of 8,000 parcels that statements ask for by two columns, and an index too many.
func parcels(t *testing.T, s *servers.Server) {
	t.Helper()
	s.Exec(t, "CREATE DATABASE depot CHARACTER SET utf8mb4", "CREATE TABLE depot.parcel (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, "+
		"`receiver's` INT NOT NULL, town INT NOT NULL, weight INT NOT NULL, KEY by_town (town), KEY by_town_weight (town, weight))")
	var rows []string
	for i := range 8000 {
		rows = append(rows, fmt.Sprintf("(%d, %d, %d)", i*7919%2000, i%200, i%50))
	}
	s.Exec(t, "INSERT INTO depot.parcel (`receiver's`, town, weight) VALUES "+strings.Join(rows, ","), "ANALYZE TABLE depot.parcel")
	for i := range 20 {
		s.Exec(t, fmt.Sprintf("SELECT SUM(weight) FROM depot.parcel WHERE `receiver's` = %d", i))
	}
}

// indexed runs plimsoll index --format json, and returns what it says.
func indexed(t *testing.T, args ...string) (r indexes.Report) {
	t.Helper()
	var out, stderr bytes.Buffer
	if code := run(context.Background(), append([]string{"index", "--format", "json"}, args...), &out, &stderr); code != exitFine {
		t.Fatalf("plimsoll index %v: exit code %d: %s", args, code, stderr.String())
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// depot returns the advice for the tables of the test, by kind.
func depot(r indexes.Report) map[index.Kind]index.Advised {
	out := map[index.Kind]index.Advised{}
	for _, a := range r.Advice {
		if a.Schema == "depot" {
			out[a.Kind] = a
		}
	}
	return out
}

func TestIndexAdviceIsTakenByRealServers(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			s := servers.Start(t, p, servers.PerformanceSchema(true))
			parcels(t, s)
			reader := s.CreateUser(t, "reader", "SELECT ON performance_schema.*", "SELECT ON depot.*")
			blind := s.CreateUser(t, "blind", "SELECT ON performance_schema.*", "REFERENCES ON *.*")

			t.Run("online, then applied and undone", func(t *testing.T) {
				r := indexed(t, "--mysql", reader)
				got := depot(r)
				add, drop := got[index.Add], got[index.Drop]
				if len(add.Columns) == 0 || add.Columns[0].Column != "receiver's" {
					t.Fatalf("advice = %+v, want an index on receiver's; not analysed: %+v", r.Advice, r.NotAnalysed)
				}
				if drop.Index != "by_town" {
					t.Errorf("drop = %+v, want by_town, which begins another", drop)
				}
				s.Exec(t, add.DDL, drop.DDL, drop.Rollback, add.Rollback)
			})
			t.Run("without a right to rows", func(t *testing.T) {
				r := indexed(t, "--mysql", blind)
				if len(r.Notes) == 0 || !strings.Contains(strings.Join(r.Notes, " "), "depot.parcel") {
					t.Errorf("notes = %q, want one that names the table whose values were not counted", r.Notes)
				}
				if got := depot(r)[index.Drop]; got.Index != "by_town" {
					t.Errorf("advice = %+v, want by_town to be dropped: REFERENCES shows the tables", r.Advice)
				}
			})
			t.Run("from files", func(t *testing.T) {
				stats := filepath.Join(t.TempDir(), "stats.json")
				var stderr bytes.Buffer
				if code := run(t.Context(), []string{"index", "--dump-stats", reader, "--output", stats}, &stderr, &stderr); code != exitFine {
					t.Fatalf("--dump-stats: exit code %d: %s", code, stderr.String())
				}
				log := save(t, "slow.log", "# Time: 2026-11-20T10:00:00.000000Z\n# User@Host: shop[shop] @ localhost []  Id:     1\n"+
					"# Query_time: 0.100000  Lock_time: 0.000001 Rows_sent: 1  Rows_examined: 8000\nuse depot;\nSET timestamp=1795168800;\n"+
					"SELECT SUM(weight) FROM parcel WHERE `receiver's` = 7;\n")
				r := indexed(t, "--stats", stats, "--log", log)
				if got := depot(r)[index.Add]; len(got.Columns) == 0 || got.Columns[0].Column != "receiver's" {
					t.Errorf("advice = %+v, want the same index as online", r.Advice)
				}
			})
		})
	}
}

func TestIndexAdviceNeedsStatements(t *testing.T) {
	s := servers.Start(t, servers.MariaDB1011)
	nobody := s.CreateUser(t, "nobody", "REFERENCES ON *.*")
	var out, stderr bytes.Buffer
	code := run(t.Context(), []string{"index", "--mysql", nobody}, &out, &stderr)
	if code != exitUsage || !strings.Contains(stderr.String(), "GRANT SELECT ON performance_schema.*") {
		t.Errorf("exit code %d: %s, want 2 and the grant that is missing", code, stderr.String())
	}
}
