package phpfpm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// pageMemory is what the last status page of a pool said, and when the next one may be asked for.
type pageMemory struct {
	idle int
	next time.Time
}

// freeWorkers is how many workers must have been free at the last look for the pool's own socket to be asked:
// one that answers us is one that answers no visitor.
const freeWorkers = 2

// busyPause is how long a pool is left alone that had no worker to spare.
const busyPause = time.Minute

// status asks for the status page: on a socket of its own, which answers at any time and takes no worker, else on
// that of the pool while it has workers to spare.
func (r *round) status(p *snapshot.FPMPool, c PoolConfig) {
	key := keyOf(p)
	before, asked := r.collector.pages[key]
	switch {
	case c.StatusPath == "":
		r.gap(p.Name, "it has no status page, so that its requests are not counted",
			"set pm.status_path = /status and pm.status_listen = 127.0.0.1:9001 in the pool, and reload PHP-FPM")
		return
	case c.StatusListen != "":
		r.ask(p, c, c.StatusListen)
		return
	case p.Queue != nil && p.Queue.Waiting > 0, asked && before.idle < freeWorkers && time.Now().Before(before.next):
		r.pages[key] = before
		r.gap(p.Name, "its status page is not asked for while it has no worker to spare",
			"set pm.status_listen = 127.0.0.1:9001 in the pool: it then answers at any time")
		return
	}
	r.ask(p, c, c.Listen)
	next := pageMemory{next: time.Now().Add(busyPause)}
	if p.Status != nil {
		next.idle = p.Status.Idle + 1 // the one that answered us counts as active
	}
	r.pages[key] = next
}

func (r *round) ask(p *snapshot.FPMPool, c PoolConfig, address string) {
	status, err := ReadStatus(r.ctx, address, c.StatusPath)
	if err != nil {
		r.gap(p.Name, "its status page cannot be read: "+collectors.Printable(err.Error()), statusRemedy(err))
		return
	}
	p.Status = status
}

func statusRemedy(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "set pm.status_listen = 127.0.0.1:9001 in the pool: the agent need not be let at its socket then"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.EAGAIN), errors.Is(err, context.DeadlineExceeded):
		return "set pm.status_listen = 127.0.0.1:9001 in the pool: it then answers while all workers are busy"
	}
	return ""
}

// ReadStatus asks a pool for its status page at address, which is a path, host:port or port.
func ReadStatus(ctx context.Context, address, path string) (*snapshot.FPMStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	network, address := dialable(address)
	text, err := get(ctx, network, address, path, "json")
	if err != nil {
		return nil, err
	}
	return parseStatus(text)
}

// dialable returns how to connect to what a configuration says to listen at. Every address of the host
// is reached on loopback.
func dialable(listen string) (network, address string) {
	if strings.HasPrefix(listen, "/") {
		return "unix", listen
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		host, port = "", listen // a port alone
	}
	switch host {
	case "", "*", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return "tcp", net.JoinHostPort(host, port)
}

// statusPage is FPM's status page in JSON.
type statusPage struct {
	Pool               string `json:"pool"`
	StartTime          int64  `json:"start time"`
	Accepted           uint64 `json:"accepted conn"`
	Idle               int    `json:"idle processes"`
	Active             int    `json:"active processes"`
	Total              int    `json:"total processes"`
	MaxActive          int    `json:"max active processes"`
	MaxChildrenReached uint64 `json:"max children reached"`
	SlowRequests       uint64 `json:"slow requests"`
}

func parseStatus(text []byte) (*snapshot.FPMStatus, error) {
	var p statusPage
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("it is no status page of PHP-FPM: %w", err)
	}
	if p.Pool == "" || p.StartTime <= 0 {
		return nil, fmt.Errorf("it is no status page of PHP-FPM: it names no pool or no start")
	}
	return &snapshot.FPMStatus{
		Started: time.Unix(p.StartTime, 0).UTC(), Accepted: p.Accepted, Idle: p.Idle, Active: p.Active, Total: p.Total,
		MaxActive: p.MaxActive, MaxChildrenReached: p.MaxChildrenReached, SlowRequests: p.SlowRequests,
	}, nil
}
