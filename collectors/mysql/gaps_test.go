package mysql

import (
	"strings"
	"testing"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// partGaps are the gaps of the jobs of this file's interest.
func partGaps(t *testing.T, s *Server) map[string]snapshot.Gap {
	t.Helper()
	gaps := map[string]snapshot.Gap{}
	for _, name := range []string{"mysql/digests", "mysql/latency", "mysql/use", "mysql/schema"} {
		parts := collect(t, s, name)
		for _, meta := range metas(parts) {
			for _, gap := range meta.Gaps {
				gaps[gap.Job] = gap
			}
		}
	}
	return gaps
}

func metas(s *snapshot.Server) []snapshot.Meta {
	var all []snapshot.Meta
	if s.Digests != nil {
		all = append(all, s.Digests.Meta)
	}
	if s.Latency != nil {
		all = append(all, s.Latency.Meta)
	}
	if s.Use != nil {
		all = append(all, s.Use.Meta)
	}
	if s.Schema != nil {
		all = append(all, s.Schema.Meta)
	}
	return all
}

func TestEveryMissingGrantIsNamed(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		s.Exec(t, "CREATE DATABASE IF NOT EXISTS shop")
		server := open(t, s, 0)
		gaps := partGaps(t, server)
		wantRemedy(t, gaps["mysql/use"], "GRANT SELECT ON performance_schema.* TO 't0_")
		wantRemedy(t, gaps["mysql/digests"], "GRANT SELECT ON performance_schema.* TO 't0_")
		wantRemedy(t, gaps["mysql/latency"], "GRANT SELECT ON performance_schema.* TO 't0_")
		wantRemedy(t, gaps["mysql/schema"], "GRANT REFERENCES ON *.* TO 't0_")
		for job, gap := range gaps {
			if gap.Job != job || gap.Subject != "db1" {
				t.Errorf("gap of %s = %+v, want its job and server", job, gap)
			}
		}
	})
}

func TestTheDocumentedGrantsLeaveNoGap(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		s.Exec(t, "CREATE DATABASE IF NOT EXISTS shop")
		gaps := partGaps(t, open(t, s, 2))
		if s.Family == scratch.MariaDB {
			delete(gaps, "mysql/latency") // It has no histograms.
		}
		if len(gaps) != 0 {
			t.Errorf("gaps with tiers 1 and 2 = %v, want none", gaps)
		}
	})
}

func TestPerformanceSchemaOffIsAGapWithTheLinesToWrite(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, p, servers.PerformanceSchema(false))
			for tier := range 2 {
				gaps := partGaps(t, open(t, s, tier))
				section := "[mariadb]"
				if s.Family == scratch.MySQL {
					section = "[mysqld]"
				}
				wantRemedy(t, gaps["mysql/digests"], section+"\nperformance_schema = ON")
				if s.Family == scratch.MariaDB {
					wantRemedy(t, gaps["mysql/use"], "SET GLOBAL userstat = ON")
				}
			}
		})
	}
}

func TestAConsumerThatIsOffIsAGap(t *testing.T) {
	s := servers.Start(t, servers.MariaDB1011)
	s.Exec(t, "UPDATE performance_schema.setup_consumers SET ENABLED = 'NO' WHERE NAME = 'statements_digest'",
		"UPDATE performance_schema.setup_instruments SET ENABLED = 'NO' WHERE NAME = 'wait/io/table/sql/handler'")
	gaps := partGaps(t, open(t, s, 1))
	wantRemedy(t, gaps["mysql/digests"], "NAME = 'statements_digest'")
	wantRemedy(t, gaps["mysql/use"], "NAME = 'wait/io/table/sql/handler'")
}

func TestGrantsScriptRunsOnBothFamilies(t *testing.T) {
	for _, p := range servers.Products() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, p)
			if s.Family == scratch.MySQL {
				s.Exec(t, "INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'")
			}
			for _, statement := range grantsScript(t) {
				s.Exec(t, statement)
			}
			var accounts int
			if err := s.DB().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM mysql.user WHERE User = 'plimsoll'").Scan(&accounts); err != nil {
				t.Fatal(err)
			}
			if accounts != 1 {
				t.Errorf("%d accounts after the script, want 1", accounts)
			}
		})
	}
}

func TestAccountsAreQuoted(t *testing.T) {
	for account, want := range map[string]string{
		"plimsoll@localhost": "'plimsoll'@'localhost'",
		"a@b@10.0.0.%":       "'a@b'@'10.0.0.%'",
		`o'k\x@localhost`:    `'o''k\\x'@'localhost'`,
		"nobody":             "'nobody'@'%'",
	} {
		if got := quoteAccount(account); got != want {
			t.Errorf("quoteAccount(%q) = %s, want %s", account, got, want)
		}
	}
}

func TestDSNIsNeverPrinted(t *testing.T) {
	for _, dsn := range []string{
		"plimsoll:s3cret@tcp(db1:3306", "plimsoll:s3cret", "plimsoll:s3c/ret@tcp(db1:3306)/?tls=s3cret",
		"plimsoll:s3cret@tcp(db1:3306)/?parseTime=s3cret", "plimsoll:s3cret@udp(db1)/", "s3cret", "plimsoll:s3cret@tcp(db1:3306)/%zz",
		"plimsoll:s3cret@tcp(db1:3306)/?collation=gbk_chinese_ci",
	} {
		server, err := Open(Config{Name: "db1", DSN: dsn})
		if err == nil {
			_, err = server.session(t.Context())
			_ = server.Close()
		}
		if err == nil || strings.Contains(err.Error(), "s3c") {
			t.Errorf("Open with DSN %q = %v, want an error without its password", dsn, err)
		}
	}
}
