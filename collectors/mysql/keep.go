package mysql

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"plimsoll/collectors/slowlog"
	"plimsoll/collectors/snapshot"
)

// keptVersion is the version of the kept state. Another one is not taken up.
const keptVersion = 1

// kept is the state of the job mysql/digests: the last read of the server's
// table, so that an agent's restart leaves no gap, and all totals, so that none
// falls. Texts are not kept: they are read again. At 10,000 digests it has some
// 3 MB.
type kept struct {
	Version  int            `json:"version"`
	Epoch    string         `json:"epoch"`
	Server   string         `json:"server"`
	Started  time.Time      `json:"started"`
	Read     int64          `json:"read"`
	Rev      uint64         `json:"rev"`
	CPU      bool           `json:"cpu"`
	Other    sums           `json:"other"`
	Overflow sums           `json:"overflow"`
	Coverage coverageTotals `json:"coverage"`
	// Log is where the slow log is followed; nil if it never was.
	Log *keptLog `json:"log,omitempty"`
	// Groups, Rows and Contests are packed, see packer.
	Groups   []byte `json:"groups"`
	Rows     []byte `json:"rows"`
	Contests []byte `json:"contests,omitempty"`
	// Plans are at most snapshot.MaxPlans. A log shows one again only when its
	// statement is slow again.
	Plans []snapshot.StatementPlan `json:"plans,omitempty"`
}

// keptLog is where the slow log is followed, how it is to be read there, and what
// was read so far. Nothing is between the totals of the ledger and that place.
type keptLog struct {
	Bookmark slowlog.Bookmark `json:"bookmark"`
	Settings logSettings      `json:"settings"`
	Totals   snapshot.SlowLog `json:"totals"`
	Alone    bool             `json:"alone"`
}

func (d *digestJob) save() (json.RawMessage, error) {
	l, t := &d.ledger, &d.table
	groups, rows := newPacker(len(l.groups)), newPacker(len(t.rows))
	index := make(map[*digestGroup]int, len(l.groups))
	for _, g := range l.groups {
		index[g] = len(index)
		groups.group(g)
		quiet, member := l.roster.quiet[g.groupKey]
		groups.bool(member)
		groups.int(int64(quiet))
	}
	for key, r := range t.rows {
		if !r.known {
			continue
		}
		group := -1
		if r.group != nil {
			group = index[r.group]
		}
		rows.text(key)
		rows.int(int64(group))
		rows.row(r)
	}
	contests := newPacker(len(l.leaders.contests) / 4)
	for fingerprint, c := range l.leaders.contests {
		contests.text(fingerprint)
		contests.contest(c)
	}
	return json.Marshal(kept{
		Log:     &keptLog{d.log.follower.Bookmark(), d.log.settings, d.log.totals, l.leaders.alone},
		Version: keptVersion, Epoch: l.epoch, Server: t.server, Started: t.started, Read: t.read,
		Rev: l.rev, CPU: l.cpu, Other: l.other, Overflow: l.overflow, Coverage: d.coverage,
		Groups: groups.bytes, Rows: rows.bytes, Contests: contests.bytes,
		Plans: d.plans.rows(l),
	})
}

func (p *packer) group(g *digestGroup) {
	p.text(g.schema)
	p.text(g.fingerprint)
	p.flags(g.own, g.logged, g.estimated)
	p.int(g.first)
	p.int(g.last)
	p.sums(&g.total)
	p.sums(&g.shown)
	p.uint(uint64(len(g.aliases)))
	for _, alias := range g.aliases {
		p.text(alias)
	}
}

// contest writes the sums over its rounds.
func (p *packer) contest(c *contest) {
	p.flags(c.log, c.led)
	var table, entries uint64
	for i := range c.table {
		table += c.table[i]
		entries += c.entries[i]
	}
	p.uint(table)
	p.uint(entries)
}

func (p *packer) row(r *digestRow) {
	p.text(r.schema)
	p.text(r.digest)
	p.bool(r.overhead)
	p.int(r.first)
	p.int(r.last)
	p.sums(&r.sums)
	p.sums(&r.pending)
}

// errState says that kept state is not ours to take up.
var errState = errors.New("the kept state is damaged or of another version")

// load takes up a state whole, or leaves the job as it is.
func (d *digestJob) load(state json.RawMessage) error {
	var k kept
	if err := json.Unmarshal(state, &k); err != nil {
		return fmt.Errorf("%w: %w", errState, err)
	}
	if k.Version != keptVersion || k.Epoch == "" {
		return errState
	}
	l := newLedger(time.Now())
	l.epoch, l.rev, l.cpu, l.other, l.overflow = k.Epoch, k.Rev, k.CPU, k.Other, k.Overflow
	groups, ok := l.unpackGroups(k.Groups)
	if !ok {
		return errState
	}
	rows, ok := unpackRows(k.Rows, groups)
	if !ok {
		return errState
	}
	if l.leaders.contests, ok = unpackContests(k.Contests); !ok {
		return errState
	}
	if k.Log != nil {
		l.leaders.alone = k.Log.Alone
		d.log.follower, d.log.settings, d.log.totals = *slowlog.NewFollower(k.Log.Bookmark), k.Log.Settings, k.Log.Totals
	}
	d.ledger, d.coverage, d.plans = l, k.Coverage, keptPlans(k.Plans)
	d.table = digestTable{server: k.Server, started: k.Started, read: k.Read, rows: rows}
	return nil
}

// unpackGroups fills the ledger, and returns its groups in their order.
func (l *ledger) unpackGroups(packed []byte) (groups []*digestGroup, ok bool) {
	u := unpacker{bytes: packed}
	for u.more() {
		g := &digestGroup{
			groupKey: groupKey{schema: u.text(), fingerprint: u.text()},
		}
		u.flags(&g.own, &g.logged, &g.estimated)
		g.first, g.last, g.total, g.shown = u.int(), u.int(), u.sums(), u.sums()
		for range min(u.uint(), maxAliases) {
			g.aliases = append(g.aliases, u.text())
		}
		member, quiet := u.bool(), u.int()
		if member {
			l.roster.quiet[g.groupKey] = int(quiet)
		}
		l.groups[g.groupKey] = g
		groups = append(groups, g)
	}
	return groups, !u.bad && len(l.groups) == len(groups)
}

// unpackRows returns the rows by key.
func unpackRows(packed []byte, groups []*digestGroup) (rows map[string]*digestRow, ok bool) {
	rows = map[string]*digestRow{}
	u := unpacker{bytes: packed}
	for u.more() {
		key, group := u.text(), u.int()
		if group < -1 || group >= int64(len(groups)) {
			return nil, false
		}
		row := &digestRow{
			schema: u.text(), digest: u.text(), overhead: u.bool(), known: true,
			first: u.int(), last: u.int(), sums: u.sums(), pending: u.sums(),
		}
		if group >= 0 {
			row.group = groups[group]
		}
		rows[key] = row
	}
	return rows, !u.bad
}

// unpackContests returns the contests by fingerprint. The sums of all rounds are
// in one of them, so that they count for as many rounds again.
func unpackContests(packed []byte) (contests map[string]*contest, ok bool) {
	contests = map[string]*contest{}
	u := unpacker{bytes: packed}
	for u.more() {
		fingerprint, c := u.text(), &contest{}
		u.flags(&c.log, &c.led)
		c.table[0], c.entries[0] = u.uint(), u.uint()
		contests[fingerprint] = c
	}
	return contests, !u.bad
}
