package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"plimsoll/fixtures/servers"
	"plimsoll/fixtures/shop"
)

// out is where the results are left.
const out = "demo/out"

// demo is everything that runs.
type demo struct {
	options
	dir     string
	cluster *servers.Cluster
	site    *shop.Site
	listen  string

	programs []*program
	stopShop context.CancelFunc
	shop     sync.WaitGroup
	// shopErrs are of the traffic and of the visitors.
	shopErrs [2]error
	served   shop.Ledger // once the visitors have left
}

func newDemo(o options) (*demo, error) {
	dir, err := os.MkdirTemp("", "plimsoll-demo-")
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{"dashboards", "logs"} {
		if err := os.MkdirAll(filepath.Join(out, folder), 0o755); err != nil {
			return nil, err
		}
	}
	return &demo{options: o, dir: dir, stopShop: func() {}}, nil
}

func (d *demo) path(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

func (d *demo) build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", d.path("bin")+"/", "./cmd/plimsoll", "./cmd/plimsoll-agent", "./cmd/plimsoll-probe")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	return nil
}

func (d *demo) startServers(ctx context.Context) (err error) {
	d.cluster, err = servers.StartReplicatedContext(ctx, servers.MariaDB1011, 1, servers.OpenSocket(), servers.Settings(settings()...))
	if err != nil {
		return err
	}
	return d.cluster.Primary.ExecContext(ctx, accounts()...)
}

// settings are those of a server that is well kept: every source of facts is
// open, and nothing is lost in a crash.
func settings() []string {
	return []string{
		"performance_schema_consumer_events_statements_current = ON",
		"performance_schema_consumer_events_statements_history = ON",
		"performance_schema_instrument = 'wait/lock/metadata/sql/mdl=ON'",
		"innodb_buffer_pool_size = 256M",
		"innodb_flush_log_at_trx_commit = 1",
		"sync_binlog = 1",
		"binlog_format = ROW",
		"binlog_expire_logs_seconds = 604800",
		"max_connections = 300",
	}
}

// accounts are the agent's, with the documented grants and no more. The password
// stands in for the login by socket, which needs a system user.
func accounts() []string {
	statements := []string{"CREATE USER plimsoll@localhost IDENTIFIED BY 'demo'"}
	for _, grant := range []string{
		"PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.*", "SELECT ON performance_schema.*", "REFERENCES ON *.*",
	} {
		statements = append(statements, "GRANT "+grant+" TO plimsoll@localhost")
	}
	return statements
}

func (d *demo) loadShop(ctx context.Context) error {
	if err := shop.Load(ctx, d.cluster.Primary.DB(), shop.Demo(), d.sins); err != nil {
		return err
	}
	if d.sins.Has(shop.UnsafeFailover) {
		if err := d.cluster.Primary.ExecContext(ctx, "SET GLOBAL sync_binlog = 0"); err != nil {
			return err
		}
		if err := d.cluster.Replicas[0].ExecContext(ctx, "SET GLOBAL read_only = OFF"); err != nil {
			return err
		}
	}
	return d.cluster.CatchUp(ctx)
}

func (d *demo) startSite(ctx context.Context) (err error) {
	d.site, err = shop.StartSiteContext(ctx, shop.SiteOptions{Primary: d.cluster.Primary, Distance: time.Millisecond, Sins: d.sins})
	return err
}

// watch lets the shop work while Plimsoll looks.
func (d *demo) watch(ctx context.Context) error {
	work, stop := context.WithCancel(ctx)
	d.stopShop = stop
	d.shop.Go(func() {
		_, d.shopErrs[0] = shop.Traffic{
			Size: shop.Demo(), Sins: d.sins,
			Primary: d.cluster.Primary.DSN("root"), Replica: d.cluster.Replicas[0].DSN("root"),
			Visited: true,
			Idle:    245, // with ten at work too many of 300, and all that PHP needs is left
		}.Run(work)
	})
	d.shop.Go(func() {
		d.served, d.shopErrs[1] = shop.Visitors{
			URL: d.site.URL, Size: shop.Demo(), Sins: d.sins, BurstEvery: 15 * time.Second,
		}.Run(work)
	})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d.length + warmUp):
		return d.check()
	}
}

// warmUp is what agents and advisor need before the shop is seen whole.
const warmUp = 20 * time.Second

// check returns why a program ended that should not have.
func (d *demo) check() error {
	var faults []error
	for _, p := range d.programs {
		faults = append(faults, p.ended())
	}
	return errors.Join(faults...)
}

func (d *demo) write(ctx context.Context) error {
	for format, name := range map[string]string{"html": "report.html", "md": "report.md", "json": "report.json"} {
		if _, err := d.plimsoll(ctx, "report", "--format", format, "--output", filepath.Join(out, name)); err != nil {
			return err
		}
	}
	_, err := d.plimsoll(ctx, "dashboards", "render", "--output", filepath.Join(out, "dashboards"))
	return err
}

// plimsoll runs one command with the demo's configuration.
func (d *demo) plimsoll(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, d.path("bin", "plimsoll"), append(args, "--config", d.path("plimsoll.yml"))...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("plimsoll %s: %w: %s", args[0], err, stderr.String())
	}
	return stdout.String(), nil
}

// show prints the report, and whether it holds what was planted.
func (d *demo) show(ctx context.Context) error {
	text, err := d.plimsoll(ctx, "report")
	if err != nil {
		return err
	}
	fmt.Printf("\n%s\n", text)
	fmt.Printf("Written: %s/report.{html,md,json}, %s/dashboards/*.json\n", out, out)
	verdict, err := compare(filepath.Join(out, "report.json"), d.without)
	fmt.Println(verdict)
	return err
}

func (d *demo) linger(ctx context.Context) error {
	fmt.Printf("\nThe advisor is at http://%s/ and the shop goes on. Ctrl-C ends both.\n", d.listen)
	<-ctx.Done()
	return nil
}

func (d *demo) closeShop() {
	d.stopShop()
	d.shop.Wait()
	if n := d.served.Requests(); n > 0 {
		fmt.Printf("The shop answered %d requests; its full queue refused %d more.\n", n-d.served.Failed(), d.served.Failed())
	}
}

// close stops everything, in the order in which it depends on each other.
func (d *demo) close() error {
	d.closeShop()
	faults := d.shopErrs[:]
	for _, p := range d.programs {
		faults = append(faults, p.stop())
	}
	if d.site != nil {
		faults = append(faults, d.site.Close())
	}
	if d.cluster != nil {
		faults = append(faults, d.cluster.Close())
	}
	return errors.Join(append(faults, os.RemoveAll(d.dir))...)
}
