package keeper

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"plimsoll/advisor/store"
	"plimsoll/collectors/snapshot"
	"plimsoll/rules/fleet"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// fakeAgent answers as an agent does. Fields are changed between fetches only.
type fakeAgent struct {
	snapshot *snapshot.Snapshot
	rev      int
	served   atomic.Int64 // sections
}

func (a *fakeAgent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Plimsoll-Time", time.Now().Add(time.Hour).Format(time.RFC3339Nano))
	if r.URL.Path == "/v1/snapshot" {
		fmt.Fprintf(w, `{"schema":1,"agent_id":%q,"sections":[`, a.snapshot.AgentID)
		for i, s := range snapshot.Sections() {
			fmt.Fprintf(w, `%s{"name":%q,"etag":"%s%d"}`, strings.Repeat(",", min(i, 1)), s, s, a.rev)
		}
		fmt.Fprint(w, "]}")
		return
	}
	a.served.Add(1)
	w.Header().Set("Content-Encoding", "gzip")
	packed := gzip.NewWriter(w)
	defer func() { _ = packed.Close() }() // a reader who left needs no end
	name := snapshot.Section(strings.TrimPrefix(r.URL.Path, "/v1/snapshot/"))
	section := a.snapshot.Section(name)
	after, _ := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
	for _, server := range section.Servers {
		if server.Digests != nil {
			d := *server.Digests
			d.Texts = slices.DeleteFunc(slices.Clone(d.Texts), func(t snapshot.DigestText) bool { return t.Rev <= after })
			server.Digests = &d
		}
	}
	_ = json.NewEncoder(packed).Encode(section)
}

func agentSnapshot(id string, taken time.Time, epoch string, calls uint64) *snapshot.Snapshot {
	s := &snapshot.Snapshot{Schema: 1, AgentID: id, Cluster: "shop", Host: "db1", Taken: taken}
	s.Server("db1").Digests = &snapshot.Digests{
		Meta: snapshot.Meta{Taken: taken, Epoch: epoch},
		Rows: []snapshot.Digest{{Fingerprint: "fp1:a", DigestTotals: snapshot.DigestTotals{Calls: calls}}},
	}
	return s
}

func target(t *testing.T, h http.Handler) store.Target {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return store.Target{Address: server.Listener.Addr().String(), Scheme: "http", Client: server.Client()}
}

func open(t *testing.T, now *time.Time) *Keeper {
	t.Helper()
	k, err := Open(t.TempDir(), slog.New(slog.DiscardHandler), func() time.Time { return *now })
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOnlyChangedSectionsAreFetched(t *testing.T) {
	now := noon
	k, a := open(t, &now), &fakeAgent{snapshot: agentSnapshot("agent-00000001", noon, "e", 1)}
	targets := []store.Target{target(t, a)}
	k.Fetch(t.Context(), targets)
	first := a.served.Load()
	k.Fetch(t.Context(), targets)
	if again := a.served.Load() - first; again != 0 {
		t.Errorf("%d sections were fetched again although none had changed", again)
	}
	if got := k.Agents()[0]; got.Err != nil || got.Latest.Servers["db1"].Digests.Rows[0].Calls != 1 {
		t.Errorf("agent = %+v, want its digests", got)
	}
}

func TestTheAgentsClockIsCompared(t *testing.T) {
	now := noon
	k := open(t, &now)
	k.Fetch(t.Context(), []store.Target{target(t, &fakeAgent{snapshot: agentSnapshot("agent-00000001", noon, "e", 1)})})
	got := k.Agents()[0]
	if got.ClockOffsetSeconds < 3599 || got.ClockOffsetSeconds > 3601 || got.ClockErrorSeconds > 1 {
		t.Errorf("clock offset = %v ± %v s, want an hour", got.ClockOffsetSeconds, got.ClockErrorSeconds)
	}
}

func TestAnAgentThatFailsKeepsItsLastSnapshotAndSaysWhy(t *testing.T) {
	now := noon
	k, broken := open(t, &now), atomic.Bool{}
	a := &fakeAgent{snapshot: agentSnapshot("agent-00000001", noon, "e", 1)}
	targets := []store.Target{target(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		a.ServeHTTP(w, r)
	}))}
	k.Fetch(t.Context(), targets)
	broken.Store(true)
	k.Fetch(t.Context(), targets)
	got := k.Agents()[0]
	if got.Err == nil || got.Latest == nil {
		t.Errorf("agent = %+v, want its last snapshot and an error", got)
	}
}

