package rules

import (
	"cmp"
	"fmt"
	"slices"

	"plimsoll/collectors/sqltext"
	"plimsoll/rules/fleet"
)

// chatterShare is the share of writes that must be a transaction of their own.
const chatterShare = 0.5

// autocommitChatter finds sites that commit after every write: each commit waits
// for the disk, and what belongs together is not changed together.
func autocommitChatter() Rule {
	return Rule{
		ID: "mysql/autocommit-chatter", Title: "Every write is a transaction of its own",
		Phase: Cure, MinWindow: aMinute, Window: aDay,
		Needs: []string{"mysql/transactions", "mysql/binlog"},
		Threshold: Threshold{
			Value: 20, Unit: PerSecond,
			Source: "default of this rule: with fewer even a disk that flushes in 10 ms is idle four fifths of the time",
		},
		Check: func(c Case) Result {
			return each(c.writers(), func(s *fleet.Server) (*Finding, *NotReady) { return chatterOn(c, s) })
		},
	}
}

func chatterOn(c Case, s *fleet.Server) (*Finding, *NotReady) {
	about := aboutServer(s)
	if n := c.unready(about, s, "mysql/transactions", s.Transactions.Seen()); n != nil {
		return nil, n
	}
	chatter := s.Transactions.Chatter
	if chatter == nil || chatter.SingleWritesLeast == nil || chatter.SingleWrites == nil {
		return nil, &NotReady{Subject: about, Reason: "without a binary log the server does not tell how many writes were transactions of their own"}
	}
	// The least counts: a COMMIT of a transaction that only read hides a write,
	// and is no reason to advise.
	least, most := float64(*chatter.SingleWritesLeast), float64(*chatter.SingleWrites)
	perSecond := least / s.Transactions.Window.Seconds()
	if perSecond < c.Rule.Threshold.Value || least < chatterShare*float64(chatter.Writes) {
		return nil, nil
	}
	f := chatterFinding(c, s, perSecond, max(most, least)/s.Transactions.Window.Seconds())
	return &f, nil
}

func chatterFinding(c Case, s *fleet.Server, least, most float64) Finding {
	w := s.Transactions.Window
	writes := float64(s.Transactions.Chatter.Writes) / w.Seconds()
	const source = "binary log: commits less COM_COMMIT; writes plus commits less Handler_prepare / 2"
	f := Found(c.Rule, aboutServer(s),
		c.evidence("writes that are a transaction of their own, at least", least, source, w),
		Evidence{What: "the same, at most", Value: most, Unit: PerSecond, Source: source, Window: w},
		Evidence{What: "of all writes, at least", Value: least / writes, Unit: Ratio, Source: source, Window: w}.
			against(chatterShare, "default of this rule: below, most of the site does it well"),
	)
	f.Severity = Low
	f.Confidence = c.confidence(0.8, w)
	if !flushes(s) {
		f.Confidence = c.confidence(0.5, w, "commits do not wait for the disk on this server")
	}
	f.chatterGain(s, least, most)
	f.Summary = fmt.Sprintf("%s of the writes on %s are transactions of one write: each is made safe on disk by itself.", Words(least, PerSecond), called(s))
	f.Effort = Days
	f.addTopWrites(s)
	f.Remedy = []Step{{
		Kind: Code, Text: "BEGIN; …all writes of the request…; COMMIT;",
		Note: "Begin a transaction at the first write of a request and commit at its end; write several rows with one INSERT; keep sessions, caches and counters in Redis.",
	}}
	f.Risks = []string{"Locks are then held to the end of the request: look at lock waits afterwards."}
	f.Verify = Verify{What: "writes that are a transaction of their own", Expect: "below " + Words(c.Rule.Threshold.Value, PerSecond), After: "a busy hour"}
	return f
}

// chatterGain: two writes in one transaction are the least that the advice can
// mean, and ten are what a request of a shop makes. A commit that is not made
// saves its wait for the disk.
func (f *Finding) chatterGain(s *fleet.Server, least, most float64) {
	f.Gain.PrimaryWrites = Between(least/2, most*9/10)
	disk := dataDisk(s)
	load, known := statementLoad(s)
	if disk == nil || disk.WriteLatency == nil || !flushes(s) || !known {
		return
	}
	f.Gain.WorkerSeconds = Between(least/2**disk.WriteLatency, most*9/10**disk.WriteLatency)
	f.Severity = severityOf(f.Gain.WorkerSeconds, load)
	f.Evidence = append(f.Evidence, Evidence{
		What: "mean time of a write to disk", Value: *disk.WriteLatency, Unit: Seconds, Source: "/proc/diskstats", Window: s.Machine.Machine.Window,
	})
}

// flushes reports whether a commit waits for the disk, which it does unless the
// settings are known to say otherwise.
func flushes(s *fleet.Server) bool {
	b := s.Latest.Binlog
	if b == nil || b.SyncBinlog == nil || b.FlushLogAtCommit == nil {
		return true
	}
	return *b.SyncBinlog == 1 || *b.FlushLogAtCommit == 1
}

// addTopWrites names the three writes that are sent most often.
func (f *Finding) addTopWrites(s *fleet.Server) {
	if s.Digests == nil {
		return
	}
	var writes []fleet.Digest
	for d := range s.Digests.Site() {
		if d.Class == string(sqltext.DML) {
			writes = append(writes, d)
		}
	}
	slices.SortStableFunc(writes, func(a, b fleet.Digest) int { return cmp.Compare(b.Calls, a.Calls) })
	for _, d := range writes[:min(len(writes), 3)] {
		f.addDigests(d.Fingerprint)
		f.Evidence = append(f.Evidence, Evidence{
			What: "calls of " + statement(d.Text), Value: float64(d.Calls) / s.Digests.Window.Seconds(), Unit: PerSecond,
			Source: "digests, COUNT_STAR", Window: s.Digests.Window,
		})
	}
}
