package mysql

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

// TestReplication shares one primary and one replica of each product, because
// starting them takes longer than all of the tests.
func TestReplication(t *testing.T) {
	for _, product := range servers.Products() {
		t.Run(string(product), func(t *testing.T) {
			p := startPair(t, product)
			for _, test := range []struct {
				name string
				run  func(*testing.T, *pair)
			}{
				{"AReplicaThatIsWell", testReplicaThatIsWell},
				{"ThePrimaryKnowsItsReplica", testPrimaryKnowsItsReplica},
				{"PositionsTellWhenTheReplicaGotThere", testPositions},
				{"LagIsUnknownWhileTheApplierIsStopped", testStoppedApplier},
				{"AStoppedReceiverIsNotAnError", testStoppedReceiver},
				{"TheAgeOfAStuckTransactionGrows", testStuckTransaction},
				{"NamedChannelsAreSeen", testNamedChannel},
				{"SemiSynchronousReplicationIsSeen", testSemiSync},
				{"AHangingPrimaryIsSilent", testHangingPrimary},
				{"AnApplierErrorIsRedacted", testApplierError},
			} {
				t.Run(test.name, func(t *testing.T) { test.run(t, p) })
			}
		})
	}
}

// pair is a primary and its replica, with the agent's job on each.
type pair struct {
	*servers.Cluster
	primary, replica collectors.Job
}

func startPair(t *testing.T, product servers.Product) *pair {
	t.Helper()
	p := &pair{Cluster: servers.StartReplicated(t, product, 1)}
	p.Primary.Exec(t, "CREATE DATABASE shop", "CREATE TABLE shop.stock (id INT PRIMARY KEY, name VARCHAR(40), UNIQUE (name))",
		"INSERT INTO shop.stock VALUES (1, 'one'), (2, 'two')")
	dsn := createAccount(t, p.Primary, 1)
	p.primary = find(t, openAs(t, dsn), replicationJob)
	p.replica = find(t, openAs(t, strings.Replace(dsn, p.Primary.Socket, p.Replicas[0].Socket, 1)), replicationJob)
	p.catchUp(t)
	return p
}

