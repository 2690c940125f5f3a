package detect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"

	"plimsoll/agent/config"
	"plimsoll/collectors"
	collector "plimsoll/collectors/mysql"
	"plimsoll/collectors/snapshot"
)

// loginLimit is how long a local server may take to let us in and say where it
// listens.
const loginLimit = 3 * time.Second

// login logs in at socket and returns the server behind it, and the port that
// it listens on, which is empty if it does not.
func (s search) login(ctx context.Context, socket string) (server config.MySQL, port string, err error) {
	ctx, cancel := context.WithTimeout(ctx, loginLimit)
	defer cancel()
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User = "unix", socket, s.user
	c.Timeout = loginLimit
	c.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return server, "", err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	variables, err := networking(ctx, db)
	if ctx.Err() != nil {
		return server, "", ctx.Err() // The driver may call it an invalid connection.
	}
	if err != nil {
		return server, "", err
	}
	address := listens(variables)
	_, port, _ = net.SplitHostPort(address)
	server = config.MySQL{Name: address, Socket: socket, User: s.user}
	if address == "" {
		server.Name = socket
	}
	return server, port, nil
}

func networking(ctx context.Context, db *sql.DB) (map[string]string, error) {
	variables := map[string]string{}
	err := collectors.Each(ctx, db, collector.SelectNetworking, func(rows *sql.Rows) error {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		variables[strings.ToLower(name)] = value
		return nil
	})
	return variables, err
}

// listens returns the address of a server that listens on TCP: its own if it is
// bound to one, else localhost.
func listens(variables map[string]string) string {
	port := variables["port"]
	if port == "" || port == "0" || variables["skip_networking"] == "ON" {
		return ""
	}
	ip, err := netip.ParseAddr(variables["bind_address"])
	if err != nil || ip.IsUnspecified() || ip.IsLoopback() {
		return net.JoinHostPort("localhost", port)
	}
	return net.JoinHostPort(ip.String(), port)
}

// explain returns the gap that err stands for. A socket that nobody listens on
// is none: a server that was stopped left it behind.
func explain(socket, user string, err error) (snapshot.Gap, bool) {
	if err == nil || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) {
		return snapshot.Gap{}, false
	}
	gap := snapshot.Gap{Job: Job, Subject: socket}
	var refused *mysql.MySQLError
	switch {
	case errors.Is(err, fs.ErrPermission):
		gap.Reason = fmt.Sprintf("user %s may not open this socket", user)
		gap.Remedy = "let the agent's user into the folder of the socket (docs/privileges.md)"
	case errors.As(err, &refused):
		gap.Reason = fmt.Sprintf("the server refuses user %s without a password: error %d", user, refused.Number)
		gap.Remedy = "create the account with grants.sql, or name the server under mysql: with dsn_file (docs/privileges.md)"
	case errors.Is(err, context.DeadlineExceeded):
		gap.Reason = fmt.Sprintf("the server did not answer within %s", loginLimit)
	default:
		gap.Reason = fmt.Sprintf("what listens here is no database server that can be read: %v", err)
	}
	return gap, true
}