// endless writes JSON for ever, packed or not.
func endless(packed bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		out := io.Writer(w)
		if packed {
			w.Header().Set("Content-Encoding", "gzip")
			out = gzip.NewWriter(w)
		}
		fmt.Fprint(out, `{"agent_id":"`)
		chunk := strings.Repeat("a", 1<<16)
		for range 1 << 14 { // a gigabyte
			if _, err := io.WriteString(out, chunk); err != nil {
				return
			}
		}
	})
}

func TestAnAgentThatAnswersAGigabyteIsCutOff(t *testing.T) {
	for name, packed := range map[string]bool{"plain": false, "packed": true} {
		t.Run(name, func(t *testing.T) {
			now := noon
			k := open(t, &now)
			k.Fetch(t.Context(), []store.Target{target(t, endless(packed))})
			if err := k.Agents()[0].Err; err == nil || !strings.Contains(err.Error(), "larger than an agent's") {
				t.Errorf("error = %v, want that the answer is too large", err)
			}
		})
	}
}

func TestAnAgentThatNeverAnswersDoesNotHoldUpTheOthers(t *testing.T) {
	now := noon
	k := open(t, &now)
	hung := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	k.Fetch(ctx, []store.Target{target(t, hung), target(t, &fakeAgent{snapshot: agentSnapshot("agent-00000002", noon, "e", 1)})})
	well := 0
	for _, a := range k.Agents() {
		if a.Err == nil {
			well++
		}
	}
	if well != 1 {
		t.Errorf("%d agents are well, want the one that answers", well)
	}
}

func TestSomethingElseThanAnAgentIsRefused(t *testing.T) {
	now := noon
	for answer, want := range map[string]string{
		`{"schema":1,"agent_id":"../../etc","sections":[]}`: "names no agent",
		`{"schema":99,"agent_id":"agent-00000001"}`:         "upgrade the advisor",
		`<html>`: "read /v1/snapshot",
	} {
		k := open(t, &now)
		k.Fetch(t.Context(), []store.Target{target(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))})
		if err := k.Agents()[0].Err; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("answer %s: error = %v, want %q", answer, err, want)
		}
	}
}

// grow fetches every minute for some hours, and returns the keeper.
func grow(t *testing.T, minutes int, epoch func(minute int) string) (*Keeper, *snapshot.Snapshot) {
	t.Helper()
	now := noon
	k := open(t, &now)
	for minute := range minutes {
		now = noon.Add(time.Duration(minute) * time.Minute)
		if err := k.keep(agentSnapshot("agent-00000001", now, epoch(minute), uint64(minute))); err != nil {
			t.Fatal(err)
		}
	}
	return k, agentSnapshot("agent-00000001", now, epoch(minutes-1), uint64(minutes-1))
}

func TestOneCopyAnHourIsKept(t *testing.T) {
	k, latest := grow(t, 181, func(int) string { return "e" })
	if times, _ := k.kept(latest.AgentID); len(times) != 4 {
		t.Errorf("copies after three hours = %d, want 4", len(times))
	}
	copies, err := k.Copies(latest, fleet.Window{From: noon.Add(30 * time.Minute), To: latest.Taken})
	if err != nil || len(copies) != 2 || !copies[0].Taken.Equal(noon.Add(time.Hour)) {
		t.Errorf("copies that bound the window = %d, %v, want that of one o'clock and the latest", len(copies), err)
	}
}

func TestAWindowAsLongAsTheAgentRunsBeginsAtItsFirstCopy(t *testing.T) {
	k, latest := grow(t, 30, func(int) string { return "e" })
	for _, length := range []time.Duration{10 * time.Minute, 28 * time.Minute, 29 * time.Minute, time.Hour} {
		w := fleet.Window{From: latest.Taken.Add(-length), To: latest.Taken}
		copies, err := k.Copies(latest, w)
		if err != nil || len(copies) != 2 || !copies[0].Taken.Equal(noon) {
			t.Errorf("copies that bound %s = %d, %v, want the first and the latest", length, len(copies), err)
			continue
		}
		_, servers := fleet.Between(copies, w)
		if got := servers[0].Digests; got == nil || got.Window.Duration() != 29*time.Minute || got.Rows[0].Calls != 29 {
			t.Errorf("digests = %+v, want all 29 minutes that were seen", got)
		}
	}
}

