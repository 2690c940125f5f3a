package scratch

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// small are the settings of a server that shares a machine with others. They
// come first, so that Config.Settings can override them. Debian compiles a
// folder for secure_file_priv in, without which MySQL refuses to start.
func small(f Family) []string {
	if f == MySQL {
		return []string{
			"innodb_buffer_pool_size=64M", "innodb_redo_log_capacity=32M", "innodb_log_buffer_size=16M",
			"mysqlx=OFF", "secure_file_priv=NULL",
		}
	}
	return []string{"innodb_buffer_pool_size=64M", "innodb_log_file_size=16M"}
}

// writeOptions writes the option file. What ties the server to its folder
// comes last and cannot be overridden.
func (s *Server) writeOptions() error {
	lines := append([]string{"[mysqld]"}, small(s.Family)...)
	lines = append(lines, s.config.Settings...)
	lines = append(lines, s.config.Program.paths()...)
	lines = append(lines,
		"datadir="+s.dataDir(),
		"tmpdir="+filepath.Join(s.Dir, "tmp"),
		"socket="+s.Socket,
		"pid-file="+filepath.Join(s.Dir, "mysqld.pid"),
		"log-error="+s.logFile(),
		"port="+strconv.Itoa(s.port),
		"bind-address=127.0.0.1",
	)
	if !s.config.TCP {
		lines = append(lines, "skip-networking")
	}
	return os.WriteFile(s.optionFile(), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// userArgs permits a server to run as root, which it refuses unless told.
func userArgs() []string {
	if os.Geteuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}
