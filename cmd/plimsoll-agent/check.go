package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"plimsoll/agent/config"
)

func (p program) checkConfig(_ context.Context, args []string) error {
	var s settings
	f := p.flags("check-config", "Checks the configuration and the files it names, and prints what it comes to.\n"+
		"It asks no server.")
	s.add(f)
	if err := p.parse(f, args); err != nil {
		return err
	}
	c, err := s.read()
	if err != nil {
		return err
	}
	if err := readable(c); err != nil {
		return err
	}
	p.describe(c)
	return nil
}

// readable reads the files that hold DSNs. The agent itself would start without
// them and report a gap.
func readable(c *config.Config) error {
	var errs []error
	for _, m := range c.MySQL {
		if m.DSNFile == "" {
			continue
		}
		if _, err := m.DSN(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (p program) describe(c *config.Config) {
	fmt.Fprintf(p.out, "%s is fine\n", cmp.Or(c.File, "no configuration file, which"))
	fmt.Fprintf(p.out, "host       %s in cluster %s\n", c.Host, c.Cluster)
	fmt.Fprintf(p.out, "metrics    %s\n", cmp.Or(c.Listen, "off"))
	fmt.Fprintf(p.out, "snapshots  %s\n", cmp.Or(c.Socket, "off"))
	fmt.Fprintf(p.out, "state      %s\n", cmp.Or(c.State, "none: totals start anew with each run"))
	for _, m := range c.MySQL {
		fmt.Fprintf(p.out, "mysql      %s by %s\n", m.Name, cmp.Or(m.Socket, m.DSNFile))
	}
	if len(c.MySQL) == 0 {
		fmt.Fprintln(p.out, "mysql      what runs on this host")
	}
}
