package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"plimsoll/agent/config"
	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

func TestMain(m *testing.M) {
	if ranAsChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

// run runs an agent with jobs inside a synctest bubble until the test ends.
func run(t *testing.T, state string, jobs ...collectors.Job) (a *Agent, stop func()) {
	t.Helper()
	return runLogged(t, slog.New(slog.DiscardHandler), state, jobs...)
}

func runLogged(t *testing.T, log *slog.Logger, state string, jobs ...collectors.Job) (a *Agent, stop func()) {
	t.Helper()
	jobs = append([]collectors.Job{}, jobs...) // Nil would be all jobs of a real host.
	a = New(Options{Config: &config.Config{Cluster: "shop", Host: "db1", State: state}, Log: log, Jobs: jobs})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	synctest.Wait()
	return a, stop
}

// job makes a job that runs each second and calls f with the number of the
// round, from 1.
func job(name string, f func(ctx context.Context, round int, into *snapshot.Snapshot) error) collectors.Job {
	round := 0
	return collectors.Job{
		Name: name, Every: time.Second, Timeout: time.Second,
		Collector: collectors.Func(func(ctx context.Context, into *snapshot.Snapshot) error {
			round++
			return f(ctx, round, into)
		}),
	}
}

// machine fills the part of the host.
func machineOf(cores int) func(context.Context, int, *snapshot.Snapshot) error {
	return func(_ context.Context, _ int, into *snapshot.Snapshot) error {
		into.Machine = &snapshot.Machine{Cores: cores}
		return nil
	}
}

func health(t *testing.T, a *Agent, name string) snapshot.JobHealth {
	t.Helper()
	for _, h := range a.Snapshot().Agent.Jobs {
		if h.Name == name {
			return h
		}
	}
	t.Fatalf("no job %s", name)
	return snapshot.JobHealth{}
}

func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestAJobRunsAtItsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, at := time.Now(), []time.Duration{}
		a, _ := run(t, "", job("host", func(context.Context, int, *snapshot.Snapshot) error {
			at = append(at, time.Since(start))
			return nil
		}))
		sleep(3500 * time.Millisecond)
		want := []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("rounds (-want +got):\n%s", diff)
		}
		want1 := snapshot.JobHealth{
			Name: "host", EverySeconds: 1, IntervalSeconds: 1, Runs: 4, LastSuccess: start.Add(3 * time.Second),
		}
		if diff := cmp.Diff(want1, health(t, a, "host")); diff != "" {
			t.Errorf("health (-want +got):\n%s", diff)
		}
	})
}

func TestFirstRoundsComeTogetherWithinTheJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		delays := map[time.Duration]bool{}
		var jobs []collectors.Job
		for range 20 {
			jobs = append(jobs, collectors.Job{
				Name: "host", Every: time.Hour, Timeout: time.Second,
				Collector: collectors.Func(func(context.Context, *snapshot.Snapshot) error {
					mu.Lock()
					defer mu.Unlock()
					delays[time.Since(start)] = true
					return nil
				}),
			})
		}
		a := New(Options{Config: &config.Config{}, Jobs: jobs, Jitter: 3 * time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		sleep(3 * time.Second)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if len(delays) != 1 {
			t.Errorf("20 jobs started at %d moments, want one", len(delays))
		}
		for d := range delays {
			if d < 0 || d >= 3*time.Second {
				t.Errorf("first round after %s, want less than 3s", d)
			}
		}
	})
}

func TestARoundIsLeftOutWhileTheOneBeforeRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := job("slow", func(context.Context, int, *snapshot.Snapshot) error {
			time.Sleep(2500 * time.Millisecond)
			return nil
		})
		slow.Timeout = 5 * time.Second
		a, _ := run(t, "", slow)
		sleep(5900 * time.Millisecond)
		if h := health(t, a, "slow"); h.Runs != 2 || h.Skipped != 4 {
			t.Errorf("runs %d, skipped %d, want 2 and 4", h.Runs, h.Skipped)
		}
	})
}

func TestARoundEndsAtItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := run(t, "", job("slow", func(ctx context.Context, _ int, _ *snapshot.Snapshot) error {
			<-ctx.Done()
			return ctx.Err()
		}))
		sleep(1500 * time.Millisecond)
		want := []snapshot.Gap{{Job: "slow", Reason: "took longer than its limit of 1s: context deadline exceeded"}}
		if diff := cmp.Diff(want, a.Snapshot().Gaps); diff != "" {
			t.Errorf("gaps (-want +got):\n%s", diff)
		}
	})
}

