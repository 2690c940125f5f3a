package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/spf13/cobra"

	"plimsoll/agent/config"
)

// login is how a check logs in to the database server.
type login struct {
	dsn          string
	defaultsFile string
}

func (l *login) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.dsn, "mysql", "", "DSN of the server, such as user:password@tcp(host:3306)/")
	cmd.Flags().StringVar(&l.defaultsFile, "defaults-file", "", "option file of the mysql client, with user and password in [client]")
	cmd.MarkFlagsMutuallyExclusive("mysql", "defaults-file")
}

// config returns the agent's configuration, and says in words how it logs in.
// Secrets go into a file in dir, which is for this process alone.
func (l *login) config(dir string) (*config.Config, string, error) {
	dsn, how, err := l.resolve()
	if err != nil {
		return nil, "", err
	}
	if dsn == "" {
		cfg, err := agentConfig(dir, nil)
		return cfg, how, internal(err)
	}
	path := filepath.Join(dir, "dsn")
	if err := os.WriteFile(path, []byte(dsn), 0o600); err != nil {
		return nil, "", internal(err)
	}
	cfg, err := agentConfig(dir, []config.MySQL{{Name: serverName(dsn), DSNFile: path}})
	return cfg, how, internal(err)
}

// resolve returns the DSN to use; empty means the sockets that are found.
func (l *login) resolve() (dsn, how string, err error) {
	if l.dsn != "" {
		if _, err := mysql.ParseDSN(l.dsn); err != nil {
			// The driver's error may quote the DSN, and so the password.
			return "", "", errors.New("--mysql is not a DSN; write it like user:password@tcp(db.example:3306)/ or user@unix(/run/mysqld/mysqld.sock)/")
		}
		return l.dsn, "--mysql", nil
	}
	if l.defaultsFile != "" {
		dsn, err = readOptions(l.defaultsFile)
		return dsn, "--defaults-file " + l.defaultsFile, err
	}
	home, err := os.UserHomeDir()
	if err == nil {
		path := filepath.Join(home, ".my.cnf")
		if dsn, err = readOptions(path); !errors.Is(err, fs.ErrNotExist) {
			return dsn, path, err
		}
	}
	return "", "the server's socket as " + currentUser(), nil
}

// serverName is the label of a server that was named by its DSN: its address.
func serverName(dsn string) string {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return "mysql"
	}
	return c.Addr
}

// readOptions makes a DSN of the section [client] of an option file.
func readOptions(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read option file: %w", err)
	}
	defer f.Close()
	options, section := map[string]string{}, ""
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";"):
		case strings.HasPrefix(line, "["):
			section = strings.Trim(line, "[]")
		case section == "client":
			key, value, _ := strings.Cut(line, "=")
			options[strings.TrimSpace(key)] = unquote(strings.TrimSpace(value))
		}
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("read option file %s: %w", path, err)
	}
	return optionsDSN(options), nil
}

// optionsDSN follows the mysql client: the socket, unless a host is named.
func optionsDSN(options map[string]string) string {
	c := mysql.NewConfig()
	c.User, c.Passwd = options["user"], options["password"]
	if c.User == "" {
		c.User = currentUser()
	}
	host, port := options["host"], options["port"]
	if port == "" {
		port = "3306"
	}
	switch socket := options["socket"]; {
	case host != "" && host != "localhost":
		c.Net, c.Addr = "tcp", net.JoinHostPort(host, port)
	case socket != "":
		c.Net, c.Addr = "unix", socket
	default:
		c.Net, c.Addr = "unix", "/run/mysqld/mysqld.sock"
	}
	return c.FormatDSN()
}

func unquote(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}
