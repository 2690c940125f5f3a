package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"plimsoll/fixtures/servers"
	"plimsoll/rules"
)

// startPlimsoll starts an agent for each database server and for the web server,
// as if each had its own host, the probe of the web server, and the advisor.
func (d *demo) startPlimsoll(ctx context.Context) error {
	for _, host := range d.hosts() {
		if err := d.startAgent(ctx, host); err != nil {
			return err
		}
	}
	// A minute is all there is: it looks five times as often as it would for a day.
	if err := d.start(ctx, "probe", d.path("bin", "plimsoll-probe"), "-hertz", "100", "-max-cpu", "0.1", "-socket", d.path("web1", "probe.sock")); err != nil {
		return err
	}
	listen, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	d.listen = listen
	if err := os.WriteFile(d.path("plimsoll.yml"), []byte(d.advisorConfig()), 0o600); err != nil {
		return err
	}
	for _, host := range d.hosts() {
		if err := d.waitFor(ctx, d.path(host.name, "agent.sock")); err != nil {
			return err
		}
	}
	return d.start(ctx, "advisor", d.path("bin", "plimsoll"), "serve", "--config", d.path("plimsoll.yml"))
}

// host is what one agent is told to read.
type host struct {
	name string
	// database is its server; nil for the web server's host.
	database *servers.Server
}

func (d *demo) hosts() []host {
	return []host{{"db1", d.cluster.Primary}, {"db2", d.cluster.Replicas[0]}, {"web1", nil}}
}

func (d *demo) startAgent(ctx context.Context, h host) error {
	if err := os.MkdirAll(d.path(h.name), 0o700); err != nil {
		return err
	}
	listen, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	config := fmt.Sprintf(`cluster: demo
host: %[1]s
socket: %[2]s/agent.sock
state: %[2]s/state
listen: %[3]s
`, h.name, d.path(h.name), listen)
	if h.database == nil {
		config += fmt.Sprintf(webJobs, d.path(h.name, "probe.sock"))
	} else {
		config += fmt.Sprintf(databaseJobs, h.name, d.path(h.name, "dsn"))
		dsn := fmt.Sprintf("plimsoll:demo@unix(%s)/", h.database.Socket)
		if err := os.WriteFile(d.path(h.name, "dsn"), []byte(dsn), 0o600); err != nil {
			return err
		}
	}
	if err := os.WriteFile(d.path(h.name, "agent.yml"), []byte(config), 0o600); err != nil {
		return err
	}
	return d.start(ctx, "agent-"+h.name, d.path("bin", "plimsoll-agent"), "run", "--config", d.path(h.name, "agent.yml"))
}

// A minute is all there is: what is read once a minute is read every five
// seconds, and a queue that lasts for seconds is to be met more than once.
const (
	databaseJobs = `mysql:
  - {name: %s, dsn_file: %s}
jobs:
  phpfpm: {enabled: false}
  mysql/digests: {every: 5s}
  mysql/latency: {every: 5s}
  mysql/use: {every: 5s}
  mysql/deadlocks: {every: 5s}
  mysql/binlog: {every: 5s}
  mysql/transactions: {every: 5s}
  mysql/locks: {every: 2s}
`
	webJobs = `probe: %s
jobs:
  servers: {enabled: false}
  phpfpm: {every: 1s}
  phpfpm/profile: {every: 5s}
`
)

// slack is what a loaded machine may be late.
const slack = 8 * time.Second

// advisorConfig shortens the rules' windows, which the report says. Its own window
// is a little longer than the demonstration, for slow machines. Two rules
// judge by the processors of a server's host: here all servers, agents and
// clients share one host, so that they would judge the machine and not the shop.
func (d *demo) advisorConfig() string {
	var config strings.Builder
	config.WriteString(fmt.Sprintf(`data: %s
listen: %s
interval: 5s
window: %s
agents:
  - static_configs:
      - targets: ["unix:%s", "unix:%s", "unix:%s"]
    scrape_interval: 1s
    scrape_timeout: 1s
rules:
  mysql/read-split: {disabled: true}
  mysql/replica-count: {disabled: true}
`, d.path("data"), d.listen, d.length+warmUp+slack,
		d.path("db1", "agent.sock"), d.path("db2", "agent.sock"), d.path("web1", "agent.sock")))
	for _, r := range rules.All() {
		if r.ID != "mysql/read-split" && r.ID != "mysql/replica-count" {
			config.WriteString(fmt.Sprintf("  %s: {min_window: 30s, window: 1m}\n", r.ID))
		}
	}
	return config.String()
}

// program is a child that ends with us.
type program struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// start starts a program; its log goes to demo/out/logs. It outlives ctx, since
// close ends what was started in the right order.
func (d *demo) start(ctx context.Context, name, path string, args ...string) error {
	log, err := os.Create(filepath.Join(out, "logs", name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	p := &program{name: name, cmd: exec.CommandContext(context.WithoutCancel(ctx), path, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for the demo alone
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() { // ends with the program, which stop ends
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	d.programs = append(d.programs, p)
	return nil
}

// ended returns an error if the program is no longer there.
func (p *program) ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended: %w; see %s", p.name, p.err, filepath.Join(out, "logs", p.name+".log"))
	default:
		return nil
	}
}

// stop asks the program to end, and ends it after ten seconds.
func (p *program) stop() error {
	if p.ended() != nil {
		return nil
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(10 * time.Second):
		return errors.Join(fmt.Errorf("%s did not end in ten seconds and was killed", p.name), p.cmd.Process.Kill())
	}
}

func freeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// waitFor waits until somebody listens on a socket, or a program has ended.
func (d *demo) waitFor(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "unix", socket)
		if err == nil {
			return conn.Close()
		}
		if err := d.check(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("nobody listens on %s: %w", socket, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
