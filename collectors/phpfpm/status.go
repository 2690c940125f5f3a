package phpfpm

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"time"

	"plimsoll/collectors/snapshot"
)

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
