package config

import (
	"fmt"
	"log/slog"
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

// Remote is true if the server runs on another host, as far as the address
// tells: a tunnel to elsewhere ends on loopback too.
func (d DSN) Remote() bool {
	c, err := mysql.ParseDSN(string(d))
	return err == nil && c.Net != "unix" && !Loopback(c.Addr)
}

// DSN reads DSNFile. No error quotes the file's content.
func (m MySQL) DSN() (DSN, error) {
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
