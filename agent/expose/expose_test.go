package expose

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plimsoll/collectors/metric"
	"plimsoll/collectors/snapshot"
)

// serving returns a Handler of s whose sections all have revision.
func serving(s *snapshot.Snapshot, revision *string) *Handler {
	return New(Source{
		Cluster: s.Cluster, Host: s.Host, Labels: s.Labels,
		Snapshot: func() *snapshot.Snapshot { return s },
		Revision: func(snapshot.Section) string { return *revision },
	})
}

func known() *snapshot.Snapshot {
	now := time.Now()
	return &snapshot.Snapshot{
		Schema: snapshot.SchemaVersion, AgentID: "0123456789abcdef", Cluster: "shop", Host: "db1",
		Labels: map[string]string{"role": "db"},
		Agent: &snapshot.Agent{Version: "1.0", Jobs: []snapshot.JobHealth{
			{Name: "host", EverySeconds: 15, IntervalSeconds: 15, LastSuccess: now},
			{Name: "mysql/digests", Server: "a", EverySeconds: 15, IntervalSeconds: 15, LastSuccess: now},
		}},
		Events: []snapshot.Event{}, Gaps: []snapshot.Gap{},
	}
}

// with adds the parts of a server.
func with(s *snapshot.Snapshot, name string, parts snapshot.Server) *snapshot.Snapshot {
	*s.Server(name) = parts
	return s
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

func get(t *testing.T, h http.Handler, path string, header ...string) reply {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.String()}
}

func decode(t *testing.T, body string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatal(err)
	}
}

func TestTheIndexListsEverySection(t *testing.T) {
	revision := "r1"
	h := serving(known(), &revision)
	before := time.Now()
	r := get(t, h, "/v1/snapshot")
	var got Index
	decode(t, r.body, &got)
	want := Index{Schema: snapshot.SchemaVersion, AgentID: "0123456789abcdef"}
	for _, name := range snapshot.Sections() {
		want.Sections = append(want.Sections, IndexSection{Name: name, ETag: `W/"r1"`})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("index (-want +got):\n%s", diff)
	}
	clock, err := time.Parse(time.RFC3339Nano, r.header.Get(TimeHeader))
	if err != nil || clock.Before(before) || clock.After(time.Now()) {
		t.Errorf("%s = %q (%v), want the time of the answer", TimeHeader, r.header.Get(TimeHeader), err)
	}
}

func TestASectionIsFetchedOnceARevision(t *testing.T) {
	revision := "r1"
	h := serving(known(), &revision)
	r := get(t, h, "/v1/snapshot/gaps")
	etag := r.header.Get("ETag")
	if r.status != http.StatusOK || etag != `W/"r1"` || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("first answer: %d, ETag %s, %s", r.status, etag, r.header.Get("Content-Type"))
	}
	r = get(t, h, "/v1/snapshot/gaps", "If-None-Match", `"other", `+etag)
	if r.status != http.StatusNotModified || r.body != "" || r.header.Get(TimeHeader) == "" {
		t.Errorf("answer to whoever has it: %d, %s %q, want 304 with a time", r.status, TimeHeader, r.header.Get(TimeHeader))
	}
	revision = "r2"
	if r := get(t, h, "/v1/snapshot/gaps", "If-None-Match", etag); r.status != http.StatusOK {
		t.Errorf("answer after a change: %d, want 200", r.status)
	}
}

