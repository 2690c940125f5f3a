package config

import (
	"fmt"
	"log/slog"
	"os/user"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// DSN is a data source name, which may hold a password. It prints as a
// placeholder wherever it is printed; convert it to string to use it.
type DSN string

const hidden = "(DSN hidden)"

// String returns a placeholder.
func (DSN) String() string { return hidden }

// GoString returns a placeholder.
func (DSN) GoString() string { return hidden }

// LogValue returns a placeholder.
func (DSN) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText returns a placeholder.
func (DSN) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// DSN returns how to reach the server. It reads DSNFile each time, so that a
// changed password needs no restart. No error quotes the file's content.
func (m MySQL) DSN() (DSN, error) {
	if m.Socket != "" {
		return m.socketDSN()
	}
	text, err := readBounded(m.DSNFile)
	if err != nil {
		return "", fmt.Errorf("read dsn_file of %s: %w", m.Name, err)
	}
	dsn := strings.TrimSpace(string(text))
	if _, err := mysql.ParseDSN(dsn); err != nil {
		return "", fmt.Errorf("dsn_file of %s: %s does not hold a DSN; write user:password@tcp(host:3306)/", m.Name, m.DSNFile)
	}
	return DSN(dsn), nil
}

func (m MySQL) socketDSN() (DSN, error) {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User = "unix", m.Socket, m.User
	if c.User == "" {
		me, err := user.Current()
		if err != nil {
			return "", fmt.Errorf("find the account for %s: %w: set user", m.Name, err)
		}
		c.User = me.Username
	}
	return DSN(c.FormatDSN()), nil
}
