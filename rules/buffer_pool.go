package rules

import (
	"fmt"
	"math"
	"time"

	"plimsoll/rules/fleet"
)

const (
	// poolHostShare is how much of a host's memory the buffer pool may take in
	// advice: sessions, the file cache and the rest need theirs.
	poolHostShare = 0.7
	// poolWaitShare is the share of statement time that waiting for pages must
	// be: reads that the file cache answers cost next to nothing.
	poolWaitShare = 0.05
	// poolWarm is how long a server reads what its pool lost at the restart.
	poolWarm = time.Hour
)

// bufferPool finds servers that wait for disks to read what would fit into memory.
func bufferPool() Rule {
	return Rule{
		ID: "mysql/buffer-pool", Title: "The buffer pool is smaller than the working set",
		Phase: Capacity, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/status", "mysql/settings", "mysql/digests", "host"},
		Threshold: Threshold{
			Value: 100, Unit: PerSecond,
			Source: "default of this rule: a hundred reads a second keep one spinning disk busy",
		},
		Check: func(c Case) Result {
			return each(c.Fleet.Servers, func(s *fleet.Server) (*Finding, *NotReady) { return bufferPoolOn(c, s) })
		},
	}
}

func bufferPoolOn(c Case, s *fleet.Server) (*Finding, *NotReady) {
	about := aboutServer(s)
	if n := c.unready(about, s, "mysql/status", s.Status.Seen()); n != nil {
		return nil, n
	}
	reads, known := s.Status.Rate("innodb_buffer_pool_reads")
	if !known {
		return nil, c.unknown(about, s, "mysql/status", "reads from disk are not known")
	}
	if reads < c.Rule.Threshold.Value {
		return nil, nil
	}
	if warm := startedAt(s).Add(poolWarm); c.Fleet.Now.Before(warm) {
		return nil, &NotReady{Subject: about, Reason: "the server was started within the hour, and still reads what its pool lost", ReadyAt: warm}
	}
	p, n := c.poolReads(s, reads)
	if n != nil || p.share < poolWaitShare {
		return nil, n
	}
	if cure := c.missingIndexOn(s); cure != nil {
		return nil, &NotReady{Subject: about, Reason: "an index is missing that may be why it reads so much: add it first (finding " + cure.Fingerprint + ")"}
	}
	f := bufferPoolFinding(c, s, p)
	return &f, nil
}

func startedAt(s *fleet.Server) time.Time {
	if s.Latest.Status == nil {
		return time.Time{}
	}
	return s.Latest.Status.Taken.Add(-time.Duration(s.Latest.Status.UptimeSeconds * float64(time.Second)))
}

// poolReads is what a server's reading costs, and what room there is.
type poolReads struct {
	// reads a second, of which the disk served some; the file cache the others.
	reads, fromDisk float64
	// latency is the mean of the disk, in seconds; share the waiting for it, of
	// all statement time.
	latency, share float64
	size, room     float64
}

// poolReads returns what reading costs, or why that cannot be told.
func (c Case) poolReads(s *fleet.Server, reads float64) (poolReads, *NotReady) {
	about := aboutServer(s)
	if n := c.unready(about, s, "mysql/digests", s.Digests.Seen()); n != nil {
		return poolReads{}, n
	}
	size, known := numberSetting(s, "innodb_buffer_pool_size")
	if !known || size <= 0 {
		return poolReads{}, c.unknown(about, s, "mysql/settings", "innodb_buffer_pool_size is not known")
	}
	disk := dataDisk(s)
	if disk == nil || s.Machine.Latest == nil {
		return poolReads{}, &NotReady{Subject: about, Reason: "the disk that holds its data, and how long that takes to read, is not known"}
	}
	p := poolReads{reads: reads, fromDisk: min(reads, disk.ReadsPerSecond), size: size, room: poolRoom(s, size)}
	if disk.ReadLatency != nil {
		p.latency = *disk.ReadLatency
	}
	if load, known := statementLoad(s); known {
		p.share = min(p.fromDisk*p.latency/load, 1)
	}
	return p, nil
}

