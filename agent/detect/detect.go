// Package detect finds the database servers of this host without being told of
// them, so that a first run needs no configuration.
//
// It looks at listening sockets and at the command lines of processes, tries to
// log in by socket as the user of this process, and never with a password.
// Inside the agent's unit (PrivateUsers=) the owners of files, sockets and
// processes show as nobody, but for root and the agent itself: nothing here
// needs to know another.
package detect

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"plimsoll/agent/config"
	"plimsoll/collectors/snapshot"
)

// Job is the name under which gaps of this package are reported.
const Job = "servers"

// Found is what there is to read on this host.
type Found struct {
	// Servers are those that let this user in, by socket; their names are
	// where they listen.
	Servers []config.MySQL
	// Gaps are servers that run here but cannot be read, and what to do.
	Gaps []snapshot.Gap
}

// Servers looks for servers on this host. Those behind the sockets in known are
// left out: they are not logged into a second time. It fails only if the user
// of this process has no name.
func Servers(ctx context.Context, known ...string) (Found, error) {
	me, err := user.Current()
	if err != nil {
		return Found{}, fmt.Errorf("find out who this process is: %w", err)
	}
	s := search{proc: "/proc", user: me.Username, wellKnown: wellKnown()}
	return s.servers(ctx, known), nil
}

// wellKnown are the sockets of the packages of Debian, Red Hat and upstream.
func wellKnown() []string {
	return []string{"/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"}
}

// search looks below one /proc.
type search struct {
	proc      string
	user      string
	wellKnown []string
}

func (s search) servers(ctx context.Context, known []string) Found {
	var f Found
	processes := s.processes()
	ports := map[string]bool{}
	for _, socket := range s.sockets(processes) {
		if containsFile(known, socket) {
			continue
		}
		if !trusted(socket) {
			f.Gaps = append(f.Gaps, untrusted(socket))
			continue
		}
		server, port, err := s.login(ctx, socket)
		if gap, tell := explain(socket, s.user, err); tell {
			f.Gaps = append(f.Gaps, gap)
		}
		if err == nil {
			f.Servers = append(f.Servers, server)
			ports[port] = true
		}
	}
	// A server whose socket was found listens on a port too, and only a login
	// tells on which: report ports only if there is nothing they could belong to.
	if len(f.Gaps) == 0 && len(known) == 0 {
		f.Gaps = s.unreachable(processes, ports)
	}
	return f
}

// sockets returns the paths of sockets that a database server may listen on,
// each once.
func (s search) sockets(processes []process) []string {
	candidates := slices.Clone(s.wellKnown)
	candidates = append(candidates, s.listening()...)
	for _, p := range processes {
		candidates = append(candidates, p.socket)
	}
	var out []string
	for _, path := range candidates {
		info, err := os.Stat(path)
		if err == nil && info.Mode().Type() == os.ModeSocket && !containsFile(out, path) {
			out = append(out, path)
		}
	}
	return out
}

// containsFile reports whether one of paths is the same file as path: /var/run
// is a link to /run.
func containsFile(paths []string, path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(paths, func(other string) bool {
		o, err := os.Stat(other)
		return err == nil && os.SameFile(info, o)
	})
}

// isServerSocket tells the sockets of servers from those of others. The X
// protocol of MySQL, mysqlx.sock, is another language.
func isServerSocket(path string) bool {
	name := filepath.Base(path)
	return filepath.IsAbs(path) && strings.HasSuffix(name, ".sock") && !strings.HasPrefix(name, "mysqlx") &&
		(strings.HasPrefix(name, "mysql") || strings.HasPrefix(name, "mariadb"))
}
