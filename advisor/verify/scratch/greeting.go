package scratch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// greeting connects to a server and returns the version in its first packet.
// A server accepts connections on its socket before it is ready, but greets
// only afterwards. The server counts the visit in Aborted_connects.
func greeting(ctx context.Context, socket string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetReadDeadline(deadline); err != nil {
		return "", err
	}
	return readGreeting(conn)
}

// readGreeting reads an initial handshake packet: three bytes of length, a
// sequence number, protocol version 10, the version up to a zero byte.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
func readGreeting(r io.Reader) (string, error) {
	var header [4]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return "", err
	}
	length := int(header[0]) | int(header[1])<<8 | int(header[2])<<16
	if length > 1024 {
		return "", fmt.Errorf("greeting of %d bytes is none of a MySQL server", length)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return "", err
	}
	const protocol = 10
	if length == 0 || body[0] != protocol {
		return "", fmt.Errorf("server refuses connections: %q", body)
	}
	version, _, ok := bytes.Cut(body[1:], []byte{0})
	if !ok {
		return "", errors.New("greeting without a version")
	}
	// Before version 11 MariaDB hides behind 5.5.5, because replicas of MySQL
	// 5.5 took a version beginning with 10 for one beginning with 1.
	return string(bytes.TrimPrefix(version, []byte("5.5.5-"))), nil
}