func TestASectionIsPackedForThoseWhoAsk(t *testing.T) {
	revision := "r1"
	s := known()
	s.Gaps = []snapshot.Gap{{Job: "host", Reason: "<&> stay as they are"}}
	h := serving(s, &revision)
	plain := get(t, h, "/v1/snapshot/gaps").body
	r := get(t, h, "/v1/snapshot/gaps", "Accept-Encoding", "br, gzip")
	if r.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("Content-Encoding = %q, want gzip", r.header.Get("Content-Encoding"))
	}
	unpacked, err := gzip.NewReader(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain, string(packed)); diff != "" {
		t.Errorf("packed and plain differ (-plain +packed):\n%s", diff)
	}
	var got snapshot.Snapshot
	decode(t, plain, &got)
	if diff := cmp.Diff(s.Gaps, got.Gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	var index Index
	decode(t, get(t, h, "/v1/snapshot").body, &index)
	if index.Sections[0].Bytes != len(plain) {
		t.Errorf("index says %d bytes, want %d", index.Sections[0].Bytes, len(plain))
	}
}

func TestWrongRequestsAreToldWhatIsRight(t *testing.T) {
	revision := "r1"
	h := serving(known(), &revision)
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/v1/snapshot/passwords":         {http.StatusNotFound, `no section "passwords"; there are [gaps host`},
		"/v1/snapshot/digests?after=-1":  {http.StatusBadRequest, `after="-1" is not a revision`},
		"/v1/snapshot/digests?after=abc": {http.StatusBadRequest, `after="abc" is not a revision`},
		"/v1/other":                      {http.StatusNotFound, ""},
	} {
		r := get(t, h, path)
		if body := r.body; r.status != want.status || !strings.Contains(body, want.text) {
			t.Errorf("GET %s: %d %s, want %d %s", path, r.status, body, want.status, want.text)
		}
	}
	post := httptest.NewRecorder()
	h.ServeHTTP(post, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/snapshot", nil))
	if post.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /v1/snapshot: %d, want 405", post.Code)
	}
}

func TestTextsAreSentOnce(t *testing.T) {
	revision := "r1"
	h := serving(with(known(), "a", snapshot.Server{Digests: &snapshot.Digests{
		Rev:   3,
		Rows:  []snapshot.Digest{{Fingerprint: "fp1:1"}, {Fingerprint: "fp1:2"}, {Fingerprint: "fp1:3"}},
		Texts: []snapshot.DigestText{{Fingerprint: "fp1:1", Rev: 1}, {Fingerprint: "fp1:2", Rev: 2}, {Fingerprint: "fp1:3", Rev: 3}},
	}}), &revision)
	for query, want := range map[string][]uint64{"": {1, 2, 3}, "?after=0": {1, 2, 3}, "?after=2": {3}, "?after=3": nil} {
		var got snapshot.Snapshot
		decode(t, get(t, h, "/v1/snapshot/digests"+query).body, &got)
		var revs []uint64
		for _, text := range got.Servers["a"].Digests.Texts {
			revs = append(revs, text.Rev)
		}
		if diff := cmp.Diff(want, revs); diff != "" || len(got.Servers["a"].Digests.Rows) != 3 {
			t.Errorf("texts%s (-want +got):\n%s and %d rows", query, diff, len(got.Servers["a"].Digests.Rows))
		}
	}
}

func TestHealth(t *testing.T) {
	revision := "r1"
	h := serving(known(), &revision)
	if r := get(t, h, "/healthz"); r.status != http.StatusOK || r.body != "ok\n" {
		t.Errorf("GET /healthz: %d", r.status)
	}
}

