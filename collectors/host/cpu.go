package host

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// processors reads the time of the processors, their number, the load and the
// boot. Totals of a host restart with a boot, so its identifier is the epoch.
func (r *reading) processors(ctx context.Context) error {
	total, err := cpu.TimesWithContext(ctx, false)
	if err == nil && len(total) == 0 {
		err = errors.New("no line of processor times") // gopsutil drops the error of an unreadable file.
	}
	if err != nil {
		return fmt.Errorf("read processor times from %s/stat: %w", r.proc, err)
	}
	r.machine.CPU = cpuTime(total[0])

	each, err := cpu.TimesWithContext(ctx, true)
	if err == nil && len(each) == 0 {
		err = errors.New("no line for a processor")
	}
	if err != nil {
		return fmt.Errorf("count processors in %s/stat: %w", r.proc, err)
	}
	r.machine.Cores = len(each)

	text, err := r.file("loadavg")
	if err != nil {
		return fmt.Errorf("read load average: %w", err)
	}
	// gopsutil's reader asks the running kernel instead of another proc, and
	// panics on an empty file.
	if _, err := fmt.Sscan(text, &r.machine.Load1); err != nil {
		return fmt.Errorf("read load average from %s/loadavg: %w", r.proc, err)
	}
	return r.boot()
}

// cpuTime leaves Guest out: the kernel counts it in User, and GuestNice in Nice.
func cpuTime(t cpu.TimesStat) snapshot.CPUTime {
	return snapshot.CPUTime{
		User: t.User, Nice: t.Nice, System: t.System, Idle: t.Idle,
		IOWait: t.Iowait, IRQ: t.Irq, SoftIRQ: t.Softirq, Steal: t.Steal,
	}
}

func (r *reading) boot() error {
	stat, err := r.file("stat")
	if err != nil {
		return fmt.Errorf("read boot time: %w", err)
	}
	seconds, err := parseBootTime(stat)
	if err != nil {
		return fmt.Errorf("read boot time from %s/stat: %w", r.proc, err)
	}
	r.machine.BootTime = time.Unix(seconds, 0).UTC()

	// The boot time moves by a second when the clock is set; the identifier
	// does not.
	r.machine.Epoch = strconv.FormatInt(seconds, 10)
	if id, err := r.file("sys/kernel/random/boot_id"); err == nil {
		r.machine.Epoch = collectors.Printable(strings.TrimSpace(id))
	}
	return nil
}

func parseBootTime(stat string) (int64, error) {
	for line := range strings.Lines(stat) {
		if value, ok := strings.CutPrefix(line, "btime "); ok {
			return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, errors.New("no line btime")
}
