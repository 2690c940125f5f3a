package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	gomysql "github.com/go-sql-driver/mysql"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// Config says which server to read and how to reach it.
type Config struct {
	// Name is the server's name in snapshots and the label server.
	Name string
	// DSN is of go-sql-driver's form: user:password@tcp(host:3306)/. It is
	// never printed.
	DSN string
	// Socket and User stand in the place of a DSN where the server knows the
	// agent by its operating system's account.
	Socket string
	User   string
	// Remote is true if the server runs on another host than the agent.
	Remote bool
	// SlowLog is the path of the slow log as the agent sees it, or "off" to
	// follow none. Empty is the file that the server names, if the server is not
	// Remote.
	SlowLog string
}

// Server reads one database server. Its jobs may run at the same time: they
// take turns on the one connection.
type Server struct {
	cfg  Config
	link *link
	db   *sql.DB
	own  *ownStatements

	// The last answers, which belong to whoever holds the connection.
	statusNow, settingsNow *globals

	mu     sync.Mutex
	probed *probe
	cost   snapshot.Cost
}

// Open returns a Server for cfg. It dials nothing: a server that is down now is
// read as soon as it is up. The error never holds the DSN.
func Open(cfg Config) (*Server, error) {
	options, err := driverConfig(cfg)
	if err != nil {
		return nil, err
	}
	inner, err := gomysql.NewConnector(options)
	if err != nil {
		return nil, errDSN(cfg.Name)
	}
	link := &link{inner: inner, address: options.Net + ":" + options.Addr}
	if options.Net == "tcp" {
		link.tcp = options.Addr
	}
	db := sql.OpenDB(link)
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	return &Server{
		cfg: cfg, link: link, db: db, own: newOwnStatements(),
		cost: snapshot.Cost{Meta: snapshot.Meta{Epoch: newEpoch(time.Now())}},
	}, nil
}

// Close closes the connection. Rounds that still run fail.
func (s *Server) Close() error { return s.db.Close() }

// driverConfig turns cfg into the driver's options: text protocol, no files,
// no default schema, and a limit to every read.
func driverConfig(cfg Config) (*gomysql.Config, error) {
	options := gomysql.NewConfig()
	switch {
	case cfg.DSN != "":
		parsed, err := gomysql.ParseDSN(cfg.DSN)
		if err != nil {
			// The driver's message can quote a piece of the DSN.
			return nil, errDSN(cfg.Name)
		}
		options = parsed
	case cfg.Socket != "" && cfg.User != "":
		options.Net, options.Addr, options.User = "unix", cfg.Socket, cfg.User
	default:
		return nil, fmt.Errorf("database server %q: neither a DSN nor a socket with a user is configured", cfg.Name)
	}
	options.DBName = ""
	options.InterpolateParams = true
	options.MultiStatements, options.AllowAllFiles, options.ParseTime = false, false, false
	options.Loc = time.UTC
	options.Timeout = limit(options.Timeout, dialLimit)
	options.ReadTimeout = limit(options.ReadTimeout, readLimit)
	options.WriteTimeout = limit(options.WriteTimeout, readLimit)
	options.ConnectionAttributes = "program_name:plimsoll-agent"
	options.Logger = &gomysql.NopLogger{}
	return options, nil
}

func errDSN(name string) error {
	return fmt.Errorf("database server %q: the DSN is malformed; write user:password@tcp(host:3306)/ or user@unix(/run/mysqld/mysqld.sock)/", name)
}

func limit(configured, most time.Duration) time.Duration {
	if configured <= 0 || configured > most {
		return most
	}
	return configured
}

// newEpoch names a stretch of time that starts now.
func newEpoch(now time.Time) string { return now.UTC().Format("20060102T150405.000000Z") }

// session is the one connection, for one round of a job, with what the probe
// found behind it.
type session struct {
	*probe
	server *Server
	conn   *sql.Conn
}

// session waits for the connection, opening and probing it as needed. The
// caller must Close it; until then all other jobs of the server wait.
func (s *Server) session(ctx context.Context) (*session, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, &collectors.SourceError{Err: s.connectError(err)}
	}
	ses := &session{server: s, conn: conn}
	if ses.probe, err = s.probe(ctx, ses); err != nil {
		err = fmt.Errorf("probe %s: %w", s.link.address, errors.Join(err, ses.Close()))
		return nil, &collectors.SourceError{Err: err}
	}
	return ses, nil
}

// Close gives the connection back.
func (q *session) Close() error {
	if err := q.conn.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
		return err
	}
	return nil
}

// comment marks our statements in processlists and slow logs.
const comment = "/* plimsoll */ "

// each runs query and calls scan for each row. All statements of this package
// go through it, which is how their cost is known and how their digests are
// told from the customer's.
func (q *session) each(ctx context.Context, query string, scan func(*sql.Rows) error, args ...any) error {
	q.server.own.add(query)
	defer q.server.spend(time.Now())
	return lost(collectors.Each(ctx, q.conn, comment+query, scan, args...))
}

// eachMap is each for statements whose columns differ between servers. NULL is
// absent from the map, which is valid during the call only.
func (q *session) eachMap(ctx context.Context, query string, scan func(map[string]string) error) error {
	q.server.own.add(query)
	defer q.server.spend(time.Now())
	return lost(collectors.EachMap(ctx, q.conn, comment+query, scan))
}

// one runs a query of one row. It returns sql.ErrNoRows if there is none.
func (q *session) one(ctx context.Context, query string, targets []any) error {
	found := false
	err := q.each(ctx, query, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(targets...)
	})
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}

// exec runs a statement without a result.
func (q *session) exec(ctx context.Context, statement string) error {
	return q.each(ctx, statement, func(*sql.Rows) error { return nil })
}

// spend counts one statement that began at start.
func (s *Server) spend(start time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cost.Statements++
	s.cost.Seconds += time.Since(start).Seconds()
}

// readCost publishes what reading the server cost so far.
func (s *Server) readCost(_ context.Context, into *snapshot.Snapshot) error {
	s.mu.Lock()
	cost := s.cost
	s.mu.Unlock()
	cost.Taken = time.Now()
	cost.Connections = s.db.Stats().OpenConnections
	cost.Reconnects = s.link.reconnects()
	into.Server(s.cfg.Name).Cost = &cost
	return nil
}
