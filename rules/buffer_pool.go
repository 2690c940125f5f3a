package rules

import (
	"fmt"
	"strconv"

	"plimsoll/rules/fleet"
)

// poolHostShare is how much of a host's memory the buffer pool may take in
// advice: sessions, the file cache and the rest need theirs.
const poolHostShare = 0.7

// bufferPool finds servers that read from disk what would fit into memory.
func bufferPool() Rule {
	return Rule{
		ID: "mysql/buffer-pool", Title: "The buffer pool is smaller than the working set",
		Phase: Capacity, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/status", "mysql/settings", "host"},
		Threshold: Threshold{
			Value: 100, Unit: PerSecond,
			Source: "default of this rule: a hundred reads a second is what one spinning disk can do, and five milliseconds of each second of an SSD's",
		},
		Check: checkBufferPool,
	}
}

func checkBufferPool(c Case) Result {
	var out Result
	for _, s := range c.Fleet.Servers {
		if n := c.unready(aboutServer(s), s, "mysql/status", s.Status.Seen()); n != nil {
			out.NotReady = append(out.NotReady, *n)
			continue
		}
		reads, known := s.Status.Rate("innodb_buffer_pool_reads")
		size := poolBytes(s)
		if !known || size == 0 {
			out.NotReady = append(out.NotReady, NotReady{Subject: aboutServer(s), Reason: "reads from disk or the size of the buffer pool are not known"})
			continue
		}
		if reads >= c.Rule.Threshold.Value {
			out.add(bufferPoolResult(c, s, reads, size))
		}
	}
	return out
}

// add takes either a finding or why there is none.
func (r *Result) add(f *Finding, n *NotReady) {
	if f != nil {
		r.Findings = append(r.Findings, *f)
	}
	if n != nil {
		r.NotReady = append(r.NotReady, *n)
	}
}

func poolBytes(s *fleet.Server) float64 {
	text, _ := s.Setting("innodb_buffer_pool_size")
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return n
}

// bufferPoolResult advises a larger pool where the host has the memory, and
// nothing where an index would make the reads needless.
func bufferPoolResult(c Case, s *fleet.Server, reads, size float64) (*Finding, *NotReady) {
	if cure := cureOn(c, s, "mysql/missing-index"); cure != nil {
		return nil, &NotReady{Subject: aboutServer(s), Reason: "an index is missing that may be why it reads so much: add it first (finding " + cure.Fingerprint + ")"}
	}
	room, known := poolRoom(s, size)
	if !known {
		return nil, &NotReady{Subject: aboutServer(s), Reason: "the memory of its host is not known"}
	}
	f := bufferPoolFinding(c, s, reads, size, room)
	return &f, nil
}

// cureOn returns a finding of another rule about a table or statement of the
// server's cluster.
func cureOn(c Case, s *fleet.Server, id ID) *Finding {
	for i, f := range c.Cures {
		if f.Rule == id && f.Subject.Cluster == s.Cluster {
			return &c.Cures[i]
		}
	}
	return nil
}

// poolRoom is how large the pool may become: today's size and nine tenths of the
// memory that is free, but not more than a share of the host's.
func poolRoom(s *fleet.Server, size float64) (float64, bool) {
	if s.Machine == nil || s.Machine.Latest == nil {
		return 0, false
	}
	m := s.Machine.Latest.Memory
	return min(size+0.9*float64(m.AvailableBytes), poolHostShare*float64(m.TotalBytes)), true
}

func bufferPoolFinding(c Case, s *fleet.Server, reads, size, room float64) Finding {
	w := s.Status.Window
	f := Found(c.Rule, aboutServer(s), c.evidence("pages read from disk", reads, "Innodb_buffer_pool_reads", w),
		Evidence{What: "innodb_buffer_pool_size", Value: size, Unit: Bytes, Source: "innodb_buffer_pool_size", Window: w})
	if requests, known := s.Status.Rate("innodb_buffer_pool_read_requests"); known && requests > 0 {
		f.Evidence = append(f.Evidence, Evidence{
			What: "hit ratio", Value: 1 - reads/requests, Unit: Ratio, Source: "1 - Innodb_buffer_pool_reads / Innodb_buffer_pool_read_requests", Window: w,
		})
	}
	f.Severity = Low
	if reads >= 10*c.Rule.Threshold.Value {
		f.Severity = Medium
	}
	f.Confidence = c.confidence(0.6, w, "the working set is known only once it fits")
	f.Summary = fmt.Sprintf("%s reads %s pages from disk with a buffer pool of %s.", s.Name, Words(reads, PerSecond), Words(size, Bytes))
	f.Effort = Minutes
	f.Remedy = poolRemedy(s, size, room)
	f.Rollback = []Step{{Kind: SQL, Target: s.Name, Text: fmt.Sprintf("SET GLOBAL innodb_buffer_pool_size = %.0f;", size)}}
	f.Risks = []string{"A host that swaps is slower than one that reads from disk: leave memory for sessions and programs."}
	f.Verify = Verify{What: "pages read from disk", Expect: "below " + Words(c.Rule.Threshold.Value, PerSecond), After: "an hour of warming up"}
	return f
}

// poolRemedy doubles the pool, or takes what room there is. It is written in
// steps of 128 MiB, the unit in which servers resize.
func poolRemedy(s *fleet.Server, size, room float64) []Step {
	const chunk = 128 << 20
	target := float64(int(min(2*size, room)/chunk)) * chunk
	if target <= size*1.1 {
		return []Step{{Kind: Advice, Text: "The host has no memory left for a larger pool: give it more, or move the largest cold tables elsewhere."}}
	}
	return []Step{{
		Kind: SQL, Target: s.Name, Text: fmt.Sprintf("SET GLOBAL innodb_buffer_pool_size = %.0f;", target),
		Note: "Online; write it into the configuration too. Then look again: it may want to be doubled once more.",
	}}
}
