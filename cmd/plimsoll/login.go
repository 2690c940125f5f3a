package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
		if err == nil && dsn == "" {
			err = fmt.Errorf("--defaults-file %s says nothing of a login; write user= and password= in its section [client]", l.defaultsFile)
		}
		return dsn, "--defaults-file " + l.defaultsFile, err
	}
	if home, err := os.UserHomeDir(); err == nil {
		path := filepath.Join(home, ".my.cnf")
		dsn, err = readOptions(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", "", err
		}
		if dsn != "" {
			return dsn, path, nil
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
