package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"plimsoll/collectors/snapshot"
)

// maxUse bounds the rows that are read: one an index, and one a table for what
// used none.
const maxUse = 20000

const notOurs = "NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')"

const (
	selectTableIO = `SELECT OBJECT_SCHEMA, OBJECT_NAME, INDEX_NAME,
	COUNT_FETCH, COUNT_INSERT, COUNT_UPDATE, COUNT_DELETE, SUM_TIMER_WAIT
FROM performance_schema.table_io_waits_summary_by_index_usage
WHERE OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA ` + notOurs + ` LIMIT 20000`

	// MariaDB before 11.5 does not tell inserts, updates and deletes apart.
	selectTableStatistics = `SELECT TABLE_SCHEMA, TABLE_NAME, ROWS_READ, 0, ROWS_CHANGED, 0
FROM information_schema.TABLE_STATISTICS WHERE TABLE_SCHEMA ` + notOurs + ` LIMIT 20000`
	selectTableStatisticsSplit = `SELECT TABLE_SCHEMA, TABLE_NAME, ROWS_READ, ROWS_INSERTED, ROWS_UPDATED, ROWS_DELETED
FROM information_schema.TABLE_STATISTICS WHERE TABLE_SCHEMA ` + notOurs + ` LIMIT 20000`
	selectIndexStatistics = `SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, ROWS_READ
FROM information_schema.INDEX_STATISTICS WHERE TABLE_SCHEMA ` + notOurs + ` LIMIT 20000`
)

// readUse reads how tables and indexes are used: from performance_schema, or
// else from MariaDB's userstat. An index that is listed in neither, of a table
// that is, was not used.
func (q *session) readUse(ctx context.Context) (*snapshot.Use, error) {
	use := &snapshot.Use{}
	var err error
	switch {
	case q.on("index_use") && q.on("instrument_table_io"):
		use.Source = "performance_schema"
		err = q.readTableIO(ctx, use)
	case q.on("userstat"):
		use.Source = "userstat"
		err = q.readUserstat(ctx, use)
	default:
		use.Gaps = []snapshot.Gap{q.useGap()}
	}
	if err != nil {
		return nil, fmt.Errorf("read use of tables: %w", err)
	}
	return use, nil
}

func (q *session) readTableIO(ctx context.Context, use *snapshot.Use) error {
	var schema, name, index text
	var fetch, insert, update, remove, wait count
	var table *snapshot.TableUse
	rows := 0
	tables := map[string]*snapshot.TableUse{}
	err := q.each(ctx, selectTableIO, func(r *sql.Rows) error {
		if err := r.Scan(&schema, &name, &index, &fetch, &insert, &update, &remove, &wait); err != nil {
			return err
		}
		rows++
		key := string(schema.bytes) + "\x00" + string(name.bytes)
		if table = tables[key]; table == nil {
			table = &snapshot.TableUse{Schema: string(schema.bytes), Table: string(name.bytes), ScanReads: new(uint64), Seconds: new(float64)}
			tables[key] = table
		}
		table.Reads += uint64(fetch)
		table.Inserts += uint64(insert)
		table.Updates += uint64(update)
		table.Deletes += uint64(remove)
		*table.Seconds += float64(wait) / 1e12
		if index.null {
			*table.ScanReads += uint64(fetch)
			return nil
		}
		use.Indexes = append(use.Indexes, snapshot.IndexUse{
			Schema: table.Schema, Table: table.Table, Index: string(index.bytes), Reads: uint64(fetch),
		})
		return nil
	})
	for _, t := range tables {
		use.Tables = append(use.Tables, *t)
	}
	q.cutUse(use, rows)
	return err
}

func (q *session) readUserstat(ctx context.Context, use *snapshot.Use) error {
	query := selectTableStatistics
	if q.has("table_statistics", "rows_inserted") {
		query = selectTableStatisticsSplit
	} else {
		use.Gaps = append(use.Gaps, snapshot.Gap{
			Job: "mysql/use", Subject: q.server.cfg.Name,
			Reason: "userstat of this version does not tell inserts, updates and deletes apart: all are given as updates",
			Remedy: q.schemaRemedy(),
		})
	}
	err := q.each(ctx, query, func(r *sql.Rows) error {
		var t snapshot.TableUse
		if err := r.Scan(&t.Schema, &t.Table, &t.Reads, &t.Inserts, &t.Updates, &t.Deletes); err != nil {
			return err
		}
		use.Tables = append(use.Tables, t)
		return nil
	})
	if err != nil {
		return err
	}
	err = q.each(ctx, selectIndexStatistics, func(r *sql.Rows) error {
		var i snapshot.IndexUse
		if err := r.Scan(&i.Schema, &i.Table, &i.Index, &i.Reads); err != nil {
			return err
		}
		use.Indexes = append(use.Indexes, i)
		return nil
	})
	if len(use.Tables) == 0 {
		use.Gaps = append(use.Gaps, q.userstatGap())
	}
	q.cutUse(use, max(len(use.Tables), len(use.Indexes)))
	return err
}

// userstatGap says why userstat shows nothing: it hides tables that the account
// may not read. Where performance_schema is on, its grant is the smaller one.
func (q *session) userstatGap() snapshot.Gap {
	if q.identity.Features["index_use"] == snapshot.FeatureNoPrivilege {
		return q.useGap()
	}
	return snapshot.Gap{
		Job: "mysql/use", Subject: q.server.cfg.Name,
		Reason: "userstat shows only tables that the account may read, and there is none",
		Remedy: "for each of your schemas: " + q.grant(need{mariadb: "SELECT ON shop.*"}),
	}
}

// cutUse says so if there are more rows than are read.
func (q *session) cutUse(use *snapshot.Use, rows int) {
	if rows >= maxUse {
		use.Gaps = append(use.Gaps, snapshot.Gap{
			Job: "mysql/use", Subject: q.server.cfg.Name,
			Reason: fmt.Sprintf("the use of only the first %d indexes is read", maxUse),
		})
	}
}

// useGap says why the use of tables cannot be read.
func (q *session) useGap() snapshot.Gap {
	gap := snapshot.Gap{Job: "mysql/use", Subject: q.server.cfg.Name}
	switch features := q.identity.Features; {
	case features["index_use"] == snapshot.FeatureNoPrivilege:
		gap.Reason, gap.Remedy = "the account may not read the use of tables and indexes", q.grant(needPerformanceSchema(""))
	case features["instrument_table_io"] == snapshot.FeatureOff:
		gap.Reason = "the instrument wait/io/table/sql/handler of performance_schema is off: the use of indexes is not counted"
		gap.Remedy = "UPDATE performance_schema.setup_instruments SET ENABLED = 'YES', TIMED = 'YES' WHERE NAME = 'wait/io/table/sql/handler';"
	case q.identity.Family == snapshot.MariaDB:
		gap.Reason = "performance_schema and userstat are off: the use of tables and indexes is not counted"
		gap.Remedy = "SET GLOBAL userstat = ON; -- at once, 10 % on the cheapest statements; and userstat = ON in the option file"
	default:
		gap.Reason, gap.Remedy = "performance_schema is off: the use of tables and indexes is not counted", q.schemaRemedy()
	}
	return gap
}

// sortUse puts tables and indexes in order, so that equal reads are equal.
func sortUse(use *snapshot.Use) {
	slices.SortFunc(use.Tables, func(a, b snapshot.TableUse) int {
		return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Table, b.Table))
	})
	slices.SortFunc(use.Indexes, func(a, b snapshot.IndexUse) int {
		return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Index, b.Index))
	})
}
