package collectors

import (
	"context"
	"database/sql"
	"fmt"
)

// Querier is what reads rows: *sql.DB, *sql.Conn and *sql.Tx.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Each runs query and calls scan for each row. It is the one place that reads
// rows, because a deadline that passes between two rows shows only in
// rows.Err: a loop without it takes part of a result for the whole.
func Each(ctx context.Context, q Querier, query string, scan func(*sql.Rows) error, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("scan row: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	return nil
}

// EachMap is Each for statements whose columns differ between servers, such as
// SHOW REPLICA STATUS. NULL is absent from the map, which is valid during the
// call only.
func EachMap(ctx context.Context, q Querier, query string, scan func(map[string]string) error, args ...any) error {
	var row rowMap
	return Each(ctx, q, query, func(rows *sql.Rows) error {
		values, err := row.read(rows)
		if err != nil {
			return err
		}
		return scan(values)
	}, args...)
}

// rowMap scans rows of unknown columns.
type rowMap struct {
	columns []string
	cells   []sql.NullString
	values  map[string]string
}

func (r *rowMap) read(rows *sql.Rows) (map[string]string, error) {
	if r.columns == nil {
		columns, err := rows.Columns()
		if err != nil {
			return nil, err
		}
		r.columns, r.cells = columns, make([]sql.NullString, len(columns))
		r.values = make(map[string]string, len(columns))
	}
	targets := make([]any, len(r.cells))
	for i := range r.cells {
		targets[i] = &r.cells[i]
	}
	if err := rows.Scan(targets...); err != nil {
		return nil, err
	}
	clear(r.values)
	for i, cell := range r.cells {
		if cell.Valid {
			r.values[r.columns[i]] = cell.String
		}
	}
	return r.values, nil
}
