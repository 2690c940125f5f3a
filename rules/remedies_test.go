package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
	"plimsoll/rules/fleet"
)

// Statements to copy are run as they stand on real servers of each family, and
// then what undoes them: a remedy that a server refuses is worse than none.
func TestStatementsToCopyAreUnderstoodByRealServers(t *testing.T) {
	for _, product := range servers.Products() {
		t.Run(string(product), func(t *testing.T) {
			c := servers.StartReplicated(t, product, 1)
			c.Primary.Exec(t, "CREATE DATABASE shop", `CREATE TABLE shop.orders (
				id INT UNSIGNED PRIMARY KEY, customer_id INT UNSIGNED, email VARCHAR(128), created_at DATETIME,
				KEY by_customer (customer_id, created_at), KEY customer (customer_id), KEY legacy (created_at))`)
			targets := map[string]*servers.Server{"db1": c.Primary, "db2": c.Replicas[0], "": c.Primary}
			findings := Judge(illSite(c), All()).Findings
			done := map[string]bool{}
			for _, f := range findings {
				for _, s := range dropsLast(slices.Concat(f.Remedy, f.Rollback)) {
					run := map[StepKind]func(context.Context, *servers.Server, string) error{SQL: runStep, Config: knowVariables}[s.Kind]
					key := s.Target + s.Text
					if run == nil || done[key] {
						continue
					}
					done[key] = true
					if err := run(t.Context(), targets[s.Target], s.Text); err != nil {
						t.Errorf("%s, on %q: %v", f.Rule, s.Target, err)
					}
				}
			}
			if len(done) < 28 {
				t.Errorf("steps that were tried = %d, want 28 at least", len(done))
			}
		})
	}
}

// dropsLast puts what drops an index behind what shows it again.
func dropsLast(in []Step) []Step {
	drops := func(s Step) int { return min(strings.Count(s.Text, "DROP INDEX"), 1) }
	slices.SortStableFunc(in, func(a, b Step) int { return drops(a) - drops(b) })
	return in
}

// illSite has every fault whose remedy is a statement, on servers of c's kind.
func illSite(c *servers.Cluster) *fleet.Fleet {
	family, version := snapshot.MariaDB, c.Primary.Version
	if c.Primary.Product == servers.MySQL97 {
		family = snapshot.MySQL
	}
	lookAlike := func(s *fleet.Server) {
		s.Latest.Identity.Family, s.Latest.Identity.Version = family, version
		s.Latest.Settings.Variables["innodb_buffer_pool_size"] = fmt.Sprint(64 << 20)
		s.Machine.Latest.Memory = snapshot.Memory{TotalBytes: 1 << 30, AvailableBytes: 1 << 29}
		if family == snapshot.MySQL {
			s.Latest.Settings.Variables["replica_parallel_workers"] = "1"
			s.Latest.Settings.Variables["replica_preserve_commit_order"] = "ON"
			s.Latest.Replication.SuperReadOnly = new(false)
		}
	}
	unseen := func(s *fleet.Server) {
		hidden(0.2)(s)
		logOff(s)
		logIs("slow_query_log=OFF", "long_query_time=10.000000", "log_output=TABLE")(s)
		if family == snapshot.MySQL { // which hides nothing
			uncounted(s)
		}
	}
	cutAndFull := func(s *fleet.Server) {
		s.Digests.Overflow.Seconds, s.Digests.Rows[0].Truncated = 0.2*daySeconds, true
	}
	f := site(
		primary(withOrders(btree("customer", false, "customer_id"), btree("legacy", false, "created_at"))), primary(byEmail(0.4)), watched(),
		primary(lookAlike), primary(cutAndFull), primary(longOpen(900)), primary(idleFor(880)), primary(pastLimit), primary(binlog(lax)),
		primary(waits(snapshot.LockGap, "job", 0.2)), primary(waits(snapshot.LockMetadata, "stock", 0.2)), primary(misses(400, 0.0005)),
		primary(binlog(func(b *snapshot.Binlog) { b.Format, b.RetentionSeconds = "STATEMENT", new(daySeconds) })),
		replica(lookAlike), replica(writableReplica), replica(behind(5)), replica(unseen),
		replica(channelOf(func(c *snapshot.Channel) { c.GTID, c.Filtered = false, true })),
	)
	stopped := *f.Servers[1]
	latest, replication := *stopped.Latest, *stopped.Latest.Replication
	replication.Channels = []snapshot.Channel{{State: snapshot.LagError, SQLErrno: 1062}}
	latest.Replication, stopped.Latest = &replication, &latest
	f.Servers = append(f.Servers, &stopped)
	return f
}

// runStep runs the statements of a step one by one. Connections and hosts of the
// tests are not there, and a clone's password is not known.
func runStep(ctx context.Context, on *servers.Server, text string) error {
	text = strings.TrimSuffix(strings.TrimSuffix(text, `\G`), ";")
	for statement := range strings.SplitSeq(text, "; ") {
		if strings.HasPrefix(statement, "KILL ") || strings.HasPrefix(statement, "CLONE ") || strings.HasPrefix(statement, "-- ") {
			continue
		}
		if err := on.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// knowVariables fails if a line for the option file names a variable that the
// server does not know: it would not start with it.
func knowVariables(ctx context.Context, on *servers.Server, text string) error {
	for line := range strings.Lines(text) {
		name, _, found := strings.Cut(line, " = ")
		if !found {
			continue
		}
		if err := on.ExecContext(ctx, "SELECT @@GLOBAL."+name); err != nil {
			return err
		}
	}
	return nil
}
