package host

import (
	"cmp"
	"context"
	"regexp"
	"slices"

	"github.com/shirou/gopsutil/v3/disk"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// maxDisks bounds the disks of a host. Those with the most traffic since boot
// are kept.
const maxDisks = 6

// virtualDisk matches devices that are memory, or a file on another device.
var virtualDisk = regexp.MustCompile(`^(z?ram|loop|fd|sr|nbd)\d+$`)

// partition matches a partition, and captures the disk that it lies on.
var partition = regexp.MustCompile(`^(?:([a-z]+)\d+|((?:nvme\d+n|mmcblk|md_?[a-z]*)\d+)p\d+)$`)

// disks reads /proc/diskstats. gopsutil leaves out devices that never did
// anything.
func (r *reading) disks(ctx context.Context) {
	counters, err := disk.IOCountersWithContext(ctx)
	if err != nil {
		r.gap("", "disks are unknown: "+err.Error(), "")
		return
	}
	disks := []snapshot.Disk{}
	for name, c := range counters {
		if isDisk(name, counters) && countsTime(c) {
			disks = append(disks, toDisk(c))
		}
	}
	slices.SortFunc(disks, func(a, b snapshot.Disk) int {
		return cmp.Or(cmp.Compare(b.ReadBytes+b.WriteBytes, a.ReadBytes+a.WriteBytes), cmp.Compare(a.Device, b.Device))
	})
	r.machine.Disks = keep(r, "disks", disks, maxDisks)
}

// isDisk says whether name is a device of its own. A partition is one only
// where its disk is not listed, as on some virtual machines.
func isDisk(name string, all map[string]disk.IOCountersStat) bool {
	if virtualDisk.MatchString(name) {
		return false
	}
	m := partition.FindStringSubmatch(name)
	if m == nil {
		return true
	}
	_, listed := all[m[1]+m[2]]
	return !listed
}

// countsTime is false for a device that completed requests in no time at all,
// as a software RAID did before Linux 5.14: zero would read as an idle disk.
func countsTime(c disk.IOCountersStat) bool {
	return c.IoTime > 0 || c.ReadCount+c.WriteCount == 0
}

// toDisk turns the kernel's milliseconds into seconds.
func toDisk(c disk.IOCountersStat) snapshot.Disk {
	return snapshot.Disk{
		Device: collectors.Printable(c.Name),
		Reads:  c.ReadCount, Writes: c.WriteCount,
		ReadBytes: c.ReadBytes, WriteBytes: c.WriteBytes,
		ReadSeconds: float64(c.ReadTime) / 1000, WriteSeconds: float64(c.WriteTime) / 1000,
		BusySeconds: float64(c.IoTime) / 1000, QueueSeconds: float64(c.WeightedIO) / 1000,
	}
}
