package mysql

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// keptVersion is the version of the kept state. Another one is not taken up.
const keptVersion = 1

// kept is the state of the job mysql/digests: the last read of the server's
// table, so that an agent's restart leaves no gap, and all totals, so that none
// falls. At 10,000 digests it has some 4 MB.
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
	Groups   []keptGroup    `json:"groups"`
	Rows     []keptRow      `json:"rows"`
}

// keptGroup is a digestGroup. Texts are not kept: they are read again.
type keptGroup struct {
	Schema      string   `json:"s"`
	Fingerprint string   `json:"f"`
	Own         bool     `json:"o,omitempty"`
	First       int64    `json:"a"`
	Last        int64    `json:"z"`
	Aliases     []string `json:"d,omitempty"`
	Total       sums     `json:"t"`
	Shown       *sums    `json:"v,omitempty"`
	// Quiet is nil for those who have no series now.
	Quiet *int `json:"q,omitempty"`
}

// keptRow is a digestRow.
type keptRow struct {
	// Key is the row's key in the table: schema and digest with their NULLs.
	Key      []byte `json:"k"`
	Schema   string `json:"s,omitempty"`
	Digest   string `json:"d,omitempty"`
	Group    int    `json:"g"` // index in Groups; -1 for none
	Overhead bool   `json:"p,omitempty"`
	First    int64  `json:"a"`
	Last     int64  `json:"z"`
	Sums     sums   `json:"t"`
	Pending  *sums  `json:"w,omitempty"`
}

func (d *digestJob) save() (json.RawMessage, error) {
	l, t := &d.ledger, &d.table
	k := kept{
		Version: keptVersion, Epoch: l.epoch, Server: t.server, Started: t.started, Read: t.read,
		Rev: l.rev, CPU: l.cpu, Other: l.other, Overflow: l.overflow, Coverage: d.coverage,
		Groups: make([]keptGroup, 0, len(l.groups)), Rows: make([]keptRow, 0, len(t.rows)),
	}
	index := make(map[*digestGroup]int, len(l.groups))
	for _, g := range l.groups {
		index[g] = len(k.Groups)
		kept := keptGroup{
			Schema: g.schema, Fingerprint: g.fingerprint, Own: g.own, First: g.first, Last: g.last,
			Aliases: g.aliases, Total: g.total, Shown: unlessZero(g.shown),
		}
		if quiet, member := l.roster.quiet[g.groupKey]; member {
			kept.Quiet = &quiet
		}
		k.Groups = append(k.Groups, kept)
	}
	for key, r := range t.rows {
		if !r.known {
			continue
		}
		group, ok := index[r.group]
		if !ok {
			group = -1
		}
		k.Rows = append(k.Rows, keptRow{
			Key: []byte(key), Schema: r.schema, Digest: r.digest, Group: group, Overhead: r.overhead,
			First: r.first, Last: r.last, Sums: r.sums, Pending: unlessZero(r.pending),
		})
	}
	return json.Marshal(k)
}

func unlessZero(s sums) *sums {
	if s == (sums{}) {
		return nil
	}
	return &s
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
	groups := make([]*digestGroup, len(k.Groups))
	for i, g := range k.Groups {
		groups[i] = l.group(groupKey{g.Schema, g.Fingerprint})
		groups[i].restore(g)
		if g.Quiet != nil {
			l.roster.quiet[groups[i].groupKey] = *g.Quiet
		}
	}
	t := digestTable{server: k.Server, started: k.Started, read: k.Read, rows: make(map[string]*digestRow, len(k.Rows))}
	for _, r := range k.Rows {
		if r.Group >= len(groups) {
			return errState
		}
		row := &digestRow{schema: r.Schema, digest: r.Digest, overhead: r.Overhead, known: true, first: r.First, last: r.Last, sums: r.Sums}
		if r.Group >= 0 {
			row.group = groups[r.Group]
		}
		if r.Pending != nil {
			row.pending = *r.Pending
		}
		t.rows[string(r.Key)] = row
	}
	d.ledger, d.table, d.coverage = l, t, k.Coverage
	return nil
}

func (g *digestGroup) restore(k keptGroup) {
	g.own, g.first, g.last, g.aliases, g.total = k.Own, k.First, k.Last, k.Aliases, k.Total
	if k.Shown != nil {
		g.shown = *k.Shown
	}
}
