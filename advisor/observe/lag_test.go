package observe

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// track has one position a second from noon on; gtids[i] is MariaDB's last
// number at that second, and a negative one is a second without a reading.
func track(gtids ...int) Track {
	p := &snapshot.Positions{ClockErrorSeconds: 0.001}
	for i, n := range gtids {
		if n >= 0 {
			text := fmt.Sprintf("0-1-%d", n)
			p.Ring = append(p.Ring, snapshot.Position{Time: at(i), GTID: text, Written: text})
		}
	}
	return NewTrack(p, 0, 0)
}

func at(second int) time.Time { return noon.Add(time.Duration(second) * time.Second) }

func totals(samples []LagSample) map[int]float64 {
	out := map[int]float64{}
	for _, s := range samples {
		out[int(s.At.Sub(noon).Seconds())] = s.Total
	}
	return out
}

func TestLagIsTheAgeOfWhatTheReplicaLacks(t *testing.T) {
	source := track(10, 20, 30, 40, 50, 50)
	replica := track(10, 10, 10, 20, 40, 50)
	got := totals(Lags(source, replica, "", time.Time{}))
	want := map[int]float64{0: 0, 1: 0, 2: 1, 3: 1, 4: 0, 5: 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lag by second (-want +got):\n%s", diff)
	}
}

func TestLagIsUnknownWhileTheSourceDoesNotAnswer(t *testing.T) {
	source := track(10, 20, -1, -1, -1, -1, -1, 20)
	replica := track(10, 20, 20, 20, 20, 20, 20, 20)
	got := totals(Lags(source, replica, "", time.Time{}))
	want := map[int]float64{0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 7: 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lag by second (-want +got):\n%s", diff)
	}
}

func TestLagBeyondTheSourcesPositionsIsAtLeastThatMuch(t *testing.T) {
	samples := Lags(track(100, 101, 102), track(-1, -1, 7), "", time.Time{})
	if len(samples) != 1 || !samples[0].AtLeast || samples[0].Total != 2 {
		t.Errorf("lag of a replica far behind = %+v, want at least 2 s", samples)
	}
}

func TestLagUsesTheCorrectedClocks(t *testing.T) {
	ring := func(offset float64) *snapshot.Positions {
		p := &snapshot.Positions{ClockOffsetSeconds: offset}
		for i := range 5 {
			wrong := at(i).Add(time.Duration(offset * float64(time.Second)))
			text := fmt.Sprintf("0-1-%d", i)
			p.Ring = append(p.Ring, snapshot.Position{Time: wrong, GTID: text, Written: text})
		}
		return p
	}
	source, replica := NewTrack(ring(3600), 0, 0), NewTrack(ring(-7), 0, 0)
	for second, lag := range totals(Lags(source, replica, "", time.Time{})) {
		if lag != 0 {
			t.Errorf("lag at second %d = %v with clocks an hour apart, want 0", second, lag)
		}
	}
}

func TestPositionsThatCannotBeComparedGiveNoLag(t *testing.T) {
	replica := NewTrack(&snapshot.Positions{Ring: []snapshot.Position{{Time: at(1), GTID: "nonsense"}}}, 0, 0)
	if got := Lags(track(1, 2), replica, "", time.Time{}); len(got) != 0 {
		t.Errorf("lag from a malformed position = %v, want none", got)
	}
}

// pair is a source and a replica, as two agents see them.
func pair(state snapshot.LagState, source, replica *snapshot.Positions) []Sight {
	primary := &fleet.Server{Cluster: "shop", Host: "db1", Name: "db1", Key: "k1", Latest: &snapshot.Server{Positions: source}}
	second := &fleet.Server{Cluster: "shop", Host: "db2", Name: "db2", Key: "k2", Latest: &snapshot.Server{
		Positions:   replica,
		Replication: &snapshot.Replication{Channels: []snapshot.Channel{{SourceKey: "k1", State: state}}},
	}}
	return []Sight{{Server: primary}, {Server: second}}
}

func ring(gtids ...int) *snapshot.Positions {
	p := &snapshot.Positions{}
	for _, point := range track(gtids...).points {
		p.Ring = append(p.Ring, point.Position)
	}
	return p
}

func TestTheBookCountsEachSecondOnce(t *testing.T) {
	book := NewLagBook()
	book.Read(pair(snapshot.LagOK, ring(1, 2, 3), ring(1, 1, 1)), at(3))
	got := book.Read(pair(snapshot.LagOK, ring(1, 2, 3, 3, 3), ring(1, 1, 1, 3, 3)), at(5))
	if len(got) != 1 {
		t.Fatalf("channels in the book = %d, want 1", len(got))
	}
	r := got[0]
	if r.Seconds != 5 || r.Sum != 1 || r.Counts[0] != 4 || r.Counts[1] != 5 {
		t.Errorf("book after five seconds = %+v, want 5 seconds of which 4 without lag", r)
	}
	if *r.Max != 0 || r.State[snapshot.LagOK] != 5 {
		t.Errorf("newest reading = max %v, state %v, want 0 and 5 s ok", *r.Max, r.State)
	}
}

func TestAStoppedReplicaHasNoLagButASpellInItsState(t *testing.T) {
	book := NewLagBook()
	book.Read(pair(snapshot.LagOK, ring(1, 2), ring(1, 2)), at(1))
	got := book.Read(pair(snapshot.LagSQLDown, nil, ring(1, 2)), at(31))[0]
	if got.Last != nil || got.Max != nil {
		t.Errorf("lag of a stopped replica = %v, want unknown", *got.Last)
	}
	if got.State[snapshot.LagSQLDown] != 30 {
		t.Errorf("time in sql_down = %v s, want 30", got.State[snapshot.LagSQLDown])
	}
	if got.Unknown == "" {
		t.Error("the reading does not say why lag is unknown")
	}
}

func TestLagNeedsTheClockOfBothAgents(t *testing.T) {
	sights := pair(snapshot.LagOK, ring(1, 2), ring(1, 2))
	sights[0].ClockErrorSeconds = math.Inf(1)
	got := NewLagBook().Read(sights, at(2))[0]
	if got.Last != nil || got.Seconds != 0 {
		t.Errorf("lag without a common clock = %+v, want unknown", got)
	}
}

func TestTwoReplicasOfOneNameAreKeptApart(t *testing.T) {
	sights := pair(snapshot.LagOK, ring(1, 2, 3), ring(1, 1, 1))
	twin := *sights[1].Server
	latest := *twin.Latest
	latest.Positions = ring(1, 2, 3)
	twin.Key, twin.Latest = "k3", &latest
	got := NewLagBook().Read(append(sights, Sight{Server: &twin}), at(3))
	if len(got) != 2 || got[0].Sum == got[1].Sum {
		t.Errorf("readings = %+v, want one with lag and one without", got)
	}
}

func TestAChannelThatIsGoneIsForgotten(t *testing.T) {
	book := NewLagBook()
	book.Read(pair(snapshot.LagOK, ring(1, 2), ring(1, 2)), at(1))
	book.Read(nil, at(2))
	if len(book.pages) != 0 {
		t.Errorf("the book still holds %d channels", len(book.pages))
	}
}
