package mysql

import (
	"context"
	"database/sql/driver"
	"testing"

	"plimsoll/fixtures/servers"
)

// endingLate ends a context as soon as the last statement has limited a session.
type endingLate struct {
	driver.Connector
	end context.CancelFunc
}

// Connect implements driver.Connector.
func (e endingLate) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := e.Connector.Connect(ctx)
	return lateConn{conn, e.end}, err
}

type lateConn struct {
	driver.Conn
	end context.CancelFunc
}

// ExecContext implements driver.ExecerContext.
func (c lateConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	result, err := c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
	if query == comment+setQuietMariaDB {
		c.end()
	}
	return result, err
}

// QueryContext implements driver.QueryerContext.
func (c lateConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func TestAConnectionThatWasOpenedIsNotLostWhenItsRoundEnds(t *testing.T) {
	s := sharedServers.server(t, servers.MariaDB118)
	server := open(t, s, 1)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	server.link.inner = endingLate{server.link.inner, end}
	conn, err := server.link.Connect(ctx)
	if err != nil {
		t.Fatal("nobody can close the connection:", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}
