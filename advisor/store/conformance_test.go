package store

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"plimsoll/fixtures/servers"
)

// portable is what the advisor, its dashboards and its rules may ask of any
// engine. An answer may differ from the embedded store's by the tolerance, as a
// share of the value.
//
// VictoriaMetrics is why there is a tolerance: its rate and increase do not
// extrapolate to the ends of the window and take the last sample before it. Its
// documentation names that as the one great difference. It is about one scrape
// interval in the window's length, for a counter that grows evenly.
func portable() map[string]float64 {
	const (
		exact = 1e-9
		rates = 0.05 // one interval of 15 s in a window of 5 min
	)
	return map[string]float64{
		`threads_running`: exact,
		`threads_running{host=~"db[12]",host!="db2"}`:                                     exact,
		`threads_running > 8`:                                                             exact,
		`threads_running > bool 8`:                                                        exact,
		`-threads_running ^ 2 % 7`:                                                        exact,
		`1 - threads_running / on(host) group_left() max_threads`:                         exact,
		`threads_running offset 10m`:                                                      exact,
		`sum(threads_running)`:                                                            exact,
		`sum by (cluster, host) (cpu_seconds_total)`:                                      exact,
		`sum without (mode) (cpu_seconds_total)`:                                          exact,
		`count by (mode) (cpu_seconds_total)`:                                             exact,
		`avg(threads_running) or vector(0)`:                                               exact,
		`nothing or vector(7)`:                                                            exact,
		`topk(2, threads_running)`:                                                        exact,
		`bottomk(1, threads_running)`:                                                     exact,
		`max(threads_running) by (cluster)`:                                               exact,
		`quantile(0.5, threads_running)`:                                                  exact,
		`clamp_min(threads_running, 9)`:                                                   exact,
		`absent(nothing)`:                                                                 exact,
		`max_over_time(threads_running[5m])`:                                              exact,
		`min_over_time(threads_running[5m])`:                                              exact,
		`avg_over_time(threads_running[5m])`:                                              exact,
		`sum_over_time(threads_running[5m])`:                                              exact,
		`count_over_time(threads_running[5m])`:                                            exact,
		`last_over_time(threads_running[5m])`:                                             exact,
		`quantile_over_time(0.95, threads_running[30m])`:                                  exact,
		`deriv(threads_running[10m])`:                                                     1e-6,
		`threads_running and on(host) (max_threads > 100)`:                                exact,
		`threads_running unless on(host) server_info{version="8.4"}`:                      exact,
		`threads_running * on(cluster, host) group_left(version) server_info`:             exact,
		`label_replace(threads_running, "short", "$1", "host", "db(.*)")`:                 exact,
		`histogram_quantile(0.95, sum by (host, le) (lag_seconds_bucket))`:                exact,
		`histogram_quantile(0.95, sum by (host, le) (increase(lag_seconds_bucket[30m])))`: rates,
		`rate(questions_total[5m])`:                                                       rates,
		`increase(questions_total[30m])`:                                                  rates,
		`sum(rate(questions_total[1h]))`:                                                  rates,
		`sum by (host) (rate(cpu_seconds_total{mode!="idle"}[5m])) / sum by (host) (rate(cpu_seconds_total[5m]))`: rates,
		`topk(1, sum by (host) (rate(questions_total[5m])))`:                                                      rates,
		`quantile_over_time(0.95, (sum by (host) (rate(questions_total[240s])))[1800s:60s])`:                      rates,
		`max_over_time((threads_running)[1800s:30s])`:                                                             rates,
		`time() - timestamp(threads_running) < 60`:                                                                exact,
	}
}

// history is two hours of a small fleet, every 15 s. It ends at end. No query
// looks further back: where a window begins before its series, Prometheus relates
// a rate to the window and VictoriaMetrics to the part that it has.
func history(end time.Time) []Sample {
	const step = 15 * time.Second
	from := end.Add(-2 * time.Hour)
	var all []Sample
	for i := range int(2*time.Hour/step) + 1 {
		at := from.Add(time.Duration(i) * step)
		all = append(all, hosts(i, at)...)
	}
	return all
}

