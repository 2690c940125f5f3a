package mysql

import (
	"context"
	"time"

	"plimsoll/collectors/metric"
	"plimsoll/collectors/snapshot"
)

// readStatus publishes the status variables that have a series.
func readStatus(ctx context.Context, q *session, into *snapshot.Server) error {
	status, err := q.status(ctx, statusAge)
	if err != nil {
		return err
	}
	values := map[string]float64{}
	for _, name := range metric.StatusVariables() {
		if number, ok := metric.Number(status.values[name]); ok {
			values[name] = number
		}
	}
	into.Status = &snapshot.Status{
		Meta:          snapshot.Meta{Taken: status.at, Epoch: statusEpoch(q.probe, values)},
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
