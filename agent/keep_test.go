package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/agent/config"
	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// counter is a Keeper that counts its rounds.
type counter struct {
	Epoch string
	Value uint64
}

func (c *counter) Collect(_ context.Context, into *snapshot.Snapshot) error {
	if c.Epoch == "" {
		c.Epoch = newID()
	}
	c.Value++
	into.Server("db1").Cost = &snapshot.Cost{Meta: snapshot.Meta{Epoch: c.Epoch}, Statements: c.Value}
	return nil
}

func (c *counter) Save() (json.RawMessage, error) { return json.Marshal(c) }

func (c *counter) Load(state json.RawMessage) error { return json.Unmarshal(state, c) }

func (c *counter) job(name string) collectors.Job {
	return collectors.Job{Name: name, Server: "db1", Every: time.Second, Timeout: time.Second, Collector: c}
}

// shown is the total of a counter on the board; nil while there is none.
func shown(a *Agent) *snapshot.Cost {
	if s := a.Snapshot().Servers["db1"]; s != nil {
		return s.Cost
	}
	return nil
}

func TestTotalsAreShownOnceTheyAreOnDisk(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a, _ := run(t, dir, (&counter{}).job("total"))
		if got := shown(a); got == nil || got.Statements != 1 {
			t.Fatalf("shown at start = %+v, want 1", got)
		}
		sleep(writeEvery - time.Millisecond)
		if got := shown(a).Statements; got != 1 {
			t.Errorf("shown before the next write = %d, want 1", got)
		}
		sleep(time.Millisecond)
		if got := shown(a).Statements; got != 16 && got != 15 {
			t.Errorf("shown after the next write = %d, want the newest", got)
		}
		if onDisk := stateOf(t, dir, "total@db1"); onDisk.Value < shown(a).Statements {
			t.Errorf("on disk %d, shown %d", onDisk.Value, shown(a).Statements)
		}
	})
}

// stateOf returns the state of a counter on disk.
func stateOf(t *testing.T, dir, key string) counter {
	t.Helper()
	s, err := parseState(filepath.Join(dir, stateFile), "db1")
	if err != nil {
		t.Fatal(err)
	}
	var c counter
	if err := json.Unmarshal(s.Keepers[key].State, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTotalsGoOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a, stop := run(t, dir, (&counter{}).job("total"))
		sleep(20500 * time.Millisecond)
		stop()
		before := shown(a)
		if before.Statements != 21 {
			t.Errorf("shown after the end = %d, want 21: the last write is at the end", before.Statements)
		}
		b, _ := run(t, dir, (&counter{}).job("total"))
		if diff := cmp.Diff(&snapshot.Cost{Meta: before.Meta, Statements: 22}, shown(b)); diff != "" {
			t.Errorf("total of the next run (-want +got):\n%s", diff)
		}
		if a.Snapshot().AgentID != b.Snapshot().AgentID {
			t.Error("the agent changed its id over a restart")
		}
	})
}

// lateCounter is a counter of db2 whose rounds take some time.
type lateCounter struct{ counter }

func (c *lateCounter) Collect(ctx context.Context, into *snapshot.Snapshot) error {
	time.Sleep(300 * time.Millisecond)
	var one snapshot.Snapshot
	if err := c.counter.Collect(ctx, &one); err != nil {
		return err
	}
	into.Server("db2").Cost = one.Server("db1").Cost
	return nil
}

func TestTheFirstTotalsOfAJobDoNotWaitForTheNextWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := (&counter{}).job("late")
		late.Collector = &lateCounter{}
		a, _ := run(t, t.TempDir(), (&counter{}).job("total"), late)
		sleep(300*time.Millisecond + firstWrite)
		if got := a.Snapshot().Servers["db2"]; got == nil || got.Cost == nil {
			t.Errorf("the late job shows %+v %s after its first round, want its total", got, firstWrite)
		}
		first := shown(a).Statements
		sleep(10 * time.Second)
		if got := shown(a).Statements; got != first {
			t.Errorf("%d rounds are shown before the next write, want %d as before", got, first)
		}
	})
}

func TestWithoutAFolderTotalsAreShownAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := run(t, "", (&counter{}).job("total"))
		sleep(2500 * time.Millisecond)
		if got := shown(a).Statements; got != 3 {
			t.Errorf("shown = %d, want 3", got)
		}
	})
}

func TestAnAgentThatIsKilledAtOnceIsTheSameAfterwards(t *testing.T) {
	dir := t.TempDir()
	id := func() string {
		a := New(Options{Config: &config.Config{State: dir}})
		if err := a.keep.open(); err != nil {
			t.Fatal(err)
		}
		if err := a.keep.lock.release(); err != nil { // which is all that a kill closes
			t.Fatal(err)
		}
		return a.Snapshot().AgentID
	}
	if first, second := id(), id(); first != second {
		t.Errorf("agent id = %s, want %s still", second, first)
	}
}

func TestTheStateOfAnAbsentJobIsKeptForAMonth(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		_, stop := run(t, dir, (&counter{}).job("away"))
		stop()
		_, stop = run(t, dir, (&counter{}).job("present"))
		stop()
		if got := stateOf(t, dir, "away@db1").Value; got != 1 {
			t.Errorf("state of the absent job = %d, want 1", got)
		}
		time.Sleep(unclaimedFor + time.Second)
		_, stop = run(t, dir, (&counter{}).job("present"))
		stop()
		s, err := parseState(filepath.Join(dir, stateFile), "db1")
		if err != nil {
			t.Fatal(err)
		}
		if _, kept := s.Keepers["away@db1"]; kept || len(s.Keepers) != 1 {
			t.Errorf("states after a month = %v, want that of the present job only", s.Keepers)
		}
	})
}

func TestWhileStateCannotBeWrittenTotalsStayAndTheRestGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		a, _ := run(t, dir, (&counter{}).job("total"), job("host", func(_ context.Context, round int, into *snapshot.Snapshot) error {
			into.Machine = &snapshot.Machine{Cores: round}
			return nil
		}))
		stay := shown(a).Statements
		if err := os.Rename(dir, dir+".away"); err != nil {
			t.Fatal(err)
		}
		sleep(time.Minute)
		s := a.Snapshot()
		if got := shown(a).Statements; got != stay {
			t.Errorf("total = %d, want it to stay at %d", got, stay)
		}
		if s.Machine.Cores < 60 {
			t.Errorf("the other job is at round %d, want it to go on", s.Machine.Cores)
		}
		if len(s.Gaps) != 2 || !strings.HasPrefix(s.Gaps[1].Reason, "state cannot be written") ||
			s.Gaps[1].Remedy != "make room in "+dir+" and let the agent's user write there" {
			t.Errorf("gaps = %+v, want one about the state", s.Gaps)
		}
		if err := os.Rename(dir+".away", dir); err != nil {
			t.Fatal(err)
		}
		sleep(writeEvery + time.Second)
		if got := shown(a).Statements; got < 60 {
			t.Errorf("total = %d after the disk is back, want it to catch up", got)
		}
		if got := a.Snapshot().Gaps; len(got) != 1 {
			t.Errorf("gaps after the disk is back = %+v, want that of the start only", got)
		}
	})
}

func TestAFullDiskHoldsTotalsAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		a, stop := run(t, dir, (&counter{}).job("total"), job("host", machineOf(4)))
		filler := filepath.Join(dir, "filler")
		if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("fill the disk: %v, want ENOSPC", err)
		}
		stay := shown(a).Statements
		sleep(time.Minute)
		if got := shown(a).Statements; got != stay {
			t.Errorf("total = %d, want it to stay at %d", got, stay)
		}
		if gaps := a.Snapshot().Gaps; len(gaps) != 2 || !strings.Contains(gaps[1].Reason, "no space left on device") {
			t.Errorf("gaps = %+v, want one about the full disk", gaps)
		}
		if h := health(t, a, "host"); h.Runs < 60 {
			t.Errorf("the other job ran %d times, want it to go on", h.Runs)
		}
		remove(t, filler)
		sleep(writeEvery + time.Second)
		if got := shown(a).Statements; got < 60 {
			t.Errorf("total = %d with room again, want it to catch up", got)
		}
		stop()
	})
}

func TestUnusableStateStartsTotalsAnew(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, file string, text []byte)
		want  string
		kept  int
	}{
		"missing": {
			func(t *testing.T, file string, _ []byte) { remove(t, file) }, "there is no state file", 0,
		},
		"empty": {
			func(t *testing.T, file string, _ []byte) { write(t, file, nil) }, "the state file is damaged and is kept as", 1,
		},
		"cut": {
			func(t *testing.T, file string, text []byte) { write(t, file, text[:len(text)/2]) }, "the state file is damaged and is kept as", 1,
		},
		"flipped digit": {
			func(t *testing.T, file string, text []byte) {
				write(t, file, bytes.Replace(text, []byte(`"Value":1`), []byte(`"Value":9`), 1))
			}, "the state file is damaged and is kept as", 1,
		},
		"foreign": {
			func(t *testing.T, file string, _ []byte) {
				other := newStored("db2")
				other.Keepers["total@db1"] = savedState{Saved: time.Now(), State: json.RawMessage(`{"Value":500}`)}
				if err := writeState(filepath.Dir(file), other.encode()); err != nil {
					t.Fatal(err)
				}
			}, "the state file belongs to another host and is kept as", 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, stateFile)
			synctest.Test(t, func(t *testing.T) {
				a, stop := run(t, dir, (&counter{}).job("total"))
				stop()
				before := shown(a)
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				write(t, file+".corrupt-1", nil)
				c.spoil(t, file, text)

				b, stop := run(t, dir, (&counter{}).job("total"))
				if got := shown(b); got.Statements != 1 || got.Epoch == before.Epoch {
					t.Errorf("total = %+v, want 1 in another epoch than %s", got, before.Epoch)
				}
				if b.Snapshot().AgentID == a.Snapshot().AgentID {
					t.Error("the agent kept its id")
				}
				gaps := b.Snapshot().Gaps
				if len(gaps) != 1 || !strings.Contains(gaps[0].Reason, c.want) {
					t.Errorf("gaps = %+v, want one with %q", gaps, c.want)
				}
				if kept, _ := filepath.Glob(file + ".corrupt-*"); len(kept) != 1 {
					t.Errorf("kept %v, want one file", kept)
				}
				stop()
				time.Sleep(restartShown)
				if gaps := b.Snapshot().Gaps; len(gaps) != 0 {
					t.Errorf("gaps a day later = %+v, want none", gaps)
				}
			})
		})
	}
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

func TestAStateThatCannotBeReadIsNotThrownAway(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, stateFile), 0o700); err != nil {
		t.Fatal(err)
	}
	a := New(Options{Config: &config.Config{State: dir}, Jobs: []collectors.Job{}})
	if err := a.Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "read state: ") {
		t.Errorf("Run: %v, want an error about reading the state", err)
	}
}

// stubborn is a Keeper that does not take up its state.
type stubborn struct{ counter }

func (*stubborn) Load(json.RawMessage) error { return errors.New("of a newer version") }

func TestAKeeperThatRefusesItsStateStartsAnew(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		_, stop := run(t, dir, (&counter{}).job("total"))
		sleep(5 * time.Second)
		stop()
		refuses := (&counter{}).job("total")
		refuses.Collector = &stubborn{}
		b, _ := run(t, dir, refuses)
		if got := shown(b).Statements; got != 1 {
			t.Errorf("total = %d, want 1", got)
		}
	})
}