// hosts are the samples of one moment, the i-th.
func hosts(i int, at time.Time) (all []Sample) {
	x := float64(i)
	add := func(name string, v float64, lset map[string]string) {
		lset["cluster"] = "shop"
		all = append(all, Sample{Name: name, Labels: lset, Time: at, Value: v})
	}
	for h, host := range []string{"db1", "db2", "db3"} {
		n := float64(h + 1)
		l := func(pairs ...string) map[string]string {
			m := map[string]string{"host": host}
			for k := 0; k < len(pairs); k += 2 {
				m[pairs[k]] = pairs[k+1]
			}
			return m
		}
		questions := 1500*n*x + 20*math.Sin(x)
		if host == "db2" && i > 400 { // a restart
			questions = 1500 * n * (x - 400)
		}
		add("questions_total", math.Round(questions), l())
		// No two hosts are equal: which of them topk takes is open.
		add("threads_running", math.Round(8+5*n*math.Abs(math.Sin(x/20*n)))+n/10, l())
		add("max_threads", 100*n-50, l())
		add("server_info", 1, l("version", []string{"8.4", "11.8", "8.4"}[h]))
		add("cpu_seconds_total", 10*x+n, l("mode", "idle"))
		add("cpu_seconds_total", 5*n*x, l("mode", "user"))
		for _, le := range []float64{0.1, 1, 10} {
			add("lag_seconds_bucket", math.Round(x*15*n*le/(le+1)), l("le", fmt.Sprint(le)))
		}
		add("lag_seconds_bucket", x*15*n, l("le", "+Inf"))
	}
	return all
}

// text writes samples in Prometheus' text format, with times in units of unit.
func text(samples []Sample, unit time.Duration) string {
	var b strings.Builder
	for _, s := range samples {
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
			pairs = append(pairs, fmt.Sprintf("%s=%q", name, s.Labels[name]))
		}
		fmt.Fprintf(&b, "%s{%s} %v %d\n", s.Name, strings.Join(pairs, ","), s.Value, s.Time.UnixMilli()/unit.Milliseconds())
	}
	return b.String()
}

// engine starts a program for the test and returns a Querier of it once path
// answers. In args, ADDR stands for the address to listen on.
func engine(t *testing.T, tool servers.Tool, path string, args ...string) (Querier, string) {
	t.Helper()
	addr := freeAddr(t)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "ADDR", addr)
	}
	var log bytes.Buffer
	cmd := exec.CommandContext(context.Background(), tool.Path(t), args...) // ended below
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s says:\n%s", tool, log.Bytes()[max(0, log.Len()-4000):])
		}
	})
	url := "http://" + addr
	eventually(t, string(tool)+" answers", func() bool { return post(t, url+path, "") == http.StatusOK })
	q, err := Remote{URL: url}.Querier()
	if err != nil {
		t.Fatal(err)
	}
	return q, url
}

// freeAddr returns an address on loopback where nothing listens yet.
func freeAddr(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(nil)
	defer srv.Close()
	return srv.Listener.Addr().String()
}

// post sends a body, GETs if it is empty, and returns the status code or 0.
func post(t *testing.T, url, body string) int {
	t.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// startPrometheus starts a Prometheus whose database promtool has filled.
func startPrometheus(tool servers.Tool, samples []Sample) func(*testing.T) Querier {
	return func(t *testing.T) Querier {
		dir := t.TempDir()
		input := filepath.Join(dir, "history.txt")
		writeFile(t, input, text(samples, time.Second)+"# EOF\n")
		data := filepath.Join(dir, "data")
		out, err := exec.CommandContext(t.Context(), servers.Promtool.Path(t), "tsdb", "create-blocks-from", "openmetrics", input, data).CombinedOutput()
		if err != nil {
			t.Fatalf("promtool: %v: %s", err, out)
		}
		config := filepath.Join(dir, "prometheus.yml")
		writeFile(t, config, "{}")
		q, _ := engine(t, tool, "/-/ready", "--config.file="+config, "--storage.tsdb.path="+data, "--web.listen-address=ADDR")
		return q
	}
}

// startVictoria starts a VictoriaMetrics and imports the samples.
func startVictoria(tool servers.Tool, samples []Sample) func(*testing.T) Querier {
	return func(t *testing.T) Querier {
		q, url := engine(t, tool, "/health", "-storageDataPath="+t.TempDir(), "-httpListenAddr=ADDR", "-memory.allowedBytes=128MB")
		if code := post(t, url+"/api/v1/import/prometheus", text(samples, time.Millisecond)); code != http.StatusNoContent {
			t.Fatalf("import answers %d, want 204", code)
		}
		if code := post(t, url+"/internal/force_flush", ""); code != http.StatusOK {
			t.Fatalf("flush answers %d, want 200", code)
		}
		return q
	}
}

// Times between two samples, so that it does not matter whether the beginning
// of a window belongs to it: since 3.0 it does not in Prometheus, before it did.
const between = -7 * time.Second

func TestEnginesAgree(t *testing.T) {
	end := time.Now().Add(-3 * time.Hour).Truncate(time.Minute)
	samples := history(end)
	s, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	if err := s.Append(t.Context(), samples); err != nil {
		t.Fatal(err)
	}
	engines := map[string]func(*testing.T) Querier{
		"Prometheus":      startPrometheus(servers.Prometheus, samples),
		"VictoriaMetrics": startVictoria(servers.VictoriaMetrics, samples),
	}
	if os.Getenv("PLIMSOLL_FULL") != "" {
		engines["newer Prometheus"] = startPrometheus(servers.PrometheusSid, samples)
		engines["newer VictoriaMetrics"] = startVictoria(servers.VictoriaMetricsSid, samples)
	}
	for name, start := range engines {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			q := start(t)
			compareLists(ctx, t, s.Querier(), q, end)
			for expr, tolerance := range portable() {
				t.Run(expr, func(t *testing.T) { compare(ctx, t, s.Querier(), q, expr, end.Add(between), tolerance) })
			}
		})
	}
}

