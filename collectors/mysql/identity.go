package mysql

import (
	"context"
	"fmt"
	"time"

	"plimsoll/collectors/snapshot"
)

// identityJob is the job mysql/identity: it publishes what the probe found, and
// tells of restarts.
type identityJob struct {
	server *Server
	last   snapshot.Identity
}

// Collect implements collectors.Collector.
func (j *identityJob) Collect(ctx context.Context, into *snapshot.Snapshot) error {
	return j.server.round(ctx, into, func(ctx context.Context, q *session, parts *snapshot.Server) error {
		// A restart breaks the connection, unless there is a proxy between.
		status, err := q.status(ctx, statusAge)
		if err != nil {
			return err
		}
		if q.restarted(status) {
			j.server.forget()
		}
		identity := q.identity
		parts.Identity = &identity
		if summary := changed(&j.last, &identity); summary != "" {
			into.Events = append(into.Events, snapshot.Event{
				Time: time.Now(), Server: j.server.cfg.Name, Kind: snapshot.EventRestart, Summary: summary,
			})
		}
		j.last = identity
		return nil
	})
}

// changed says what became of a server since it was last seen; empty for
// nothing, and if it was not seen before.
func changed(before, now *snapshot.Identity) string {
	switch {
	case before.Key == "":
		return ""
	case before.Key != now.Key:
		return fmt.Sprintf("another server answers: %s (%s) in the place of %s", now.Key, now.Version, before.Key)
	case before.Started.Equal(now.Started):
		return ""
	case before.Version != now.Version:
		return fmt.Sprintf("the server was restarted, and is now %s; it was %s", now.Version, before.Version)
	}
	return "the server was restarted"
}
