package indexes

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
	"plimsoll/rules/fleet"
	"plimsoll/rules/index"
)

// readLimit is how long one statement on a server may take.
const readLimit = 30 * time.Second

// selectDigests reads what a server has counted of its statements since its table of digests was
// emptied. Oldest servers that accept it: MySQL 5.7, MariaDB 10.5.
const selectDigests = `SELECT COALESCE(SCHEMA_NAME, ''), DIGEST_TEXT, COUNT_STAR, SUM_TIMER_WAIT / 1e12, SUM_LOCK_TIME / 1e12,
	SUM_ROWS_AFFECTED, SUM_ROWS_SENT, SUM_ROWS_EXAMINED, SUM_CREATED_TMP_DISK_TABLES, SUM_SELECT_FULL_JOIN,
	SUM_SELECT_SCAN, SUM_NO_INDEX_USED, SUM_NO_GOOD_INDEX_USED, SUM_SORT_ROWS,
	UNIX_TIMESTAMP(FIRST_SEEN), UNIX_TIMESTAMP()
FROM performance_schema.events_statements_summary_by_digest
WHERE DIGEST_TEXT IS NOT NULL AND COUNT_STAR > 0 LIMIT 20000`

// FromServer takes the statements that a server has counted; the tables come from a snapshot of it.
func FromServer(ctx context.Context, db *sql.DB, s *snapshot.Server) (*Facts, error) {
	if s.Schema == nil {
		return nil, fmt.Errorf("the tables of the server are not known; GRANT REFERENCES ON *.* lets an account see them, and no row")
	}
	f := &Facts{Workload: index.Workload{Tables: s.Schema.Tables}, Server: ServerFacts(s)}
	if err := f.readDigests(ctx, db); err != nil {
		return nil, err
	}
	f.addUse(s)
	if len(f.Statements) == 0 {
		return nil, fmt.Errorf("the server has counted no statement: performance_schema may be off, or the account may not read it (GRANT SELECT ON performance_schema.*)")
	}
	return f, nil
}

func (f *Facts) readDigests(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	rows, err := db.QueryContext(ctx, selectDigests)
	if err != nil {
		return fmt.Errorf("read digests (GRANT SELECT ON performance_schema.*): %w", err)
	}
	defer rows.Close()
	began, now := 0.0, 0.0
	merged := map[[2]string]int{}
	for rows.Next() {
		var d fleet.Digest
		var text string
		var seen float64
		t := &d.DigestTotals
		if err := rows.Scan(&d.Schema, &text, &t.Calls, &t.Seconds, &t.LockSeconds, &t.RowsAffected, &t.RowsSent, &t.RowsExamined,
			&t.TmpDiskTables, &t.FullJoins, &t.FullScans, &t.NoIndexUsed, &t.NoGoodIndex, &t.SortRows, &seen, &now); err != nil {
			return fmt.Errorf("read digests: %w", err)
		}
		if began == 0 || seen < began {
			began = seen
		}
		f.addLive(d, text, merged)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read digests: %w", err)
	}
	for i := range f.Statements {
		f.Statements[i].WindowSeconds = max(now-began, 1)
	}
	return nil
}

// addLive adds a digest of the server; several of one statement are one.
func (f *Facts) addLive(d fleet.Digest, text string, merged map[[2]string]int) {
	st := sqltext.Parse(text)
	d.Fingerprint, d.Text, d.Class = st.Fingerprint, snapshot.Redacted(st.Text), string(st.Class)
	d.Reads, d.Writes, d.Truncated = st.Reads, st.Writes, st.Truncated
	d.Own = strings.Contains(strings.ToLower(text), "performance_schema")
	if st.Prepared && st.Command != "EXECUTE" {
		return // MySQL 9 counts the steps of a prepared statement apart
	}
	key := [2]string{d.Schema, d.Fingerprint}
	if at, known := merged[key]; known {
		f.Statements[at].DigestTotals = f.Statements[at].DigestTotals.Plus(d.DigestTotals)
		return
	}
	merged[key] = len(f.Statements)
	f.Statements = append(f.Statements, index.Statement{Digest: d})
}
