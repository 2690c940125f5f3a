package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plimsoll/collectors/sqltext"
)

const (
	// maxTexts is how many texts a round reads; the costliest statements first.
	maxTexts = 500
	// keyedTexts is up to how many texts MySQL is asked for by key. A key costs
	// it a quarter of a scan, because its index is a walk through the table:
	// 5 ms for the last of 9,000 digests, of which a scan with 500 texts takes
	// 26 ms. MariaDB has no index at all.
	keyedTexts = 3
	// maxTextTries is how often a text is asked for. A digest without one can
	// not be told from others, and counts as "other".
	maxTextTries = 3
	// maxTextBytes bounds one text; max_digest_length can be a megabyte.
	maxTextBytes = 16384
)

// learn reads the texts that are lacking of the rows that counted something.
func (d *digestJob) learn(ctx context.Context, q *session, active []*digestRow) error {
	wanted := d.unread(active)
	if len(wanted) == 0 {
		return nil
	}
	if len(wanted) > maxTexts {
		wanted = wanted[:maxTexts]
	}
	// Only MySQL 8.0 and later have both the index and this column.
	keyed := len(wanted) <= keyedTexts && q.has(digestSummary, "quantile_95")
	read := d.readTexts
	if keyed {
		read = d.readTextsByKey
	}
	if err := read(ctx, q, wanted); err != nil {
		return fmt.Errorf("read digest texts: %w", err)
	}
	for _, row := range wanted {
		row.tries++
	}
	return nil
}

// unread returns the rows whose text is lacking, those without an identity
// first, then by time. After a start of the agent a row can have its identity
// from before, and no text.
func (d *digestJob) unread(active []*digestRow) []*digestRow {
	var rows []*digestRow
	for _, row := range active {
		known := row.group != nil && (row.group.own || d.ledger.textOf[row.group.fingerprint])
		if !known && row.digest != "" && row.tries < maxTextTries {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b *digestRow) int {
		if a.group == nil && b.group != nil {
			return -1
		}
		if a.group != nil && b.group == nil {
			return 1
		}
		return cmp.Or(cmp.Compare(b.delta[sumTime], a.delta[sumTime]), cmp.Compare(a.digest, b.digest), cmp.Compare(a.schema, b.schema))
	})
	return rows
}

const selectTexts = "SELECT SCHEMA_NAME, DIGEST, LEFT(DIGEST_TEXT, 16384) FROM performance_schema." + digestSummary

// readTexts reads texts in one scan.
func (d *digestJob) readTexts(ctx context.Context, q *session, wanted []*digestRow) error {
	digests := make([]any, len(wanted))
	for i, row := range wanted {
		digests[i] = row.digest
	}
	query := selectTexts + " WHERE DIGEST IN (?" + strings.Repeat(", ?", len(digests)-1) + ")"
	return q.each(ctx, query, d.takeText(q), digests...)
}

// readTextsByKey reads a few texts through MySQL's index.
func (d *digestJob) readTextsByKey(ctx context.Context, q *session, wanted []*digestRow) error {
	for _, row := range wanted {
		query, args := selectTexts+" WHERE SCHEMA_NAME = ? AND DIGEST = ?", []any{row.schema, row.digest}
		if row.schema == "" {
			query, args = selectTexts+" WHERE SCHEMA_NAME IS NULL AND DIGEST = ?", []any{row.digest}
		}
		if err := q.each(ctx, query, d.takeText(q), args...); err != nil {
			return err
		}
	}
	return nil
}

// takeText gives each row read its statement.
func (d *digestJob) takeText(q *session) func(*sql.Rows) error {
	options := sqltext.Options{MaxDigestLength: q.digestLength()}
	var schema, digest, body text
	var key []byte
	return func(rows *sql.Rows) error {
		if err := rows.Scan(&schema, &digest, &body); err != nil {
			return err
		}
		key = rowKey(key[:0], schema, digest)
		row := d.table.rows[string(key)]
		if row == nil || body.null {
			return nil
		}
		statement := options.Parse(string(body.bytes))
		d.ledger.learn(row, statement, d.server.own.has(statement))
		return nil
	}
}

// digestLength is where texts are cut: by the server, or by us.
func (p *probe) digestLength() int {
	shortest := maxTextBytes
	for _, name := range []string{"max_digest_length", "performance_schema_max_digest_length"} {
		if n, err := strconv.Atoi(p.variables[name]); err == nil {
			shortest = min(shortest, n)
		}
	}
	return shortest
}
