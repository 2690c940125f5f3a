package rules

import (
	"testing"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// noon is the time of all tests. The site was seen for the day before it.
var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

const daySeconds = 86400.0

func lastDay() fleet.Window { return fleet.Window{From: noon.Add(-aDay), To: noon} }

// site is a healthy site that was seen for a day: a primary db1 that runs one
// statement at a time on average, its replica db2, and a web host. The changes
// make a case of it.
func site(changes ...func(*fleet.Fleet)) *fleet.Fleet {
	primary, replica := databaseServer("db1"), databaseServer("db2")
	primary.Role, replica.Role = fleet.Primary, fleet.Replica
	primary.Replicas, replica.Source = []*fleet.Server{replica}, primary
	primary.Latest.Replication.Replicas = &[]snapshot.ConnectedReplica{{Address: "10.0.0.2"}}
	replica.Latest.Replication.ReadOnly = new(true)
	replica.Latest.Replication.Channels = []snapshot.Channel{{
		SourceHost: "10.0.0.1", SourcePort: 3306, SourceKey: "db1-key", State: snapshot.LagOK,
		IORunning: "Yes", SQLRunning: "Yes", GTID: true,
	}}
	replica.Lag = []fleet.Lag{{
		Window: lastDay(), P50: new(0.0), P95: new(0.0), P99: new(0.5), Max: new(0.9), Last: new(0.0), TrendRatio: new(0.0),
	}}
	f := &fleet.Fleet{
		Now: noon, Window: lastDay(), Servers: []*fleet.Server{primary, replica},
		Hosts: []*fleet.Host{primary.Machine, replica.Machine, machine("web1")},
	}
	for _, change := range changes {
		change(f)
	}
	return f
}

// primary and replica change the two servers of a site.
func primary(change func(*fleet.Server)) func(*fleet.Fleet) {
	return func(f *fleet.Fleet) { change(f.Servers[0]) }
}

func replica(change func(*fleet.Server)) func(*fleet.Fleet) {
	return func(f *fleet.Fleet) { change(f.Servers[1]) }
}

// lone leaves a site nothing but its primary.
func lone(f *fleet.Fleet) {
	s := f.Servers[0]
	s.Role, s.Replicas = fleet.Standalone, nil
	s.Latest.Replication.Replicas = &[]snapshot.ConnectedReplica{}
	f.Servers, f.Hosts = f.Servers[:1], f.Hosts[:1]
}

func meta() snapshot.Meta { return snapshot.Meta{Taken: noon, Epoch: "e"} }

func databaseServer(name string) *fleet.Server {
	host := machine(name)
	w := lastDay()
	s := &fleet.Server{
		Cluster: "shop", Host: name, Name: name, Key: name + "-key", Machine: host,
		Latest: &snapshot.Server{
			Identity: &snapshot.Identity{Meta: meta(), Key: name + "-key", Family: snapshot.MariaDB, Version: "10.11.14-MariaDB-log"},
			Settings: &snapshot.Settings{Meta: meta(), Variables: map[string]string{
				"max_connections": "200", "innodb_buffer_pool_size": "8589934592", "datadir": "/var/lib/mysql/",
				"slave_parallel_threads": "0", "slave_parallel_mode": "optimistic",
			}},
			Status:      &snapshot.Status{Meta: meta(), UptimeSeconds: 40 * daySeconds},
			Digests:     &snapshot.Digests{Meta: meta(), Capacity: 10000},
			Replication: &snapshot.Replication{Meta: meta(), ReadOnly: new(false), Replicas: &[]snapshot.ConnectedReplica{}},
			Transactions: &snapshot.Transactions{
				Meta: meta(), Open: new(1), LongestSeconds: new(0.2), LargestRows: new(uint64(12)),
			},
			Deadlocks: &snapshot.Deadlocks{Meta: meta(), Total: new(uint64(3))},
			Locks:     &snapshot.Locks{Meta: meta()},
			Binlog: &snapshot.Binlog{
				Meta: meta(), Enabled: true, Format: "ROW", LogReplicaUpdates: true, SyncBinlog: new(int64(1)),
				FlushLogAtCommit: new(int64(1)), RetentionSeconds: new(7 * daySeconds),
			},
		},
		Status: &fleet.StatusWindow{
			Window: w, PeakConnections: new(60.0), PeakThreadsRunning: new(4.0),
			Delta: map[string]float64{
				"com_select": 50 * daySeconds, "com_commit": 10 * daySeconds, "connection_errors_max_connections": 0,
				"innodb_buffer_pool_reads": 5 * daySeconds, "innodb_buffer_pool_read_requests": 5000 * daySeconds,
			},
			Now: map[string]float64{"threads_connected": 40},
		},
		Coverage:  &fleet.CoverageWindow{Window: w, HiddenRatio: new(0.0)},
		Locks:     &fleet.LockWindow{Window: w},
		Deadlocks: &fleet.DeadlockWindow{Window: w},
		Binlog:    &fleet.BinlogWindow{Window: w},
		Transactions: &fleet.TransactionWindow{
			Window: w, PeakSeconds: new(0.9), LargestRows: new(uint64(12)),
			Isolation: map[string]uint64{"REPEATABLE READ": 9000},
			Chatter: &snapshot.Chatter{
				Writes: 30 * 86400, Commits: new(uint64(10 * 86400)), Explicit: 10 * 86400,
				SingleWrites: new(uint64(86400)), SingleWritesLeast: new(uint64(0)),
			},
			Reads: &snapshot.ReadSamples{Outside: 900, Inside: 100},
		},
	}
	host.Servers = []*fleet.Server{s}
	s.Digests = digests(
		fleet.Digest{
			Fingerprint: "fp1:0000000000000001", Schema: "shop", Class: "select", Reads: []string{"shop.product"},
			Text:         "SELECT sku, price FROM product WHERE entity_id = ?",
			DigestTotals: snapshot.DigestTotals{Calls: 50 * 86400, Seconds: 0.6 * daySeconds, RowsExamined: 50 * 86400, RowsSent: 50 * 86400},
		},
		fleet.Digest{
			Fingerprint: "fp1:0000000000000002", Schema: "shop", Class: "dml", Writes: []string{"shop.stock"},
			Text:         "UPDATE stock SET qty = qty - ? WHERE product_id = ?",
			DigestTotals: snapshot.DigestTotals{Calls: 10 * 86400, Seconds: 0.4 * daySeconds, RowsExamined: 10 * 86400, RowsAffected: 10 * 86400},
		},
	)
	return s
}

// digests are the statements of a day.
func digests(rows ...fleet.Digest) *fleet.DigestWindow {
	w := &fleet.DigestWindow{Window: lastDay(), Rows: rows}
	for _, d := range rows {
		w.Total = w.Total.Plus(d.DigestTotals)
	}
	return w
}

// machine has four processors, half an hour's work of which a day is for the
// database's statements.
func machine(name string) *fleet.Host {
	data := snapshot.Mount{
		Path: "/", Device: "/dev/sda1", Type: "ext4", SizeBytes: new(uint64(100 << 30)), AvailableBytes: new(uint64(60 << 30)),
		Inodes: new(uint64(6_000_000)), InodesFree: new(uint64(5_000_000)),
	}
	return &fleet.Host{
		Cluster: "shop", Name: name, AgentID: name + "-agent", SeenRatio: 1,
		Latest: &snapshot.Machine{
			Meta: meta(), Cores: 4, Memory: snapshot.Memory{TotalBytes: 32 << 30, AvailableBytes: 20 << 30}, Mounts: []snapshot.Mount{data},
		},
		Machine: &fleet.MachineWindow{
			Window: lastDay(), CPUBusyRatio: 0.2, PeakCPUBusyRatio: new(0.35),
			Disks:  []fleet.DiskWindow{{Device: "sda", BusyRatio: 0.1, ReadsPerSecond: 5, ReadLatency: new(0.0004), WriteLatency: new(0.0008)}},
			Mounts: []fleet.MountWindow{{Mount: data, GrowthBytesPerSecond: new(1000.0)}},
		},
	}
}

// judge runs one rule alone.
func judge(f *fleet.Fleet, r Rule) Result { return Judge(f, []Rule{r}) }

// found returns the one finding of a rule.
func found(t *testing.T, f *fleet.Fleet, r Rule) Finding {
	t.Helper()
	result := judge(f, r)
	if len(result.Findings) != 1 {
		t.Fatalf("findings of %s = %d (%v), want 1; not ready: %v", r.ID, len(result.Findings), result.Findings, result.NotReady)
	}
	return result.Findings[0]
}

// quiet fails if a rule found something, or could not judge.
func quiet(t *testing.T, f *fleet.Fleet, r Rule) {
	t.Helper()
	result := judge(f, r)
	for _, finding := range result.Findings {
		t.Errorf("%s found: %s", r.ID, finding.Summary)
	}
	for _, n := range result.NotReady {
		t.Errorf("%s is not ready for %s: %s", r.ID, n.Subject, n.Reason)
	}
}

// notReady fails unless a rule found nothing and said so of the one subject.
func notReady(t *testing.T, f *fleet.Fleet, r Rule, want NotReady) {
	t.Helper()
	result := judge(f, r)
	if len(result.Findings) > 0 {
		t.Fatalf("%s found without the facts: %s", r.ID, result.Findings[0].Summary)
	}
	if len(result.NotReady) != 1 {
		t.Fatalf("%s says %d times that it is not ready (%+v), want once", r.ID, len(result.NotReady), result.NotReady)
	}
	got := result.NotReady[0]
	if got.Rule != r.ID || got.Subject.String() != want.Subject.Name || got.Reason != want.Reason || got.Remedy != want.Remedy || !got.ReadyAt.Equal(want.ReadyAt) {
		t.Errorf("%s is not ready:\n got %s: %s / %s / %s\nwant %s: %s / %s / %s", r.ID,
			got.Subject, got.Reason, got.Remedy, got.ReadyAt, want.Subject.Name, want.Reason, want.Remedy, want.ReadyAt)
	}
}

// about is the subject of a NotReady as people write it.
func about(name string) Subject { return Subject{Name: name} }

// boundary holds a rule to its threshold: it is quiet a tenth below, finds at it
// and a tenth above; and a threshold a tenth higher makes it quiet again.
func boundary(t *testing.T, r Rule, with func(value float64) *fleet.Fleet) {
	t.Helper()
	limit := r.Threshold.Value
	for _, c := range []struct {
		fact, threshold float64
		found           bool
	}{
		{0.9 * limit, limit, false},
		{limit, limit, true},
		{1.1 * limit, limit, true},
		{limit, 1.1 * limit, false},
		{limit, 0.9 * limit, true},
	} {
		r.Threshold.Value = c.threshold
		if got := len(judge(with(c.fact), r).Findings) > 0; got != c.found {
			t.Errorf("%s found at %g with the threshold %g = %v, want %v", r.ID, c.fact, c.threshold, got, c.found)
		}
	}
}

// lacking gives a server a gap.
func lacking(job, reason, remedy string) func(*fleet.Server) {
	return func(s *fleet.Server) {
		s.Gaps = append(s.Gaps, snapshot.Gap{Job: job, Subject: s.Name, Reason: reason, Remedy: remedy})
	}
}

const grantProcess = "GRANT PROCESS ON *.* TO `plimsoll`@`localhost`; -- docs/privileges.md"

// aMySQL turns a server into one of MySQL.
func aMySQL(version string) func(*fleet.Server) {
	return func(s *fleet.Server) {
		s.Latest.Identity.Family, s.Latest.Identity.Version = snapshot.MySQL, version
	}
}

// step returns the text of a finding's steps of one kind.
func steps(in []Step, kind StepKind) []string {
	var out []string
	for _, s := range in {
		if s.Kind == kind {
			out = append(out, s.Text)
		}
	}
	return out
}
