package detect

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"plimsoll/collectors/snapshot"
)

// process is a database server among the processes of this host.
type process struct {
	socket string // of --socket=; empty if the command line has none
	port   string // of --port=
}

// maxCmdline bounds what is read of one command line.
const maxCmdline = 64 << 10

// processes returns the running servers, as far as /proc shows them.
func (s search) processes() []process {
	files, _ := filepath.Glob(filepath.Join(s.proc, "[0-9]*", "cmdline"))
	var found []process
	for _, file := range files {
		if p, ok := parseCmdline(readStart(file)); ok {
			found = append(found, p)
		}
	}
	return found
}

func readStart(file string) []byte {
	f, err := os.Open(file)
	if err != nil {
		return nil // It has ended, or belongs to another user under hidepid.
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, maxCmdline))
	return text
}

// parseCmdline reads the command line of a process, in which zero bytes end
// arguments.
func parseCmdline(text []byte) (process, bool) {
	args := strings.Split(string(text), "\x00")
	switch filepath.Base(args[0]) {
	case "mysqld", "mariadbd":
	default:
		return process{}, false
	}
	var p process
	for _, arg := range args[1:] {
		if v, ok := strings.CutPrefix(arg, "--socket="); ok && filepath.IsAbs(v) {
			p.socket = v
		}
		if v, ok := strings.CutPrefix(arg, "--port="); ok {
			p.port = v
		}
	}
	return p, true
}

// listening returns the sockets of servers that someone listens on, within our
// network namespace.
func (s search) listening() []string {
	f, err := os.Open(filepath.Join(s.proc, "net/unix"))
	if err != nil {
		return nil
	}
	defer f.Close()
	return parseUnix(f)
}

// parseUnix reads /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path.
func parseUnix(r io.Reader) []string {
	const (
		accepting = "00010000" // Flags: __SO_ACCEPTCON
		stream    = "0001"     // Type: SOCK_STREAM
	)
	var paths []string
	for lines := bufio.NewScanner(r); lines.Scan(); {
		head, path, _ := strings.Cut(lines.Text(), " /")
		f := strings.Fields(head)
		if len(f) == 7 && f[3] == accepting && f[4] == stream && isServerSocket("/"+path) {
			paths = append(paths, "/"+path)
		}
	}
	return paths
}

// unreachable returns a gap for each port that a server seems to listen on,
// although none was found to log into by socket. Nothing is dialled: each
// attempt that does not end in a login counts in the server's Aborted_connects.
func (s search) unreachable(processes []process, reached map[string]bool) []snapshot.Gap {
	if len(processes) == 0 {
		return nil
	}
	candidates := []string{"3306", "3307", "3308"}
	for _, p := range processes {
		candidates = append(candidates, p.port)
	}
	var gaps []snapshot.Gap
	for _, port := range s.ports() {
		if slices.Contains(candidates, port) && !reached[port] {
			gaps = append(gaps, snapshot.Gap{
				Job: Job, Subject: net.JoinHostPort("localhost", port),
				Reason: fmt.Sprintf("port %s seems to be a database server's, but no socket of it was found", port),
				Remedy: "name it under mysql: with dsn_file (docs/configuration.md)",
			})
		}
	}
	return gaps
}

// ports returns the TCP ports that this host listens on, in order.
func (s search) ports() []string {
	var all []uint16
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		text, err := os.ReadFile(filepath.Join(s.proc, name))
		if err == nil {
			all = append(all, parseTCP(text)...)
		}
	}
	slices.Sort(all)
	var out []string
	for _, port := range slices.Compact(all) {
		out = append(out, strconv.Itoa(int(port)))
	}
	return out
}

// parseTCP reads the listening ports of /proc/net/tcp or tcp6: sl local_address
// rem_address st ..., with addresses as hexadecimal IP:PORT.
func parseTCP(text []byte) []uint16 {
	const listen = "0A" // TCP_LISTEN
	var ports []uint16
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) < 4 || string(f[3]) != listen {
			continue
		}
		_, port, _ := strings.Cut(string(f[1]), ":")
		if raw, err := hex.DecodeString(port); err == nil && len(raw) == 2 {
			ports = append(ports, uint16(raw[0])<<8|uint16(raw[1]))
		}
	}
	return ports
}
