package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	gomysql "github.com/go-sql-driver/mysql"
	"github.com/spf13/cobra"

	"plimsoll/advisor/indexes"
	"plimsoll/advisor/layout"
	"plimsoll/collectors/mysql"
	"plimsoll/collectors/snapshot"
)

// tables reads a dump, statistics or both.
func (x *indexer) tables() ([]snapshot.Table, *indexes.Statistics, error) {
	var tables []snapshot.Table
	var stats *indexes.Statistics
	if x.schema != "" {
		f, err := os.Open(x.schema)
		if err != nil {
			return nil, nil, fmt.Errorf("read the dump: %w", err)
		}
		defer f.Close()
		if tables, err = indexes.ReadDump(f); err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", x.schema, err)
		}
	}
	if x.stats != "" {
		f, err := os.Open(x.stats)
		if err != nil {
			return nil, nil, fmt.Errorf("read statistics: %w", err)
		}
		defer f.Close()
		if stats, err = indexes.ReadStatistics(f); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", x.stats, err)
		}
	}
	return tables, stats, nil
}

// serverJobs are the agent's jobs that tell of tables.
func serverJobs() []string {
	return []string{"mysql/identity", "mysql/schema", "mysql/use", "mysql/replication", "mysql/membership", "mysql/transactions"}
}

// readServer runs the agent's own jobs once against a server.
func readServer(ctx context.Context, dsn string) (*snapshot.Server, error) {
	const name = "server"
	s, err := mysql.Open(mysql.Config{Name: name, DSN: dsn, Remote: true, SlowLog: "off"})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }() // nothing was written
	var all snapshot.Snapshot
	for _, wanted := range serverJobs() {
		for _, job := range s.Jobs() {
			if job.Name != wanted {
				continue
			}
			var part snapshot.Snapshot
			limited, cancel := context.WithTimeout(ctx, job.Timeout)
			err := job.Collector.Collect(limited, &part)
			cancel()
			if err != nil && (wanted == "mysql/identity" || wanted == "mysql/schema") {
				return nil, err
			}
			all.Merge(&part)
		}
	}
	return all.Server(name), nil
}

// fromServer reads the facts of a server.
func (x *indexer) fromServer(cmd *cobra.Command) (*indexes.Facts, error) {
	dsn, _, err := x.login.resolve()
	if err != nil {
		return nil, err
	}
	if dsn == "" {
		return nil, errors.New("say where the facts come from: --mysql DSN, --defaults-file, --snapshot, or --schema or --stats with --log or --digests")
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), indexLimit)
	defer cancel()
	s, err := readServer(ctx, dsn)
	if err != nil {
		return nil, err
	}
	db, err := openServer(dsn)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	f, err := indexes.FromServer(ctx, db, s)
	if err != nil {
		return nil, err
	}
	f.Sample(ctx, db, x.sample)
	return f, nil
}

// openServer opens the connection on which statements are read and values counted.
func openServer(dsn string) (*sql.DB, error) {
	config, err := gomysql.ParseDSN(dsn)
	if err != nil {
		return nil, errors.New("not a DSN; write it like user:password@tcp(db.example:3306)/")
	}
	connector, err := gomysql.NewConnector(config)
	if err != nil {
		return nil, errors.New("not a DSN; write it like user:password@tcp(db.example:3306)/")
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return db, nil
}

// writeStatistics writes what a server knows of its tables.
func (x *indexer) writeStatistics(cmd *cobra.Command) error {
	from := login{dsn: x.dumpStats}
	dsn, _, err := from.resolve()
	if err != nil {
		return errors.New("--dump-stats is not a DSN; write it like user:password@tcp(db.example:3306)/ or user@unix(/run/mysqld/mysqld.sock)/")
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), indexLimit)
	defer cancel()
	s, err := readServer(ctx, dsn)
	if err != nil {
		return err
	}
	if s.Schema == nil || len(s.Schema.Tables) == 0 {
		return errors.New("the account sees no table; GRANT REFERENCES ON *.* lets it see them, and no row")
	}
	stats := indexes.Statistics{Schema: indexes.StatisticsVersion, Version: version, Taken: time.Now().UTC(), Tables: s.Schema.Tables}
	if s.Identity != nil {
		stats.Family, stats.ServerVersion = s.Identity.Family, s.Identity.Version
	}
	db, err := openServer(dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	if unread := stats.Sample(ctx, db, x.sample); len(unread) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "plimsoll: the values of %d tables were not counted, because the account may not read them or there was no time (%s)\n",
			len(unread), layout.Clean(strings.Join(unread[:min(len(unread), mostComplaints)], ", ")))
	}
	var body bytes.Buffer
	if err := stats.Write(&body); err != nil {
		return internal(err)
	}
	return x.save(cmd, body.Bytes())
}
