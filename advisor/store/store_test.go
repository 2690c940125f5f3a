package store

import (
	"context"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		appendUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

// start is a round minute in the past of every clock; samples of tests begin there.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// open opens a store whose clock stands an hour after start, and closes it at
// the end of the test.
func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Now: func() time.Time { return start.Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestAppendedSamplesAreQueried(t *testing.T) {
	s := open(t)
	err := s.Append(t.Context(), []Sample{
		{Name: "plimsoll_finding_severity", Labels: map[string]string{"rule": "mysql/full-scan"}, Time: start, Value: 2},
		{Name: "plimsoll_finding_severity", Labels: map[string]string{"rule": "mysql/lag"}, Time: start, Value: 3},
		{Name: "plimsoll_finding_severity", Labels: map[string]string{"rule": "mysql/lag"}, Time: start.Add(time.Minute), Value: math.Inf(1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, warnings, infos, err := s.Querier().Query(t.Context(), `sort_desc(plimsoll_finding_severity)`, start.Add(time.Minute))
	if err != nil || len(warnings) > 0 || len(infos) > 0 {
		t.Fatalf("Query: %v, warnings %q, infos %q", err, warnings, infos)
	}
	at := model.TimeFromUnix(start.Add(time.Minute).Unix())
	want := model.Vector{
		{Metric: model.Metric{"__name__": "plimsoll_finding_severity", "rule": "mysql/lag"}, Value: model.SampleValue(math.Inf(1)), Timestamp: at},
		{Metric: model.Metric{"__name__": "plimsoll_finding_severity", "rule": "mysql/full-scan"}, Value: 2, Timestamp: at},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Query (-want +got):\n%s", diff)
	}
}

func TestRefusedSamplesDoNotKeepOthersBack(t *testing.T) {
	s := open(t)
	late := start.Add(time.Hour)
	err := s.Append(t.Context(), []Sample{
		{Name: "good", Time: start, Value: 1},
		{Name: "not a name", Time: start},
		{Name: "a", Labels: map[string]string{"text": "caf\xe9"}, Time: start},
		{Name: "b", Labels: map[string]string{"text": strings.Repeat("x", 1025)}, Time: start},
		{Name: "c", Labels: map[string]string{"__name__": "evil"}, Time: start},
		{Name: "d", Time: late.Add(11 * time.Minute)},
		{Name: "e"},
	})
	if err == nil {
		t.Fatal("Append accepted hostile samples")
	}
	for _, want := range []string{
		"6 of 7 samples refused",
		`"not a name" is no metric name`,
		`a: label text: "caf\xe9" is not UTF-8`,
		"b: label text: value has 1025 bytes, at most 1024 are accepted",
		`c: "__name__" is no label name`,
		"d: time is 11m0s ahead of this host's clock, at most 10m0s is accepted",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Append error lacks %q:\n%v", want, err)
		}
	}
	names, _, _, err := s.Querier().LabelValues(t.Context(), "__name__", nil, start, late)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(model.LabelValues{"good"}, names); diff != "" {
		t.Errorf("stored metrics (-want +got):\n%s", diff)
	}
}

func TestLateSamplesAreAccepted(t *testing.T) {
	s := open(t)
	for _, at := range []time.Duration{0, -3 * time.Hour, -23 * time.Hour} {
		if err := s.Append(t.Context(), []Sample{{Name: "late", Time: start.Add(at), Value: 1}}); err != nil {
			t.Errorf("Append %s: %v", at, err)
		}
	}
	v, _, _, err := s.Querier().Query(t.Context(), `count_over_time(late[24h])`, start)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.(model.Vector)[0].Value; got != 3 {
		t.Errorf("count_over_time(late[24h]) = %v, want 3", got)
	}
}

func TestRangeQueryReturnsEachStep(t *testing.T) {
	s := open(t)
	ramp(t, s, "ramp_total", 10, time.Minute)
	v, _, _, err := s.Querier().QueryRange(t.Context(), `rate(ramp_total[5m])`, promv1.Range{
		Start: start.Add(5 * time.Minute), End: start.Add(9 * time.Minute), Step: 2 * time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []float64
	for _, p := range v.(model.Matrix)[0].Values {
		got = append(got, float64(p.Value))
	}
	want := []float64{1, 1, 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rate (-want +got):\n%s", diff)
	}
}

// ramp appends a counter that grows by one a second.
func ramp(t testing.TB, s *Store, name string, points int, step time.Duration) {
	t.Helper()
	var all []Sample
	for i := range points {
		d := time.Duration(i) * step
		all = append(all, Sample{Name: name, Time: start.Add(d), Value: d.Seconds()})
	}
	if err := s.Append(context.Background(), all); err != nil {
		t.Fatal(err)
	}
}

func closed(t testing.TB, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsOlderThanTheRetentionGoes(t *testing.T) {
	const retention = 24 * time.Hour
	dir := t.TempDir()
	end := time.Now().Truncate(time.Hour)
	oldest := func(s *Store) time.Time {
		t.Helper()
		v, _, _, err := s.Querier().Query(t.Context(), `min_over_time(timestamp(tick)[5d:1h])`, end)
		if err != nil {
			t.Fatal(err)
		}
		return time.Unix(int64(v.(model.Vector)[0].Value), 0)
	}
	s, err := Open(t.Context(), Options{Dir: dir, Retention: retention})
	if err != nil {
		t.Fatal(err)
	}
	for at := end.Add(-4 * 24 * time.Hour); !at.After(end); at = at.Add(time.Hour) {
		if err := s.Append(t.Context(), []Sample{{Name: "tick", Time: at}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	if s, err = Open(t.Context(), Options{Dir: dir, Retention: retention}); err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	if got := end.Sub(oldest(s)); got < retention || got > retention*5/4 {
		t.Errorf("the oldest sample is %s old, want %s and at most the largest block more", got, retention)
	}
}

func TestAnEndedSeriesIsNotSeenAnyMore(t *testing.T) {
	s := open(t)
	at := start
	sample := Sample{Name: "plimsoll_finding", Labels: map[string]string{"rule": "a/rule"}, Time: at, Value: 1}
	for _, m := range []Sample{sample, sample.Ended(at.Add(10 * time.Second))} {
		if err := s.Append(t.Context(), []Sample{m}); err != nil {
			t.Fatal(err)
		}
	}
	for after, want := range map[time.Duration]int{5 * time.Second: 1, 15 * time.Second: 0} {
		value, _, _, err := s.Querier().Query(t.Context(), "plimsoll_finding", at.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(value.(model.Vector)); got != want {
			t.Errorf("series %s after the first sample = %d, want %d", after, got, want)
		}
	}
}
