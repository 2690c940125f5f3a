package mysql

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What MySQL 9.7 and MariaDB 11.8 show for an open SELECT (A), an ALTER (B) and
// a SELECT behind it (C). sys.schema_table_lock_waits makes four waits of it,
// of which one is the ALTER blocking itself and two are locks that get along.
func alterBehindReader() []metadataLock {
	table := lockedObject{"TABLE", "shop", "m"}
	schema := lockedObject{"SCHEMA", "shop", ""}
	return []metadataLock{
		{object: table, mode: "SHARED_READ", session: sesA, event: 10},
		{object: lockedObject{kind: "GLOBAL"}, mode: "INTENTION_EXCLUSIVE", session: sesB},
		{object: lockedObject{kind: "BACKUP LOCK"}, mode: "INTENTION_EXCLUSIVE", session: sesB},
		{object: lockedObject{kind: "BACKUP"}, mode: "BACKUP_DDL", session: sesB},
		{object: schema, mode: "INTENTION_EXCLUSIVE", session: sesB},
		{object: table, mode: "SHARED_UPGRADABLE", session: sesB, event: 2},
		{object: table, mode: "EXCLUSIVE", session: sesB, event: 3, pending: true},
		{object: table, mode: "SHARED_READ", session: sesC, event: 2, pending: true},
		{object: lockedObject{"TABLE", "performance_schema", "metadata_locks"}, mode: "SHARED_READ", session: sesD},
	}
}

func TestAReaderQueuesBehindAPendingAlter(t *testing.T) {
	lock := lockName{Kind: "metadata", Schema: "shop", Table: "m"}
	want := []lockWait{
		{waiter: sesB, blocker: sesA, lock: lock, event: 10},
		{waiter: sesC, blocker: sesB, lock: lock, event: 3},
	}
	got := metadataWaits(alterBehindReader())
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(lockWait{})); diff != "" {
		t.Errorf("metadataWaits (-want +got):\n%s", diff)
	}
	for _, c := range chains(got) {
		if c.root != sesA {
			t.Errorf("session %d is said to wait for %d, want the open transaction %d", c.waiter, c.root, sesA)
		}
	}
}

func TestFlushTablesBlocksWrites(t *testing.T) {
	global, backup := lockedObject{kind: "GLOBAL"}, lockedObject{kind: "BACKUP"}
	for name, locks := range map[string][]metadataLock{
		"MySQL": {
			{object: global, mode: "SHARED", session: sesA},
			{object: lockedObject{kind: "COMMIT"}, mode: "SHARED", session: sesA},
			{object: global, mode: "INTENTION_EXCLUSIVE", session: sesB, pending: true},
		},
		"MariaDB": {
			{object: backup, mode: "BACKUP_FTWRL1", session: sesA},
			{object: lockedObject{"TABLE", "shop", "m"}, mode: "SHARED_WRITE", session: sesB},
			{object: backup, mode: "BACKUP_TRANS_DML", session: sesB, pending: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := []lockWait{{waiter: sesB, blocker: sesA, lock: lockName{Kind: "metadata"}}}
			if diff := cmp.Diff(want, metadataWaits(locks), cmp.AllowUnexported(lockWait{})); diff != "" {
				t.Errorf("metadataWaits (-want +got):\n%s", diff)
			}
		})
	}
}

// MDL_lock relies on it, so a table of ours that breaks it was copied wrongly:
// what a request must wait for while it is pending, it must wait for once it is
// granted.
func TestPendingConflictsAreGrantedConflicts(t *testing.T) {
	modes := []string{
		"INTENTION_EXCLUSIVE", "SHARED", "SHARED_HIGH_PRIO", "SHARED_READ", "SHARED_WRITE",
		"SHARED_WRITE_LOW_PRIO", "SHARED_UPGRADABLE", "SHARED_READ_ONLY", "SHARED_NO_WRITE",
		"SHARED_NO_READ_WRITE", "EXCLUSIVE",
	}
	for _, kind := range []string{"TABLE", "SCHEMA"} {
		object := lockedObject{kind: kind}
		for _, wanted := range modes {
			for _, other := range modes {
				request := metadataLock{object: object, mode: wanted, pending: true}
				pending := blocks(metadataLock{object: object, mode: other, pending: true}, request)
				granted := blocks(metadataLock{object: object, mode: other}, request)
				if pending && !granted {
					t.Errorf("%s: %s waits for a pending %s but not for a granted one", kind, wanted, other)
				}
				back := blocks(metadataLock{object: object, mode: wanted}, metadataLock{object: object, mode: other})
				if kind == "TABLE" && granted != back {
					t.Errorf("%s: conflict of %s with %s is %v, the other way round %v", kind, wanted, other, granted, back)
				}
			}
		}
	}
}
