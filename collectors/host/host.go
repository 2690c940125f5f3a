// Package host reads the figures of the machine itself: processors, memory,
// pressure, disks, file systems, software RAID, network cards and TCP.
//
// All of it comes from /proc and /sys, without privileges and without running
// a command. Where gopsutil gives the figure it is used; pressure, RAID, mounts
// and the network have readers of their own, because gopsutil has none, or one
// that takes a missing file for zeros or a short one for a reason to panic.
//
// What a host has many of is bounded, so that its series stay below 150
// whatever it is made of: see the constants max... beside each reader.
package host

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/shirou/gopsutil/v3/common"

	"plimsoll/collectors/snapshot"
)

// job is the name of the one job of this package, as gaps cite it.
const job = "host"

// Options says which machine to read.
type Options struct {
	// Root is the folder that holds the host's proc and sys and its mounted
	// file systems. Empty means /, or what HOST_PROC, HOST_SYS and HOST_ROOT
	// name, as inside a container.
	Root string
}

// Collector reads the figures of the machine. It fills Snapshot.Machine.
type Collector struct {
	proc, sys, root string
	usage           usage
}

// New returns the collector of the machine that o names.
func New(o Options) *Collector {
	c := &Collector{usage: usage{statfs: statfs}}
	if o.Root != "" {
		c.proc, c.sys, c.root = filepath.Join(o.Root, "proc"), filepath.Join(o.Root, "sys"), o.Root
		return c
	}
	c.proc = cmp.Or(os.Getenv("HOST_PROC"), "/proc")
	c.sys = cmp.Or(os.Getenv("HOST_SYS"), "/sys")
	c.root = cmp.Or(os.Getenv("HOST_ROOT"), "/")
	return c
}

// Collect reads everything once. It fails if processors or memory cannot be
// read: a host without them is not understood at all. Anything else that is
// missing is a Gap.
func (c *Collector) Collect(ctx context.Context, into *snapshot.Snapshot) error {
	r := &reading{Collector: c, machine: &snapshot.Machine{}}
	r.machine.Taken = time.Now()
	ctx = context.WithValue(ctx, common.EnvKey, common.EnvMap{
		common.HostProcEnvKey: c.proc, common.HostSysEnvKey: c.sys, common.HostRootEnvKey: c.root,
	})
	if err := r.processors(ctx); err != nil {
		return err
	}
	if err := r.memory(ctx); err != nil {
		return err
	}
	r.pressure()
	r.disks(ctx)
	r.mounts(ctx)
	r.arrays()
	r.links()
	r.tcp()
	into.Machine = r.machine
	return nil
}

// reading is one round.
type reading struct {
	*Collector
	machine *snapshot.Machine
}

func (r *reading) gap(subject, reason, remedy string) {
	r.machine.Gaps = append(r.machine.Gaps, snapshot.Gap{Job: job, Subject: subject, Reason: reason, Remedy: remedy})
}

// keep returns the first most of all. What it leaves out is a Gap.
func keep[T any](r *reading, what string, all []T, most int) []T {
	if len(all) <= most {
		return all
	}
	r.gap("", fmt.Sprintf("%d of %d %s are not read: a host's series are bounded", len(all)-most, len(all), what), "")
	return all[:most]
}

// file reads a file below proc.
func (r *reading) file(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(r.proc, name))
	return string(text), err
}
