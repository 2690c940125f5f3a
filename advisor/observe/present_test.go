package observe

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/advisor/keeper"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

// seen is an agent whose parts have the given ages.
func seen(now time.Time, ages map[string]time.Duration) keeper.Agent {
	s := &snapshot.Snapshot{AgentID: "agent-00000001", Host: "db1", Taken: now, Agent: &snapshot.Agent{Jobs: []snapshot.JobHealth{
		{Name: "mysql/schema", Server: "db1", EverySeconds: 3600}, {Name: "mysql/status", Server: "db1", EverySeconds: 10},
	}}}
	meta := func(part string) snapshot.Meta { return snapshot.Meta{Taken: now.Add(-ages[part])} }
	s.Machine = &snapshot.Machine{Meta: meta("host")}
	s.Server("db1").Status = &snapshot.Status{Meta: meta("status")}
	s.Server("db1").Schema = &snapshot.Schema{Meta: meta("schema")}
	return keeper.Agent{Target: "db1:9897", Latest: s, Seen: now}
}

func known(s *snapshot.Snapshot) []string {
	out := slices.Sorted(maps.Keys(parts(s.Servers["db1"])))
	if s.Machine != nil {
		out = append(out, "host")
	}
	return out
}

func gapJobs(s *snapshot.Snapshot) (out []string) {
	for _, g := range s.Gaps {
		out = append(out, g.Job)
	}
	slices.Sort(out)
	return out
}

func TestAPartThatIsTooOldIsAGap(t *testing.T) {
	now := noon
	for name, c := range map[string]struct {
		ages  map[string]time.Duration
		known []string
		gaps  []string
	}{
		"fresh":                      {nil, []string{"schema", "status", "host"}, nil},
		"one hangs":                  {map[string]time.Duration{"status": 16 * time.Minute}, []string{"schema", "host"}, []string{"mysql/status"}},
		"read once an hour":          {map[string]time.Duration{"schema": 2 * time.Hour}, []string{"schema", "status", "host"}, nil},
		"too old for once an hour":   {map[string]time.Duration{"schema": 4 * time.Hour}, []string{"status", "host"}, []string{"mysql/schema"}},
		"the machine is not read":    {map[string]time.Duration{"host": time.Hour}, []string{"schema", "status"}, []string{"host"}},
		"three tries in ten minutes": {map[string]time.Duration{"status": 14 * time.Minute}, []string{"schema", "status", "host"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := seen(now, c.ages)
			got := present(a, now)
			if diff := cmp.Diff(c.known, known(got)); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.gaps, gapJobs(got)); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
			if len(known(a.Latest)) != 3 || len(a.Latest.Gaps) != 0 {
				t.Error("the agent's own snapshot was changed")
			}
		})
	}
}

func TestAnAgentThatIsGoneSaysNothingOfThePresent(t *testing.T) {
	a := seen(noon, nil)
	a.Err = errors.New("connection refused")
	if got := known(present(a, noon.Add(10*time.Minute))); len(got) != 3 {
		t.Errorf("after ten minutes %v are known, want all", got)
	}
	if got := known(present(a, noon.Add(time.Hour))); len(got) != 1 || got[0] != "schema" {
		t.Errorf("after an hour %v are known, want the schema alone", got)
	}
}

func TestEveryPartOfAServerHasAnAge(t *testing.T) {
	server := reflect.TypeFor[snapshot.Server]()
	for f := range server.Fields() {
		if !f.Type.Implements(reflect.TypeFor[headed]()) {
			t.Errorf("%s has no Meta, so that its age is not known", f.Name)
		}
	}
}

// replicates is a server with one channel.
func replicates(host, name string, id uint64, c snapshot.Channel) *fleet.Server {
	return &fleet.Server{Cluster: "shop", Host: host, Name: name, Latest: &snapshot.Server{
		Identity:    &snapshot.Identity{Family: snapshot.MariaDB, ServerID: id, Addresses: []string{name}},
		Replication: &snapshot.Replication{Channels: []snapshot.Channel{c}},
	}}
}

func standsAlone(host, name, key string, id uint64) *fleet.Server {
	return &fleet.Server{Cluster: "shop", Host: host, Name: name, Key: key, Latest: &snapshot.Server{
		Identity:    &snapshot.Identity{Family: snapshot.MariaDB, Key: key, ServerID: id, Addresses: []string{name}},
		Replication: &snapshot.Replication{},
	}}
}

func TestTheSourceOfAReplica(t *testing.T) {
	channel := snapshot.Channel{SourceKey: "1", SourceHost: "10.0.0.1", SourcePort: 3306}
	replica := replicates("db2", "10.0.0.2:3306", 2, channel)
	a, b := standsAlone("db1", "10.0.0.1:3306", "a", 1), standsAlone("db9", "10.0.0.9:3306", "b", 1)
	vip := snapshot.Channel{SourceKey: "1", SourceHost: "10.0.0.99", SourcePort: 3306}
	tunnel := snapshot.Channel{SourceKey: "7", SourceHost: "127.0.0.1", SourcePort: 3306}
	local := standsAlone("db3", "127.0.0.1:3306", "c", 3)
	for name, c := range map[string]struct {
		channel snapshot.Channel
		servers []*fleet.Server
		want    *fleet.Server
	}{
		"the one of that id":                       {channel, []*fleet.Server{a}, a},
		"of two with one id, the one at the place": {channel, []*fleet.Server{b, a}, a},
		"of two with one id, none behind a VIP":    {vip, []*fleet.Server{b, a}, nil},
		"one behind a VIP":                         {vip, []*fleet.Server{a}, a},
		"one that two agents read":                 {vip, []*fleet.Server{a, standsAlone("db7", "10.0.0.1:3306", "a", 1)}, a},
		"its own loopback is no other host's":      {tunnel, []*fleet.Server{local}, nil},
		"none":                                     {channel, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sourceOf(replica, c.channel, append(c.servers, replica)); got != c.want {
				t.Errorf("source = %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestAReplicaByTwoChannelsCountsOnce(t *testing.T) {
	source := standsAlone("db1", "10.0.0.1:3306", "a", 1)
	replica := replicates("db2", "10.0.0.2:3306", 2, snapshot.Channel{SourceKey: "a"})
	replica.Latest.Replication.Channels = append(replica.Latest.Replication.Channels, snapshot.Channel{Name: "second", SourceKey: "a"})
	connect([]*fleet.Server{source, replica})
	if len(source.Replicas) != 1 || replica.Source != source || source.Role != fleet.Primary || replica.Role != fleet.Replica {
		t.Errorf("replicas = %v, source = %v, roles %s and %s", source.Replicas, replica.Source, source.Role, replica.Role)
	}
}
