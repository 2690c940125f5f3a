package snapshot

import "time"

// Machine holds the figures of the host itself. Sources are /proc and /sys.
type Machine struct {
	Meta
	BootTime time.Time `json:"boot_time"`
	// Cores is the number of logical processors that are online.
	Cores int `json:"cores"`
	// CPU is the processor time since boot, over all cores.
	CPU CPUTime `json:"cpu"`
	// Load1 is the one-minute load average.
	Load1    float64  `json:"load1"`
	Memory   Memory   `json:"memory"`
	Pressure Pressure `json:"pressure"`
	Disks    []Disk   `json:"disks,omitempty"`
	Mounts   []Mount  `json:"mounts,omitempty"`
	Arrays   []Array  `json:"arrays,omitempty"`
	Links    []Link   `json:"links,omitempty"`
	// TCP is nil where the kernel does not show it.
	TCP *TCP `json:"tcp,omitempty"`
}

// CPUTime is processor time in seconds by mode, since boot. Guest time is part
// of User. Source: /proc/stat.
type CPUTime struct {
	User    float64 `json:"user"`
	Nice    float64 `json:"nice"`
	System  float64 `json:"system"`
	Idle    float64 `json:"idle"`
	IOWait  float64 `json:"iowait"`
	IRQ     float64 `json:"irq"`
	SoftIRQ float64 `json:"softirq"`
	// Steal is time that the hypervisor gave to others.
	Steal float64 `json:"steal"`
}

// Memory is in bytes. Source: /proc/meminfo and /proc/vmstat.
type Memory struct {
	TotalBytes     uint64 `json:"total_bytes"`
	AvailableBytes uint64 `json:"available_bytes"`
	SwapTotalBytes uint64 `json:"swap_total_bytes"`
	SwapFreeBytes  uint64 `json:"swap_free_bytes"`
	// SwapInBytes, SwapOutBytes, MajorFaults and OOMKills are totals since
	// boot; nil where the kernel does not count them.
	SwapInBytes  *uint64 `json:"swap_in_bytes,omitempty"`
	SwapOutBytes *uint64 `json:"swap_out_bytes,omitempty"`
	MajorFaults  *uint64 `json:"major_faults,omitempty"`
	OOMKills     *uint64 `json:"oom_kills,omitempty"`
}

// Pressure is the time in seconds, since boot, in which some or all tasks
// waited for a resource. A nil field means that the kernel has no PSI.
type Pressure struct {
	CPUSome    *float64 `json:"cpu_some,omitempty"`
	MemorySome *float64 `json:"memory_some,omitempty"`
	MemoryFull *float64 `json:"memory_full,omitempty"`
	IOSome     *float64 `json:"io_some,omitempty"`
	IOFull     *float64 `json:"io_full,omitempty"`
}

// Disk is one block device; totals since boot. A device whose time the kernel
// does not count (a software RAID before Linux 5.14) is left out: its members
// are there. Source: /proc/diskstats.
type Disk struct {
	Device     string `json:"device"`
	Reads      uint64 `json:"reads"`
	Writes     uint64 `json:"writes"`
	ReadBytes  uint64 `json:"read_bytes"`
	WriteBytes uint64 `json:"write_bytes"`
	// ReadSeconds and WriteSeconds are summed over requests: divided by the
	// number of requests they are the mean latency.
	ReadSeconds  float64 `json:"read_seconds"`
	WriteSeconds float64 `json:"write_seconds"`
	// BusySeconds is the time with at least one request under way: its rate is
	// the utilisation, 0..1.
	BusySeconds float64 `json:"busy_seconds"`
	// QueueSeconds is the time weighted by the requests under way: its rate is
	// the mean queue length.
	QueueSeconds float64 `json:"queue_seconds"`
}

// Mount is one mounted file system that holds data.
type Mount struct {
	Path   string `json:"path"`
	Device string `json:"device"`
	// Type is the file system's, such as ext4 or nfs4.
	Type     string `json:"type"`
	ReadOnly bool   `json:"read_only"`
	// SizeBytes, AvailableBytes (for users that are not root) and the inodes
	// are nil where the file system did not answer in time.
	SizeBytes      *uint64 `json:"size_bytes,omitempty"`
	AvailableBytes *uint64 `json:"available_bytes,omitempty"`
	Inodes         *uint64 `json:"inodes,omitempty"`
	InodesFree     *uint64 `json:"inodes_free,omitempty"`
}

// Array is a Linux software RAID. Source: /proc/mdstat.
type Array struct {
	Name  string `json:"name"`
	Level string `json:"level"`
	// Wanted and Active count member devices; fewer active than wanted is a
	// degraded array, none active one that is not started.
	Wanted int `json:"wanted"`
	Active int `json:"active"`
	// Recovering is true while a rebuild runs or waits for its turn.
	Recovering bool `json:"recovering"`
}

// Link is one network card; totals since boot. Source: /proc/net/dev of the
// agent's network namespace, and /sys/class/net.
type Link struct {
	Name           string `json:"name"`
	ReceivedBytes  uint64 `json:"received_bytes"`
	SentBytes      uint64 `json:"sent_bytes"`
	ReceiveErrors  uint64 `json:"receive_errors"`
	ReceiveDrops   uint64 `json:"receive_drops"`
	TransmitErrors uint64 `json:"transmit_errors"`
	TransmitDrops  uint64 `json:"transmit_drops"`
	// SpeedBytesSecond is what the card can carry in one direction. It is nil
	// where the card does not say, as most virtual ones.
	SpeedBytesSecond *uint64 `json:"speed_bytes_second,omitempty"`
}

// TCP holds totals since boot. Source: /proc/net/snmp and /proc/net/netstat.
type TCP struct {
	SegmentsSent    uint64  `json:"segments_sent"`
	SegmentsRetrans uint64  `json:"segments_retransmitted"`
	ListenOverflows *uint64 `json:"listen_overflows,omitempty"`
	ListenDrops     *uint64 `json:"listen_drops,omitempty"`
	EstablishedNow  uint64  `json:"established_now"`
}
