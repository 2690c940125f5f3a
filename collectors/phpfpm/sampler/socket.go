package sampler

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ends are the two ends of a socket.
type ends struct {
	// local and peer are addresses: 10.0.0.5:3306, the path of a unix socket, @name for an abstract one. They
	// are empty for an end that has no name.
	local, peer string
	// port is the peer's; 0 for unix sockets.
	port int
	// listening is true for a socket that takes connections.
	listening bool
	// program is the name of the process at the other end of a unix socket: of the one that listened.
	program string
}

// errNoSocket says that a descriptor is none, or none of a family that is known.
var errNoSocket = errors.New("not a socket of a known family")

// Socket asks the socket itself, through a copy of the descriptor that is closed at once. This works across
// network namespaces, which tables in /proc do for the process' own only.
func (p *live) Socket(fd int) (ends, error) {
	dup, err := p.copied(fd)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		return p.lookUp(fd) // Linux before 5.6, or a container's filter.
	}
	if err != nil {
		return ends{}, fmt.Errorf("copy descriptor %d of process %d: %w", fd, p.pid, err)
	}
	defer func() { _ = unix.Close(dup) }()
	return p.endsOf(dup)
}

// Sent asks the socket as Socket does.
func (p *live) Sent(fd int) uint64 {
	dup, err := p.copied(fd)
	if err != nil {
		return 0
	}
	defer func() { _ = unix.Close(dup) }()
	info, err := unix.GetsockoptTCPInfo(dup, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0
	}
	return info.Bytes_sent
}

// copied returns a copy of a descriptor of the process, which the caller closes.
func (p *live) copied(fd int) (int, error) {
	if p.self < 0 {
		return -1, unix.ENOSYS
	}
	return unix.PidfdGetfd(p.self, fd, 0)
}

// listens returns the address of the first socket that takes connections: a worker has its pool's only.
func (p *live) listens() (string, bool) {
	entries, err := os.ReadDir(p.path("fd"))
	if err != nil {
		return "", false
	}
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		link, err := p.Link(fd)
		if _, ok := socketInode(link); err != nil || !ok {
			continue
		}
		if e, err := p.Socket(fd); err == nil && e.listening {
			return e.local, true
		}
	}
	return "", false
}

func (p *live) endsOf(fd int) (ends, error) {
	var e ends
	local, err := unix.Getsockname(fd)
	if err != nil {
		return e, fmt.Errorf("ask for the name of a socket of process %d: %w", p.pid, err)
	}
	e.local, _ = nameOf(local)
	peer, err := unix.Getpeername(fd)
	if err != nil { // It is not connected yet, or listens.
		n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		e.listening = err == nil && n != 0
		return e, nil
	}
	e.peer, e.port = nameOf(peer)
	if _, ok := peer.(*unix.SockaddrUnix); ok {
		e.program = p.programBehind(fd)
	}
	return e, nil
}

// programBehind returns the name of the process that listened at the other end of a unix socket.
func (p *live) programBehind(fd int) string {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil || cred.Pid <= 0 {
		return ""
	}
	comm, err := os.ReadFile(path.Join(p.proc, strconv.Itoa(int(cred.Pid)), "comm"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(comm))
}

// nameOf returns an address as text, and its port.
func nameOf(sa unix.Sockaddr) (string, int) {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return address(netip.AddrFrom4(a.Addr), a.Port), a.Port
	case *unix.SockaddrInet6:
		return address(netip.AddrFrom16(a.Addr), a.Port), a.Port
	case *unix.SockaddrUnix:
		return a.Name, 0 // x/sys writes the zero byte of an abstract name as @.
	}
	return "", 0
}

// address writes an IPv4 address that an IPv6 socket speaks to as what it is.
func address(a netip.Addr, port int) string {
	return netip.AddrPortFrom(a.Unmap(), uint16(port)).String()
}
