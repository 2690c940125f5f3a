package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SHOW takes the server the same with a condition as without one, and all the
// more the more sessions it has to sum up, so that the jobs share what one of
// them read.
const (
	showStatus    = "SHOW GLOBAL STATUS"
	showVariables = "SHOW GLOBAL VARIABLES"
)

const (
	// statusAge is how old a status may be that a job takes from another. The
	// jobs of a server run one right after the other.
	statusAge = time.Second
	// variablesAge is the same of the variables, which hardly ever change. What
	// follows a failover, read_only, is read each second by itself.
	variablesAge = 5 * time.Minute
)

// globals is the answer to SHOW GLOBAL STATUS or SHOW GLOBAL VARIABLES. It is
// replaced whole, never changed: what jobs make of it is of the time at, and not
// of the time when they took it.
type globals struct {
	at         time.Time
	generation uint64            // of the connection
	values     map[string]string // by name in lower case
}

// status returns the status variables as they were at most age ago.
func (q *session) status(ctx context.Context, age time.Duration) (*globals, error) {
	if err := q.read(ctx, &q.server.statusNow, showStatus, age); err != nil {
		return nil, fmt.Errorf("read status: %w", err)
	}
	return q.server.statusNow, nil
}

// settings returns the variables as they were at most age ago.
func (q *session) settings(ctx context.Context, age time.Duration) (*globals, error) {
	if err := q.read(ctx, &q.server.settingsNow, showVariables, age); err != nil {
		return nil, fmt.Errorf("read variables: %w", err)
	}
	return q.server.settingsNow, nil
}

// read replaces kept unless it is of this connection and young enough. It belongs
// to whoever holds the connection.
func (q *session) read(ctx context.Context, kept **globals, statement string, age time.Duration) error {
	if r := *kept; r != nil && r.generation == q.generation && time.Since(r.at) < age {
		return nil
	}
	values := map[string]string{}
	err := q.each(ctx, statement, func(rows *sql.Rows) error {
		var name string
		var value sql.NullString
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		values[strings.ToLower(name)] = value.String
		return nil
	})
	if err == nil {
		*kept = &globals{at: time.Now(), generation: q.generation, values: values}
	}
	return err
}

// unsigned is the named value; zero if it is absent or no number.
func (r *globals) unsigned(name string) uint64 {
	n, _ := strconv.ParseUint(r.values[name], 10, 64)
	return n
}
