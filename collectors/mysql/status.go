package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"plimsoll/collectors/metric"
	"plimsoll/collectors/snapshot"
)

// SHOW takes 0.4 ms of the server's time on MySQL and 0.7 ms on MariaDB, with
// or without a condition.
const showStatus = "SHOW GLOBAL STATUS"

// statusReader reads the status variables that have a series.
type statusReader struct {
	keep map[string]bool
}

func newStatusReader() *statusReader {
	keep := map[string]bool{}
	for _, name := range metric.StatusVariables() {
		keep[name] = true
	}
	return &statusReader{keep: keep}
}

func (r *statusReader) read(ctx context.Context, q *session, into *snapshot.Server) error {
	values := make(map[string]float64, len(r.keep))
	var name, value sql.RawBytes
	var lower []byte
	err := q.each(ctx, showStatus, func(rows *sql.Rows) error {
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		lower = appendLower(lower[:0], name)
		if !r.keep[string(lower)] {
			return nil
		}
		if number, ok := metric.Number(string(value)); ok {
			values[string(lower)] = number
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	into.Status = &snapshot.Status{
		Meta:          snapshot.Meta{Taken: time.Now(), Epoch: statusEpoch(q.probe, values)},
		UptimeSeconds: values["uptime"],
		Values:        values,
	}
	return nil
}

// statusEpoch changes when the server starts and when somebody runs FLUSH
// STATUS, which puts most counters back to zero.
func statusEpoch(p *probe, values map[string]float64) string {
	flushed := values["uptime"] - values["uptime_since_flush_status"]
	return newEpoch(p.identity.Started.Add(time.Duration(flushed) * time.Second))
}

// appendLower appends the ASCII text s in lower case.
func appendLower(to, s []byte) []byte {
	for _, c := range s {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}
