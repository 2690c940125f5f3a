package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// hostPage shows what each resource of a host is used for, on the left, and who
// waits for it, on the right (B. Gregg, The USE Method).
func hostPage(l limits) page {
	return page{
		name: "host", title: "Hosts",
		about: "Utilisation and saturation of processors, memory, disks and network, host by host.",
		rows: []row{
			{question: "Is a host short of anything?", panels: shortages(l)},
			{question: "Are processors or memory the limit?", panels: processorPanels()},
			{question: "Are disks the limit?", panels: diskPanels()},
			{question: "Is the network the limit?", panels: networkPanels()},
			{question: "What is full, and what does watching cost?", closed: true, panels: spaceAndCost(l)},
		},
	}
}

const (
	cpuBusy = `1 - sum by (cluster, host) (rate(plimsoll_host_cpu_seconds_total{HOST,mode=~"idle|iowait|steal"}[RATE]))
		/ sum by (cluster, host) (rate(plimsoll_host_cpu_seconds_total{HOST}[RATE]))`
	memoryAvailable = `node_memory_MemAvailable_bytes{HOST} / node_memory_MemTotal_bytes{HOST}`
	spaceUsed       = `1 - node_filesystem_avail_bytes{HOST} / (node_filesystem_size_bytes{HOST} > 0)`
	// spaceLasts is how long space lasts at the pace of the range, at most a
	// year.
	spaceLasts = `clamp_max((node_filesystem_avail_bytes{HOST} and node_filesystem_readonly{HOST} == 0)
		/ clamp_min(-deriv(node_filesystem_avail_bytes{HOST}[RANGE]), 1), 31536000)`
)

// small is a stat in the first line of a page: six of them fill it.
func small(p panel) panel {
	p.kind, p.width, p.height = stat, 4, 4
	return p
}

// half is a graph; two of them fill a line.
func half(p panel) panel {
	if p.kind == "" {
		p.kind = graph
	}
	p.width, p.height = 12, 8
	return p
}

func shortages(l limits) []panel {
	return []panel{
		small(panel{
			name: "cpu-busiest", title: "Busiest host", unit: units.PercentUnit,
			shows:   "The share of its processors' time that the busiest host works.",
			bad:     "Statements queue for a processor from about 0.8 on, and the more of them the longer.",
			act:     "See whether statements or PHP use it, and what the advisor says about them, before you buy cores.",
			queries: []query{{expr: `max(` + cpuBusy + `)`}},
		}),
		small(panel{
			name: "steal-worst", title: "Most time stolen", unit: units.PercentUnit,
			shows:   "The share of processor time that the hypervisor gave to other machines, on the host that lost most.",
			bad:     "Above a few hundredths everything on that host is slower by that much, and no setting helps.",
			act:     "Ask the provider for another machine, or move the host.",
			queries: []query{{expr: `max(sum by (cluster, host) (rate(plimsoll_host_cpu_seconds_total{HOST,mode="steal"}[RATE])) / sum by (cluster, host) (rate(plimsoll_host_cpu_seconds_total{HOST}[RATE])))`}},
		}),
		small(panel{
			name: "memory-least", title: "Least memory available", unit: units.PercentUnit,
			shows:   "The share of memory that programs can still have without swapping, on the host that has least.",
			bad:     "Near zero the kernel swaps, and then kills the largest process, which is the database.",
			act:     "Make the buffer pool or the number of PHP workers smaller, or the host larger.",
			queries: []query{{expr: `min(` + memoryAvailable + `)`}},
		}),
		diskFullIn(l),
		small(panel{
			name: "kills", title: "Killed for memory", unit: units.Short,
			shows:   "Processes that the kernel killed for want of memory in the time range.",
			bad:     "Any is an outage of what was killed.",
			act:     "Read the kernel's log on the host, and give the largest process less memory.",
			limits:  limitSteps{steps: []limitStep{{1, colourBad}}},
			queries: []query{{expr: `sum(increase(node_vmstat_oom_kill{HOST}[RANGE]))`}},
		}),
		small(panel{
			name: "raid", title: "Degraded RAID arrays", unit: units.Short,
			shows:   "Software RAID arrays that lack a member.",
			bad:     "One that lacks a member loses the data with the next disk that fails.",
			act:     "Replace the disk; /proc/mdstat on the host names it.",
			limits:  limitSteps{steps: []limitStep{{1, colourBad}}},
			queries: []query{{expr: `count(node_md_disks{HOST,state="active"} < on (cluster, host, device) node_md_disks_required{HOST}) or 0 * count(plimsoll_host_cpu_cores{HOST})`}},
		}),
	}
}

