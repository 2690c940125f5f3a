package rules

import (
	"testing"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

func TestALoneServerIsASinglePointOfFailure(t *testing.T) {
	asReviewed(t, "single-point-of-failure", found(t, site(lone), singlePoint()))
}

func TestTheWayToAReplicaIsTheFamilysOwn(t *testing.T) {
	for version, want := range map[string]string{
		"9.7.4":  "CLONE INSTANCE FROM 'clone'@'source':3306 IDENTIFIED BY '…';",
		"5.7.44": "xtrabackup --backup --stream=xbstream | ssh replica 'xbstream -x -C /var/lib/mysql'",
	} {
		f := found(t, site(lone, primary(aMySQL(version))), singlePoint())
		if f.Remedy[0].Text != want {
			t.Errorf("first step for MySQL %s = %q, want %q", version, f.Remedy[0].Text, want)
		}
	}
}

func TestAManagedServerMayHaveAStandbyThatDoesNotShow(t *testing.T) {
	f := found(t, site(lone, primary(func(s *fleet.Server) { s.Latest.Identity.Remote = true })), singlePoint())
	if f.Confidence.Level() != "medium" {
		t.Errorf("confidence = %+v, want medium", f.Confidence)
	}
}

func TestAReplicaWithoutAnAgentCounts(t *testing.T) {
	connected := func(s *fleet.Server) {
		s.Role, s.Latest.Replication.Replicas = fleet.Primary, &[]snapshot.ConnectedReplica{{Address: "10.0.0.9"}}
	}
	quiet(t, site(lone, primary(connected)), singlePoint())
}

func TestAServerWithAReplicaIsNoFinding(t *testing.T) { quiet(t, site(), singlePoint()) }

func TestAMemberOfAClusterHasItsPeers(t *testing.T) {
	galera := func(s *fleet.Server) { s.Latest.Membership = &snapshot.Membership{Galera: &snapshot.Galera{Size: 3}} }
	group := func(s *fleet.Server) {
		s.Latest.Membership = &snapshot.Membership{Group: &snapshot.Group{Members: make([]snapshot.GroupMember, 3)}}
	}
	quiet(t, site(lone, primary(galera)), singlePoint())
	quiet(t, site(lone, primary(group)), singlePoint())
}

func TestWhoFollowsIsUnknownWithoutTheProcessPrivilege(t *testing.T) {
	blind := func(s *fleet.Server) { s.Role, s.Latest.Replication.Replicas = fleet.UnknownRole, nil }
	f := site(lone, primary(blind), primary(lacking("mysql/replication", "the account may not read connected replicas", grantProcess)))
	notReady(t, f, singlePoint(), NotReady{
		Subject: about("db1"), Reason: "the account may not read connected replicas", Remedy: grantProcess,
	})
}

func TestAsManyReplicasAsAreWantedAreEnough(t *testing.T) {
	r := singlePoint()
	r.Threshold.Value = 2
	if f := found(t, site(), r); f.Summary != "db1 has 1 of the 2 replicas that are wanted." {
		t.Errorf("summary = %q", f.Summary)
	}
	r.Threshold.Value = 1
	quiet(t, site(), r)
}
