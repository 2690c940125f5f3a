package metric

import "plimsoll/collectors/snapshot"

func diskMetrics() []Metric {
	disk := func(name, unit, help string, read func(d *snapshot.Disk) float64) Metric {
		return host(name, Counter, unit, help, "/proc/diskstats", []string{"device"},
			func(m *snapshot.Machine, emit Emit) {
				for _, d := range m.Disks {
					emit(read(&d), d.Device)
				}
			})
	}
	return []Metric{
		disk("node_disk_reads_completed_total", "", "Reads that a disk completed.",
			func(d *snapshot.Disk) float64 { return float64(d.Reads) }),
		disk("node_disk_writes_completed_total", "", "Writes that a disk completed.",
			func(d *snapshot.Disk) float64 { return float64(d.Writes) }),
		disk("node_disk_read_bytes_total", "bytes", "Bytes read from a disk.",
			func(d *snapshot.Disk) float64 { return float64(d.ReadBytes) }),
		disk("node_disk_written_bytes_total", "bytes", "Bytes written to a disk.",
			func(d *snapshot.Disk) float64 { return float64(d.WriteBytes) }),
		disk("node_disk_read_time_seconds_total", "seconds", "Time that reads took, summed over reads.",
			func(d *snapshot.Disk) float64 { return d.ReadSeconds }),
		disk("node_disk_write_time_seconds_total", "seconds", "Time that writes took, summed over writes.",
			func(d *snapshot.Disk) float64 { return d.WriteSeconds }),
		disk("node_disk_io_time_seconds_total", "seconds", "Time with at least one request under way: its rate is the utilisation.",
			func(d *snapshot.Disk) float64 { return d.BusySeconds }),
		disk("node_disk_io_time_weighted_seconds_total", "seconds", "Time weighted by requests under way: its rate is the mean queue.",
			func(d *snapshot.Disk) float64 { return d.QueueSeconds }),
	}
}

func mountMetrics() []Metric {
	mount := func(name, unit, help, source string, read func(d *snapshot.Mount) *uint64) Metric {
		return host(name, Gauge, unit, help, source, []string{"device", "mountpoint", "fstype"},
			func(m *snapshot.Machine, emit Emit) {
				for _, d := range m.Mounts {
					emitKnown(emit, read(&d), d.Device, d.Path, d.Type)
				}
			})
	}
	return []Metric{
		mount("node_filesystem_size_bytes", "bytes", "Size of a file system.", "statfs",
			func(d *snapshot.Mount) *uint64 { return d.SizeBytes }),
		mount("node_filesystem_avail_bytes", "bytes", "Space that users other than root can fill.", "statfs",
			func(d *snapshot.Mount) *uint64 { return d.AvailableBytes }),
		mount("node_filesystem_files", "", "Inodes of a file system.", "statfs",
			func(d *snapshot.Mount) *uint64 { return d.Inodes }),
		mount("node_filesystem_files_free", "", "Inodes that are free.", "statfs",
			func(d *snapshot.Mount) *uint64 { return d.InodesFree }),
		mount("node_filesystem_readonly", "", "1 if a file system is mounted read-only.", "/proc/1/mountinfo",
			func(d *snapshot.Mount) *uint64 { return flag(d.ReadOnly) }),
	}
}

func arrayMetrics() []Metric {
	return []Metric{
		host("node_md_disks", Gauge, "", "Active members of a software RAID.", "/proc/mdstat",
			[]string{"device", "state"}, func(m *snapshot.Machine, emit Emit) {
				for _, a := range m.Arrays {
					emit(float64(a.Active), a.Name, "active")
				}
			}),
		host("node_md_disks_required", Gauge, "", "Members that a software RAID needs to be whole.", "/proc/mdstat",
			[]string{"device"}, func(m *snapshot.Machine, emit Emit) {
				for _, a := range m.Arrays {
					emit(float64(a.Wanted), a.Name)
				}
			}),
	}
}

func linkMetrics() []Metric {
	link := func(name string, kind Type, unit, help, source string, read func(l *snapshot.Link) *uint64) Metric {
		return host(name, kind, unit, help, source, []string{"device"},
			func(m *snapshot.Machine, emit Emit) {
				for _, l := range m.Links {
					emitKnown(emit, read(&l), l.Name)
				}
			})
	}
	total := func(name, unit, help string, read func(l *snapshot.Link) *uint64) Metric {
		return link(name, Counter, unit, help, "/proc/net/dev", read)
	}
	return []Metric{
		total("node_network_receive_bytes_total", "bytes", "Bytes that a network card received.",
			func(l *snapshot.Link) *uint64 { return &l.ReceivedBytes }),
		total("node_network_transmit_bytes_total", "bytes", "Bytes that a network card sent.",
			func(l *snapshot.Link) *uint64 { return &l.SentBytes }),
		total("node_network_receive_errs_total", "", "Packets received with an error.",
			func(l *snapshot.Link) *uint64 { return &l.ReceiveErrors }),
		total("node_network_receive_drop_total", "", "Received packets that were dropped.",
			func(l *snapshot.Link) *uint64 { return &l.ReceiveDrops }),
		total("node_network_transmit_errs_total", "", "Packets that could not be sent.",
			func(l *snapshot.Link) *uint64 { return &l.TransmitErrors }),
		total("node_network_transmit_drop_total", "", "Packets that were dropped before they were sent.",
			func(l *snapshot.Link) *uint64 { return &l.TransmitDrops }),
		link("node_network_speed_bytes", Gauge, "bytes", "What a network card can carry in a second.", "/sys/class/net/*/speed",
			func(l *snapshot.Link) *uint64 { return l.SpeedBytesSecond }),
	}
}

func tcpMetrics() []Metric {
	tcp := func(name string, kind Type, help, source string, read func(t *snapshot.TCP) *uint64) Metric {
		return host(name, kind, "", help, source, nil, func(m *snapshot.Machine, emit Emit) {
			if m.TCP != nil {
				emitKnown(emit, read(m.TCP))
			}
		})
	}
	return []Metric{
		tcp("node_netstat_Tcp_OutSegs", Counter, "TCP segments sent.", "/proc/net/snmp",
			func(t *snapshot.TCP) *uint64 { return &t.SegmentsSent }),
		tcp("node_netstat_Tcp_RetransSegs", Counter, "TCP segments sent again.", "/proc/net/snmp",
			func(t *snapshot.TCP) *uint64 { return &t.SegmentsRetrans }),
		tcp("node_netstat_Tcp_CurrEstab", Gauge, "TCP connections that are established.", "/proc/net/snmp",
			func(t *snapshot.TCP) *uint64 { return &t.EstablishedNow }),
		tcp("node_netstat_TcpExt_ListenOverflows", Counter, "Connections refused because a listen queue was full.", "/proc/net/netstat",
			func(t *snapshot.TCP) *uint64 { return t.ListenOverflows }),
		tcp("node_netstat_TcpExt_ListenDrops", Counter, "Connections dropped while they waited in a listen queue, overflows included.", "/proc/net/netstat",
			func(t *snapshot.TCP) *uint64 { return t.ListenDrops }),
	}
}

// flag is 1 for true.
func flag(b bool) *uint64 {
	var n uint64
	if b {
		n = 1
	}
	return &n
}