func TestTwoAgentsCannotShareAState(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		_, stop := run(t, dir)
		second := New(Options{Config: &config.Config{State: dir}, Jobs: []collectors.Job{}})
		err := second.Run(t.Context())
		want := fmt.Sprintf("state folder %s is in use by another agent; give each agent a state of its own", dir)
		if err == nil || err.Error() != want {
			t.Errorf("Run: %v, want %s", err, want)
		}
		stop()
	})
}

func TestEventsAreNumberedAndTheNewestKept(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		burst := job("locks", func(_ context.Context, _ int, into *snapshot.Snapshot) error {
			for i := range 300 {
				into.Events = append(into.Events, snapshot.Event{Kind: snapshot.EventLockWait, Summary: fmt.Sprint(i)})
			}
			return nil
		})
		a, stop := run(t, dir, burst)
		sleep(4500 * time.Millisecond)
		stop()
		events := a.Snapshot().Events
		if len(events) != snapshot.MaxEvents || events[0].Seq != 501 || events[len(events)-1].Seq != 1500 {
			t.Errorf("%d events, from %d to %d, want 1000 from 501 to 1500", len(events), events[0].Seq, events[len(events)-1].Seq)
		}
		b, _ := run(t, dir)
		if diff := cmp.Diff(events, b.Snapshot().Events); diff != "" {
			t.Errorf("events after a restart (-want +got):\n%s", diff)
		}
	})
}

func TestEventsAreShownOnceTheyAreOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		a, _ := run(t, dir, job("locks", func(_ context.Context, _ int, into *snapshot.Snapshot) error {
			into.Events = []snapshot.Event{{Kind: snapshot.EventDeadlock}}
			return nil
		}))
		if got := len(a.Snapshot().Events); got != 1 {
			t.Fatalf("events at start = %d, want 1", got)
		}
		if err := os.Rename(dir, dir+".away"); err != nil {
			t.Fatal(err)
		}
		sleep(time.Minute)
		if got := len(a.Snapshot().Events); got != 1 {
			t.Errorf("events while the state cannot be written = %d, want 1", got)
		}
		if err := os.Rename(dir+".away", dir); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStateSurvivesTheWayToDiskAndBack(t *testing.T) {
	dir := t.TempDir()
	want := newStored("db1")
	want.append([]snapshot.Event{{Server: "db1", Kind: snapshot.EventRestart, Summary: "<&>\u2028", Time: time.Unix(1, 0).UTC()}})
	want.Keepers[`a"b@<c>`] = savedState{Saved: time.Unix(2, 0).UTC(), State: json.RawMessage(`{"x":"<&>","y":[1,2.5e9]}`)}
	want.Keepers["empty"] = savedState{State: json.RawMessage(`null`)}
	if err := writeState(dir, want.encode()); err != nil {
		t.Fatal(err)
	}
	got, err := readState(dir, "db1")
	if err != nil {
		t.Fatal(err)
	}
	want.events = nil
	if diff := cmp.Diff(&want, got, cmp.AllowUnexported(stored{})); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

func FuzzReadState(f *testing.F) {
	s := newStored("db1")
	s.Keepers["total@db1"] = savedState{State: json.RawMessage(`{"Value":1}`)}
	f.Add(s.encode(), true)
	f.Add([]byte(`{}`), true)
	f.Add([]byte(`{"crc32c":"00000000","state":null}`), false)
	f.Fuzz(func(t *testing.T, text []byte, wrapped bool) {
		if wrapped {
			text = []byte(envelopeHead + sum(text) + envelopeMid + string(text) + envelopeTail)
		}
		file := filepath.Join(t.TempDir(), stateFile)
		write(t, file, text)
		got, err := parseState(file, "db1")
		if err == nil && (got.Keepers == nil || got.AgentID == "") {
			t.Errorf("parseState accepted %q as %+v", text, got)
		}
	})
}