// table returns the series of metrics read from s, one a line.
func series(t *testing.T, s *snapshot.Snapshot, metrics ...metric.Metric) (lines []string, dropped uint64) {
	t.Helper()
	revision := "r1"
	h := serving(s, &revision)
	h.series = h.expose(metrics)
	h.open = h.routes(func(*http.Request) error { return nil })
	r := get(t, h, "/metrics")
	if r.status != http.StatusOK {
		t.Fatalf("GET /metrics: %d %s", r.status, r.body)
	}
	for line := range strings.Lines(r.body) {
		if strings.HasPrefix(line, "plimsoll_test") || strings.HasPrefix(line, "haproxy") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines, h.Dropped()
}

func TestHostileLabelsAreMadePrintable(t *testing.T) {
	m := metric.Metric{
		Name: "plimsoll_test", Type: metric.Gauge, Labels: []string{"schema"},
		Read: func(_ *snapshot.Snapshot, emit metric.Emit) {
			emit(1, "bad \xff\xfe bytes")
			emit(2, "tab\tnul\x00esc\x1b[31m")
			emit(3, "\u202egnp.exe")
			emit(4, `quote"back\slash`)
			emit(5, strings.Repeat("é", 121))
			emit(6, strings.Repeat("é", 120))
		},
	}
	s := known()
	s.Labels = nil
	got, dropped := series(t, s, m)
	const head = `plimsoll_test{cluster="shop",host="db1",schema="`
	want := []string{
		head + "bad \uFFFD bytes\"} 1",
		head + "tab\uFFFDnul\uFFFDesc\uFFFD[31m\"} 2",
		head + "\uFFFDgnp.exe\"} 3",
		head + `quote\"back\\slash"} 4`,
		head + strings.Repeat("é", 119) + `…"} 5`,
		head + strings.Repeat("é", 120) + `"} 6`,
	}
	if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" || dropped != 0 {
		t.Errorf("series (-want +got):\n%s and %d dropped", diff, dropped)
	}
}

func sorted(lines []string) map[string]bool {
	out := map[string]bool{}
	for _, l := range lines {
		out[l] = true
	}
	return out
}

func TestOfTwoSeriesWithTheSameLabelsTheFirstIsShownAndTheOtherCounted(t *testing.T) {
	same := strings.Repeat("x", 130)
	m := metric.Metric{
		Name: "plimsoll_test", Type: metric.Counter, Labels: []string{"schema"},
		Read: func(_ *snapshot.Snapshot, emit metric.Emit) {
			emit(1, same+"a")
			emit(2, same+"b")
			emit(3, "other")
			emit(4)
		},
	}
	s := known()
	s.Labels = nil
	got, dropped := series(t, s, m)
	want := []string{
		`plimsoll_test{cluster="shop",host="db1",schema="other"} 3`,
		`plimsoll_test{cluster="shop",host="db1",schema="` + strings.Repeat("x", 119) + `…"} 1`,
	}
	if diff := cmp.Diff(want, got); diff != "" || dropped != 2 {
		t.Errorf("series (-want +got):\n%s and %d dropped, want 2", diff, dropped)
	}
}

