package phpfpm

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"plimsoll/collectors/snapshot"
)

// Queues are the listening sockets of one network namespace, with what waits in front of them: unix
// sockets by path, others by address and port.
type Queues struct {
	unix map[string]snapshot.ListenQueue
	tcp  map[netip.AddrPort]snapshot.ListenQueue
}

// Of returns the queue of a socket that listens at an address of a configuration, and the socket's own
// name: the port 9000 alone is [::]:9000 or 0.0.0.0:9000.
func (q *Queues) Of(listen string) (queue snapshot.ListenQueue, name string, found bool) {
	network, address := dialable(listen)
	if network == "unix" {
		queue, found = q.unix[address]
		return queue, address, found
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		host, port = "", listen
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return snapshot.ListenQueue{}, "", false
	}
	for _, host := range listensAs(host) {
		at := netip.AddrPortFrom(host, uint16(n))
		if queue, found = q.tcp[at]; found {
			return queue, at.String(), true
		}
	}
	return snapshot.ListenQueue{}, "", false
}

// listensAs returns the addresses that a socket may have which was told to listen at host: a port alone
// is every address, of IPv6 if the host has it.
func listensAs(host string) []netip.Addr {
	if at, err := netip.ParseAddr(host); err == nil && !at.IsUnspecified() {
		return []netip.Addr{at.Unmap()}
	}
	if host == "localhost" {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	return []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
}

// OurQueues asks the kernel for all listening sockets of our own network namespace, by sock_diag(7). It
// needs no privilege.
func OurQueues() (*Queues, error) {
	q := &Queues{unix: map[string]snapshot.ListenQueue{}, tcp: map[netip.AddrPort]snapshot.ListenQueue{}}
	if err := diagnose(unixRequest(), q.unixSocket); err != nil {
		return nil, err
	}
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		if err := diagnose(inetRequest(family), q.inetSocket); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// unixSocket reads a unix_diag_msg. Sockets without a path have none, abstract ones begin with a NUL.
func (q *Queues) unixSocket(answer []byte) {
	if len(answer) < unixAnswerBytes {
		return
	}
	var path string
	var queue snapshot.ListenQueue
	for rest := answer[unixAnswerBytes:]; len(rest) >= unix.SizeofRtAttr; {
		n, kind := int(binary.NativeEndian.Uint16(rest)), binary.NativeEndian.Uint16(rest[2:])
		if n < unix.SizeofRtAttr || n > len(rest) {
			return
		}
		switch value := rest[unix.SizeofRtAttr:n]; {
		case kind == unixDiagName:
			path = string(bytes.TrimRight(value, "\x00"))
		case kind == unixDiagQueue && len(value) >= 8:
			queue = listenQueue(binary.NativeEndian.Uint32(value), binary.NativeEndian.Uint32(value[4:]))
		}
		rest = rest[min((n+3)&^3, len(rest)):]
	}
	if strings.HasPrefix(path, "/") {
		q.unix[path] = queue
	}
}

// inetSocket reads an inet_diag_msg.
func (q *Queues) inetSocket(answer []byte) {
	if len(answer) < inetAnswerBytes {
		return
	}
	port := binary.BigEndian.Uint16(answer[inetAnswerPort:])
	at := netip.AddrFrom4([4]byte(answer[inetAnswerAddress:]))
	if answer[0] == unix.AF_INET6 {
		at = netip.AddrFrom16([16]byte(answer[inetAnswerAddress:])).Unmap()
	}
	q.tcp[netip.AddrPortFrom(at, port)] = listenQueue(
		binary.NativeEndian.Uint32(answer[inetAnswerWaiting:]), binary.NativeEndian.Uint32(answer[inetAnswerLength:]))
}

func listenQueue(waiting, length uint32) snapshot.ListenQueue {
	n := int(length)
	return snapshot.ListenQueue{Waiting: int(waiting), Length: &n}
}

// TableQueues reads the listening TCP sockets of the network namespace of a process from the tables of
// /proc/PID/net. They do not tell how long a queue can be, and nothing of unix sockets.
func TableQueues(tables ...[]byte) *Queues {
	q := &Queues{tcp: map[netip.AddrPort]snapshot.ListenQueue{}}
	for _, table := range tables {
		for line := range bytes.Lines(table) {
			q.tableLine(bytes.Fields(line))
		}
	}
	return q
}

// tableLine reads a line such as
//
//	0: 0100007F:2328 00000000:0000 0A 00000000:00000003 00:00000000 …
//
// For a listening socket the second number of the queues is what waits.
func (q *Queues) tableLine(fields [][]byte) {
	const local, state, queues, isListening = 1, 3, 4, "0A"
	if len(fields) <= queues || string(fields[state]) != isListening {
		return
	}
	at, ok := TableAddress(string(fields[local]))
	_, waiting, _ := bytes.Cut(fields[queues], []byte(":"))
	n, err := strconv.ParseUint(string(waiting), 16, 31)
	if ok && err == nil {
		q.tcp[at] = snapshot.ListenQueue{Waiting: int(n)}
	}
}

// TableAddress reads an address of those tables, such as 0100007F:2328: 32-bit words of the machine's own order. It
// returns false for what is none.
func TableAddress(text string) (netip.AddrPort, bool) {
	host, port, _ := strings.Cut(text, ":")
	words, err := hex.DecodeString(host)
	n, portErr := strconv.ParseUint(port, 16, 16)
	if err != nil || portErr != nil || len(words)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(words); i += 4 {
		binary.NativeEndian.PutUint32(words[i:], binary.BigEndian.Uint32(words[i:]))
	}
	at, ok := netip.AddrFromSlice(words)
	return netip.AddrPortFrom(at.Unmap(), uint16(n)), ok
}