func diskFullIn(l limits) panel {
	return small(panel{
		name: "full-in", title: "First disk full in", unit: units.DurationSeconds,
		shows:   "How long the space of the file system lasts that is full first, at the pace of the time range; a year stands for no growth.",
		bad:     "A database server stops when its disk is full, and does not always start again.",
		act:     "See which one it is in the table of file systems, and what fills it: binary logs, temporary tables, or growth.",
		limits:  l.below("host/disk-filling"),
		queries: []query{{expr: `min(` + spaceLasts + `)`}},
	})
}

func processorPanels() []panel {
	return []panel{
		half(panel{
			name: "cpu", title: "Processors by what they do", kind: area, unit: units.Short,
			shows: "Processors in use, by what for, summed over the hosts chosen; the line is how many there are.",
			bad:   "Near the line everything waits; much system time points to the kernel, much iowait to disks, any steal to the hypervisor.",
			act:   "Look for the statements behind it on the page of MySQL queries.",
			queries: []query{
				{expr: `sum by (mode) (rate(plimsoll_host_cpu_seconds_total{HOST,mode!="idle"}[RATE]))`, legend: "{{mode}}"},
				{expr: `sum(plimsoll_host_cpu_cores{HOST})`, legend: "processors", colour: colourLimit, line: true},
			},
		}),
		half(panel{
			name: "pressure", title: "Time lost waiting", unit: units.PercentUnit, full: 1,
			shows: "The share of time in which a task had to wait for a processor, memory or a disk (pressure stall information).",
			bad:   "Memory above zero is always bad; processors and disks are when it grows with the load.",
			act:   "The resource with the most pressure is the next limit; a graph without lines needs psi=1 on the kernel's command line.",
			queries: []query{
				{expr: `max by (host) (rate(node_pressure_cpu_waiting_seconds_total{HOST}[RATE]))`, legend: "{{host}} processors"},
				{expr: `max by (host) (rate(node_pressure_memory_waiting_seconds_total{HOST}[RATE]))`, legend: "{{host}} memory"},
				{expr: `max by (host) (rate(node_pressure_io_waiting_seconds_total{HOST}[RATE]))`, legend: "{{host}} disks"},
			},
		}),
		half(panel{
			name: "memory", title: "Memory in use", unit: units.PercentUnit, full: 1,
			shows:   "The share of memory that is in use and cannot be freed at once.",
			bad:     "A line that climbs for days and never falls ends with a killed process.",
			act:     "Compare it with the buffer pool and the number of PHP workers.",
			queries: []query{{expr: `1 - ` + memoryAvailable, legend: "{{host}}"}},
		}),
		half(panel{
			name: "paging", title: "Swapping and major faults", unit: units.BytesPerSecondSI,
			shows: "Memory moved from and to swap, and page faults that had to read from disk.",
			bad:   "Steady swapping in is bad: a page of the buffer pool in swap costs two disk accesses instead of one.",
			act:   "Free memory, and set vm.swappiness to 1 on a database host.",
			queries: []query{
				{expr: `sum by (host) (rate(plimsoll_host_swap_in_bytes_total{HOST}[RATE]))`, legend: "{{host}} in"},
				{expr: `sum by (host) (rate(plimsoll_host_swap_out_bytes_total{HOST}[RATE]))`, legend: "{{host}} out"},
				{expr: `sum by (host) (rate(node_vmstat_pgmajfault{HOST}[RATE]))`, legend: "{{host}} faults", unit: units.CountsPerSecond},
			},
		}),
	}
}

