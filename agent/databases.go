package agent

import (
	"context"
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

// databases are the database servers that an agent reads.
type databases struct {
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
func (d *databases) job(ctx context.Context) collectors.Job {
	return collectors.Job{
		Name: serversJob, Every: time.Minute, Timeout: 20 * time.Second,
		Collector: collectors.Func(func(round context.Context, into *snapshot.Snapshot) error {
			wanted, gaps, err := d.wanted(round)
			if err != nil {
				return err
			}
			into.Gaps = gaps
			for _, m := range wanted {
				if err := d.start(ctx, m); err != nil {
					into.Gaps = append(into.Gaps, snapshot.Gap{Job: serversJob, Subject: m.Name, Reason: clean(err)})
				}
			}
			return nil
		}),
	}
}

// wanted returns the servers of the configuration or, if it has none, those of
// this host that are not read yet.
func (d *databases) wanted(ctx context.Context) ([]config.MySQL, []snapshot.Gap, error) {
	if configured := d.agent.config.MySQL; len(configured) > 0 {
		return configured, nil, nil
	}
	found, err := detect.Servers(ctx, d.sockets()...)
	return found.Servers, found.Gaps, err
}

func (d *databases) sockets() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var sockets []string
	for _, o := range d.open {
		sockets = append(sockets, o.socket)
	}
	return sockets
}

// start starts the jobs of m, unless they run.
func (d *databases) start(ctx context.Context, m config.MySQL) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open[m.Name] != nil {
		return nil
	}
	server, err := openMySQL(m)
	if err != nil {
		return err
	}
	d.open[m.Name] = &openServer{server, m.Socket}
	for _, job := range configured(server.Jobs(), d.agent.config) {
		d.agent.start(ctx, job)
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
		return mysql.Open(mysql.Config{Name: m.Name, DSN: string(dsn), Remote: dsn.Remote(), SlowLog: m.SlowLog})
	}
	if m.User == "" {
		me, err := user.Current()
		if err != nil {
			return nil, err
		}
		m.User = me.Username
	}
	return mysql.Open(mysql.Config{Name: m.Name, Socket: m.Socket, User: m.User, SlowLog: m.SlowLog})
}

// close closes the connections. One that is broken already is as good as closed.
func (d *databases) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range d.open {
		_ = o.Close()
	}
}
