package phpfpm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"plimsoll/collectors/snapshot"
)

// PoolConfig is what a master's files say of a pool.
type PoolConfig struct {
	Name string
	// Listen is the address of its socket: a path, host:port, or a port alone.
	Listen string
	snapshot.FPMConfig
}

// The limits of what is read of configurations: whoever names a process chooses their path.
const (
	maxConfigBytes = 1 << 20
	maxConfigFiles = 200
)

// ReadConfig reads a master's configuration with the files that it includes, and returns its pools in
// the order of their names. root is put in front of all paths, for a master that has another root than
// we have. Without a file that is included the others are read all the same: the error then names it.
func ReadConfig(root, path string) ([]PoolConfig, error) {
	c := configReader{root: root, pools: map[string]*PoolConfig{}}
	c.file(path)
	out := make([]PoolConfig, 0, len(c.pools))
	for _, name := range slices.Sorted(maps.Keys(c.pools)) {
		out = append(out, c.pools[name].defaulted())
	}
	return out, errors.Join(c.errs...)
}

// configReader reads files as FPM does: each included one at the place where it is named.
type configReader struct {
	root  string
	files int
	pools map[string]*PoolConfig
	// pool is that of the section; nil in the section global.
	pool *PoolConfig
	errs []error
}

func (c *configReader) file(path string) {
	if c.files++; c.files > maxConfigFiles {
		if c.files == maxConfigFiles+1 {
			c.errs = append(c.errs, fmt.Errorf("%s: more than %d files: the others are not read", path, maxConfigFiles))
		}
		return
	}
	text, err := readRegular(filepath.Join(c.root, path))
	if err != nil {
		c.errs = append(c.errs, err)
		return
	}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if err := c.line(strings.TrimSpace(string(line))); err != nil {
			c.errs = append(c.errs, fmt.Errorf("%s, line %d: %w", path, number, err))
		}
	}
}

// readRegular reads a file that is one: a pipe would never end, and a device might not like it.
func readRegular(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: it is no file", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	if err == nil && len(text) > maxConfigBytes {
		err = fmt.Errorf("read %s: it is larger than %d bytes", path, maxConfigBytes)
	}
	return text, err
}

// line reads one line: a section, a setting, a comment or nothing.
func (c *configReader) line(line string) error {
	switch {
	case line == "" || line[0] == ';' || line[0] == '#':
		return nil
	case line[0] == '[':
		return c.section(line)
	}
	key, value, found := strings.Cut(line, "=")
	if !found {
		return errors.New("it has no =")
	}
	key, value = strings.TrimSpace(key), unquote(value)
	if key == "include" {
		c.include(value)
		return nil
	}
	if c.pool == nil {
		return nil
	}
	return c.pool.set(key, strings.ReplaceAll(value, "$pool", c.pool.Name))
}

func (c *configReader) section(line string) error {
	name, _, found := strings.Cut(line[1:], "]")
	name = strings.TrimSpace(name)
	c.pool = nil
	if !found || name == "" {
		return errors.New("the name of the section does not end")
	}
	if name == "global" {
		return nil
	}
	if c.pools[name] == nil {
		c.pools[name] = &PoolConfig{Name: name}
	}
	c.pool = c.pools[name]
	return nil
}

// include reads the files of a pattern, in the order of their names. Sections of theirs end with them.
func (c *configReader) include(pattern string) {
	files, err := filepath.Glob(filepath.Join(c.root, pattern))
	if err != nil {
		c.errs = append(c.errs, fmt.Errorf("include %s: %w", pattern, err))
	}
	before := c.pool
	for _, file := range files {
		if c.root != "" {
			file = "/" + strings.TrimPrefix(strings.TrimPrefix(file, c.root), "/")
		}
		c.pool = before
		c.file(file)
	}
	c.pool = before
}

// unquote takes a value out of its quotes, and a comment off behind it.
func unquote(value string) string {
	value = strings.TrimSpace(value)
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		if inside, _, closed := strings.Cut(value[1:], value[:1]); closed {
			return inside
		}
	}
	if i := strings.IndexByte(value, ';'); i >= 0 {
		value = value[:i]
	}
	return strings.TrimSpace(value)
}

// set takes up a setting that we need.
func (p *PoolConfig) set(key, value string) (err error) {
	switch key {
	case "listen":
		p.Listen = value
	case "pm":
		p.Manager = value
	case "pm.status_path":
		p.StatusPath = value
	case "pm.status_listen":
		p.StatusListen = value
	case "pm.max_children":
		p.MaxChildren, err = number(key, value)
	case "pm.max_requests":
		p.MaxRequests, err = number(key, value)
	case "listen.backlog":
		var n int
		if n, err = number(key, value); err == nil && n >= 0 {
			p.Backlog = &n
		}
	case "request_slowlog_timeout":
		p.SlowlogSeconds, err = seconds(key, value)
	case "request_terminate_timeout":
		p.TerminateSeconds, err = seconds(key, value)
	}
	return err
}

func (p *PoolConfig) defaulted() PoolConfig {
	out := *p
	if out.Manager == "" {
		out.Manager = "dynamic"
	}
	return out
}

func number(key, value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("%s = %q: it is no number", key, value)
	}
	return n, nil
}

// seconds reads a duration with FPM's units: s, m, h or d behind the number, seconds without one.
func seconds(key, value string) (float64, error) {
	unit := 1.0
	digits := value
	if n := len(value); n > 0 {
		factor, known := map[byte]float64{'s': 1, 'm': 60, 'h': 3600, 'd': 86400}[value[n-1]]
		if known {
			unit, digits = factor, value[:n-1]
		}
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%s = %q: it is no duration such as 10s or 2m", key, value)
	}
	return float64(n) * unit, nil
}
