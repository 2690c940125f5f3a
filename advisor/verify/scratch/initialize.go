package scratch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Initialize makes a new data directory in which root@localhost has no
// password. The folder must not exist yet; its parent must. It is a Template
// for any number of servers of the same version.
func Initialize(ctx context.Context, p Program, dataDir string) error {
	if err := initialize(ctx, p, dataDir); err != nil {
		return fmt.Errorf("initialise %s: %w", dataDir, errors.Join(err, os.RemoveAll(dataDir)))
	}
	return nil
}

func initialize(ctx context.Context, p Program, dataDir string) error {
	if err := os.Mkdir(dataDir, 0o700); err != nil {
		return err
	}
	if p.Family == MySQL {
		return p.run(ctx, dataDir, nil, "--initialize-insecure")
	}
	input, err := p.bootstrapSQL()
	if err != nil {
		return err
	}
	return p.run(ctx, dataDir, input, "--bootstrap", "--innodb-flush-log-at-trx-commit=0", "--sync-frm=OFF")
}

// run runs the server once, to the end of what mode tells it to do.
func (p Program) run(ctx context.Context, dataDir string, input []byte, mode ...string) error {
	line, err := p.commandLine(p.Path)
	if err != nil {
		return err
	}
	line = append(line, "--no-defaults", "--datadir="+dataDir)
	for _, setting := range append(small(p.Family), p.paths()...) {
		line = append(line, "--"+setting)
	}
	line = append(line, userArgs()...)
	line = append(line, mode...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w; last lines of its output:\n%s", err, lastLines(string(out), 20))
	}
	return nil
}

// bootstrapSQL is what mariadb-install-db feeds to a server: that program is a
// shell script which looks for everything below the host's /usr.
func (p Program) bootstrapSQL() ([]byte, error) {
	// The two variables are read by system_tables_data.sql: root by password,
	// which is empty, instead of by the account's name; no anonymous account.
	sql := []byte("CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\n" +
		"SET @auth_root_socket=NULL;\nSET @skip_auth_anonymous=1;\n")
	for _, name := range []string{
		"system_tables.sql", "performance_tables.sql", "system_tables_data.sql", "fill_help_tables.sql", "sys_schema.sql",
	} {
		text, err := p.readShare(name)
		if err != nil {
			return nil, err
		}
		sql = append(append(sql, text...), '\n')
	}
	return sql, nil
}

// readShare reads a script of the server; MariaDB 11 renamed them from mysql_
// to mariadb_, and fill_help_tables.sql never had a prefix.
func (p Program) readShare(name string) ([]byte, error) {
	for _, share := range p.shareFolders() {
		for _, prefix := range []string{"mariadb_", "mysql_", ""} {
			text, err := os.ReadFile(filepath.Join(share, prefix+name))
			if !errors.Is(err, os.ErrNotExist) {
				return text, err
			}
		}
	}
	return nil, fmt.Errorf("find %s below %s: %w", name, p.Root, os.ErrNotExist)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