func TestConstantLabelsGiveWayToThoseOfAKnownExporter(t *testing.T) {
	m := metric.Metric{
		Name: "haproxy_server_up", Type: metric.Gauge, Labels: []string{"host", "role"},
		Read: func(_ *snapshot.Snapshot, emit metric.Emit) { emit(1, "theirs", "backend") },
	}
	got, _ := series(t, known(), m)
	want := []string{`haproxy_server_up{cluster="shop",host="theirs",plimsoll_host="db1",plimsoll_role="db",role="backend"} 1`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

func TestSeriesOfAStaleJobLeave(t *testing.T) {
	up := metric.Metric{
		Name: "plimsoll_test", Job: "mysql/digests", Type: metric.Gauge, Labels: []string{"server"},
		Read: func(s *snapshot.Snapshot, emit metric.Emit) {
			for name := range s.Servers {
				emit(1, name)
			}
		},
	}
	load := metric.Metric{
		Name: "plimsoll_test_load", Job: "host", Type: metric.Gauge,
		Read: func(s *snapshot.Snapshot, emit metric.Emit) {
			if s.Machine != nil {
				emit(s.Machine.Load1)
			}
		},
	}
	s := with(with(known(), "a", snapshot.Server{}), "b", snapshot.Server{})
	s.Labels, s.Machine = nil, &snapshot.Machine{Load1: 1}
	now := time.Now()
	s.Agent.Jobs = []snapshot.JobHealth{
		{Name: "host", EverySeconds: 15, LastSuccess: now.Add(-31 * time.Second)},
		{Name: "mysql/digests", Server: "a", EverySeconds: 15, LastSuccess: now.Add(-29 * time.Second)},
		{Name: "mysql/digests", Server: "b", EverySeconds: 15, LastSuccess: now.Add(-31 * time.Second)},
		{Name: "mysql/status", Server: "a", EverySeconds: 1, LastSuccess: now.Add(-time.Hour)},
	}
	got, _ := series(t, s, up, load)
	if diff := cmp.Diff([]string{`plimsoll_test{cluster="shop",host="db1",server="a"} 1`}, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
	if len(s.Servers) != 2 || s.Machine == nil {
		t.Error("the snapshot itself lost what is stale")
	}
}

func TestAJobOfEachSecondMayWaitItsTurn(t *testing.T) {
	s, now := with(known(), "a", snapshot.Server{}), time.Now()
	s.Agent.Jobs = []snapshot.JobHealth{{Name: "mysql/replication", Server: "a", EverySeconds: 1, LastSuccess: now.Add(-9 * time.Second)}}
	if got := fresh(s, "mysql/replication", now); len(got.Servers) != 1 {
		t.Error("stale after 9 s, want 10 s at the earliest")
	}
	if got := fresh(s, "mysql/replication", now.Add(2*time.Second)); len(got.Servers) != 0 {
		t.Error("fresh after 11 s, want it stale")
	}
}

func TestAPanicInOneMetricLeavesTheOthers(t *testing.T) {
	bad := metric.Metric{Name: "plimsoll_test_a", Type: metric.Gauge, Read: func(*snapshot.Snapshot, metric.Emit) { panic("bad part") }}
	good := metric.Metric{Name: "plimsoll_test_b", Type: metric.Gauge, Read: func(_ *snapshot.Snapshot, emit metric.Emit) { emit(1) }}
	s := known()
	s.Labels = nil
	got, dropped := series(t, s, bad, good)
	if diff := cmp.Diff([]string{`plimsoll_test_b{cluster="shop",host="db1"} 1`}, got); diff != "" || dropped != 1 {
		t.Errorf("series (-want +got):\n%s and %d dropped, want 1", diff, dropped)
	}
}

func TestAllMetricsRegisterTogether(t *testing.T) {
	s := known()
	s.Machine = &snapshot.Machine{}
	revision := "r1"
	h := serving(s, &revision)
	r := get(t, h, "/metrics")
	body := r.body
	if strings.Contains(body, "error") || r.status != http.StatusOK {
		t.Errorf("GET /metrics: %d\n%s", r.status, body)
	}
	for _, want := range []string{
		`plimsoll_agent_info{agent_id="0123456789abcdef",cluster="shop",host="db1",role="db",version="1.0"} 1`,
		`plimsoll_job_interval_seconds{cluster="shop",host="db1",job="mysql/digests",role="db",server="a"} 15`,
		`process_cpu_seconds_total{cluster="shop",host="db1",role="db"}`,
		`go_goroutines{cluster="shop",host="db1",role="db"}`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

func TestEveryMetricIsReadBySomeJobOrTheAdvisor(t *testing.T) {
	for _, m := range metric.Table() {
		if (m.Read == nil) != (m.Job == "advisor") {
			t.Errorf("%s: job %q with Read %t", m.Name, m.Job, m.Read != nil)
		}
	}
}

func TestLastSuccessStaysWhenSeriesLeave(t *testing.T) {
	s := known()
	s.Agent.Jobs[0].LastSuccess = time.Unix(1000, 500e6)
	revision := "r1"
	body := get(t, serving(s, &revision), "/metrics").body
	want := fmt.Sprintf(`plimsoll_job_last_success_timestamp_seconds{cluster="shop",host="db1",job="host",role="db",server=""} %v`, 1000.5)
	if !strings.Contains(body, want) {
		t.Errorf("/metrics lacks %s", want)
	}
}
