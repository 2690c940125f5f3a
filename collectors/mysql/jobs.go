package mysql

import (
	"context"
	"errors"
	"slices"
	"time"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// Jobs returns everything that is read of the server. The agent may change
// their intervals. Each call makes jobs of its own, which know nothing of those
// made before.
func (s *Server) Jobs() []collectors.Job {
	digests := newDigestJob(s)
	return slices.Concat([]collectors.Job{
		{Name: "mysql/identity", Server: s.cfg.Name, Every: 10 * time.Second, Timeout: roundLimit, Collector: &identityJob{server: s}},
		s.job("mysql/status", 10*time.Second, readStatus),
		s.job("mysql/settings", time.Minute, readSettings),
		{Name: "mysql/digests", Server: s.cfg.Name, Every: time.Minute, Timeout: roundLimit, Collector: digests},
		{Name: "mysql/latency", Server: s.cfg.Name, Every: time.Minute, Timeout: roundLimit, Collector: newLatencyJob(s, digests)},
		{Name: "mysql/use", Server: s.cfg.Name, Every: 5 * time.Minute, Timeout: roundLimit, Collector: newUseJob(s)},
		{Name: "mysql/schema", Server: s.cfg.Name, Every: time.Hour, Timeout: schemaLimit, Collector: collectors.Func(s.readSchema)},
		{Name: "mysql/cost", Server: s.cfg.Name, Every: 10 * time.Second, Timeout: time.Second, Collector: collectors.Func(s.readCost)},
	}, s.replicationJobs(), s.lockJobs())
}

// reader fills one part of a server over its connection. What the server
// refuses to tell is a Gap in that part, an error fails the round.
type reader func(ctx context.Context, q *session, into *snapshot.Server) error

// job makes a Job of read, which holds the connection for as long as it runs.
func (s *Server) job(name string, every time.Duration, read reader) collectors.Job {
	return collectors.Job{
		Name: name, Server: s.cfg.Name, Every: every, Timeout: roundLimit,
		Collector: collectors.Func(func(ctx context.Context, into *snapshot.Snapshot) error {
			return s.round(ctx, into, read)
		}),
	}
}

// roundLimit is how long a round may take, waiting for its turn included.
const roundLimit = 10 * time.Second

// round runs read once. On an error nothing of the part is kept.
func (s *Server) round(ctx context.Context, into *snapshot.Snapshot, read reader) error {
	q, err := s.session(ctx)
	if err != nil {
		return err
	}
	var parts snapshot.Server
	if err := errors.Join(read(ctx, q, &parts), q.Close()); err != nil {
		return err
	}
	*into.Server(s.cfg.Name) = parts
	return nil
}
