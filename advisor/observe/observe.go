// Package observe builds the fleet that rules read. Snapshots say how much:
// exact differences of two copies. Series say when: peaks, percentiles, and how
// lag was distributed. With the dashboards this is the only place with PromQL,
// and all of it is portable between engines.
package observe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"plimsoll/advisor/keeper"
	"plimsoll/advisor/store"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// stale is how old an agent's last answer may be before what it said is no
// longer taken for the present: three rounds of fetching.
const stale = 3 * time.Minute

// Inputs is all that a Fleet is made from.
type Inputs struct {
	Now    time.Time
	Window time.Duration
	// Agents are all known targets, with what they last said.
	Agents []keeper.Agent
	// Copies returns the copies of an agent's snapshot that bound a window.
	Copies func(latest *snapshot.Snapshot, w fleet.Window) ([]*snapshot.Snapshot, error)
	// Querier answers from series.
	Querier store.Querier
	// Lag are the readings of the advisor's LagBook.
	Lag []LagReading
	// Shortened is true if the configuration shortened the rules' windows.
	Shortened bool
}

// Build makes the Fleet. What could not be seen is a gap in it and never an
// error: a site that is seen in part is still judged, in part.
func Build(ctx context.Context, in Inputs) *fleet.Fleet {
	f := &fleet.Fleet{
		Now: in.Now, Window: fleet.Window{From: in.Now.Add(-in.Window), To: in.Now}, Shortened: in.Shortened,
	}
	for _, a := range in.Agents {
		addAgent(f, in, a)
	}
	order(f)
	nameDuplicates(f)
	connect(f.Servers)
	series{querier: in.Querier, fleet: f}.fill(ctx, in.Lag)
	return f
}

// Sights returns the latest view of every database server, for a LagBook.
func Sights(agents []keeper.Agent) []Sight {
	var out []Sight
	for _, a := range agents {
		if a.Latest == nil {
			continue
		}
		_, servers := fleet.Between([]*snapshot.Snapshot{a.Latest}, fleet.Window{})
		for _, s := range servers {
			out = append(out, Sight{s, a.ClockOffsetSeconds, a.ClockErrorSeconds})
		}
	}
	return out
}

func addAgent(f *fleet.Fleet, in Inputs, a keeper.Agent) {
	if reason := unreachable(a, in.Now); reason != "" {
		f.Unreachable = append(f.Unreachable, fleet.Unreachable{Target: name(a), Reason: reason})
	}
	if a.Latest == nil {
		return
	}
	copies, err := in.Copies(a.Latest, f.Window)
	if err != nil {
		f.Gaps = append(f.Gaps, snapshot.Gap{Job: "advisor", Subject: name(a), Reason: err.Error()})
		copies = []*snapshot.Snapshot{a.Latest}
	}
	copies = append(slices.Clone(copies[:len(copies)-1]), present(a, in.Now))
	host, servers := fleet.Between(copies, f.Window)
	host.SeenRatio = seenRatio(copies, f.Window)
	f.Hosts = append(f.Hosts, host)
	f.Servers = append(f.Servers, servers...)
	f.Pools = append(f.Pools, host.Pools...)
}

func unreachable(a keeper.Agent, now time.Time) string {
	switch {
	case a.Err != nil:
		return a.Err.Error()
	case a.Latest == nil:
		return "it was not asked yet"
	case now.Sub(a.Seen) > stale:
		return "it last answered " + a.Seen.UTC().Format(time.RFC3339)
	}
	return ""
}

func name(a keeper.Agent) string {
	if a.Latest != nil && a.Latest.Host != "" {
		return a.Latest.Host
	}
	return a.Target
}

// seenRatio is the share of the window between the oldest copy and the newest:
// totals cover all of that, whatever was missed in between.
func seenRatio(copies []*snapshot.Snapshot, w fleet.Window) float64 {
	seen := copies[len(copies)-1].Taken.Sub(copies[0].Taken)
	return min(max(seen.Seconds()/w.Seconds(), 0), 1)
}

func order(f *fleet.Fleet) {
	slices.SortFunc(f.Hosts, func(a, b *fleet.Host) int {
		return strings.Compare(a.Cluster+"\x00"+a.Name+"\x00"+a.AgentID, b.Cluster+"\x00"+b.Name+"\x00"+b.AgentID)
	})
	slices.SortStableFunc(f.Servers, func(a, b *fleet.Server) int {
		return strings.Compare(a.Cluster+"\x00"+a.Host+"\x00"+a.Name, b.Cluster+"\x00"+b.Host+"\x00"+b.Name)
	})
	slices.SortStableFunc(f.Pools, func(a, b *fleet.Pool) int {
		return strings.Compare(a.Cluster+"\x00"+a.Host, b.Cluster+"\x00"+b.Host)
	})
}

// nameDuplicates reports agents that were given one name: their series cannot be
// told apart, and everything read from series mixes the two.
func nameDuplicates(f *fleet.Fleet) {
	for i := 1; i < len(f.Hosts); i++ {
		a, b := f.Hosts[i-1], f.Hosts[i]
		if a.Cluster != b.Cluster || a.Name != b.Name {
			continue
		}
		gap := snapshot.Gap{
			Job: "advisor", Subject: a.Name,
			Reason: fmt.Sprintf("two agents (%s and %s) call themselves %s, so that their series mix",
				a.AgentID, b.AgentID, a.Name),
			Remedy: "set another host: in one agent's /etc/plimsoll/agent.yml and restart it",
		}
		a.Gaps, b.Gaps = append(a.Gaps, gap), append(b.Gaps, gap)
	}
}
