package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	gomysql "github.com/go-sql-driver/mysql"

	"plimsoll/collectors/snapshot"
)

const (
	// maxTables bounds the tables whose structure is read, the largest of each
	// schema first.
	maxTables = 2000
	// maxSchemaRows bounds the columns, and the parts of indexes, of a schema.
	maxSchemaRows = 100000
	// schemaLimit is how long the round may take. It gives the connection back
	// after each schema.
	schemaLimit = time.Minute
)

// Statements on information_schema, each for one schema: on MariaDB, which opens
// the tables to answer, a condition on the schema is what keeps others closed.
const (
	selectSchemas = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME " + notOurs + " ORDER BY SCHEMA_NAME"

	selectTables = `SELECT TABLE_NAME, ENGINE, TABLE_ROWS, DATA_LENGTH, INDEX_LENGTH, DATA_FREE, CREATE_TIME, CREATE_OPTIONS
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = ? AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND ENGINE IS NOT NULL
ORDER BY DATA_LENGTH + INDEX_LENGTH DESC, TABLE_NAME LIMIT ?`

	selectColumns = `SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, CHARACTER_OCTET_LENGTH, IS_NULLABLE, COLLATION_NAME, EXTRA
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION LIMIT ?`

	// The blank is a column that differs: IS_VISIBLE on MySQL 8.0, IGNORED on
	// MariaDB 10.6.
	selectStatistics = `SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, INDEX_TYPE, %s, COLUMN_NAME, SUB_PART, COLLATION, CARDINALITY
FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX LIMIT ?`

	selectForeignKeys = `SELECT TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME
FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME IS NOT NULL
ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION LIMIT ?`
)

// MySQL answers from statistics that are up to a day old unless told otherwise;
// only this job pays for fresh ones.
const (
	setFreshStatistics  = "SET SESSION information_schema_stats_expiry = 0"
	setCachedStatistics = "SET SESSION information_schema_stats_expiry = 86400"
)

// readSchema reads the structure of all tables that the account may see.
func (s *Server) readSchema(ctx context.Context, into *snapshot.Snapshot) error {
	part := &snapshot.Schema{Tables: []snapshot.Table{}}
	schemas, err := s.listSchemas(ctx, part)
	if err != nil {
		return err
	}
	for i, name := range schemas {
		if len(part.Tables) >= maxTables {
			part.Gaps = append(part.Gaps, s.schemaGap(fmt.Sprintf("the first %d tables are read; %d schemas are left out, from %s on", maxTables, len(schemas)-i, name)))
			break
		}
		if err := s.readOneSchema(ctx, name, part); err != nil {
			return fmt.Errorf("read schema %s: %w", name, err)
		}
	}
	part.Taken = time.Now()
	into.Server(s.cfg.Name).Schema = part
	return nil
}

func (s *Server) schemaGap(reason string) snapshot.Gap {
	return snapshot.Gap{Job: "mysql/schema", Subject: s.cfg.Name, Reason: reason}
}

// listSchemas returns the schemas that are not the server's own.
func (s *Server) listSchemas(ctx context.Context, part *snapshot.Schema) (names []string, err error) {
	q, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	part.Epoch = q.epoch()
	err = q.each(ctx, selectSchemas, func(rows *sql.Rows) error {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list schemas: %w", err)
	}
	if len(names) == 0 {
		gap := s.schemaGap("the account sees no schema: the structure of tables is unknown")
		gap.Remedy = q.grant(need{mysql: "REFERENCES ON *.*", mariadb: "REFERENCES ON *.*"})
		part.Gaps = append(part.Gaps, gap)
	}
	return names, nil
}

// readOneSchema adds the tables of one schema. A schema that takes the server
// longer than its limit is a Gap.
func (s *Server) readOneSchema(ctx context.Context, name string, part *snapshot.Schema) (err error) {
	q, err := s.session(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	if q.identity.Family == snapshot.MySQL && q.has("statistics", "is_visible") {
		if err := q.exec(ctx, setFreshStatistics); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, q.exec(ctx, setCachedStatistics)) }()
	}
	r := schemaReader{session: q, schema: name, tables: map[string]*snapshot.Table{}}
	for _, read := range []func(context.Context, int) error{r.readTables, r.readColumns, r.readIndexes, r.readForeignKeys} {
		err := read(ctx, maxTables-len(part.Tables))
		if timedOut(err) {
			part.Gaps = append(part.Gaps, s.schemaGap("schema "+name+" has too many tables to be read within the server's time limit of 2 s"))
			return nil
		}
		if err != nil {
			return err
		}
	}
	part.Tables = append(part.Tables, r.result()...)
	if r.cut {
		part.Gaps = append(part.Gaps, s.schemaGap("schema "+name+" has more tables, columns or indexes than are read"))
	}
	return nil
}

