package mysql

import (
	"cmp"
	"slices"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/collectors/sqltext"
)

const (
	// maxGroups bounds the statements that are remembered beyond those in the
	// server's table; when it is passed, those that the server forgot go.
	maxGroups = 30000
	// maxAliases bounds the server's digests that are listed for a statement.
	maxAliases = 16
	// maxTextRunes bounds a text: longer ones are for the eye only.
	maxTextRunes = 4096
)

// groupKey is a statement in a default schema.
type groupKey struct{ schema, fingerprint string }

func (k groupKey) compare(o groupKey) int {
	return cmp.Or(cmp.Compare(k.fingerprint, o.fingerprint), cmp.Compare(k.schema, o.schema))
}

// digestGroup is a statement by our own identity. Several rows of the server's
// table can belong to it: MySQL counts PREPARE and EXECUTE apart.
type digestGroup struct {
	groupKey
	own         bool // a statement of ours: counted nowhere
	total       sums // since the ledger's epoch
	first, last int64
	aliases     []string // shared with snapshots: append only to a clipped copy

	shown sums   // what its series shows
	delta sums   // of this round
	scan  uint64 // the last read that had a row of the group

	logged    bool // the slow log counts it now
	estimated bool // some of its calls stand for others
}

// ledger holds all totals of digests. They only grow while epoch stays.
type ledger struct {
	epoch    string
	groups   map[groupKey]*digestGroup
	roster   roster[groupKey]
	other    sums                  // what is not in a series of its own
	overflow sums                  // what nobody could tell apart
	ahead    sums                  // what the log showed last, beyond table and overflow
	cpu      bool                  // the server counts processor time
	texts    []snapshot.DigestText // by revision; shared with snapshots
	textOf   map[string]bool       // fingerprints that have one
	rev      uint64
	leaders  leadership
}

func newLedger(now time.Time) ledger {
	return ledger{
		epoch: newEpoch(now), groups: map[groupKey]*digestGroup{},
		roster: newRoster(maxSeries, groupKey.compare), textOf: map[string]bool{},
		leaders: newLeadership(),
	}
}

// group returns the group of key, made at need.
func (l *ledger) group(key groupKey) *digestGroup {
	g := l.groups[key]
	if g == nil {
		g = &digestGroup{groupKey: key}
		l.groups[key] = g
	}
	return g
}

// learn gives a row its statement, now that its text is known.
func (l *ledger) learn(row *digestRow, statement sqltext.Statement, own bool) {
	g := l.group(groupKey{row.schema, statement.Fingerprint})
	g.own = g.own || own
	row.group, row.overhead = g, statement.Prepared && statement.Command != "EXECUTE"
	if len(g.aliases) < maxAliases && !slices.Contains(g.aliases, row.digest) {
		g.aliases = append(slices.Clip(g.aliases), row.digest)
	}
	if g.own {
		return
	}
	if statement.Truncated && !l.textOf[statement.Fingerprint] {
		l.leaders.truncated(statement, l.texts)
	}
	l.tell(statement)
}

// tell lists the text of a statement, once.
func (l *ledger) tell(statement sqltext.Statement) {
	if l.textOf[statement.Fingerprint] {
		return
	}
	l.rev++
	l.textOf[statement.Fingerprint] = true
	l.texts = append(l.texts, snapshot.DigestText{
		Fingerprint: statement.Fingerprint,
		Text:        snapshot.Redacted(sqltext.Clip(statement.Text, maxTextRunes)),
		Class:       string(statement.Class),
		Reads:       statement.Reads,
		Writes:      statement.Writes,
		Truncated:   statement.Truncated,
		Rev:         l.rev,
	})
}

// forget drops statements that the server has forgotten, once there are too
// many of them. Their totals go, so that a new epoch begins; the series that
// are exposed go on.
func (l *ledger) forget(scan uint64, now time.Time) {
	if len(l.groups) <= maxGroups {
		return
	}
	kept := map[string]bool{}
	for key, g := range l.groups {
		if g.scan != scan && !l.roster.has(key) {
			delete(l.groups, key)
			continue
		}
		kept[key.fingerprint] = true
	}
	l.textOf = kept
	l.texts = slices.DeleteFunc(slices.Clone(l.texts), func(t snapshot.DigestText) bool { return !kept[t.Fingerprint] })
	l.epoch = newEpoch(now)
}

// rows returns the active statements by time, at most snapshot.MaxDigests, and
// how many there are.
func (l *ledger) rows() (rows []snapshot.Digest, all int) {
	active := make([]*digestGroup, 0, len(l.groups))
	for _, g := range l.groups {
		if g.total != (sums{}) {
			active = append(active, g)
		}
	}
	slices.SortFunc(active, func(a, b *digestGroup) int {
		return cmp.Or(cmp.Compare(b.total[sumTime], a.total[sumTime]), a.compare(b.groupKey))
	})
	all = len(active)
	active = active[:min(all, snapshot.MaxDigests)]
	rows = make([]snapshot.Digest, len(active))
	for i, g := range active {
		rows[i] = snapshot.Digest{
			Fingerprint: g.fingerprint, Schema: g.schema, Aliases: g.aliases,
			FirstSeen: unixMicros(g.first), LastSeen: unixMicros(g.last),
			Estimated: g.estimated, DigestTotals: g.total.totals(l.cpu),
		}
		if g.logged {
			rows[i].Source = snapshot.SourceSlowLog
		}
	}
	return rows, all
}

// counted returns whether a statement has been counted so far, by fingerprint.
func (l *ledger) counted() func(fingerprint string) bool {
	var known map[string]bool
	return func(fingerprint string) bool {
		if known == nil {
			known = make(map[string]bool, len(l.groups))
			for key, g := range l.groups {
				if g.total != (sums{}) {
					known[key.fingerprint] = true
				}
			}
		}
		return known[fingerprint]
	}
}

// totals writes our sums as a snapshot has them; the time of processors is nil
// where the server does not count it.
func (s *sums) totals(cpu bool) snapshot.DigestTotals {
	t := snapshot.DigestTotals{
		Calls:         s[sumCalls],
		Seconds:       seconds(s[sumTime]),
		LockSeconds:   seconds(s[sumLockTime]),
		Errors:        s[sumErrors],
		Warnings:      s[sumWarnings],
		RowsAffected:  s[sumRowsAffected],
		RowsSent:      s[sumRowsSent],
		RowsExamined:  s[sumRowsExamined],
		TmpTables:     s[sumTmpTables],
		TmpDiskTables: s[sumTmpDiskTables],
		FullJoins:     s[sumFullJoins],
		FullScans:     s[sumFullScans],
		NoIndexUsed:   s[sumNoIndex],
		NoGoodIndex:   s[sumNoGoodIndex],
		SortRows:      s[sumSortRows],
		SortMerges:    s[sumSortMerges],
	}
	if cpu {
		t.CPUSeconds = new(seconds(s[sumCPUTime]))
	}
	return t
}

func seconds(nanoseconds uint64) float64 { return float64(nanoseconds) / 1e9 }
