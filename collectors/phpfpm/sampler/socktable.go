package sampler

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"plimsoll/collectors/phpfpm"
)

// lookUp finds a socket in the tables of the process' network namespace: for kernels before 5.6, and where
// descriptors must not be copied.
func (p *live) lookUp(fd int) (ends, error) {
	link, err := p.Link(fd)
	if err != nil {
		return ends{}, err
	}
	inode, ok := socketInode(link)
	if !ok {
		return ends{}, errNoSocket
	}
	tables := []struct {
		name string
		find func(io.Reader, string) (ends, bool)
	}{{"tcp", findInet}, {"tcp6", findInet}, {"unix", findUnix}, {"udp", findInet}, {"udp6", findInet}}
	for _, table := range tables {
		f, err := os.Open(p.path("net/" + table.name))
		if err != nil {
			continue // A kernel without IPv6 has no tcp6.
		}
		e, found := table.find(f, inode)
		f.Close()
		if found {
			return e, nil
		}
	}
	return ends{}, fmt.Errorf("socket %s of process %d: %w", inode, p.pid, errNoSocket)
}

const (
	tcpListen     = "0A"       // st: TCP_LISTEN
	unixAccepting = "00010000" // Flags: __SO_ACCEPTCON
)

// socketInode returns the number in socket:[123].
func socketInode(link string) (string, bool) {
	inode, ok := strings.CutPrefix(link, "socket:[")
	return strings.TrimSuffix(inode, "]"), ok
}

// findInet looks through tcp, tcp6, udp or udp6: sl local_address rem_address st tx:rx tr:when retrnsmt uid
// timeout inode, and more.
func findInet(r io.Reader, inode string) (ends, bool) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 10 || f[9] != inode {
			continue
		}
		local, _ := phpfpm.TableAddress(f[1])
		peer, ok := phpfpm.TableAddress(f[2])
		if !ok || peer.Port() == 0 {
			return ends{local: local.String(), listening: f[3] == tcpListen}, true
		}
		return ends{local: local.String(), peer: peer.String(), port: int(peer.Port())}, true
	}
	return ends{}, false
}

// findUnix looks through unix: Num RefCount Protocol Flags Type St Inode Path. A client's own line has no path,
// and the table does not say to whom it is connected; the path is there at the side that listened.
func findUnix(r io.Reader, inode string) (ends, bool) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 7 || f[6] != inode {
			continue
		}
		e := ends{listening: f[3] == unixAccepting}
		if len(f) > 7 {
			e.local = f[7]
		}
		return e, true
	}
	return ends{}, false
}