func diskPanels() []panel {
	return []panel{
		half(panel{
			name: "disk-busy", title: "Disk utilisation", unit: units.PercentUnit, full: 1,
			shows:   "The share of time in which a disk had at least one request under way.",
			bad:     "One spindle is at its end at 1; an SSD serves many requests at once and may have room even there.",
			act:     "Read it together with latency: high use is a limit only if requests take longer.",
			queries: []query{{expr: `max by (host, device) (rate(node_disk_io_time_seconds_total{HOST}[RATE]))`, legend: "{{host}} {{device}}"}},
		}),
		half(panel{
			name: "disk-latency", title: "Disk latency", unit: units.Seconds,
			shows: "How long a read and a write take on average, queueing included.",
			bad:   "A commit waits for one write or more, so that writes above a few milliseconds limit every transaction.",
			act:   "Look at the queue; with a short one the device itself is slow, with a long one something asks too much of it.",
			queries: []query{
				{expr: `rate(node_disk_read_time_seconds_total{HOST}[RATE]) / (rate(node_disk_reads_completed_total{HOST}[RATE]) > 0)`, legend: "{{host}} {{device}} read"},
				{expr: `rate(node_disk_write_time_seconds_total{HOST}[RATE]) / (rate(node_disk_writes_completed_total{HOST}[RATE]) > 0)`, legend: "{{host}} {{device}} write"},
			},
		}),
		half(panel{
			name: "disk-queue", title: "Disk queue", unit: units.Short,
			shows:   "How many requests are under way on average.",
			bad:     "A queue that grows while throughput does not is a disk at its limit.",
			act:     "Find the statements that read most rows, or the checkpoint that writes in bursts.",
			queries: []query{{expr: `rate(node_disk_io_time_weighted_seconds_total{HOST}[RATE])`, legend: "{{host}} {{device}}"}},
		}),
		half(panel{
			name: "disk-bytes", title: "Disk throughput", unit: units.BytesPerSecondSI,
			shows: "What disks read and write.",
			bad:   "Reads that are many for the size of the data mean a buffer pool that is too small, or scans.",
			act:   "Compare reads with the buffer pool, and writes with the redo log and the binary log.",
			queries: []query{
				{expr: `sum by (host) (rate(node_disk_read_bytes_total{HOST}[RATE]))`, legend: "{{host}} read", colour: colourDisk},
				{expr: `sum by (host) (rate(node_disk_written_bytes_total{HOST}[RATE]))`, legend: "{{host}} written"},
			},
		}),
	}
}

func networkPanels() []panel {
	return []panel{
		half(panel{
			name: "traffic", title: "Network traffic", unit: units.BytesPerSecondSI,
			shows: "What network cards receive and send.",
			bad:   "Near the card's speed (dashed, where it states one) answers queue in the kernel.",
			act:   "Look for statements that send many rows, and for backups.",
			queries: []query{
				{expr: `rate(node_network_receive_bytes_total{HOST}[RATE])`, legend: "{{host}} {{device}} received"},
				{expr: `rate(node_network_transmit_bytes_total{HOST}[RATE])`, legend: "{{host}} {{device}} sent"},
				{expr: `node_network_speed_bytes{HOST}`, legend: "{{host}} {{device}} speed", colour: colourLimit, line: true},
			},
		}),
		half(panel{
			name: "network-loss", title: "Packets lost", unit: units.CountsPerSecond,
			shows: "Packets with errors, packets dropped, and TCP segments sent again, a second.",
			bad:   "Each lost packet costs a connection 0.2 s or more; any steady rate is felt.",
			act:   "Errors point to a cable or a card, drops to a full ring or a full queue, retransmits to the way in between.",
			queries: []query{
				{expr: `sum by (host) (rate(node_network_receive_errs_total{HOST}[RATE]) + rate(node_network_transmit_errs_total{HOST}[RATE]))`, legend: "{{host}} errors"},
				{expr: `sum by (host) (rate(node_network_receive_drop_total{HOST}[RATE]) + rate(node_network_transmit_drop_total{HOST}[RATE]))`, legend: "{{host}} drops"},
				{expr: `rate(node_netstat_Tcp_RetransSegs{HOST}[RATE])`, legend: "{{host}} retransmits"},
			},
		}),
		half(panel{
			name: "listen", title: "Connections refused by a full queue", unit: units.CountsPerSecond,
			shows: "Connections that found a listen queue full, and all that were dropped in one.",
			bad:   "Any is a visitor or a worker that waited for a second at least, and then tried again.",
			act:   "Raise the queue (net.core.somaxconn and the backlog of the service), and find out why it is not emptied.",
			queries: []query{
				{expr: `rate(node_netstat_TcpExt_ListenOverflows{HOST}[RATE])`, legend: "{{host}} overflows", colour: colourBad},
				{expr: `rate(node_netstat_TcpExt_ListenDrops{HOST}[RATE])`, legend: "{{host}} drops"},
			},
		}),
		half(panel{
			name: "connections", title: "TCP connections", unit: units.Short,
			shows:   "TCP connections that are established.",
			bad:     "A number that climbs without more visitors means connections that nobody closes.",
			act:     "Compare it with the connections of the database and with the number of PHP workers.",
			queries: []query{{expr: `node_netstat_Tcp_CurrEstab{HOST}`, legend: "{{host}}", colour: colourNetwork}},
		}),
	}
}

