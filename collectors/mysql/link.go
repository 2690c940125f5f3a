package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"plimsoll/collectors/snapshot"
)

const (
	// dialLimit is how long opening the connection may take, session settings
	// included.
	dialLimit = 5 * time.Second
	// readLimit is how long the server may stay silent. It lies above the two
	// seconds that a statement may run, and below the patience of a job.
	readLimit = 10 * time.Second
)

// Session settings. The limits keep a statement of ours from holding anybody
// up, so that there is no session without them; max_execution_time covers SELECT
// only, and SHOW is left to the deadline.
const (
	setCommon   = "SET SESSION time_zone = '+00:00', lock_wait_timeout = 1, innodb_lock_wait_timeout = 1, sql_mode = ''"
	setReadOnly = "SET SESSION TRANSACTION READ ONLY"
	setMySQL    = "SET SESSION max_execution_time = 2000"
	setMariaDB  = "SET SESSION max_statement_time = 2"
)

// Settings that a managed server may refuse.
const (
	// Our statements are no news for a slow log (prometheus/mysqld_exporter#775).
	setQuietMySQL   = "SET SESSION long_query_time = 10"
	setQuietMariaDB = "SET SESSION slow_query_log = OFF"
)

const selectVersion = "SELECT @@version, @@version_comment"

// sessionStatements are all of them.
func sessionStatements() []string {
	return []string{
		selectVersion, setCommon, setReadOnly, setMySQL, setMariaDB,
		setQuietMySQL, setQuietMariaDB,
	}
}

// link opens the connection. database/sql calls it whenever the one before
// broke, so that every connection has its limits before its first statement.
type link struct {
	inner   driver.Connector
	address string // network:address, for messages
	tcp     string // host:port; empty for a socket

	mu      sync.Mutex
	backoff backoff
	failure error // of the last try; nil once it succeeded
	opened  uint64
	family  snapshot.Family
}

// Driver implements driver.Connector.
func (l *link) Driver() driver.Driver { return l.inner.Driver() }

// Connect implements driver.Connector. While the server does not answer it
// fails at once between tries, with the error of the last one, so that twenty
// jobs do not knock at a server that is struggling.
func (l *link) Connect(ctx context.Context) (driver.Conn, error) {
	l.mu.Lock()
	wait, failure := l.backoff.remaining(time.Now()), l.failure
	l.mu.Unlock()
	if wait > 0 {
		return nil, failure
	}
	try, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	conn, family, err := l.open(try)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errSilent
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && ctx.Err() == context.Canceled { //nolint:errorlint // Nothing else is returned.
		return nil, errors.Join(ctx.Err(), err)
	}
	if err != nil {
		l.backoff.fail(time.Now())
		l.failure = err
		return nil, err
	}
	l.backoff, l.failure = backoff{}, nil
	l.family = family
	l.opened++
	return conn, nil
}

// open connects and limits the session.
func (l *link) open(ctx context.Context) (driver.Conn, snapshot.Family, error) {
	conn, err := l.inner.Connect(ctx)
	if err != nil {
		return nil, "", err
	}
	family, err := limitSession(ctx, conn)
	if err != nil {
		_ = conn.Close()
		return nil, "", fmt.Errorf("limit session: %w", err)
	}
	return conn, family, nil
}

func limitSession(ctx context.Context, conn driver.Conn) (snapshot.Family, error) {
	version, err := queryRow(ctx, conn, comment+selectVersion)
	if err != nil {
		return "", err
	}
	family := snapshot.MySQL
	required := []string{setCommon, setReadOnly, setMySQL}
	quiet := setQuietMySQL
	if strings.Contains(strings.ToLower(strings.Join(version, " ")), "mariadb") {
		family = snapshot.MariaDB
		required = []string{setCommon, setReadOnly, setMariaDB}
		quiet = setQuietMariaDB
	}
	for _, statement := range required {
		if err := exec(ctx, conn, comment+statement); err != nil {
			return "", err
		}
	}
	if err := exec(ctx, conn, comment+quiet); err != nil && featureOf(err) == "" {
		return "", err
	}
	return family, nil
}

func exec(ctx context.Context, conn driver.Conn, statement string) error {
	_, err := conn.(driver.ExecerContext).ExecContext(ctx, statement, nil)
	return err
}

// queryRow returns the cells of the one row of query as text.
func queryRow(ctx context.Context, conn driver.Conn, query string) ([]string, error) {
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, nil)
	if err != nil {
		return nil, err
	}
	cells := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(cells); err != nil {
		_ = rows.Close()
		return nil, err
	}
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = fmt.Sprintf("%s", cell)
	}
	if err := rows.Next(cells); err != io.EOF { //nolint:errorlint // The driver's contract is io.EOF itself.
		_ = rows.Close()
		return nil, fmt.Errorf("read rows: %w", err)
	}
	return texts, rows.Close()
}

// lastFailure is the error of the last try to connect; nil once one succeeded.
func (l *link) lastFailure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failure
}

// generation counts the connections opened so far: what was probed over an
// older one may no longer hold.
func (l *link) generation() (uint64, snapshot.Family) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opened, l.family
}

func (l *link) reconnects() uint64 {
	opened, _ := l.generation()
	return max(opened, 1) - 1
}

// backoff spaces out tries to connect: one second after the first failure,
// then doubling up to half a minute.
type backoff struct {
	failures int
	until    time.Time
}

func (b *backoff) remaining(now time.Time) time.Duration { return b.until.Sub(now) }

func (b *backoff) fail(now time.Time) {
	b.until = now.Add(min(time.Second<<min(b.failures, 5), 30*time.Second))
	b.failures++
}
