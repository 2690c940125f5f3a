package agent

import (
	"context"
	"errors"
	"os/user"
	"sync"
	"time"

	"plimsoll/agent/config"
	"plimsoll/agent/detect"
	"plimsoll/collectors"
	"plimsoll/collectors/mysql"
	"plimsoll/collectors/snapshot"
)

// serversJob is the name of the job that finds database servers.
const serversJob = "servers"

// servers are the database servers that an agent reads.
type servers struct {
	agent *Agent

	mu   sync.Mutex
	open map[string]*openServer // by name
}

type openServer struct {
	*mysql.Server
	socket string
}

// job returns the job that starts the jobs of database servers, which then run
// until ctx ends. It goes on looking: a server of this host may start after the
// agent, or be given its account later.
func (s *servers) job(ctx context.Context) collectors.Job {
	return collectors.Job{
		Name: serversJob, Every: time.Minute, Timeout: 20 * time.Second,
		Collector: collectors.Func(func(round context.Context, into *snapshot.Snapshot) error {
			wanted, gaps, err := s.wanted(round)
			if err != nil {
				return err
			}
			into.Gaps = gaps
			for _, m := range wanted {
				if err := s.start(ctx, m); err != nil {
					into.Gaps = append(into.Gaps, snapshot.Gap{Job: serversJob, Subject: m.Name, Reason: clean(err)})
				}
			}
			return nil
		}),
	}
}

// wanted returns the servers of the configuration or, if it has none, those of
// this host that are not read yet.
func (s *servers) wanted(ctx context.Context) ([]config.MySQL, []snapshot.Gap, error) {
	if configured := s.agent.config.MySQL; len(configured) > 0 {
		return configured, nil, nil
	}
	found, err := detect.Servers(ctx, s.sockets()...)
	return found.Servers, found.Gaps, err
}

func (s *servers) sockets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sockets []string
	for _, o := range s.open {
		sockets = append(sockets, o.socket)
	}
	return sockets
}

// start starts the jobs of m, unless they run.
func (s *servers) start(ctx context.Context, m config.MySQL) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[m.Name] != nil {
		return nil
	}
	server, err := openMySQL(m)
	if err != nil {
		return err
	}
	s.open[m.Name] = &openServer{server, m.Socket}
	for _, job := range configured(server.Jobs(), s.agent.config) {
		s.agent.start(ctx, job)
	}
	return nil
}

// openMySQL reads the DSN now, so that a credential that comes later is found
// in a later round.
func openMySQL(m config.MySQL) (*mysql.Server, error) {
	if m.Socket == "" {
		dsn, err := m.DSN()
		if err != nil {
			return nil, err
		}
		return mysql.Open(mysql.Config{Name: m.Name, DSN: string(dsn), Remote: dsn.Remote()})
	}
	if m.User == "" {
		me, err := user.Current()
		if err != nil {
			return nil, err
		}
		m.User = me.Username
	}
	return mysql.Open(mysql.Config{Name: m.Name, Socket: m.Socket, User: m.User})
}

func (s *servers) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, o := range s.open {
		errs = append(errs, o.Close())
	}
	return errors.Join(errs...)
}
