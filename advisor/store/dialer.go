package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

const dialTimeout = 5 * time.Second

// dialer opens the connections to agents. It knows which name stands for which
// unix socket, and it keeps lists that come over the network from leading the
// advisor to itself, to this host's other services or to a cloud's metadata
// service. It decides by the resolved address, when the connection is made.
type dialer struct {
	mu      sync.Mutex
	sockets map[string]string // host:port of a made-up name → path
	names   map[string]string // path → made-up name
	trusted map[string]bool   // host:port that this host's own files name
}

func newDialer() *dialer {
	return &dialer{sockets: map[string]string{}, names: map[string]string{}, trusted: map[string]bool{}}
}

// name returns the host name that stands for a socket. It ends in .localhost,
// which everything but this dialer takes for loopback.
func (d *dialer) name(path string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, ok := d.names[path]; ok {
		return n
	}
	n := fmt.Sprintf("agent-socket-%d.localhost", len(d.names))
	d.names[path] = n
	d.sockets[n+":80"] = path
	return n
}

// trust replaces the set of addresses that may be anywhere.
func (d *dialer) trust(addrs map[string]bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trusted = addrs
}

func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	path, isSocket := d.sockets[addr]
	trusted := d.trusted[addr]
	d.mu.Unlock()
	nd := net.Dialer{Timeout: dialTimeout}
	if isSocket {
		return nd.DialContext(ctx, "unix", path)
	}
	if !trusted {
		nd.ControlContext = refusePrivileged
	}
	return nd.DialContext(ctx, network, addr)
}

// maxList bounds a list that HTTP discovery fetches: Prometheus reads it whole.
const maxList = 16 << 20

// dialForList opens a connection for one list.
func dialForList(ctx context.Context, network, addr string) (net.Conn, error) {
	nd := net.Dialer{Timeout: dialTimeout}
	c, err := nd.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &limitedConn{c, maxList}, nil
}

type limitedConn struct {
	net.Conn
	left int
}

func (c *limitedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errors.New("the list of agents is larger than 16 MiB")
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// awsMetadata is the one metadata service that is not on a link-local address.
const awsMetadata = "fd00:ec2::254"

// refusePrivileged refuses addresses that mean this host or its hypervisor.
func refusePrivileged(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := ap.Addr().Unmap().WithZone("")
	if ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || ip.String() == awsMetadata {
		return fmt.Errorf("%s is not accepted from DNS or HTTP discovery; if it is an agent, name it in static_configs", ip)
	}
	return nil
}