func spaceAndCost(l limits) []panel {
	return []panel{
		fileSystems(l),
		half(panel{
			name: "jobs", title: "Time spent watching", unit: units.PercentUnit,
			shows:   "The share of time in which each of the agent's jobs was at work, most of it waiting for what it asked.",
			bad:     "Above a hundredth a job asks too much of a server that is already slow.",
			act:     "Give the job a longer interval in agent.yml.",
			queries: []query{{expr: `topk(10, sum by (host, job, server) (rate(plimsoll_job_wall_seconds_total{HOST}[RATE])))`, legend: "{{host}} {{job}} {{server}}"}},
		}),
		half(panel{
			name: "gaps", title: "What cannot be seen", unit: units.Short,
			shows: "Facts that an agent cannot read now, and jobs of it that failed as a whole in the last minutes.",
			bad:   "A rule that needs one of them is silent, which is not the same as content.",
			act:   "The report names each with the grant or the setting that it lacks.",
			queries: []query{
				{expr: `plimsoll_agent_gaps{HOST}`, legend: "{{host}} gaps"},
				{expr: `sum by (host) (increase(plimsoll_job_failures_total{HOST}[RATE]))`, legend: "{{host}} failures", colour: colourBad},
			},
		}),
	}
}

func fileSystems(l limits) panel {
	return panel{
		name: "space", title: "File systems", kind: table, width: 24, height: 10, unit: units.Short,
		shows:   "Every file system that holds data, with its space and its inodes.",
		bad:     "The space in use decides, or the inodes where it holds many small files, such as sessions.",
		act:     "Free or add space before it is full; one that is read-only had an error, which the kernel's log names.",
		columns: []column{{label: "host", title: "Host"}, {label: "mountpoint", title: "Mounted on"}, {label: "fstype", title: "Type"}},
		sortBy:  "Used",
		queries: []query{
			{expr: byMount(spaceUsed), legend: "Used", unit: units.PercentUnit},
			{expr: byMount(spaceLasts), legend: "Full in", unit: units.DurationSeconds, limits: l.below("host/disk-filling")},
			{expr: byMount(`node_filesystem_avail_bytes{HOST}`), legend: "Available", unit: units.BytesSI},
			{expr: byMount(`node_filesystem_size_bytes{HOST}`), legend: "Size", unit: units.BytesSI},
			{expr: byMount(`1 - node_filesystem_files_free{HOST} / (node_filesystem_files{HOST} > 0)`), legend: "Inodes used", unit: units.PercentUnit},
			{expr: byMount(`node_filesystem_readonly{HOST}`), legend: "Read-only", unit: units.BoolYesNo},
		},
	}
}

func byMount(expr string) string { return `max by (host, mountpoint, fstype) (` + expr + `)` }
