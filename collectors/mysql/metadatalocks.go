package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"plimsoll/collectors/snapshot"
)

// metadataLock is one row of performance_schema.metadata_locks.
type metadataLock struct {
	object  lockedObject
	mode    string // LOCK_TYPE
	pending bool
	session uint64 // connection
	event   uint64 // OWNER_EVENT_ID
}

// lockedObject is what a metadata lock protects.
type lockedObject struct{ kind, schema, name string }

// Only objects that somebody waits for; a server with many tables open holds
// tens of thousands of other locks. MySQL 5.7; MariaDB 10.5.
const selectMetadataLocks = `SELECT m.OBJECT_TYPE, m.OBJECT_SCHEMA, m.OBJECT_NAME, m.LOCK_TYPE, m.LOCK_STATUS = 'PENDING',
	t.PROCESSLIST_ID, m.OWNER_EVENT_ID
	FROM (SELECT DISTINCT OBJECT_TYPE, OBJECT_SCHEMA, OBJECT_NAME FROM performance_schema.metadata_locks
		WHERE LOCK_STATUS = 'PENDING') p
	JOIN performance_schema.metadata_locks m
		ON m.OBJECT_TYPE = p.OBJECT_TYPE AND m.OBJECT_SCHEMA <=> p.OBJECT_SCHEMA AND m.OBJECT_NAME <=> p.OBJECT_NAME
	JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID
	WHERE m.LOCK_STATUS IN ('GRANTED', 'PENDING') AND t.PROCESSLIST_ID IS NOT NULL
	ORDER BY m.LOCK_STATUS = 'GRANTED' LIMIT 500`

