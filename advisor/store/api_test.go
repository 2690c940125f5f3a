package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// call sends a request to the store's handler, form in the body if the method
// is POST, and returns the status code and the body.
func call(t testing.TB, s *Store, method, path string, form url.Values) (int, string) {
	t.Helper()
	target, body := path+"?"+form.Encode(), ""
	if method == http.MethodPost {
		target, body = path, form.Encode()
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("%s %s: Content-Type %q, want application/json", method, path, got)
	}
	return w.Code, w.Body.String()
}

// form makes url.Values of pairs.
func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// at is a time as Grafana sends it.
func at(d time.Duration) string { return fmt.Sprint(start.Add(d).Unix()) }

// The requests below are those that Grafana's Prometheus data source sends
// (public/app and pkg/tsdb/prometheus of Grafana 10 to 13).
func TestGrafanaIsAnswered(t *testing.T) {
	s := open(t)
	err := s.Append(t.Context(), []Sample{
		{Name: "plimsoll_lag_seconds", Labels: map[string]string{"host": "db2", "server": "db2:3306"}, Time: start, Value: 0.25},
		{Name: "plimsoll_lag_seconds", Labels: map[string]string{"host": "db2", "server": "db2:3306"}, Time: start.Add(15 * time.Second), Value: 1e21},
		{Name: "plimsoll_info", Labels: map[string]string{"text": "SELECT \"a\" <b>\n\x01é"}, Time: start, Value: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	span := []string{"start", at(-time.Hour), "end", at(time.Hour)}
	for name, c := range map[string]struct {
		method, path string
		form         url.Values
		want         string
	}{
		"health check": {
			"POST", "/api/v1/query", form("query", "1+1", "time", at(0)),
			`{"resultType":"scalar","result":[` + at(0) + `,"2"]}`,
		},
		"panel": {
			"POST", "/api/v1/query_range",
			form("query", `plimsoll_lag_seconds{host=~"db.*"}`, "start", at(0), "end", at(30*time.Second), "step", "15"),
			`{"resultType":"matrix","result":[{"metric":{"__name__":"plimsoll_lag_seconds","host":"db2","server":"db2:3306"},` +
				`"values":[[` + at(0) + `,"0.25"],[` + at(15*time.Second) + `,"1e+21"],[` + at(30*time.Second) + `,"1e+21"]]}]}`,
		},
		"panel by GET, step as a duration, times as text": {
			"GET", "/api/v1/query_range",
			form("query", `plimsoll_lag_seconds`, "start", start.Format(time.RFC3339), "end", start.Add(time.Second).Format(time.RFC3339Nano), "step", "1m30s"),
			`{"resultType":"matrix","result":[{"metric":{"__name__":"plimsoll_lag_seconds","host":"db2","server":"db2:3306"},"values":[[` + at(0) + `,"0.25"]]}]}`,
		},
		"table": {
			"POST", "/api/v1/query", form("query", `plimsoll_info`, "time", at(0)+".1234"),
			`{"resultType":"vector","result":[{"metric":{"__name__":"plimsoll_info","text":"SELECT \"a\" \u003cb\u003e\n\u0001é"},"value":[` + at(0) + `.123,"1"]}]}`,
		},
		"text": {
			"POST", "/api/v1/query", form("query", `"words"`, "time", at(0)),
			`{"resultType":"string","result":[` + at(0) + `,"words"]}`,
		},
		"nothing": {
			"POST", "/api/v1/query", form("query", `absent_metric`, "time", at(0)),
			`{"resultType":"vector","result":[]}`,
		},
		"metric names":            {"GET", "/api/v1/label/__name__/values", form(span...), `["plimsoll_info","plimsoll_lag_seconds"]`},
		"label names":             {"GET", "/api/v1/labels", form(append(span, "match[]", "plimsoll_lag_seconds")...), `["__name__","host","server"]`},
		"label names by POST":     {"POST", "/api/v1/labels", form(span...), `["__name__","host","server","text"]`},
		"label names of two":      {"GET", "/api/v1/labels", form("match[]", "plimsoll_info", "match[]", "plimsoll_lag_seconds"), `["__name__","host","server","text"]`},
		"label values":            {"GET", "/api/v1/label/host/values", form(append(span, "match[]", `{server!=""}`)...), `["db2"]`},
		"label values of no time": {"GET", "/api/v1/label/host/values", form("start", at(-9*time.Hour), "end", at(-8*time.Hour)), `[]`},
		"a name in disguise":      {"GET", "/api/v1/label/U__host/values", nil, `["db2"]`},
		"variable by series":      {"POST", "/api/v1/series", form(append(span, "match[]", "plimsoll_lag_seconds")...), `[{"__name__":"plimsoll_lag_seconds","host":"db2","server":"db2:3306"}]`},
		"metadata":                {"GET", "/api/v1/metadata", form("limit_per_metric", "1"), `{}`},
		"rules":                   {"GET", "/api/v1/rules", nil, `{"groups":[]}`},
		"alerts":                  {"GET", "/api/v1/alerts", nil, `{"alerts":[]}`},
		"exemplars":               {"POST", "/api/v1/query_exemplars", form("query", "x", "start", at(0), "end", at(1)), `[]`},
	} {
		t.Run(name, func(t *testing.T) {
			code, got := call(t, s, c.method, c.path, c.form)
			want := `{"status":"success","data":` + c.want + `}`
			if code != http.StatusOK || got != want {
				t.Errorf("%s %s = %d\n got %s\nwant %s", c.method, c.path, code, got, want)
			}
		})
	}
}

func TestErrorsHaveTheTypesAndCodesOfPrometheus(t *testing.T) {
	s := open(t)
	ramp(t, s, "ramp_total", 3, time.Second)
	ramp(t, s, "ramp2_total", 3, time.Second)
	span := form("start", at(0), "end", at(time.Hour))
	with := func(v url.Values, pairs ...string) url.Values {
		all := form(pairs...)
		for k := range v {
			if !all.Has(k) {
				all[k] = v[k]
			}
		}
		return all
	}
	for name, c := range map[string]struct {
		method, path string
		form         url.Values
		code         int
		kind, text   string
	}{
		"syntax":              {"POST", "/api/v1/query", form("query", "sum("), 400, "bad_data", `invalid parameter "query": 1:5: parse error`},
		"empty query":         {"GET", "/api/v1/query", nil, 400, "bad_data", `invalid parameter "query"`},
		"time":                {"GET", "/api/v1/query", form("query", "1", "time", "soon"), 400, "bad_data", `invalid parameter "time": cannot parse "soon" to a valid timestamp`},
		"time that is none":   {"GET", "/api/v1/query", form("query", "1", "time", "NaN"), 400, "bad_data", "out of range"},
		"time without end":    {"GET", "/api/v1/query", form("query", "1", "time", "1e300"), 400, "bad_data", "out of range"},
		"timeout":             {"GET", "/api/v1/query", form("query", "1", "timeout", "x"), 400, "bad_data", `invalid parameter "timeout"`},
		"limit":               {"GET", "/api/v1/query", form("query", "1", "limit", "-1"), 400, "bad_data", `invalid parameter "limit": "-1" is no count`},
		"no step":             {"GET", "/api/v1/query_range", with(span, "query", "1"), 400, "bad_data", `invalid parameter "step"`},
		"zero step":           {"GET", "/api/v1/query_range", with(span, "query", "1", "step", "0"), 400, "bad_data", "zero or negative"},
		"backwards":           {"GET", "/api/v1/query_range", with(span, "query", "1", "step", "1", "end", "0"), 400, "bad_data", "end timestamp must not be before start time"},
		"too many points":     {"GET", "/api/v1/query_range", with(span, "query", "1", "step", "0.3"), 400, "bad_data", "exceeded maximum resolution of 11,000 points per timeseries"},
		"all of time":         {"GET", "/api/v1/query_range", with(span, "query", "1", "step", "1", "start", "-9e9", "end", "9e9"), 400, "bad_data", "exceeded maximum resolution"},
		"many to many":        {"GET", "/api/v1/query", form("query", `{__name__=~"ramp.*"} * on() {__name__=~"ramp.*"}`, "time", at(0)), 422, "execution", "many-to-many matching not allowed"},
		"invalid regexp":      {"GET", "/api/v1/query", form("query", `label_replace(ramp_total, "a", "b", "c", "(")`, "time", at(0)), 422, "execution", "invalid regular expression"},
		"no match":            {"GET", "/api/v1/series", nil, 400, "bad_data", "no match[] parameter provided"},
		"match of everything": {"GET", "/api/v1/series", form("match[]", `{a=~".*"}`), 400, "bad_data", "match[] must contain at least one non-empty matcher"},
		"match syntax":        {"GET", "/api/v1/labels", form("match[]", `{`), 400, "bad_data", `invalid parameter "match[]"`},
		"label name":          {"GET", "/api/v1/label/%ff/values", nil, 400, "bad_data", "invalid label name"},
		"method":              {"DELETE", "/api/v1/series", form("match[]", "up"), 405, "bad_data", "method DELETE is not allowed"},
		"huge form":           {"POST", "/api/v1/query", form("query", strings.Repeat("x", maxForm)), 400, "bad_data", "request body too large"},
	} {
		t.Run(name, func(t *testing.T) {
			code, body := call(t, s, c.method, c.path, c.form)
			var got struct{ Status, ErrorType, Error string }
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("%v in %s", err, body)
			}
			if code != c.code || got.ErrorType != c.kind || !strings.Contains(got.Error, c.text) {
				t.Errorf("%s %s = %d %s\nwant %d, errorType %q, error with %q", c.method, c.path, code, body, c.code, c.kind, c.text)
			}
		})
	}
}

func TestQueryStopsAtItsTimeout(t *testing.T) {
	s := open(t)
	ramp(t, s, "ramp_total", 100, time.Second)
	slow := form("query", `count_over_time(sum_over_time(rate(ramp_total[1m])[1h:1ms])[30m:1s])`, "time", at(time.Minute), "timeout", "50ms")
	began := time.Now()
	code, body := call(t, s, "POST", "/api/v1/query", slow)
	if code != http.StatusServiceUnavailable || !strings.Contains(body, `"errorType":"timeout"`) {
		t.Errorf("slow query = %d %s, want 503 and errorType timeout", code, body)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("slow query took %s, want about 50ms", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, _, err := s.Querier().Query(ctx, slow.Get("query"), start.Add(time.Minute)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow query in memory = %v, want context.DeadlineExceeded", err)
	}
}

func TestQueryStopsAtTheSampleLimit(t *testing.T) {
	s := open(t)
	ramp(t, s, "ramp_total", 3600, time.Second)
	code, body := call(t, s, "POST", "/api/v1/query", form("query", `max_over_time(ramp_total[1h:1ms]) + on() group_left() max_over_time(vector(1)[20000s:1ms])`, "time", at(time.Hour)))
	if code != http.StatusUnprocessableEntity || !strings.Contains(body, "too many samples") {
		t.Errorf("query of 20 million samples = %d %.200s, want 422", code, body)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	if _, err := marshalled(strings.Repeat("x", maxAnswer), nil); !errors.Is(err, errTooLarge) {
		t.Errorf("answer of 64 MiB and a bit: %v, want errTooLarge", err)
	}
	s := open(t)
	var all []Sample
	for i := range 700 {
		all = append(all, Sample{Name: "many", Labels: map[string]string{"i": fmt.Sprint(i)}, Time: start, Value: math.Pi})
	}
	if err := s.Append(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	long := form("query", "many", "start", at(0), "end", at(299*time.Second), "step", "0.1", "lookback_delta", "1h")
	code, body := call(t, s, "POST", "/api/v1/query_range", long)
	if code != http.StatusUnprocessableEntity || !strings.Contains(body, "answer is larger than 64 MiB; ask for fewer series") {
		t.Errorf("range query of 2 million points = %d %.200s, want 422", code, body)
	}
}

func TestLimitCutsAndWarns(t *testing.T) {
	s := open(t)
	for _, v := range []string{"a", "b", "c"} {
		if err := s.Append(t.Context(), []Sample{{Name: "x", Labels: map[string]string{"v": v}, Time: start}}); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		"/api/v1/query?query=x&limit=2&time=" + at(0):                                 `"value":`,
		"/api/v1/query_range?query=x&limit=2&step=1&start=" + at(0) + "&end=" + at(0): `"values":`,
		"/api/v1/series?match[]=x&limit=2":                                            `{"__name__":"x"`,
		"/api/v1/label/v/values?limit=2":                                              `"data":["a","b"]`,
		"/api/v1/labels?limit=1&match[]=x":                                            `"data":["__name__"]`,
	} {
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		_, body := call(t, s, "GET", u.Path, u.Query())
		if !strings.Contains(body, `"warnings":["results truncated due to limit"]`) || !strings.Contains(body, want) || strings.Count(body, want) > 2 {
			t.Errorf("GET %s = %s, want at most two of %s and a warning", path, body, want)
		}
	}
}

func TestInfosReachTheCaller(t *testing.T) {
	s := open(t)
	ramp(t, s, "gauge", 10, time.Minute)
	_, warnings, infos, err := s.Querier().Query(t.Context(), `rate(gauge[5m])`, start.Add(9*time.Minute))
	if err != nil || len(warnings) > 0 {
		t.Fatalf("Query: %v, warnings %q", err, warnings)
	}
	if len(infos) != 1 || !strings.Contains(infos[0], "metric might not be a counter") {
		t.Errorf("infos = %q, want one about rate() of a gauge", infos)
	}
}

func TestNativeHistogramsAreEncoded(t *testing.T) {
	s := open(t)
	h := &histogram.Histogram{
		Schema: 0, Count: 12, Sum: 18.5, ZeroThreshold: 0.001, ZeroCount: 2,
		PositiveSpans: []histogram.Span{{Offset: 0, Length: 2}}, PositiveBuckets: []int64{4, -1},
		NegativeSpans: []histogram.Span{{Offset: 0, Length: 1}}, NegativeBuckets: []int64{3},
	}
	app := s.db.AppenderV2(t.Context())
	if _, err := app.Append(0, labels.FromStrings("__name__", "h"), 0, start.UnixMilli(), 0, h, nil, storage.AOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	v, _, _, err := s.Querier().QueryRange(t.Context(), "h", promv1.Range{Start: start, End: start, Step: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	want := model.Matrix{{
		Metric: model.Metric{"__name__": "h"},
		Histograms: []model.SampleHistogramPair{{
			Timestamp: model.TimeFromUnix(start.Unix()),
			Histogram: &model.SampleHistogram{Count: 12, Sum: 18.5, Buckets: model.HistogramBuckets{
				{Boundaries: 1, Lower: -1, Upper: -0.5, Count: 3},
				{Boundaries: 3, Lower: -0.001, Upper: 0.001, Count: 2},
				{Boundaries: 0, Lower: 0.5, Upper: 1, Count: 4},
				{Boundaries: 0, Lower: 1, Upper: 2, Count: 3},
			}},
		}},
	}}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("histogram (-want +got):\n%s", diff)
	}
}

func TestSpecialFloatsSurviveTheWire(t *testing.T) {
	s := open(t)
	for i, want := range []float64{math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1), 5e-324, math.MaxFloat64, 1e-7, 0.1, 123456789.125} {
		when := start.Add(time.Duration(i) * time.Second)
		if err := s.Append(t.Context(), []Sample{{Name: "f", Time: when, Value: want}}); err != nil {
			t.Fatal(err)
		}
		v, _, _, err := s.Querier().Query(t.Context(), "f", when)
		if err != nil {
			t.Fatal(err)
		}
		got := float64(v.(model.Vector)[0].Value)
		if math.Float64bits(got) != math.Float64bits(want) && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%v came back as %v", want, got)
		}
	}
}

func TestBuildinfoNamesTheEngineOfGoMod(t *testing.T) {
	b, err := open(t).Querier().Buildinfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mod := readFile(t, "../../go.mod")
	v := strings.Split(b.Version, ".") // 3.15.0 is the module v0.315.0
	want := fmt.Sprintf("github.com/prometheus/prometheus v0.%s%02s.%s\n", v[0], v[1], v[2])
	if !strings.Contains(mod, want) {
		t.Errorf("Buildinfo says %s, but go.mod lacks %q", b.Version, want)
	}
}

// The API client asks over a real connection what it also asks in memory.
func TestRemoteAsksLikeInMemory(t *testing.T) {
	s := open(t)
	ramp(t, s, "ramp_total", 60, time.Minute)
	var header http.Header
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Clone()
		http.StripPrefix("/prometheus", s.Handler()).ServeHTTP(w, r)
	}))
	defer srv.Close()
	token := t.TempDir() + "/token"
	writeFile(t, token, "t0ken")
	q, err := Remote{URL: srv.URL + "/prometheus/", BearerTokenFile: token, Headers: map[string]string{"X-Scope-OrgID": "shop"}}.Querier()
	if err != nil {
		t.Fatal(err)
	}
	defer srv.CloseClientConnections()
	for _, expr := range []string{"ramp_total", "rate(ramp_total[5m])", "1", "nothing"} {
		want, _, _, err := s.Querier().Query(t.Context(), expr, start.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		got, _, _, err := q.Query(t.Context(), expr, start.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-in memory +remote):\n%s", expr, diff)
		}
	}
	if got := header.Get("Authorization") + " " + header.Get("X-Scope-OrgID"); got != "Bearer t0ken shop" {
		t.Errorf("engine saw %q, want Bearer t0ken shop", got)
	}
}

func TestRemoteRefusesWhatItCannotUse(t *testing.T) {
	for u, want := range map[string]string{
		"prometheus:9090":              "store.url: not a URL; write for example http://prometheus:9090",
		"":                             "store.url: not a URL",
		"http://admin:secret@prom:909": "store.url: has a password in it; use basic_auth with a password_file",
	} {
		_, err := Remote{URL: u}.Querier()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("Remote{%q}.Querier: %v, want %q", u, err, want)
		}
	}
}

func TestRemoteDoesNotFollowRedirects(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			t.Error("the redirect was followed")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer srv.Close()
	q, err := Remote{URL: srv.URL}.Querier()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := q.Query(t.Context(), "up", start); err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("Query = %v, want an error that says 307", err)
	}
}

func TestRemoteAnswersAreBounded(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"success","data":"`)
		chunk := []byte(strings.Repeat("x", 1<<20))
		for range 1024 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	q, err := Remote{URL: srv.URL}.Querier()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := q.Query(t.Context(), "up", start); !errors.Is(err, errTooLarge) {
		t.Errorf("answer of 1 GiB: %v, want errTooLarge", err)
	}
}