// timedOut reports whether the server stopped a statement at its time limit.
func timedOut(err error) bool {
	var stopped *gomysql.MySQLError
	return errors.As(err, &stopped) && slices.Contains([]uint16{
		1317, // ER_QUERY_INTERRUPTED: MySQL, in the server's own tables
		1969, // ER_STATEMENT_TIMEOUT of MariaDB
		3024, // ER_QUERY_TIMEOUT of MySQL
	}, stopped.Number)
}

// schemaReader reads one schema.
type schemaReader struct {
	*session
	schema string
	tables map[string]*snapshot.Table
	cut    bool
}

func (r *schemaReader) readTables(ctx context.Context, room int) error {
	return r.each(ctx, selectTables, func(rows *sql.Rows) error {
		t := &snapshot.Table{Schema: r.schema}
		var created moment
		var options sql.NullString
		if err := rows.Scan(&t.Name, &t.Engine, &t.Rows, &t.DataBytes, &t.IndexBytes, &t.FreeBytes, &created, &options); err != nil {
			return err
		}
		if created.micros != 0 {
			t.Created = new(created.time())
		}
		t.Partitioned = strings.Contains(options.String, "partitioned")
		if len(r.tables) == room {
			r.cut = true
			return nil
		}
		r.tables[t.Name] = t
		return nil
	}, r.schema, room+1)
}

func (r *schemaReader) readColumns(ctx context.Context, _ int) error {
	return r.eachOf(ctx, selectColumns, func(rows *sql.Rows) error {
		var table, nullable, extra string
		var collation sql.NullString
		var c snapshot.Column
		if err := rows.Scan(&table, &c.Name, &c.Type, &c.MaxBytes, &nullable, &collation, &extra); err != nil {
			return err
		}
		t := r.tables[table]
		if t == nil {
			return nil
		}
		c.Nullable, c.Collation = nullable == "YES", collation.String
		// DEFAULT_GENERATED is a default that is an expression.
		c.Generated = strings.Contains(extra, " GENERATED") || extra == "PERSISTENT" || extra == "VIRTUAL"
		t.Columns = append(t.Columns, c)
		return nil
	})
}

func (r *schemaReader) readIndexes(ctx context.Context, _ int) error {
	return r.eachOf(ctx, fmt.Sprintf(selectStatistics, r.ignoredColumn()), func(rows *sql.Rows) error {
		var table, name, kind string
		var nonUnique bool
		var ignored bool
		var column, collation sql.NullString
		var part snapshot.IndexPart
		if err := rows.Scan(&table, &name, &nonUnique, &kind, &ignored, &column, &part.Prefix, &collation, &part.Cardinality); err != nil {
			return err
		}
		t := r.tables[table]
		if t == nil {
			return nil
		}
		part.Column, part.Descending = column.String, collation.String == "D"
		if last := len(t.Indexes) - 1; last < 0 || t.Indexes[last].Name != name {
			t.Indexes = append(t.Indexes, snapshot.Index{Name: name, Unique: !nonUnique, Type: kind, Ignored: ignored})
		}
		index := &t.Indexes[len(t.Indexes)-1]
		index.Parts = append(index.Parts, part)
		return nil
	})
}

// ignoredColumn is 1 for an index that the optimizer is told to ignore.
func (r *schemaReader) ignoredColumn() string {
	switch {
	case r.has("statistics", "is_visible"):
		return "IS_VISIBLE = 'NO'"
	case r.has("statistics", "ignored"):
		return "IGNORED = 'YES'"
	}
	return "0"
}

func (r *schemaReader) readForeignKeys(ctx context.Context, _ int) error {
	return r.eachOf(ctx, selectForeignKeys, func(rows *sql.Rows) error {
		var table, column, referenced string
		var key snapshot.ForeignKey
		if err := rows.Scan(&table, &key.Name, &column, &key.ReferencedSchema, &key.ReferencedTable, &referenced); err != nil {
			return err
		}
		t := r.tables[table]
		if t == nil {
			return nil
		}
		if last := len(t.ForeignKeys) - 1; last < 0 || t.ForeignKeys[last].Name != key.Name {
			t.ForeignKeys = append(t.ForeignKeys, key)
		}
		last := &t.ForeignKeys[len(t.ForeignKeys)-1]
		last.Columns = append(last.Columns, column)
		last.ReferencedColumns = append(last.ReferencedColumns, referenced)
		return nil
	})
}

// eachOf runs a query of the schema, bounded.
func (r *schemaReader) eachOf(ctx context.Context, query string, scan func(*sql.Rows) error) error {
	rows := 0
	err := r.each(ctx, query, func(row *sql.Rows) error {
		rows++
		return scan(row)
	}, r.schema, maxSchemaRows)
	r.cut = r.cut || rows == maxSchemaRows
	return err
}

// result returns the tables by name. One without columns was dropped while it
// was read, or is cut.
func (r *schemaReader) result() []snapshot.Table {
	var out []snapshot.Table
	for _, t := range r.tables {
		if len(t.Columns) > 0 {
			out = append(out, *t)
		}
	}
	slices.SortFunc(out, func(a, b snapshot.Table) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
