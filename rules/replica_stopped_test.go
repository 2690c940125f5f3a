package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// channelOf changes the one channel of a replica.
func channelOf(change func(*snapshot.Channel)) func(*fleet.Server) {
	return func(s *fleet.Server) { change(&s.Latest.Replication.Channels[0]) }
}

// brokenBy stops the applier with an error.
func brokenBy(number int) func(*fleet.Server) {
	return channelOf(func(c *snapshot.Channel) {
		c.State, c.SQLRunning, c.SQLErrno = snapshot.LagError, "No", number
		c.LastError = "Could not execute Write_rows_v1 event on table shop.sales_order; Duplicate entry '?' for key '?'"
	})
}

func TestABrokenReplicaIsFoundWithItsCause(t *testing.T) {
	asReviewed(t, "replica-stopped", found(t, site(replica(brokenBy(1062))), replicaStopped()))
}

func TestAReplicaThatWasStoppedIsStartedInItsServersWords(t *testing.T) {
	stop := channelOf(func(c *snapshot.Channel) { c.State, c.SQLRunning = snapshot.LagSQLDown, "No" })
	named := channelOf(func(c *snapshot.Channel) { c.Name = "e'ast" })
	cases := map[string]struct {
		change func(*fleet.Server)
		want   string
	}{
		"MariaDB":                {func(*fleet.Server) {}, "START REPLICA;"},
		"MariaDB, a connection":  {named, "START REPLICA 'e''ast';"},
		"MariaDB 10.4":           {func(s *fleet.Server) { s.Latest.Identity.Version = "10.4.34-MariaDB" }, "START SLAVE;"},
		"MySQL":                  {aMySQL("9.7.4"), "START REPLICA;"},
		"MySQL, a channel":       {func(s *fleet.Server) { aMySQL("8.4.3")(s); named(s) }, "START REPLICA FOR CHANNEL 'e''ast';"},
		"MySQL 5.7":              {aMySQL("5.7.44-log"), "START SLAVE;"},
		"MySQL 8.0.21":           {aMySQL("8.0.21"), "START SLAVE;"},
		"a server without names": {func(s *fleet.Server) { s.Latest.Identity = nil }, "START REPLICA;"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := found(t, site(replica(stop), replica(c.change)), replicaStopped())
			if diff := cmp.Diff([]string{c.want}, steps(f.Remedy, SQL)); diff != "" {
				t.Errorf("statements (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCommonErrorsOfReplicationAreExplained(t *testing.T) {
	for number, want := range map[int]string{
		1032: "A row differs", 1146: "A table differs", 1236: "no longer has the binary logs", 1045: "does not let it in",
		2003: "cannot reach", 1021: "disk is full", 9999: "Mend the cause",
	} {
		f := found(t, site(replica(brokenBy(number))), replicaStopped())
		if got := steps(f.Remedy, Advice)[0]; !strings.Contains(got, want) {
			t.Errorf("advice for error %d = %q, want it to say %q", number, got, want)
		}
	}
}

func TestAReceiverThatStoppedNamesItsOwnError(t *testing.T) {
	refusedBySource := channelOf(func(c *snapshot.Channel) {
		c.State, c.IORunning, c.IOErrno = snapshot.LagIODown, "Connecting", 2003
	})
	f := found(t, site(replica(refusedBySource)), replicaStopped())
	if last := f.Evidence[len(f.Evidence)-1]; !strings.HasPrefix(last.Words, "2003: ") {
		t.Errorf("last error = %q, want that of the receiver", last.Words)
	}
}

func TestARunningReplicaIsNoFinding(t *testing.T) { quiet(t, site(), replicaStopped()) }

func TestADelayedReplicaRunsAsItIsMeantTo(t *testing.T) {
	quiet(t, site(replica(channelOf(func(c *snapshot.Channel) { c.State = snapshot.LagDelayed }))), replicaStopped())
}

func TestReplicationIsUnknownWithoutItsPrivilege(t *testing.T) {
	const grant = "GRANT SLAVE MONITOR ON *.* TO `plimsoll`@`localhost`; -- docs/privileges.md"
	f := site(lone, primary(func(s *fleet.Server) { s.Latest.Replication = nil }),
		primary(lacking("mysql/replication", "the account may not read replica status", grant)))
	notReady(t, f, replicaStopped(), NotReady{Subject: about("db1"), Reason: "the account may not read replica status", Remedy: grant})
}

// Without the privilege a replica looks like a server that replicates nothing.
func TestNoChannelsAreNotNoneWithoutThePrivilege(t *testing.T) {
	for family, grant := range map[string]string{
		"MariaDB": "GRANT SLAVE MONITOR ON *.* TO `plimsoll`@`localhost`; -- docs/privileges.md",
		"MySQL":   "GRANT REPLICATION CLIENT ON *.* TO `plimsoll`@`localhost`; -- docs/privileges.md",
	} {
		t.Run(family, func(t *testing.T) {
			f := site(lone, primary(lacking("mysql/replication", "the account may not read connected replicas", grantProcess)),
				primary(lacking("mysql/replication", "the account may not read the replica status", grant)))
			for _, r := range []Rule{replicaStopped(), replicaFallingBehind(), replicaLag(), failoverReadiness(), singlePoint()} {
				notReady(t, f, r, NotReady{Subject: about("db1"), Reason: "the account may not read the replica status", Remedy: grant})
			}
		})
	}
}

func TestOneStoppedChannelIsEnough(t *testing.T) {
	second := func(s *fleet.Server) {
		s.Latest.Replication.Channels = append(s.Latest.Replication.Channels, snapshot.Channel{Name: "reports", State: snapshot.LagIODown})
	}
	f := site(replica(second))
	if got := found(t, f, replicaStopped()).Subject.String(); got != "db2 (/reports)" {
		t.Errorf("subject = %s, want the channel that stopped", got)
	}
	tolerant := replicaStopped()
	tolerant.Threshold.Value = 2
	quiet(t, f, tolerant)
}
