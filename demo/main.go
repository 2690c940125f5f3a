// Command demo shows Plimsoll whole on one machine: a MariaDB primary and its
// replica, a shop in PHP with planted sins and its visitors, what else works on
// the database, three agents, the probe, the advisor, and the report that comes of it. It
// stops all that it started.
//
//	DEMO_SECONDS=60   how long the shop is watched
//	DEMO_WITHOUT=SIN  leaves out one sin, and with it that sin's findings
//	DEMO_KEEP=1       leaves advisor and shop running until Ctrl-C
//
// It ends with 1 if the findings are not exactly those of expected.json.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"plimsoll/fixtures/shop"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := start(ctx)
	if err != nil && !errors.Is(err, errSaid) {
		fmt.Fprintln(os.Stderr, "demo:", err)
	}
	if err != nil {
		os.Exit(1)
	}
}

// start runs the demonstration apart from the rest of the machine if it can.
func start(ctx context.Context) error {
	o, err := fromEnvironment(os.Getenv)
	if err != nil {
		return err
	}
	if os.Getenv(insideKey) == "" {
		if done, err := apart(ctx); done {
			return err
		}
	} else if err := settleApart(); err != nil {
		return err
	}
	return run(ctx, o)
}

// options are what the environment asks for.
type options struct {
	length time.Duration
	sins   shop.Set
	// without are the sins that were left out.
	without []shop.Sin
	keep    bool
}

func fromEnvironment(get func(string) string) (options, error) {
	o := options{length: time.Minute, sins: planted(), keep: get("DEMO_KEEP") == "1"}
	if text := get("DEMO_SECONDS"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 50 || seconds > 3600 {
			return o, fmt.Errorf("DEMO_SECONDS=%q: give a whole number from 50 to 3600", text)
		}
		o.length = time.Duration(seconds) * time.Second
	}
	for name := range strings.FieldsFuncSeq(get("DEMO_WITHOUT"), func(r rune) bool { return r == ',' || r == ' ' }) {
		sin := shop.Sin(name)
		if !planted().Has(sin) {
			return o, fmt.Errorf("DEMO_WITHOUT=%q: there is no such sin; the sins are %s", name, names(planted()))
		}
		o.sins, o.without = o.sins.Without(sin), append(o.without, sin)
	}
	return o, nil
}

// planted are all sins that there are.
func planted() shop.Set { return slices.Concat(shop.Sins(), shop.SiteSins()) }

func names(sins []shop.Sin) string {
	var out []string
	for _, s := range sins {
		out = append(out, string(s))
	}
	return strings.Join(out, ", ")
}

// run is the whole demonstration.
func run(ctx context.Context, o options) (err error) {
	d, err := newDemo(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"build the programs", d.build},
		{"start MariaDB 10.11, a primary and a replica", d.startServers},
		{fmt.Sprintf("load a shop with %d planted sins", len(o.sins)), d.loadShop},
		{"start nginx, PHP-FPM, Redis and Memcached for it", d.startSite},
		{"start three agents, the probe and the advisor", d.startPlimsoll},
		{fmt.Sprintf("watch the shop at work for %s", o.length), d.watch},
		{"write reports and dashboards", d.write},
	} {
		began := time.Now()
		fmt.Printf("%-52s ", step.what)
		if err := step.do(ctx); err != nil {
			fmt.Println()
			return fmt.Errorf("%s: %w", step.what, err)
		}
		fmt.Printf("%5.1f s\n", time.Since(began).Seconds())
	}
	if err := d.show(ctx); err != nil {
		return err
	}
	if o.keep {
		return d.linger(ctx)
	}
	return nil
}
