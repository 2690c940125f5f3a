package phpfpm

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// The parts of FastCGI that one GET request needs.
// https://fastcgi-archives.github.io/FastCGI_Specification.html
const (
	fcgiVersion      = 1
	fcgiBeginRequest = 1
	fcgiEndRequest   = 3
	fcgiParams       = 4
	fcgiStdin        = 5
	fcgiStdout       = 6
	fcgiResponder    = 1
	fcgiHeader       = 8 // bytes
)

// maxAnswer bounds an answer, in bytes: a status page has some 500.
const maxAnswer = 64 << 10

// get asks a FastCGI server for a page and returns its body. The context must have a deadline: a pool
// all of whose workers are busy takes the connection and answers much later.
func get(ctx context.Context, network, address, path, query string) ([]byte, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline() // the zero time, which is none, if a caller forgot it
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if _, err := conn.Write(request(path, query)); err != nil {
		return nil, fmt.Errorf("ask %s for %s: %w", address, path, err)
	}
	answer, err := answer(conn)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", path, address, err)
	}
	return body(answer)
}

// request is a whole GET request.
func request(path, query string) []byte {
	var params []byte
	for _, p := range [][2]string{
		{"SCRIPT_NAME", path},
		{"SCRIPT_FILENAME", path},
		{"REQUEST_METHOD", "GET"},
		{"REQUEST_URI", path + "?" + query},
		{"QUERY_STRING", query},
		{"SERVER_PROTOCOL", "HTTP/1.1"},
		{"GATEWAY_INTERFACE", "CGI/1.1"},
		{"SERVER_SOFTWARE", "plimsoll-agent"},
	} {
		params = appendParam(params, p[0], p[1])
	}
	out := appendRecord(nil, fcgiBeginRequest, []byte{0, fcgiResponder, 0, 0, 0, 0, 0, 0})
	out = appendRecord(out, fcgiParams, params)
	out = appendRecord(out, fcgiParams, nil)
	return appendRecord(out, fcgiStdin, nil)
}

func appendRecord(to []byte, kind byte, content []byte) []byte {
	to = append(to, fcgiVersion, kind, 0, 1)
	to = binary.BigEndian.AppendUint16(to, uint16(len(content))) //nolint:gosec // ours are short
	return append(append(to, 0, 0), content...)
}

func appendParam(to []byte, name, value string) []byte {
	return append(append(appendLength(appendLength(to, len(name)), len(value)), name...), value...)
}

func appendLength(to []byte, n int) []byte {
	if n < 128 {
		return append(to, byte(n))
	}
	return binary.BigEndian.AppendUint32(to, uint32(n)|1<<31) //nolint:gosec // ours are short
}

// answer reads what a server writes to its standard output until it ends the request.
func answer(from io.Reader) ([]byte, error) {
	var out []byte
	r := bufio.NewReader(from)
	for {
		var h [fcgiHeader]byte
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return nil, err
		}
		if h[0] != fcgiVersion {
			return nil, errors.New("it speaks no FastCGI")
		}
		content := make([]byte, binary.BigEndian.Uint16(h[4:]))
		if _, err := io.ReadFull(r, content); err != nil {
			return nil, err
		}
		if _, err := r.Discard(int(h[6])); err != nil {
			return nil, err
		}
		switch h[1] {
		case fcgiEndRequest:
			return out, nil
		case fcgiStdout:
			if out = append(out, content...); len(out) > maxAnswer {
				return nil, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
			}
		}
	}
}

// body returns what stands behind the head of an answer. A page that is not there is an error.
func body(answer []byte) ([]byte, error) {
	head, rest, found := bytes.Cut(answer, []byte("\r\n\r\n"))
	if !found {
		return nil, errors.New("the answer has no head")
	}
	for line := range bytes.Lines(head) {
		if status, ok := bytes.CutPrefix(line, []byte("Status: ")); ok && !bytes.HasPrefix(status, []byte("200")) {
			return nil, fmt.Errorf("the answer is %q", bytes.TrimSpace(status))
		}
	}
	return rest, nil
}

// askWithin is how long a status page may take: it is made in a millisecond.
const askWithin = 300 * time.Millisecond
