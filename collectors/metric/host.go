package metric

import (
	"slices"

	"plimsoll/collectors/snapshot"
)

// hostMetrics are the series of the machine. They have node_exporter's names
// where they have its meaning. Where ours is another (processor time summed
// over cores, swapping in bytes) the name is ours.
func hostMetrics() []Metric {
	return slices.Concat(processorMetrics(), memoryMetrics(), pressureMetrics(),
		diskMetrics(), mountMetrics(), arrayMetrics(), linkMetrics(), tcpMetrics())
}

// host makes a row of job host.
func host(name string, kind Type, unit, help, source string, labels []string, read func(*snapshot.Machine, Emit)) Metric {
	return Metric{
		Name: name, Type: kind, Unit: unit, Help: help, Source: source, Job: "host", Labels: labels,
		Read: func(s *snapshot.Snapshot, emit Emit) {
			if s.Machine != nil {
				read(s.Machine, emit)
			}
		},
	}
}

func processorMetrics() []Metric {
	return []Metric{
		host("plimsoll_host_cpu_seconds_total", Counter, "seconds",
			"Processor time by mode, summed over cores.", "/proc/stat", []string{"mode"}, emitCPU),
		host("plimsoll_host_cpu_cores", Gauge, "",
			"Logical processors that are online.", "/proc/stat", nil,
			func(m *snapshot.Machine, emit Emit) { emit(float64(m.Cores)) }),
		host("node_load1", Gauge, "",
			"Tasks running or waiting for a processor or a disk, averaged over a minute.", "/proc/loadavg", nil,
			func(m *snapshot.Machine, emit Emit) { emit(m.Load1) }),
		host("node_boot_time_seconds", Gauge, "seconds",
			"When the host booted, as Unix time.", "/proc/stat btime", nil,
			func(m *snapshot.Machine, emit Emit) { emit(float64(m.BootTime.Unix())) }),
	}
}

func emitCPU(m *snapshot.Machine, emit Emit) {
	emit(m.CPU.User, "user")
	emit(m.CPU.Nice, "nice")
	emit(m.CPU.System, "system")
	emit(m.CPU.Idle, "idle")
	emit(m.CPU.IOWait, "iowait")
	emit(m.CPU.IRQ, "irq")
	emit(m.CPU.SoftIRQ, "softirq")
	emit(m.CPU.Steal, "steal")
}

func memoryMetrics() []Metric {
	size := func(name, help, source string, read func(m *snapshot.Memory) uint64) Metric {
		return host(name, Gauge, "bytes", help, "/proc/meminfo "+source, nil,
			func(m *snapshot.Machine, emit Emit) { emit(float64(read(&m.Memory))) })
	}
	total := func(name, unit, help, source string, read func(m *snapshot.Memory) *uint64) Metric {
		return host(name, Counter, unit, help, "/proc/vmstat "+source, nil,
			func(m *snapshot.Machine, emit Emit) { emitKnown(emit, read(&m.Memory)) })
	}
	return []Metric{
		size("node_memory_MemTotal_bytes", "Memory that the kernel manages.", "MemTotal",
			func(m *snapshot.Memory) uint64 { return m.TotalBytes }),
		size("node_memory_MemAvailable_bytes", "Memory that programs can have without swapping.", "MemAvailable",
			func(m *snapshot.Memory) uint64 { return m.AvailableBytes }),
		size("node_memory_SwapTotal_bytes", "Size of the swap space.", "SwapTotal",
			func(m *snapshot.Memory) uint64 { return m.SwapTotalBytes }),
		size("node_memory_SwapFree_bytes", "Swap space that is free.", "SwapFree",
			func(m *snapshot.Memory) uint64 { return m.SwapFreeBytes }),
		total("plimsoll_host_swap_in_bytes_total", "bytes", "Memory read back from swap.", "pswpin",
			func(m *snapshot.Memory) *uint64 { return m.SwapInBytes }),
		total("plimsoll_host_swap_out_bytes_total", "bytes", "Memory written to swap.", "pswpout",
			func(m *snapshot.Memory) *uint64 { return m.SwapOutBytes }),
		total("node_vmstat_pgmajfault", "", "Page faults that had to read from disk.", "pgmajfault",
			func(m *snapshot.Memory) *uint64 { return m.MajorFaults }),
		total("node_vmstat_oom_kill", "", "Processes that the kernel killed for want of memory.", "oom_kill",
			func(m *snapshot.Memory) *uint64 { return m.OOMKills }),
	}
}

func pressureMetrics() []Metric {
	stall := func(name, help, source string, read func(p *snapshot.Pressure) *float64) Metric {
		return host(name, Counter, "seconds", help, "/proc/pressure/"+source, nil,
			func(m *snapshot.Machine, emit Emit) {
				if v := read(&m.Pressure); v != nil {
					emit(*v)
				}
			})
	}
	return []Metric{
		stall("node_pressure_cpu_waiting_seconds_total", "Time in which a task waited for a processor.", "cpu some",
			func(p *snapshot.Pressure) *float64 { return p.CPUSome }),
		stall("node_pressure_memory_waiting_seconds_total", "Time in which a task waited for memory.", "memory some",
			func(p *snapshot.Pressure) *float64 { return p.MemorySome }),
		stall("node_pressure_memory_stalled_seconds_total", "Time in which every task waited for memory.", "memory full",
			func(p *snapshot.Pressure) *float64 { return p.MemoryFull }),
		stall("node_pressure_io_waiting_seconds_total", "Time in which a task waited for a disk.", "io some",
			func(p *snapshot.Pressure) *float64 { return p.IOSome }),
		stall("node_pressure_io_stalled_seconds_total", "Time in which every task waited for a disk.", "io full",
			func(p *snapshot.Pressure) *float64 { return p.IOFull }),
	}
}

// emitKnown emits nothing for a figure that is unknown.
func emitKnown(emit Emit, v *uint64, labels ...string) {
	if v != nil {
		emit(float64(*v), labels...)
	}
}
