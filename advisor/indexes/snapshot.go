package indexes

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
	"plimsoll/rules/index"
)

// maxSnapshot is how large one snapshot in a file may be: what an agent serves of all its sections.
const maxSnapshot = 256 << 20

// ReadSnapshots reads snapshots, one a line, as plimsoll-agent once prints them. Of several of one
// agent the first and the last count.
func ReadSnapshots(src io.Reader) ([]snapshot.Snapshot, error) {
	d := json.NewDecoder(bufio.NewReader(io.LimitReader(src, maxSnapshot)))
	var out []snapshot.Snapshot
	for {
		var s snapshot.Snapshot
		err := d.Decode(&s)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("snapshot %d: not JSON as an agent writes it", len(out)+1)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, errors.New("it holds no snapshot")
	}
	return out, nil
}

// FromSnapshots takes the facts of one database server out of snapshots of its agent. Name may be empty
// if there is only one server.
func FromSnapshots(all []snapshot.Snapshot, name string) (*Facts, error) {
	last := all[len(all)-1]
	name, err := serverOf(&last, name)
	if err != nil {
		return nil, err
	}
	now := last.Servers[name]
	if now.Schema == nil {
		return nil, fmt.Errorf("the snapshot does not hold the tables of %s%s", name, why(&last, "mysql/schema"))
	}
	if now.Digests == nil {
		return nil, fmt.Errorf("the snapshot does not hold the statements of %s%s", name, why(&last, "mysql/digests"))
	}
	f := &Facts{Workload: index.Workload{Tables: slices.Clone(now.Schema.Tables)}, Server: ServerFacts(now)}
	f.addRows(firstOf(all, name, now.Digests), now.Digests)
	f.addUse(now)
	if now.Digests.Partial {
		f.Notes = append(f.Notes, "The statements are those of the slow log alone: what is fast or not logged is not among them.")
	}
	if len(f.Statements) == 0 {
		return nil, fmt.Errorf("the snapshot holds no statement of %s; take it after some minutes of traffic", name)
	}
	return f, nil
}

// serverOf returns the name of the server that is meant.
func serverOf(s *snapshot.Snapshot, name string) (string, error) {
	names := slices.Sorted(maps.Keys(s.Servers))
	switch {
	case len(names) == 0:
		return "", errors.New("the snapshot holds no database server")
	case name == "" && len(names) > 1:
		return "", fmt.Errorf("the snapshot holds several servers; say which by --server: %s", strings.Join(names, ", "))
	case name == "":
		return names[0], nil
	case !slices.Contains(names, name):
		return "", fmt.Errorf("the snapshot holds no server %s, but %s", name, strings.Join(names, ", "))
	}
	return name, nil
}

// why is the reason of the gap that a job met.
func why(s *snapshot.Snapshot, job string) string {
	for _, g := range s.Gaps {
		if g.Job == job {
			return ": " + g.Reason
		}
	}
	return ""
}

// ServerFacts is what the analysis wants to know of a server itself.
func ServerFacts(s *snapshot.Server) index.Server {
	var out index.Server
	if s.Identity != nil {
		out.MariaDB = s.Identity.Family == snapshot.MariaDB
		out.Version = s.Identity.Version
	}
	if s.Membership != nil {
		out.Galera = s.Membership.Galera != nil
	}
	if s.Transactions != nil {
		out.LongestTransaction = s.Transactions.LongestSeconds
	}
	return out
}

// firstOf returns the digests of the first copy whose totals can be subtracted from those of the last;
// nil if there is none.
func firstOf(all []snapshot.Snapshot, name string, last *snapshot.Digests) *snapshot.Digests {
	for i := range all[:len(all)-1] {
		if s := all[i].Servers[name]; s != nil && s.Digests != nil && s.Digests.Epoch == last.Epoch && s.Digests.ServerTime.Before(last.ServerTime) {
			return s.Digests
		}
	}
	return nil
}

// addRows adds the statements of two copies, or all that one has counted.
func (f *Facts) addRows(first, last *snapshot.Digests) {
	type key struct{ schema, fingerprint string }
	before := map[key]snapshot.DigestTotals{}
	texts := map[string]snapshot.DigestText{}
	began := last.ServerTime
	for _, d := range last.Rows {
		if d.FirstSeen.Before(began) {
			began = d.FirstSeen
		}
	}
	if first != nil {
		began = first.ServerTime
		for _, d := range first.Rows {
			before[key{d.Schema, d.Fingerprint}] = d.DigestTotals
		}
		for _, t := range first.Texts {
			texts[t.Fingerprint] = t
		}
	}
	for _, t := range last.Texts {
		texts[t.Fingerprint] = t
	}
	window := max(last.ServerTime.Sub(began).Seconds(), 1)
	for _, d := range last.Rows {
		t := texts[d.Fingerprint]
		totals := d.DigestTotals.Minus(before[key{d.Schema, d.Fingerprint}])
		if totals.Calls == 0 || t.Text == "" {
			continue
		}
		f.Statements = append(f.Statements, index.Statement{WindowSeconds: window, Digest: fleet.Digest{
			Fingerprint: d.Fingerprint, Schema: d.Schema, Aliases: d.Aliases, Text: t.Text, Class: t.Class,
			Reads: t.Reads, Writes: t.Writes, Truncated: t.Truncated, Own: t.Own, DigestTotals: totals,
		}})
	}
}

// leastUse is for how long a server must have counted before an index that nobody read is called
// unused: the jobs of a month's end have run by then.
const leastUse = 35 * 24 * time.Hour

// addUse takes which indexes were read, if that was counted for long enough. One server knows only
// its own reads: the report says so.
func (f *Facts) addUse(s *snapshot.Server) {
	if s.Use == nil || s.Use.Since.IsZero() || s.Use.Taken.Sub(s.Use.Since) < leastUse {
		return
	}
	reads := map[[3]string]uint64{}
	tables := map[[2]string]bool{}
	for _, t := range s.Use.Tables {
		tables[[2]string{t.Schema, t.Table}] = true
	}
	for _, u := range s.Use.Indexes {
		reads[[3]string{u.Schema, u.Table, u.Index}] = u.Reads
	}
	if r := s.Replication; r == nil || r.Replicas == nil || len(*r.Replicas) > 0 {
		f.Notes = append(f.Notes, "Indexes that this server does not read are not called unused: its replicas may read them.")
		return
	}
	f.Usage = func(schema, table, name string) (uint64, bool) {
		n, listed := reads[[3]string{schema, table, name}]
		return n, listed && tables[[2]string{schema, table}]
	}
	f.UsageFor = fmt.Sprintf("%.0f days", s.Use.Taken.Sub(s.Use.Since).Hours()/24)
}
