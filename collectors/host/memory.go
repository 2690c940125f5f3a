package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/mem"

	"plimsoll/collectors/snapshot"
)

// memory reads what is there and what is used up. Swap's size is taken from
// meminfo too: gopsutil's own call for swap asks the running kernel even when
// it was told to read another proc.
func (r *reading) memory(ctx context.Context) error {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err == nil && m.Total == 0 {
		err = errors.New("no line MemTotal") // gopsutil drops the error of an unreadable file.
	}
	if err != nil {
		return fmt.Errorf("read memory from %s/meminfo: %w", r.proc, err)
	}
	r.machine.Memory = snapshot.Memory{
		TotalBytes: m.Total, AvailableBytes: m.Available,
		SwapTotalBytes: m.SwapTotal, SwapFreeBytes: m.SwapFree,
	}
	r.paging()
	return nil
}

// paging reads the totals of /proc/vmstat. The counter of kills came with
// Linux 4.13.
func (r *reading) paging() {
	text, err := r.file("vmstat")
	if err != nil {
		r.gap("", "swapping, major faults and out-of-memory kills are unknown: "+err.Error(), "")
		return
	}
	totals, page := parsePairs(text), uint64(os.Getpagesize())
	m := &r.machine.Memory
	m.SwapInBytes, m.SwapOutBytes = times(totals["pswpin"], page), times(totals["pswpout"], page)
	m.MajorFaults, m.OOMKills = totals["pgmajfault"], totals["oom_kill"]
	if m.OOMKills == nil {
		r.gap("", "the kernel does not count out-of-memory kills", "use Linux 4.13 or newer")
	}
	if m.SwapInBytes == nil || m.SwapOutBytes == nil || m.MajorFaults == nil {
		r.gap("", "the kernel does not count swapping or major faults in /proc/vmstat", "")
	}
}

// parsePairs reads lines of a name and a number. Other lines are skipped.
func parsePairs(text string) map[string]*uint64 {
	pairs := map[string]*uint64{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseUint(value, 10, 64); err == nil {
			pairs[name] = &n
		}
	}
	return pairs
}

func times(n *uint64, factor uint64) *uint64 {
	if n == nil {
		return nil
	}
	product := *n * factor
	return &product
}
