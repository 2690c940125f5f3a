package fleet

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func meta(minute int, epoch string) snapshot.Meta {
	return snapshot.Meta{Taken: noon.Add(time.Duration(minute) * time.Minute), Epoch: epoch}
}

func copyOf(server *snapshot.Server) *snapshot.Snapshot {
	return &snapshot.Snapshot{
		AgentID: "a1", Cluster: "shop", Host: "db1",
		Servers: map[string]*snapshot.Server{"db1": server},
	}
}

func day() Window { return Window{From: noon.Add(-24 * time.Hour), To: noon.Add(24 * time.Hour)} }

// only returns the one server of the copies.
func only(t *testing.T, copies ...*snapshot.Snapshot) *Server {
	t.Helper()
	_, servers := Between(copies, day())
	if len(servers) != 1 {
		t.Fatalf("servers = %d, want 1", len(servers))
	}
	return servers[0]
}

func digests(minute int, epoch string, rows ...snapshot.Digest) *snapshot.Server {
	return &snapshot.Server{Digests: &snapshot.Digests{Meta: meta(minute, epoch), Rows: rows}}
}

func row(fingerprint string, calls uint64) snapshot.Digest {
	return snapshot.Digest{Fingerprint: fingerprint, DigestTotals: snapshot.DigestTotals{Calls: calls, Seconds: float64(calls)}}
}

func TestAWindowIsTheExactDifferenceOfTwoCopies(t *testing.T) {
	s := only(t,
		copyOf(digests(0, "e", row("a", 10), row("quiet", 5))),
		copyOf(digests(1, "e", row("a", 11), row("quiet", 5))),
		copyOf(digests(9, "e", row("a", 17), row("new", 3), row("quiet", 5))),
	)
	got := map[string]uint64{}
	for _, d := range s.Digests.Rows {
		got[d.Fingerprint] = d.Calls
	}
	if diff := cmp.Diff(map[string]uint64{"a": 7, "new": 3}, got); diff != "" {
		t.Errorf("calls in the window (-want +got):\n%s", diff)
	}
	if got := s.Digests.Window.Duration(); got != 9*time.Minute {
		t.Errorf("window = %s, want 9m", got)
	}
	if got := s.Digests.Total.Calls; got != 10 {
		t.Errorf("calls in all = %d, want 10", got)
	}
}

func TestAChangedEpochCutsTheWindow(t *testing.T) {
	s := only(t,
		copyOf(digests(0, "before", row("a", 1000))),
		copyOf(digests(5, "after", row("a", 1))),
		copyOf(digests(7, "after", row("a", 4))),
	)
	if got := s.Digests.Rows[0].Calls; got != 3 {
		t.Errorf("calls after the restart = %d, want 3", got)
	}
	if got := s.Digests.Window.Duration(); got != 2*time.Minute {
		t.Errorf("window = %s, want the two minutes since the restart", got)
	}
}

func TestOneCopyIsNoWindow(t *testing.T) {
	if s := only(t, copyOf(digests(0, "e", row("a", 10)))); s.Digests != nil {
		t.Errorf("window of one copy = %+v, want none", s.Digests)
	}
}

func TestACopyFromBeforeTheWindowIsUsedWhereItsFirstHalfHasNone(t *testing.T) {
	for name, c := range map[string]struct {
		minutes []int // of the copies, in a window from 60 to 120
		want    time.Duration
	}{
		"none within":          {[]int{0, 30, 110}, 80 * time.Minute},
		"more than an hour":    {[]int{-1, 110}, 0},
		"one in the last half": {[]int{30, 95, 110}, 80 * time.Minute},
		"one in the first":     {[]int{30, 80, 110}, 30 * time.Minute},
		"several":              {[]int{30, 60, 80, 100, 110}, 50 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			var copies []*snapshot.Snapshot
			for _, minute := range c.minutes {
				copies = append(copies, copyOf(digests(minute, "e", row("a", uint64(minute+10)))))
			}
			_, servers := Between(copies, Window{From: noon.Add(time.Hour), To: noon.Add(2 * time.Hour)})
			got := time.Duration(0)
			if d := servers[0].Digests; d != nil {
				got = d.Window.Duration()
			}
			if got != c.want {
				t.Errorf("window = %s, want %s", got, c.want)
			}
		})
	}
}