// metadataLocks reads who holds and who asks for metadata locks.
func (q *session) metadataLocks(ctx context.Context) ([]metadataLock, error) {
	var locks []metadataLock
	err := q.each(ctx, selectMetadataLocks, func(rows *sql.Rows) error {
		var l metadataLock
		var schema, name sql.NullString
		var event sql.NullInt64
		if err := rows.Scan(&l.object.kind, &schema, &name, &l.mode, &l.pending, &l.session, &event); err != nil {
			return err
		}
		l.object.schema, l.object.name = schema.String, name.String
		// Where the consumer of statements is off, all events are number 1.
		if event.Int64 > 1 {
			l.event = uint64(event.Int64)
		}
		locks = append(locks, l)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read metadata locks: %w", err)
	}
	return locks, nil
}

// lockName is how o is reported. Only a table's name says something: others
// have none, or name the file of a table.
func (o lockedObject) lockName() lockName {
	name := lockName{Kind: snapshot.LockMetadata, Schema: o.schema}
	if o.kind == "TABLE" {
		name.Table = o.name
	}
	return name
}

// metadataWaits finds who waits for whom. The server says only who holds and
// who asks. Its view sys.schema_table_lock_waits pairs all of the first with
// all of the second, and so calls compatible locks waits, lets an ALTER block
// itself, and misses the SELECT that queues behind a pending ALTER.
func metadataWaits(locks []metadataLock) []lockWait {
	var waits []lockWait
	for _, wanted := range locks {
		if !wanted.pending {
			continue
		}
		for _, other := range locks {
			if other.object == wanted.object && other.session != wanted.session && blocks(other, wanted) {
				waits = append(waits, lockWait{
					waiter: wanted.session, blocker: other.session, event: other.event, lock: wanted.object.lockName(),
				})
			}
		}
	}
	return waits
}

// blocks reports whether wanted, which is pending, cannot be granted because of
// other on the same object.
func blocks(other, wanted metadataLock) bool {
	var rules conflicts
	switch other.object.kind {
	case "GLOBAL", "SCHEMA", "COMMIT", "TABLESPACE", "BACKUP LOCK":
		rules = scopeRules(wanted.mode)
	case "BACKUP":
		rules = backupRules(wanted.mode)
	case "USER LEVEL LOCK":
		// GET_LOCK is the application's own, and its name can hold anything.
	default:
		rules = objectRules(wanted.mode)
	}
	if other.pending {
		return slices.Contains(rules.pending, other.mode)
	}
	return slices.Contains(rules.granted, other.mode)
}

// conflicts are the locks that a request must wait for: those that others hold,
// and those that others asked for and that go first, so that a stream of
// readers does not starve an ALTER.
type conflicts struct{ granted, pending []string }

// scopeRules are for locks on whole schemas and the server.
// Source: MDL_lock::MDL_scoped_lock in sql/mdl.cc.
func scopeRules(mode string) conflicts {
	switch mode {
	case "INTENTION_EXCLUSIVE":
		return conflicts{[]string{"SHARED", "EXCLUSIVE"}, []string{"SHARED", "EXCLUSIVE"}}
	case "SHARED":
		return conflicts{[]string{"INTENTION_EXCLUSIVE", "EXCLUSIVE"}, []string{"EXCLUSIVE"}}
	case "EXCLUSIVE":
		return conflicts{[]string{"INTENTION_EXCLUSIVE", "SHARED", "EXCLUSIVE"}, nil}
	}
	return conflicts{}
}

// objectRules are for locks on tables and stored programs.
// Source: MDL_lock::MDL_object_lock in sql/mdl.cc; both families agree where
// they have the same modes.
func objectRules(mode string) conflicts {
	const (
		read, write, writeLow   = "SHARED_READ", "SHARED_WRITE", "SHARED_WRITE_LOW_PRIO"
		upgradable, readOnly    = "SHARED_UPGRADABLE", "SHARED_READ_ONLY"
		noWrite, noReadWrite, x = "SHARED_NO_WRITE", "SHARED_NO_READ_WRITE", "EXCLUSIVE"
	)
	switch mode {
	case "SHARED":
		return conflicts{[]string{x}, []string{x}}
	case "SHARED_HIGH_PRIO": // information_schema
		return conflicts{[]string{x}, nil}
	case read:
		return conflicts{[]string{noReadWrite, x}, []string{noReadWrite, x}}
	case write:
		return conflicts{
			[]string{readOnly, noWrite, noReadWrite, x}, []string{noWrite, noReadWrite, x},
		}
	case writeLow:
		return conflicts{
			[]string{readOnly, noWrite, noReadWrite, x}, []string{readOnly, noWrite, noReadWrite, x},
		}
	case upgradable:
		return conflicts{[]string{upgradable, noWrite, noReadWrite, x}, []string{x}}
	case readOnly: // LOCK TABLES … READ
		return conflicts{[]string{write, writeLow, noReadWrite, x}, []string{write, noReadWrite, x}}
	case noWrite:
		return conflicts{[]string{write, writeLow, upgradable, noWrite, noReadWrite, x}, []string{x}}
	case noReadWrite: // LOCK TABLES … WRITE
		return conflicts{
			[]string{read, write, writeLow, upgradable, readOnly, noWrite, noReadWrite, x}, []string{x},
		}
	case x:
		return conflicts{[]string{
			"SHARED", "SHARED_HIGH_PRIO", read, write, writeLow, upgradable, readOnly, noWrite, noReadWrite, x,
		}, nil}
	}
	return conflicts{}
}

// backupRules are for MariaDB's locks against FLUSH TABLES WITH READ LOCK and
// BACKUP STAGE. Those two themselves wait for what is under way.
// Source: MDL_lock::MDL_backup_lock in sql/mdl.cc of MariaDB.
func backupRules(mode string) conflicts {
	const (
		dml, transDML, sysDML = "BACKUP_DML", "BACKUP_TRANS_DML", "BACKUP_SYS_DML"
		ddl, alter, commit    = "BACKUP_DDL", "BACKUP_ALTER_COPY", "BACKUP_COMMIT"
		flush1, flush2        = "BACKUP_FTWRL1", "BACKUP_FTWRL2"
		stageFlush, waitFlush = "BACKUP_FLUSH", "BACKUP_WAIT_FLUSH"
		waitDDL, waitCommit   = "BACKUP_WAIT_DDL", "BACKUP_WAIT_COMMIT"
		blockDDL              = "BACKUP_BLOCK_DDL"
	)
	var both []string
	switch mode {
	case dml:
		both = []string{stageFlush, waitFlush, waitDDL, waitCommit, flush1, flush2}
	case transDML, alter:
		both = []string{flush1, flush2}
	case sysDML:
		both = []string{waitCommit, flush1, flush2}
	case ddl:
		both = []string{waitDDL, waitCommit, flush1, flush2, blockDDL}
	case commit:
		both = []string{waitCommit, flush2}
	case flush1:
		return conflicts{granted: []string{dml, transDML, sysDML, ddl, alter}}
	case flush2:
		return conflicts{granted: []string{dml, transDML, sysDML, ddl, alter, commit}}
	case waitFlush:
		return conflicts{granted: []string{dml}}
	case waitDDL:
		return conflicts{granted: []string{dml, ddl}}
	case waitCommit:
		return conflicts{granted: []string{dml, sysDML, ddl, commit}}
	}
	return conflicts{both, both}
}
