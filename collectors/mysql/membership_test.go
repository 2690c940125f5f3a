package mysql

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plimsoll/collectors/snapshot"
	"plimsoll/fixtures/servers"
)

func TestAServerOutsideAClusterHasNoMembership(t *testing.T) {
	onEach(t, func(t *testing.T, s *servers.Server) {
		got := collect(t, open(t, s, 1), "mysql/membership").Membership
		want := &snapshot.Membership{}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(snapshot.Membership{}, "Meta.Taken", "Meta.Epoch")); diff != "" {
			t.Errorf("membership (-want +got):\n%s", diff)
		}
	})
}

func TestGaleraNodeOfOne(t *testing.T) {
	s := servers.Start(t, servers.MariaDB1011, servers.GroupOfOne())
	awaitReady(t, s)
	got := collect(t, open(t, s, 1), "mysql/membership").Membership
	want := &snapshot.Galera{Size: 1, Status: "Primary", Ready: true, Connected: true, State: "Synced"}
	if diff := cmp.Diff(want, got.Galera); diff != "" || got.Group != nil {
		t.Errorf("membership has group %+v and Galera (-want +got):\n%s", got.Group, diff)
	}
}

func TestReplicationGroupOfOne(t *testing.T) {
	s := servers.Start(t, servers.MySQL97, servers.GroupOfOne())
	got := collect(t, open(t, s, 1), "mysql/membership").Membership
	want := &snapshot.Group{Members: []snapshot.GroupMember{{Host: "127.0.0.1", State: "ONLINE", Role: "PRIMARY"}}}
	ignored := cmpopts.IgnoreFields(snapshot.GroupMember{}, "Key", "Port")
	if diff := cmp.Diff(want, got.Group, ignored); diff != "" || got.Galera != nil {
		t.Errorf("membership has Galera %+v and group (-want +got):\n%s", got.Galera, diff)
	}
	if m := got.Group.Members[0]; m.Key == "" || m.Port == 0 {
		t.Errorf("member %+v has no key or no port", m)
	}
}

// awaitReady returns once a Galera node takes statements, which is some time
// after it greets.
func awaitReady(t *testing.T, s *servers.Server) {
	t.Helper()
	for range 500 {
		var name, ready string
		if err := s.DB().QueryRowContext(t.Context(), "SHOW STATUS LIKE 'wsrep_ready'").Scan(&name, &ready); err != nil {
			t.Fatal(err)
		}
		if ready == "ON" {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the Galera node did not get ready")
}