func TestAPartThatWasNotReadInBetweenStillBoundsTheWindow(t *testing.T) {
	s := only(t,
		copyOf(digests(0, "e", row("a", 1))),
		copyOf(&snapshot.Server{}),
		copyOf(digests(2, "e", row("a", 3))),
	)
	if s.Digests == nil || s.Digests.Rows[0].Calls != 2 {
		t.Errorf("window over a missing part = %+v, want 2 calls", s.Digests)
	}
}

func TestUnknownTotalsStayUnknown(t *testing.T) {
	one := uint64(1)
	s := only(t,
		copyOf(&snapshot.Server{Deadlocks: &snapshot.Deadlocks{Meta: meta(0, "e"), Total: &one}}),
		copyOf(&snapshot.Server{Deadlocks: &snapshot.Deadlocks{Meta: meta(1, "e")}}),
	)
	if s.Deadlocks != nil {
		t.Errorf("deadlocks of an unreadable counter = %+v, want unknown", s.Deadlocks)
	}
}

func TestGapsAreKeptWithTheServerTheyBelongTo(t *testing.T) {
	last := copyOf(&snapshot.Server{Digests: &snapshot.Digests{
		Meta: snapshot.Meta{Taken: noon, Gaps: []snapshot.Gap{{Job: "mysql/digests", Subject: "db1", Reason: "off"}}},
	}})
	last.Gaps = []snapshot.Gap{{Job: "mysql/use", Subject: "db1", Reason: "denied"}, {Job: "host", Reason: "no PSI"}}
	host, servers := Between([]*snapshot.Snapshot{last}, day())
	if len(host.Gaps) != 1 || host.Gaps[0].Job != "host" {
		t.Errorf("gaps of the host = %v, want that of job host", host.Gaps)
	}
	if _, lacks := servers[0].Lacks("mysql/digests"); !lacks {
		t.Error("the gap of the part is lost")
	}
	if _, lacks := servers[0].Lacks("mysql/use"); !lacks {
		t.Error("the gap of the failed job is lost")
	}
}

func TestARemoteServerHasNoMachine(t *testing.T) {
	s := only(t, copyOf(&snapshot.Server{Identity: &snapshot.Identity{Key: "k", Remote: true}}))
	if s.Machine != nil {
		t.Error("a server behind a remote DSN was given the agent's machine")
	}
}

func TestStolenTimeIsNotBusyTime(t *testing.T) {
	machine := func(minute int, user, idle, steal float64) *snapshot.Snapshot {
		return &snapshot.Snapshot{Machine: &snapshot.Machine{
			Meta: meta(minute, "boot"), CPU: snapshot.CPUTime{User: user, Idle: idle, Steal: steal},
		}}
	}
	host, _ := Between([]*snapshot.Snapshot{machine(0, 0, 0, 0), machine(1, 30, 60, 30)}, day())
	if got := host.Machine.CPUBusyRatio; got != 0.25 {
		t.Errorf("busy ratio = %v, want 0.25", got)
	}
	if got := host.Machine.StealRatio; got != 0.25 {
		t.Errorf("steal ratio = %v, want 0.25", got)
	}
}

func TestTotalsOfAJobThatFailsForLongAreNotJudged(t *testing.T) {
	for age, want := range map[time.Duration]bool{stale: true, stale + time.Second: false} {
		first, last := copyOf(digests(0, "e", row("a", 1))), copyOf(digests(1, "e", row("a", 2)))
		last.Taken = last.Servers["db1"].Digests.Taken.Add(age)
		if got := only(t, first, last).Digests != nil; got != want {
			t.Errorf("digests read %s before their snapshot are judged = %t, want %t", age, got, want)
		}
	}
}