// poolRoom is how large the pool may become: today's size and nine tenths of the
// memory that is free, but not more than a share of the host's.
func poolRoom(s *fleet.Server, size float64) float64 {
	m := s.Machine.Latest.Memory
	return min(size+0.9*float64(m.AvailableBytes), poolHostShare*float64(m.TotalBytes))
}

func bufferPoolFinding(c Case, s *fleet.Server, p poolReads) Finding {
	w := s.Status.Window
	f := Found(c.Rule, aboutServer(s), c.evidence("pages that were not in the pool", p.reads, "Innodb_buffer_pool_reads", w),
		Evidence{What: "of them read by the disk, at most", Value: p.fromDisk, Unit: PerSecond, Source: "/proc/diskstats", Window: s.Machine.Machine.Window},
		Evidence{What: "mean time of a read", Value: p.latency, Unit: Seconds, Source: "/proc/diskstats", Window: s.Machine.Machine.Window},
		Evidence{What: "waiting for it, of all statement time", Value: p.share, Unit: Ratio, Source: "reads by their time, digests", Window: w}.
			against(poolWaitShare, "default of this rule: below, faster reads change nothing that a visitor feels"),
		Evidence{What: "innodb_buffer_pool_size", Value: p.size, Unit: Bytes, Source: "innodb_buffer_pool_size", Window: w})
	if requests, known := s.Status.Rate("innodb_buffer_pool_read_requests"); known && requests > 0 {
		f.Evidence = append(f.Evidence, Evidence{
			What: "hit ratio", Value: max(1-p.reads/requests, 0), Unit: Ratio, Source: "1 - Innodb_buffer_pool_reads / Innodb_buffer_pool_read_requests", Window: w,
		})
	}
	if waits, known := s.Status.Rate("innodb_buffer_pool_wait_free"); known && waits > 0 {
		f.Evidence = append(f.Evidence, Evidence{
			What: "waits for a free page", Value: waits, Unit: PerSecond, Source: "Innodb_buffer_pool_wait_free", Window: w,
		})
	}
	load, _ := statementLoad(s)
	f.Gain.WorkerSeconds = Between(0, p.fromDisk*p.latency)
	f.Severity = severityOf(f.Gain.WorkerSeconds, load)
	f.Confidence = c.confidence(0.6, w, "the working set is known only once it fits")
	f.Summary = fmt.Sprintf("%s reads %s pages from disk with a buffer pool of %s, and waits for them in %s of its statements' time.",
		called(s), Words(p.fromDisk, PerSecond), Words(p.size, Bytes), Words(p.share, Ratio))
	f.Effort = Minutes
	f.remedyPool(s, p)
	f.Risks = []string{"A host that swaps is slower than one that reads from disk: leave memory for sessions and programs."}
	f.Verify = Verify{What: "pages that were not in the pool", Expect: "below " + Words(c.Rule.Threshold.Value, PerSecond), After: "an hour of warming up"}
	return f
}

// growsOnline reports whether the pool can become larger than it was at the start:
// MariaDB 11.8 cuts what goes beyond innodb_buffer_pool_size_max, which is the
// size at the start unless it was set (MDEV-29445); 10.11.18 has 8 TiB there.
func growsOnline(s *fleet.Server) bool { return mysqlFamily(s) || !atLeast(s, 11, 7, 0) }

// remedyPool doubles the pool, or takes what room there is, in steps of 128 MiB:
// the unit in which servers resize.
func (f *Finding) remedyPool(s *fleet.Server, p poolReads) {
	const chunk = 128 << 20
	target := math.Floor(min(2*p.size, p.room)/chunk) * chunk
	if target <= p.size*1.1 {
		f.Effort = Days
		f.Remedy = []Step{{Kind: Advice, Text: "The host has no memory left for a larger pool: give it more, or move the largest cold tables elsewhere."}}
		return
	}
	const name, note = "innodb_buffer_pool_size", "Then look again: it may want to be doubled once more."
	value, old := fmt.Sprintf("%.0f", target), fmt.Sprintf("%.0f", p.size)
	if growsOnline(s) {
		f.Remedy, f.Rollback = setVariable(s, name, value, "Online. "+note), undoVariable(s, name, old)
		return
	}
	f.Remedy = []Step{optionFile(s, name, value, atRestart+" "+note)}
	f.Rollback = []Step{optionFile(s, name, old, atRestart)}
}