// compare asks both for one moment and for a range, and compares.
func compare(ctx context.Context, t *testing.T, want, got Querier, expr string, at time.Time, tolerance float64) {
	t.Helper()
	instant := func(q Querier) map[string][]float64 {
		v, _, _, err := q.Query(ctx, expr, at)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string][]float64{}
		for _, s := range v.(model.Vector) {
			all[key(s.Metric)] = []float64{float64(s.Value)}
		}
		return all
	}
	ranged := func(q Querier) map[string][]float64 {
		v, _, _, err := q.QueryRange(ctx, expr, promv1.Range{Start: at.Add(-15 * time.Minute), End: at, Step: 5 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		all := map[string][]float64{}
		for _, s := range v.(model.Matrix) {
			for _, p := range s.Values {
				all[key(s.Metric)] = append(all[key(s.Metric)], float64(p.Value))
			}
		}
		return all
	}
	near := cmp.Comparer(func(a, b float64) bool {
		return a == b || math.Abs(a-b) <= tolerance*math.Max(math.Abs(a), math.Abs(b))
	})
	reference := instant(want)
	if len(reference) == 0 {
		t.Error("the embedded store's answer is empty: the comparison says nothing")
	}
	if diff := cmp.Diff(reference, instant(got), near); diff != "" {
		t.Errorf("at one moment (-embedded +engine):\n%s", diff)
	}
	if diff := cmp.Diff(ranged(want), ranged(got), near); diff != "" {
		t.Errorf("over a range (-embedded +engine):\n%s", diff)
	}
}

// key is a series without its metric's name: VictoriaMetrics keeps the name where
// a function does not change what is measured (max_over_time, clamp_min), and
// Prometheus drops it. Who reads an answer must not look at it.
func key(m model.Metric) string {
	m = maps.Clone(m)
	delete(m, model.MetricNameLabel)
	return m.String()
}

// compareLists compares what is not a query.
func compareLists(ctx context.Context, t *testing.T, want, got Querier, end time.Time) {
	t.Helper()
	from, selector := end.Add(-time.Hour), []string{`threads_running{host!="db3"}`, `max_threads`}
	lists := func(q Querier) (all []string) {
		series, _, _, err := q.Series(ctx, selector, from, end)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range series {
			all = append(all, s.String())
		}
		slices.Sort(all)
		names, _, _, err := q.LabelNames(ctx, selector[:1], from, end)
		if err != nil {
			t.Fatal(err)
		}
		values, _, _, err := q.LabelValues(ctx, "host", selector[:1], from, end)
		if err != nil {
			t.Fatal(err)
		}
		return append(all, fmt.Sprint(names), fmt.Sprint(values))
	}
	if diff := cmp.Diff(lists(want), lists(got)); diff != "" {
		t.Errorf("lists (-embedded +engine):\n%s", diff)
	}
	if _, err := got.Buildinfo(ctx); err != nil {
		t.Errorf("Buildinfo: %v", err)
	}
}