func (p *pair) catchUp(t *testing.T) {
	t.Helper()
	if err := p.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// onReplica runs a statement in the words of the server's family.
func (p *pair) onReplica(t *testing.T, statement string) {
	t.Helper()
	if p.Primary.Family == scratch.MariaDB {
		statement = strings.Replace(statement, "REPLICA", "SLAVE", 1)
	}
	p.Replicas[0].Exec(t, statement)
}

// channel runs the replica's job and returns its one channel.
func (p *pair) channel(t *testing.T) snapshot.Channel {
	t.Helper()
	part := run(t, p.replica).Replication
	if len(part.Channels) != 1 || len(part.Gaps) != 0 {
		t.Fatalf("replica has channels %+v and gaps %+v, want one channel and no gap", part.Channels, part.Gaps)
	}
	return part.Channels[0]
}

// awaitChannel looks until the channel is as wanted.
func (p *pair) awaitChannel(t *testing.T, what string, wanted func(snapshot.Channel) bool) snapshot.Channel {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		c := p.channel(t)
		if wanted(c) {
			return c
		}
		select {
		case <-ctx.Done():
			t.Fatalf("channel never got there: %s; it is %+v", what, c)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func isWell(c snapshot.Channel) bool { return c.State == snapshot.LagOK && *c.SecondsBehind == 0 }

func testReplicaThatIsWell(t *testing.T, p *pair) {
	p.awaitChannel(t, "well", isWell)
	recordReplicaStatus(t, p)
	part := run(t, p.replica).Replication
	zero, yes := 0.0, true
	want := snapshot.Channel{
		SourceHost: "127.0.0.1", State: snapshot.LagOK, IORunning: "Yes", SQLRunning: "Yes",
		SecondsBehind: &zero, GTID: true,
	}
	ignored := cmpopts.IgnoreFields(snapshot.Channel{}, "SourcePort", "SourceKey", "RelayLogBytes", "ApplySeconds",
		"Workers", "Busy", "SilentSeconds", "HeartbeatSeconds")
	c := part.Channels[0]
	if diff := cmp.Diff(want, c, ignored); diff != "" {
		t.Errorf("channel (-want +got):\n%s", diff)
	}
	if !strings.HasSuffix(p.Primary.Addr, fmt.Sprintf(":%d", c.SourcePort)) || c.SourceKey == "" || *c.RelayLogBytes == 0 {
		t.Errorf("source %s:%d (%s), relay log of %d bytes; want %s, a key, and some bytes",
			c.SourceHost, c.SourcePort, c.SourceKey, *c.RelayLogBytes, p.Primary.Addr)
	}
	if *c.HeartbeatSeconds != 30 || *c.SilentSeconds > *c.HeartbeatSeconds {
		t.Errorf("silent for %g of %g seconds", *c.SilentSeconds, *c.HeartbeatSeconds)
	}
	if diff := cmp.Diff(&yes, part.ReadOnly); diff != "" {
		t.Errorf("read_only (-want +got):\n%s", diff)
	}
	if p.Primary.Family == scratch.MySQL && (*c.ApplySeconds != 0 || *c.Workers < 1 || *c.Busy != 0) {
		t.Errorf("applier: %g seconds, %d of %d workers busy, want an idle one", *c.ApplySeconds, *c.Busy, *c.Workers)
	}
}

func testPrimaryKnowsItsReplica(t *testing.T, p *pair) {
	part := run(t, p.primary).Replication
	if len(part.Channels) != 0 || *part.ReadOnly || part.Replicas == nil || len(*part.Replicas) != 1 {
		t.Fatalf("primary: %+v, want no channel, read_only off and one replica", part)
	}
	if r := (*part.Replicas)[0]; r.Address != "localhost" && r.Address != "127.0.0.1" || r.State == "" {
		t.Errorf("replica = %+v, want the loopback and a state", r)
	}
}

// testPositions does what the advisor does: it compares both rings.
func testPositions(t *testing.T, p *pair) {
	p.awaitChannel(t, "well", isWell)
	p.onReplica(t, "STOP REPLICA SQL_THREAD")
	p.Primary.Exec(t, "UPDATE shop.stock SET name = 'three' WHERE id = 1")
	source := last(t, run(t, p.primary).Positions)
	behind := last(t, run(t, p.replica).Positions)
	p.awaitReceived(t, source)
	p.onReplica(t, "START REPLICA SQL_THREAD")
	p.catchUp(t)
	caughtUp := last(t, run(t, p.replica).Positions)
	for _, c := range []struct {
		name    string
		replica snapshot.Position
		want    bool
	}{{"behind", behind, false}, {"caught up", caughtUp, true}} {
		if reached, known := c.replica.Reached(source, ""); reached != c.want || !known {
			t.Errorf("%s: %+v reached %+v: %v, known %v, want %v", c.name, c.replica, source, reached, known, c.want)
		}
	}
	part := run(t, p.replica).Positions
	if n := len(part.Ring); n < 3 || !part.Ring[n-2].Time.Before(part.Ring[n-1].Time) {
		t.Errorf("ring has %d positions, want several, oldest first", n)
	}
	// Agent and server share the machine's clock.
	if off := part.ClockOffsetSeconds; off < -part.ClockErrorSeconds || off > part.ClockErrorSeconds || part.ClockErrorSeconds > 1 {
		t.Errorf("clock is %g s off, within %g s", off, part.ClockErrorSeconds)
	}
}

// awaitReceived looks until the replica, whose applier is stopped, received all
// of source.
func (p *pair) awaitReceived(t *testing.T, source snapshot.Position) {
	t.Helper()
	for range 100 {
		position := last(t, run(t, p.replica).Positions)
		if reached, _ := (snapshot.Position{GTID: position.Received}).Reached(source, ""); reached {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("the replica never received %+v", source)
}

func last(t *testing.T, part *snapshot.Positions) snapshot.Position {
	t.Helper()
	if part == nil || len(part.Ring) == 0 {
		t.Fatal("there are no positions")
	}
	return part.Ring[len(part.Ring)-1]
}

func testStoppedApplier(t *testing.T, p *pair) {
	p.onReplica(t, "STOP REPLICA SQL_THREAD")
	c := p.channel(t)
	if c.State != snapshot.LagSQLDown || c.SecondsBehind != nil || c.ApplySeconds != nil {
		t.Errorf("stopped applier: %s, behind %v, applying %v, want %s and neither figure",
			c.State, c.SecondsBehind, c.ApplySeconds, snapshot.LagSQLDown)
	}
	p.onReplica(t, "START REPLICA SQL_THREAD")
	p.awaitChannel(t, "well", isWell)
}

func testStoppedReceiver(t *testing.T, p *pair) {
	p.onReplica(t, "STOP REPLICA IO_THREAD")
	c := p.channel(t)
	if c.State != snapshot.LagIODown || c.SecondsBehind != nil || c.SilentSeconds != nil {
		t.Errorf("stopped receiver: %s, behind %v, silent %v, want %s and neither figure",
			c.State, c.SecondsBehind, c.SilentSeconds, snapshot.LagIODown)
	}
	p.onReplica(t, "START REPLICA IO_THREAD")
	p.awaitChannel(t, "well", isWell)
}

func testStuckTransaction(t *testing.T, p *pair) {
	if p.Primary.Family == scratch.MariaDB {
		t.Skip("MariaDB says nothing of the transaction that is being applied")
	}
	lock, err := p.Replicas[0].DB().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), "SELECT * FROM shop.stock FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	p.Primary.Exec(t, "UPDATE shop.stock SET name = 'stuck' WHERE id = 2")
	c := p.awaitChannel(t, "applying", func(c snapshot.Channel) bool { return c.ApplySeconds != nil && *c.ApplySeconds > 0.2 })
	if *c.Busy != 1 {
		t.Errorf("%d of %d workers are busy, want 1", *c.Busy, *c.Workers)
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	p.awaitChannel(t, "well", isWell)
}

// SHOW REPLICA STATUS of MariaDB hides a channel that has a name.
func testNamedChannel(t *testing.T, p *pair) {
	define, remove := "CHANGE MASTER 'east' TO MASTER_HOST='127.0.0.1', MASTER_PORT=1, MASTER_USER='x'", "RESET SLAVE 'east' ALL"
	if p.Primary.Family == scratch.MySQL {
		define = "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=1, SOURCE_USER='x' FOR CHANNEL 'east'"
		remove = "RESET REPLICA ALL FOR CHANNEL 'east'"
	}
	p.Replicas[0].Exec(t, define)
	defer p.Replicas[0].Exec(t, remove)
	states := map[string]snapshot.LagState{}
	for _, c := range run(t, p.replica).Replication.Channels {
		states[c.Name] = c.State
	}
	want := map[string]snapshot.LagState{"": snapshot.LagOK, "east": snapshot.LagSQLDown}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states of the channels (-want +got):\n%s", diff)
	}
}

// MariaDB has it built in; on MySQL it is a plugin.
func testSemiSync(t *testing.T, p *pair) {
	source, replica := "rpl_semi_sync_master_enabled", "rpl_semi_sync_slave_enabled"
	if p.Primary.Family == scratch.MySQL {
		if got := run(t, p.primary).Replication.SemiSync; got != nil {
			t.Errorf("semi-sync = %+v without the plugin, want none", got)
		}
		p.Primary.Exec(t, "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")
		p.Replicas[0].Exec(t, "INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'")
		source, replica = "rpl_semi_sync_source_enabled", "rpl_semi_sync_replica_enabled"
	}
	p.Primary.Exec(t, "SET GLOBAL "+source+" = ON")
	p.Replicas[0].Exec(t, "SET GLOBAL "+replica+" = ON")
	p.onReplica(t, "STOP REPLICA IO_THREAD")
	p.onReplica(t, "START REPLICA IO_THREAD")
	p.awaitChannel(t, "well", isWell)
	server := open(t, p.Primary, 1)
	p.catchUp(t)
	want := &snapshot.SemiSync{SourceEnabled: true, SourceOn: true, Clients: 1, TimeoutSeconds: 10}
	var got *snapshot.SemiSync
	for range 100 {
		got = collect(t, server, replicationJob).Replication.SemiSync
		if got != nil && got.Clients == 1 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("semi-sync of the source (-want +got):\n%s", diff)
	}
	p.Primary.Exec(t, "SET GLOBAL "+source+" = OFF")
}

// While its source hangs a replica goes on to say that it is 0 seconds behind.
// What gives it away is that nothing comes, and that the source has no
// positions.
func testHangingPrimary(t *testing.T, p *pair) {
	p.catchUp(t)
	p.awaitChannel(t, "well", isWell)
	if err := p.Primary.Pause(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Primary.Continue(); err != nil {
			t.Error(err)
		}
		last(t, run(t, p.primary).Positions)
	}()
	// What was on its way arrives in the meantime.
	if !hangs(t, p.primary) {
		t.Error("the hanging primary was read")
	}
	first := p.channel(t)
	time.Sleep(300 * time.Millisecond)
	second := p.channel(t)
	if second.State != snapshot.LagOK || *second.SecondsBehind != 0 || *second.SilentSeconds < *first.SilentSeconds+0.3 {
		t.Errorf("channel of a hanging primary is %s, %g s behind, silent for %g s and 0.3 s later for %g s; want it ok, at 0, and ever longer silent",
			second.State, *second.SecondsBehind, *first.SilentSeconds, *second.SilentSeconds)
	}
}

// hangs reports whether the job gets no answer. A process that was told to stop
// can go on for a moment.
func hangs(t *testing.T, job collectors.Job) bool {
	t.Helper()
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		err := job.Collector.Collect(ctx, &snapshot.Snapshot{})
		cancel()
		if err != nil {
			return true
		}
	}
	return false
}

// It comes last: the replica does not work afterwards.
func testApplierError(t *testing.T, p *pair) {
	p.catchUp(t)
	p.Replicas[0].Exec(t, "INSERT INTO shop.stock VALUES (9, 'SECRET-three')")
	p.Primary.Exec(t, "INSERT INTO shop.stock VALUES (3, 'SECRET-three')")
	c := p.awaitChannel(t, "failed", func(c snapshot.Channel) bool { return c.State == snapshot.LagError })
	if c.SecondsBehind != nil || c.SQLErrno == 0 || c.LastError == "" || strings.Contains(string(c.LastError), "SECRET") {
		t.Errorf("failed channel = %+v, want no figure, an error number, and its message without literals", c)
	}
}

func TestWithoutGTIDsAPositionIsAFile(t *testing.T) {
	s := servers.Start(t, servers.MySQL97, servers.Settings("gtid_mode=OFF", "enforce_gtid_consistency=OFF", "log_bin=binlog"))
	p := last(t, collect(t, open(t, s, 1), replicationJob).Positions)
	if p.GTID != "" || !strings.HasPrefix(p.File, "binlog.") || p.Offset == 0 {
		t.Errorf("position = %+v, want a file and an offset", p)
	}
}

func TestReplicaStatusWithoutThePrivilegeIsAGap(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		parts := collect(t, open(t, s, 0), replicationJob)
		if parts.Replication.Channels != nil || parts.Replication.Replicas != nil || parts.Positions == nil {
			t.Errorf("parts = %+v, want positions without channels and replicas", parts)
		}
		var remedies []string
		for _, gap := range append(parts.Replication.Gaps, parts.Positions.Gaps...) {
			remedy, _, _ := strings.Cut(gap.Remedy, " TO ")
			remedies = append(remedies, remedy)
		}
		want := []string{
			"GRANT REPLICATION CLIENT ON *.*", "GRANT SELECT ON performance_schema.*",
		}
		if s.Family == scratch.MariaDB {
			want = []string{"GRANT SLAVE MONITOR ON *.*", "GRANT PROCESS ON *.*"}
		}
		if diff := cmp.Diff(want, remedies); diff != "" {
			t.Errorf("remedies (-want +got):\n%s", diff)
		}
	})
}

func TestLagTotalsOutliveTheAgent(t *testing.T) {
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	lag := 0.7
	before := newChannelMemories("db1")
	for i := range 3 {
		part := snapshot.Replication{Channels: []snapshot.Channel{{Name: "east", State: snapshot.LagOK, ApplySeconds: &lag}}}
		part.Taken = start.Add(time.Duration(i) * time.Second)
		before.look(&part, nil, true)
	}
	state, err := before.Save()
	if err != nil {
		t.Fatal(err)
	}
	after := newChannelMemories("db1")
	if err := after.Load(state); err != nil {
		t.Fatal(err)
	}
	var into snapshot.Snapshot
	if err := after.Collect(t.Context(), &into); err != nil {
		t.Fatal(err)
	}
	got := into.Server("db1").LagTotals
	if got.Epoch != before.epoch || len(got.Channels) != 1 || got.Channels[0].ApplyLag[2].Count != 3 {
		t.Fatalf("totals = %+v, want those of one channel of epoch %s with 3 readings up to a second", got, before.epoch)
	}
	want := map[snapshot.LagState]float64{snapshot.LagOK: 2, snapshot.LagUnknown: 0}
	if diff := cmp.Diff(want, got.Channels[0].StateSeconds); diff != "" {
		t.Errorf("state seconds after a restart (-want +got):\n%s", diff)
	}
}

// A minute without a look, as when the agent or the server was down, is not a
// minute in the state that was found afterwards.
func TestTimeWithoutALookIsUnknown(t *testing.T) {
	var memory channelMemory
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	memory.addState(snapshot.LagOK, start)
	memory.addState(snapshot.LagSQLDown, start.Add(time.Minute))
	want := map[snapshot.LagState]float64{snapshot.LagSQLDown: 3, snapshot.LagUnknown: 57}
	if diff := cmp.Diff(want, memory.StateSeconds); diff != "" {
		t.Errorf("state seconds (-want +got):\n%s", diff)
	}
}
