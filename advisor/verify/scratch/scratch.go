// Package scratch starts one private MySQL or MariaDB server from binaries
// that are already on this machine, and makes sure that it is gone afterwards.
//
// A scratch server owns a folder of its own for data, socket, log and
// temporary files. It reads no configuration but the one written there, and
// listens on a unix socket there. Root has no password, because only the owner
// of the folder reaches the socket; a server that listens on loopback too, as
// tests may ask for, is open to everyone on the machine.
//
// It never outlives the program which started it: Close ends it, and the
// kernel kills it if the program dies first; the next Start then removes the
// folder that was left. The binaries may be installed, or lie in a folder of
// unpacked packages of another release: Program then runs them with the C
// library from that folder, without chroot or root.
package scratch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// startLimit is how long a server may take from exec to its first answer. A
// start takes one to two seconds; a loaded machine with slow disks needs more.
const startLimit = 90 * time.Second

// Config says which server to start and how.
type Config struct {
	// Program is the server to run; Find makes one.
	Program Program

	// Template is the data directory of a stopped server of the same version,
	// which is copied. If it is empty, a new one is initialised, which takes
	// seconds on MariaDB and up to half a minute on MySQL.
	Template string

	// Settings are lines for the [mysqld] section of an option file, such as
	// "max_connections=50" or "skip-name-resolve". Where two settings name
	// the same variable, the server takes the last.
	Settings []string

	// TCP makes the server listen on a free port of 127.0.0.1 as well, where
	// every user of the machine is root to it.
	TCP bool
}

// Server is one running server. Its methods are not safe for concurrent use,
// but signals (Kill, Pause, Continue) may be sent while it serves queries.
type Server struct {
	Family  Family
	Version string // as the server greets: 10.11.18-MariaDB-0+deb12u1
	Dir     string // its private folder, removed by Close
	Socket  string // its unix socket
	Addr    string // host:port on loopback; empty without Config.TCP

	config  Config
	port    int
	owner   *os.File // holds the lock that says the folder is in use
	process *process
}

// Start starts a server and returns once it answers. The context bounds the
// start only; the server runs until Close. An error carries the last lines of
// the server's log.
func Start(ctx context.Context, c Config) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	s, err := prepare(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("start scratch server: %w", err)
	}
	if err := s.launchOnFreePort(ctx); err != nil {
		return nil, fmt.Errorf("start scratch server: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

// prepare makes the private folder with a data directory in it.
func prepare(ctx context.Context, c Config) (*Server, error) {
	sweep(os.TempDir())
	dir, owner, err := newFolder(os.TempDir())
	if err != nil {
		return nil, err
	}
	s := &Server{
		Family: c.Program.Family, Dir: dir, Socket: filepath.Join(dir, "mysqld.sock"),
		config: c, owner: owner,
	}
	if err := s.fill(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) fill(ctx context.Context) error {
	if err := checkSocketPath(s.Socket); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(s.Dir, "tmp"), 0o700); err != nil {
		return err
	}
	if s.config.Template == "" {
		return Initialize(ctx, s.config.Program, s.dataDir())
	}
	return copyDataDir(s.dataDir(), s.config.Template)
}

// checkSocketPath refuses what does not fit into sockaddr_un with its final
// zero byte; the server itself cuts a longer path silently.
func checkSocketPath(path string) error {
	const longest = 107
	if len(path) > longest {
		return fmt.Errorf("socket path %s has %d bytes, at most %d are allowed: set TMPDIR to a shorter folder",
			path, len(path), longest)
	}
	return nil
}

// launchOnFreePort launches the server, with another port if someone else took
// the chosen one in between. A port is chosen without TCP too: MariaDB derives
// server_uid from port and MAC address, so that two servers on the default
// port would pass for one.
func (s *Server) launchOnFreePort(ctx context.Context) error {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		port, err := freePort(ctx)
		if err != nil {
			return err
		}
		s.port = port
		err = s.launch(ctx)
		if err == nil || attempt == attempts || !s.portWasTaken() {
			return err
		}
	}
}

func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *Server) portWasTaken() bool {
	return strings.Contains(s.LogTail(50), "Address already in use")
}

// launch starts the process on the existing folder and waits for its greeting.
func (s *Server) launch(ctx context.Context) error {
	if s.config.TCP {
		s.Addr = fmt.Sprintf("127.0.0.1:%d", s.port)
	}
	if err := s.writeOptions(); err != nil {
		return err
	}
	args := append([]string{"--defaults-file=" + s.optionFile()}, userArgs()...)
	p, err := startProcess(ctx, s.config.Program, s.Dir, s.logFile(), args)
	if err != nil {
		return err
	}
	s.process = p
	s.Version, err = p.awaitGreeting(ctx, s.Socket)
	if err != nil {
		p.kill()
		return fmt.Errorf("%w; last lines of its log:\n%s", err, s.LogTail(20))
	}
	return nil
}

func (s *Server) dataDir() string    { return filepath.Join(s.Dir, "data") }
func (s *Server) optionFile() string { return filepath.Join(s.Dir, "my.cnf") }
func (s *Server) logFile() string    { return filepath.Join(s.Dir, "error.log") }
