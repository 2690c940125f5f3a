package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/agent/config"
	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// childState names the state folder to the child of the kill test.
const childState = "PLIMSOLL_TEST_KILL_STATE"

// seen is what a child shows at one moment.
type seen struct {
	AgentID string
	Total   *snapshot.Cost
	Events  []snapshot.Event
}

// ranAsChild runs an agent that tells what it shows until it is killed.
func ranAsChild() bool {
	dir := os.Getenv(childState)
	if dir == "" {
		return false
	}
	total := (&counter{}).job("total")
	total.Every = time.Millisecond
	events := collectors.Job{
		Name: "locks", Every: 3 * time.Millisecond, Timeout: time.Second,
		Collector: collectors.Func(func(_ context.Context, into *snapshot.Snapshot) error {
			into.Events = []snapshot.Event{{Kind: snapshot.EventLockWait, Time: time.Now().UTC(), Summary: newID()}}
			return nil
		}),
	}
	a := New(Options{Config: &config.Config{State: dir}, Jobs: []collectors.Job{total, events}})
	a.keep.pause = 2 * time.Millisecond
	go func() {
		if err := a.Run(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}()
	out := json.NewEncoder(os.Stdout)
	for {
		s := a.Snapshot()
		if s.AgentID == "" {
			continue
		}
		if err := out.Encode(seen{s.AgentID, shown(a), s.Events}); err != nil {
			return true
		}
		time.Sleep(time.Millisecond)
	}
}

func TestKilledAgentsLoseNothingThatWasShown(t *testing.T) {
	kills := 50
	if os.Getenv("PLIMSOLL_FULL") != "" {
		kills = 200
	}
	dir := t.TempDir()
	var last seen
	for i := range kills {
		last = killOne(t, dir, last, i%2 > 0)
	}
	if last.Total == nil || last.Total.Statements < uint64(kills) || len(last.Events) < kills {
		t.Errorf("%d kills came to %+v and %d events: too little to mean anything", kills, last.Total, len(last.Events))
	}
	t.Logf("%d kills, total %d, last event %d", kills, last.Total.Statements, last.Events[len(last.Events)-1].Seq)
}

// killOne runs a child until it is killed at some moment, and checks all that
// it showed against what was shown before it. The moment is one after it has
// shown something new, which takes a while on a busy machine, or any.
func killOne(t *testing.T, dir string, before seen, news bool) seen {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childState+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killer := time.AfterFunc(20*time.Millisecond+rand.N(60*time.Millisecond), func() { _ = cmd.Process.Kill() })
	defer killer.Stop()
	if news {
		killer.Reset(30 * time.Second)
	}
	lines, atFirst := bufio.NewScanner(out), before
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var now seen
		if json.Unmarshal(lines.Bytes(), &now) != nil {
			break // The line that the kill cut.
		}
		before = compare(t, before, now)
		if news && before.grown(atFirst) {
			news = false
			killer.Reset(rand.N(60 * time.Millisecond))
		}
	}
	_ = cmd.Wait() // It was killed.
	return before
}

// grown reports whether the total and the events are three beyond what they were.
func (s seen) grown(was seen) bool {
	total, event := s.counts()
	totalBefore, eventBefore := was.counts()
	return total >= totalBefore+3 && event >= eventBefore+3
}

func (s seen) counts() (total, event uint64) {
	if s.Total != nil {
		total = s.Total.Statements
	}
	if n := len(s.Events); n > 0 {
		event = s.Events[n-1].Seq
	}
	return total, event
}

// compare returns what is known to have been shown, after now.
func compare(t *testing.T, before, now seen) seen {
	t.Helper()
	if before.AgentID != "" && now.AgentID != before.AgentID {
		t.Fatalf("agent id changed from %s to %s", before.AgentID, now.AgentID)
	}
	if now.Total == nil {
		now.Total = before.Total // Not shown yet in this run.
	} else if before.Total != nil && (now.Total.Statements < before.Total.Statements || now.Total.Epoch != before.Total.Epoch) {
		t.Fatalf("total fell from %+v to %+v", before.Total, now.Total)
	}
	old := map[uint64]snapshot.Event{}
	for _, e := range before.Events {
		old[e.Seq] = e
	}
	kept := 0
	for _, e := range now.Events {
		was, shown := old[e.Seq]
		if !shown {
			continue
		}
		kept++
		if diff := cmp.Diff(was, e); diff != "" {
			t.Fatalf("event %d changed (-before +now):\n%s", e.Seq, diff)
		}
	}
	if lost := len(before.Events) - kept; lost > 0 && len(now.Events) < snapshot.MaxEvents {
		t.Fatalf("%d events that were shown are gone", lost)
	}
	return now
}