func TestAHungCollectorKeepsItsPlaceAndHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var mu sync.Mutex
		entered, hung := 0, job("hung", nil)
		hung.Collector = collectors.Func(func(_ context.Context, into *snapshot.Snapshot) error {
			mu.Lock()
			entered++
			first := entered == 1
			mu.Unlock()
			if first {
				<-release // Deaf to its context, like a read from a dead NFS server.
			}
			into.Machine = &snapshot.Machine{Cores: entered}
			return nil
		})
		a, _ := run(t, "", hung, job("host", machineOf(99)))

		sleep(30*time.Second + 500*time.Millisecond)
		if entered != 1 {
			t.Errorf("entered %d times while it hangs, want once", entered)
		}
		h := health(t, a, "hung")
		if h.Failures != 1 || h.Skipped != 30 || h.LastError != "hangs: still running 5s after its limit of 1s" {
			t.Errorf("health of the hung job = %+v", h)
		}
		if other := health(t, a, "host"); other.Runs != 31 || other.Failures != 0 {
			t.Errorf("health of the other job = %+v, want 31 runs", other)
		}

		close(release)
		synctest.Wait()
		if got := a.Snapshot().Machine.Cores; got != 99 {
			t.Errorf("cores = %d: what a given-up round brought is shown", got)
		}
		sleep(time.Second)
		if h := health(t, a, "hung"); h.LastError != "" || h.Runs != 2 {
			t.Errorf("health after it came back = %+v", h)
		}
	})
}

func TestAFailingJobSlowsDownAndIsBackAfterASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, at := time.Now(), []float64{}
		a, _ := run(t, "", job("host", func(_ context.Context, round int, _ *snapshot.Snapshot) error {
			at = append(at, time.Since(start).Seconds())
			if round <= 8 {
				return errors.New("no answer")
			}
			return nil
		}))
		sleep(81 * time.Second)
		// Two failures at the usual pace, then doubling, at most sixteen times.
		want := []float64{0, 1, 2, 4, 8, 16, 32, 48, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("rounds at second (-want +got):\n%s", diff)
		}
		if h := health(t, a, "host"); h.IntervalSeconds != 1 || h.Failures != 8 {
			t.Errorf("health = %+v", h)
		}
	})
}

func TestTheBreakerNeverWaitsLongerThanFiveMinutes(t *testing.T) {
	for every, want := range map[time.Duration]time.Duration{
		time.Second: 16 * time.Second, time.Minute: 5 * time.Minute, time.Hour: time.Hour,
	} {
		b := breaker{every: every, interval: every}
		for range 50 {
			b.after(errors.New("down"))
		}
		if b.interval != want {
			t.Errorf("interval of a failing job of every %s = %s, want %s", every, b.interval, want)
		}
	}
}

func TestAPanicIsAFailureOfItsOwnJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := run(t, "",
			job("bad", func(context.Context, int, *snapshot.Snapshot) error { panic("nil map\nwith a second line") }),
			job("host", machineOf(4)))
		sleep(time.Second)
		s := a.Snapshot()
		want := []snapshot.Gap{{Job: "bad", Reason: "BUG: panic: nil map with a second line"}}
		if diff := cmp.Diff(want, s.Gaps); diff != "" {
			t.Errorf("gaps (-want +got):\n%s", diff)
		}
		if s.Machine == nil || s.Machine.Cores != 4 {
			t.Errorf("machine = %+v, want what the other job read", s.Machine)
		}
	})
}

func TestFailuresAreLoggedWhenTheyBeginAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		_, stop := runLogged(t, timeless(&out), "", job("host", func(_ context.Context, round int, _ *snapshot.Snapshot) error {
			if round >= 2 && round <= 4 {
				return errors.New("no answer")
			}
			return nil
		}))
		sleep(10 * time.Second)
		stop()
		want := "level=WARN msg=\"job fails\" job=host server=\"\" err=\"no answer\"\n" +
			"level=INFO msg=\"job recovered\" job=host server=\"\"\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// timeless logs to out without the time.
