// Package config reads the agent's configuration.
//
// Everything is optional: an empty file, or none, is a complete configuration,
// because what is local is found by itself. What is written is checked to the
// last key before anything starts, and an error names file, line and field, the
// value, and what is allowed instead.
//
// A password never stands in the file, in an argument or in the environment: a
// server is named by its socket, where the account needs no password, or by a
// file that holds its DSN, such as a credential of systemd.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"plimsoll/collectors/phpfpm"
)

// The defaults of a Config. Cluster and the addresses are those of the sample
// configuration; Host is the host's name.
const (
	DefaultFile    = "/etc/plimsoll/agent.yml"
	DefaultCluster = "default"
	DefaultSocket  = "/run/plimsoll/agent.sock"
	DefaultState   = "/var/lib/plimsoll-agent"
	DefaultListen  = "127.0.0.1:9897"
	DefaultProbe   = phpfpm.ProbeSocket
)

// maxFileBytes bounds a configuration and a DSN: more is not one.
const maxFileBytes = 1 << 20

// Config is everything that an agent is told.
type Config struct {
	// File is where it was read; empty for the defaults.
	File string
	// Cluster and Host are constant labels of every series.
	Cluster string
	Host    string
	// Labels are the operator's own, by name; they travel in the snapshot.
	Labels map[string]string
	// Socket is the path of the unix socket that serves snapshots; empty for
	// none.
	Socket string
	// State is the folder that keeps totals over a restart; empty keeps none.
	State string
	// Listen is the TCP address of /metrics; empty for none.
	Listen string
	// WebConfigFile holds TLS and authentication of Listen in the format of
	// exporter-toolkit; empty for plain HTTP, which only loopback may have.
	WebConfigFile string
	// Probe is the path of the unix socket of plimsoll-probe.
	Probe string
	// MySQL are the database servers to read. Where it is empty, those found
	// on this host are read.
	MySQL []MySQL
	// Jobs changes jobs, by name (mysql/digests) or by area (mysql).
	Jobs map[string]Job
}

// MySQL is one MySQL or MariaDB server. Exactly one of DSNFile and Socket is
// set.
type MySQL struct {
	// Name is the label server of its series.
	Name string
	// DSNFile holds the DSN in the form user:password@tcp(host:port)/.
	DSNFile string
	// Socket is the server's socket; the login there is by the identity of the
	// process, without a password.
	Socket string
	// User is the account for Socket; by default that of the process.
	User string
	// SlowLog is the path of the slow log as the agent sees it, or "off" to follow
	// none; empty is the file that the server names.
	SlowLog string
}

// Job is what the configuration changes about a job.
type Job struct {
	// Every and Timeout are zero where they stay as they are.
	Every   time.Duration
	Timeout time.Duration
	// Disabled is true for a job that never runs.
	Disabled bool
}

// Read reads the configuration in file, where known are the names of all jobs.
// DefaultFile may be missing, any other must exist. The error holds every
// problem of the file, one a line.
func Read(file string, known []string) (*Config, error) {
	text, err := readBounded(file)
	if errors.Is(err, fs.ErrNotExist) && file == DefaultFile {
		return Parse("", nil, known)
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(file, text, known)
}

// Parse is Read for the text of a file; relative paths in it are relative to
// the file's folder.
func Parse(file string, text []byte, known []string) (*Config, error) {
	c, err := defaults(file)
	if err != nil {
		return nil, err
	}
	d := &decoder{file: file, known: known}
	d.document(text, c)
	return c, errors.Join(d.problems...)
}

func defaults(file string) (*Config, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("read host name: %w: set host in the configuration", err)
	}
	return &Config{
		File: file, Cluster: DefaultCluster, Host: host,
		Socket: DefaultSocket, State: DefaultState, Listen: DefaultListen, Probe: DefaultProbe,
	}, nil
}

// Job returns what the configuration changes about the named job: what it says
// of the job itself before what it says of the job's area.
func (c *Config) Job(name string) Job {
	own, area := c.Jobs[name], c.Jobs[area(name)]
	if own.Every == 0 {
		own.Every = area.Every
	}
	if own.Timeout == 0 {
		own.Timeout = area.Timeout
	}
	own.Disabled = own.Disabled || area.Disabled
	return own
}

// dir is the folder that relative paths start from.
func (c *Config) dir() string {
	if c.File == "" {
		return ""
	}
	return filepath.Dir(c.File)
}

func readBounded(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFileBytes {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are allowed", file, info.Size(), maxFileBytes)
	}
	return os.ReadFile(file)
}