func TestAShortWindowIsAsLongAsItsCopiesAllow(t *testing.T) {
	k, _ := grow(t, 181, func(int) string { return "e" })
	for minute, want := range map[int]int{119: 60, 121: 60, 135: 60, 136: 120, 170: 120} {
		latest := agentSnapshot("agent-00000001", noon.Add(time.Duration(minute)*time.Minute), "e", uint64(minute))
		copies, err := k.Copies(latest, fleet.Window{From: latest.Taken.Add(-30 * time.Minute), To: latest.Taken})
		if err != nil || len(copies) < 2 || !copies[0].Taken.Equal(noon.Add(time.Duration(want)*time.Minute)) {
			t.Errorf("half an hour until minute %d begins at %v, %v, want minute %d", minute, copies[0].Taken, err, want)
		}
	}
}

func TestCopiesOfLongAgoBoundNoWindow(t *testing.T) {
	k, _ := grow(t, 30, func(int) string { return "e" })
	latest := agentSnapshot("agent-00000001", noon.Add(48*time.Hour), "e", 48*60)
	copies, err := k.Copies(latest, fleet.Window{From: latest.Taken.Add(-time.Hour), To: latest.Taken})
	if err != nil || len(copies) != 1 {
		t.Errorf("copies = %d, %v, want the latest alone", len(copies), err)
	}
}

func TestAPoolThatComesLaterIsKeptAtOnce(t *testing.T) {
	now := noon
	k := open(t, &now)
	withPools := func(minute int, names ...string) *snapshot.Snapshot {
		s := agentSnapshot("agent-00000001", noon.Add(time.Duration(minute)*time.Minute), "e", 1)
		meta := snapshot.Meta{Taken: s.Taken, Epoch: "e"}
		s.PHP, s.PHPProfile = &snapshot.PHP{Meta: meta}, &snapshot.PHPProfile{Meta: meta}
		for _, name := range names {
			s.PHP.Pools = append(s.PHP.Pools, snapshot.FPMPool{Name: name})
			s.PHPProfile.Pools = append(s.PHPProfile.Pools, snapshot.PoolProfile{Name: name, WorkerSeconds: float64(60 * minute)})
		}
		return s
	}
	for minute, s := range []*snapshot.Snapshot{withPools(0), withPools(1, "www"), withPools(2, "www"), withPools(3, "www", "admin"), withPools(4, "www")} {
		now = noon.Add(time.Duration(minute) * time.Minute)
		if err := k.keep(s); err != nil {
			t.Fatal(err)
		}
	}
	if times, _ := k.kept("agent-00000001"); len(times) != 3 {
		t.Errorf("copies = %v, want one without pools and one for each that came", times)
	}
	latest := withPools(9, "www")
	w := fleet.Window{From: noon.Add(-time.Hour), To: latest.Taken}
	copies, err := k.Copies(latest, w)
	if err != nil {
		t.Fatal(err)
	}
	host, _ := fleet.Between(copies, w)
	if got := host.Pools[0].Workers; got == nil || got.Window.Duration() != 8*time.Minute {
		t.Errorf("workers = %+v, want the 8 minutes since the pool was first seen", got)
	}
}

func TestARestartedServerIsKeptAtOnce(t *testing.T) {
	k, latest := grow(t, 30, func(minute int) string { return fmt.Sprint(minute / 20) })
	copies, err := k.Copies(latest, fleet.Window{From: noon.Add(-time.Hour), To: latest.Taken})
	if err != nil || len(copies) != 3 || !copies[1].Taken.Equal(noon.Add(20*time.Minute)) {
		t.Fatalf("copies = %d, %v, want one of each epoch and the latest", len(copies), err)
	}
	_, servers := fleet.Between(copies, fleet.Window{From: noon.Add(-time.Hour), To: latest.Taken})
	if got := servers[0].Digests.Rows[0].Calls; got != 9 {
		t.Errorf("calls since the restart = %d, want 9", got)
	}
}

func TestOldCopiesThinOut(t *testing.T) {
	now := noon
	k := open(t, &now)
	for hour := range 24 * 45 {
		now = noon.Add(time.Duration(hour) * time.Hour)
		if err := k.keep(agentSnapshot("agent-00000001", now, "e", uint64(hour))); err != nil {
			t.Fatal(err)
		}
	}
	times, err := k.kept("agent-00000001")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(times); n < 38+48 || n > 41+50 {
		t.Errorf("copies after 45 days = %d, want about 48 of hours and 38 of days", n)
	}
	if age := now.Sub(times[0]); age > daily+24*time.Hour {
		t.Errorf("oldest copy is %s old, want at most forty days", age)
	}
}
