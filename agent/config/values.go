package config

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxLabelRunes is the longest label value that the agent exposes.
const maxLabelRunes = 120

// maxSocketBytes is the longest path of a unix socket on Linux (sun_path less
// its final zero byte).
const maxSocketBytes = 107

// label takes a text that becomes the value of a label.
func (d *decoder) label(to *string) field {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if !ok {
			return
		}
		if reason := labelProblem(text); reason != "" {
			d.problem(n, path, reason)
			return
		}
		*to = text
	}
}

func labelProblem(text string) string {
	switch {
	case text == "":
		return "is empty; leave the key out for the default"
	case utf8.RuneCountInString(text) > maxLabelRunes:
		return fmt.Sprintf("%.32q… has %d characters, at most %d are allowed", text, utf8.RuneCountInString(text), maxLabelRunes)
	case strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text):
		return fmt.Sprintf("%.64q holds a control character", text)
	}
	return ""
}

var labelName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*$`)

// reservedLabels are set by the agent or by Prometheus itself.
var reservedLabels = []string{"cluster", "host", "server", "job", "instance"}

func (d *decoder) labels(c *Config) field {
	return func(n *yaml.Node, path string) {
		c.Labels = map[string]string{}
		d.each(n, path, func(key, value *yaml.Node, path string) {
			switch {
			case slices.Contains(reservedLabels, key.Value):
				d.problem(key, path, "is set by the agent or by Prometheus; choose another name")
				return
			case !labelName.MatchString(key.Value):
				d.problem(key, path, fmt.Sprintf("%.64q is no label name; use letters, digits and _", key.Value))
				return
			}
			var text string
			d.label(&text)(value, path)
			c.Labels[key.Value] = text
		})
	}
}

// address takes host:port, or an empty text for none.
func (d *decoder) address(to *string) field {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if !ok {
			return
		}
		if text != "" && !isAddress(text) {
			d.problem(n, path, fmt.Sprintf("%.64q is not host:port; write %s", text, DefaultListen))
			return
		}
		*to = text
	}
}

func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// Loopback says whether only this host can reach address, which is host:port.
// A name other than localhost is not trusted to stay on the host.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// folder takes an absolute path, or an empty text for none.
func (d *decoder) folder(to *string) field {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if !ok {
			return
		}
		if text != "" && !filepath.IsAbs(text) {
			d.problem(n, path, fmt.Sprintf("%.64q is not an absolute path; start it with /", text))
			return
		}
		*to = text
	}
}

// socket takes the absolute path of a unix socket, or an empty text for none.
func (d *decoder) socket(to *string) field {
	return func(n *yaml.Node, path string) {
		if len(n.Value) > maxSocketBytes {
			d.problem(n, path, fmt.Sprintf("path has %d bytes, at most %d are allowed for a socket", len(n.Value), maxSocketBytes))
			return
		}
		d.folder(to)(n, path)
	}
}

// probe takes the absolute path of a unix socket.
func (d *decoder) probe(to *string) field {
	return func(n *yaml.Node, path string) {
		if n.Value == "" {
			d.problem(n, path, "no socket is named; to ask no probe, write jobs: {phpfpm/profile: {enabled: false}}")
			return
		}
		d.socket(to)(n, path)
	}
}

// slowLog takes the absolute path of a file, or off.
func (d *decoder) slowLog(to *string) field {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if !ok {
			return
		}
		if text != "off" && !filepath.IsAbs(text) {
			d.problem(n, path, fmt.Sprintf("%.64q is neither off nor an absolute path; start it with /", text))
			return
		}
		*to = text
	}
}

const credentials = "${CREDENTIALS_DIRECTORY}"

// filePath takes the path of a file. It is the one kind of value in which
// ${CREDENTIALS_DIRECTORY} is expanded.
func (d *decoder) filePath(to *string, dir string) field {
	return func(n *yaml.Node, path string) {
		text, ok := d.scalar(n, path)
		if !ok || text == "" {
			return
		}
		full, err := expand(text)
		if err != nil {
			d.problem(n, path, err.Error())
			return
		}
		if !filepath.IsAbs(full) {
			full = filepath.Join(dir, full)
		}
		*to = full
	}
}

func expand(path string) (string, error) {
	rest, found := strings.CutPrefix(path, credentials)
	if strings.Contains(rest, "$") {
		return "", fmt.Errorf("%q: only a leading %s is expanded", path, credentials)
	}
	if !found {
		return path, nil
	}
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return "", fmt.Errorf("%q: CREDENTIALS_DIRECTORY is not set; add LoadCredential= to the unit (docs/configuration.md)", path)
	}
	return filepath.Join(dir, rest), nil
}

// server checks m as a whole.
func (d *decoder) server(n *yaml.Node, path string, m MySQL, others []MySQL) {
	switch {
	case m.Name == "":
		d.problem(n, path+".name", "is missing; it becomes the label server, such as db1")
	case slices.ContainsFunc(others, func(o MySQL) bool { return o.Name == m.Name }):
		d.problem(n, path+".name", fmt.Sprintf("%q stands twice; each server needs a name of its own", m.Name))
	}
	switch {
	case m.DSNFile == "" && m.Socket == "":
		d.problem(n, path, "needs dsn_file, or socket for a login without a password")
	case m.DSNFile != "" && m.Socket != "":
		d.problem(n, path, "has both dsn_file and socket; keep one")
	case m.DSNFile != "" && m.User != "":
		d.problem(n, path+".user", "belongs to socket; the file of dsn_file names its own user")
	}
}
