package store

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"
)

// Target is one agent as service discovery found it.
type Target struct {
	// Address is host:port; for a socket it is a made-up name that only Client
	// can dial.
	Address string
	// Socket is the path of the agent's unix socket, empty if it is on the network.
	Socket string
	// Scheme is http or https.
	Scheme string
	// Labels are those of the discovery's entry. They name the target until its
	// agent has answered; the agent's own cluster and host are what counts then.
	Labels map[string]string
	// Client speaks to this target: with its entry's certificates and password,
	// over its socket, without redirects. It has no time limit: a request's
	// context has.
	Client *http.Client
}

// String is the target as one writes it: host:port or unix:PATH. It is also the
// label instance of the target's series.
func (t Target) String() string {
	if t.Socket != "" {
		return socketPrefix + t.Socket
	}
	return t.Address
}

// URL returns the address of path, which begins with a slash, on the target.
func (t Target) URL(path string) string { return t.Scheme + "://" + t.Address + path }

const socketPrefix = "unix:"

// target makes a Target of what discovery yields. Only a trusted source, one on
// this host's disk, may name a socket: a stranger's list could name that of
// another service.
func (a Agents) target(addr string, lset map[string]string, trusted bool) (Target, error) {
	t := Target{Labels: map[string]string{}}
	for name, value := range lset {
		if strings.HasPrefix(name, model.ReservedLabelPrefix) {
			continue // __metrics_path__, __scheme__, __param_*: ours to decide
		}
		if err := checkLabel(name, value); err != nil {
			return t, err
		}
		t.Labels[name] = value
	}
	if path, ok := strings.CutPrefix(addr, socketPrefix); ok {
		return a.socket(t, path, trusted)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" || port == "" || strings.ContainsAny(addr, "/@?# ") || !utf8.ValidString(addr) {
		return t, fmt.Errorf("%.64q is neither host:port nor unix:PATH; write for example web1:9897", addr)
	}
	t.Address, t.Scheme = addr, a.Scheme
	if t.Scheme == "" {
		t.Scheme = schemeFor(host)
	}
	return t, nil
}

func (a Agents) socket(t Target, path string, trusted bool) (Target, error) {
	if !trusted {
		return t, fmt.Errorf("%.64q: a socket can be named in static_configs and files only", socketPrefix+path)
	}
	if !filepath.IsAbs(path) || !utf8.ValidString(path) {
		return t, fmt.Errorf("%.64q: the path of a socket begins with a slash", socketPrefix+path)
	}
	t.Socket, t.Scheme = filepath.Clean(path), "http"
	return t, nil
}

// schemeFor is http for loopback, where nobody listens in between.
func schemeFor(host string) string {
	ip, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && ip.Unmap().IsLoopback() {
		return "http"
	}
	return "https"
}