func timeless(out io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func TestAnOutageOfAServerIsLoggedOnceAndNotByEachOfItsJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		lost := func() error {
			if s := time.Since(start); s < 3*time.Second || s > 6*time.Second {
				return nil
			}
			return fmt.Errorf("read status: %w", &collectors.SourceError{Err: errors.New("connection refused")})
		}
		of := func(name string, err func() error) collectors.Job {
			return collectors.Job{
				Name: name, Server: "db1", Every: time.Second, Timeout: time.Second,
				Collector: collectors.Func(func(context.Context, *snapshot.Snapshot) error { return err() }),
			}
		}
		var out bytes.Buffer
		_, stop := runLogged(t, timeless(&out), "",
			of("status", lost), of("locks", lost), of("positions", lost),
			of("cost", func() error { return nil }), // asks nobody
			of("schema", func() error {
				if err := lost(); err != nil {
					return err
				}
				return errors.New("no privilege")
			}))
		sleep(20 * time.Second)
		stop()
		want := "level=WARN msg=\"job fails\" job=schema server=db1 err=\"no privilege\"\n" +
			"level=WARN msg=\"server cannot be read\" server=db1 err=\"connection refused\"\n" +
			"level=INFO msg=\"server is read again\" server=db1\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

func TestTheLastPartStaysWhileItsJobFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := run(t, "", job("host", func(_ context.Context, round int, into *snapshot.Snapshot) error {
			into.Machine = &snapshot.Machine{Cores: round}
			if round > 1 {
				return errors.New("no answer")
			}
			into.Gaps = []snapshot.Gap{{Job: "host", Subject: "sda", Reason: "is away"}}
			return nil
		}))
		if got := a.Snapshot().Gaps; len(got) != 1 || got[0].Subject != "sda" {
			t.Errorf("gaps after a success = %v, want what the job stated", got)
		}
		sleep(time.Second)
		s := a.Snapshot()
		if s.Machine.Cores != 1 {
			t.Errorf("cores = %d, want those of the last success", s.Machine.Cores)
		}
		if diff := cmp.Diff([]snapshot.Gap{{Job: "host", Reason: "no answer"}}, s.Gaps); diff != "" {
			t.Errorf("gaps (-want +got):\n%s", diff)
		}
	})
}

func TestStoppingWaitsForRoundsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, stop := run(t, "", job("host", func(ctx context.Context, _ int, into *snapshot.Snapshot) error {
			<-ctx.Done()
			into.Machine = &snapshot.Machine{Cores: 7}
			return nil
		}))
		stop()
		if s := a.Snapshot(); s.Machine == nil || s.Machine.Cores != 7 {
			t.Errorf("machine = %+v, want what the last round read", s.Machine)
		}
	})
}

func TestStoppingLeavesAHungCollectorBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		_, stop := run(t, "", job("hung", func(context.Context, int, *snapshot.Snapshot) error {
			<-release
			return nil
		}))
		start := time.Now()
		stop()
		if waited := time.Since(start); waited != grace {
			t.Errorf("Run returned %s after its end, want %s", waited, grace)
		}
	})
}

func TestASnapshotDoesNotChangeOnceItIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := run(t, "", job("mysql", func(_ context.Context, round int, into *snapshot.Snapshot) error {
			into.Server("db1").Status = &snapshot.Status{UptimeSeconds: float64(round)}
			into.Events = []snapshot.Event{{Kind: snapshot.EventRestart, Summary: "restarted"}}
			return nil
		}))
		before := a.Snapshot()
		text, err := json.Marshal(before)
		if err != nil {
			t.Fatal(err)
		}
		sleep(3 * time.Second)
		after, err := json.Marshal(before)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, after) {
			t.Errorf("snapshot was\n%s\nand became\n%s", text, after)
		}
	})
}

func TestIdentityIsThatOfTheConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := run(t, "")
		s := a.Snapshot()
		if s.Schema != snapshot.SchemaVersion || s.Cluster != "shop" || s.Host != "db1" || len(s.AgentID) != 16 {
			t.Errorf("identity = %d %q %q %q", s.Schema, s.Cluster, s.Host, s.AgentID)
		}
		if s.Gaps == nil || s.Events == nil {
			t.Error("gaps or events are nil: this snapshot does not say that there are none")
		}
	})
}

func TestErrorsAreMadeFitForASnapshot(t *testing.T) {
	for in, want := range map[string]string{
		"two\nlines\x1b[31m\x00": "two lines [31m ",
		"bad \xff\xfe bytes":     "bad \uFFFD bytes",
		"":                       "unknown error",
		strings.Repeat("é", 400): strings.Repeat("é", 299) + "…",
	} {
		if got := clean(errors.New(in)); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWarmWaitsForEveryJobAndTwiceForTotals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		total := &counter{}
		a, _ := run(t, "", job("host", machineOf(1)), total.job("mysql/digests"))
		if err := a.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited != time.Second || total.Value != 2 {
			t.Errorf("warm after %s and %d rounds, want 1s and 2", waited, total.Value)
		}
	})
}

func TestAnAgentThatHasNotBegunIsNotWarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := New(Options{Config: &config.Config{}, Jobs: []collectors.Job{}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Warm(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Warm: %v, want it to wait", err)
		}
	})
}

func TestEveryOverridesIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hourly := job("schema", machineOf(1))
		hourly.Every = time.Hour
		a := New(Options{
			Config: &config.Config{}, Jobs: []collectors.Job{hourly},
			Every: func(collectors.Job) time.Duration { return 5 * time.Second },
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		sleep(11 * time.Second)
		if h := health(t, a, "schema"); h.Runs != 3 || h.EverySeconds != 5 {
			t.Errorf("health = %+v, want 3 runs of every 5 s", h)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
