package observe

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"plimsoll/collectors/snapshot"
)

// table is the answer to one query, by the values of cluster, host and some more
// labels.
type table map[string]float64

func (t table) find(key ...string) *float64 {
	v, ok := t[strings.Join(key, "\x00")]
	if !ok || math.IsNaN(v) {
		return nil
	}
	return &v
}

// each evaluates expr for the whole fleet at once. The answer is keyed by
// cluster, host and more; by server too if more is not given and the series have
// it.
func (s series) each(ctx context.Context, expr string, more ...string) table {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	value, warnings, _, err := s.querier.Query(ctx, expr, s.fleet.Now)
	if err != nil {
		s.gap(err)
		return nil
	}
	for _, w := range warnings {
		s.gap(fmt.Errorf("partial answer: %s", w))
	}
	vector, _ := value.(model.Vector)
	out := table{}
	for _, sample := range vector {
		out[keyOf(sample.Metric, more)] = float64(sample.Value)
	}
	return out
}

func keyOf(m model.Metric, more []string) string {
	key := []string{string(m["cluster"]), string(m["host"])}
	if server, ok := m["server"]; ok && len(more) == 0 {
		key = append(key, string(server))
	}
	for _, label := range more {
		key = append(key, string(m[model.LabelName(label)]))
	}
	return strings.Join(key, "\x00")
}

// peak is the 95th percentile of expr over the window. %[1]s in expr stands for
// the range of a rate.
func (s series) peak(expr string) string {
	return s.over("quantile_over_time(0.95, %s)", expr)
}

// quantile is the 95th percentile of a series over the window.
func (s series) quantile(name string) string {
	return fmt.Sprintf("quantile_over_time(0.95, %s[%s])", name, s.window())
}

// most is the largest value of a series over the window.
func (s series) most(name string) string {
	return fmt.Sprintf("max_over_time(%s[%s])", name, s.window())
}

func (s series) over(function, expr string) string {
	step := s.step()
	if strings.Contains(expr, "%") {
		expr = fmt.Sprintf(expr, seconds(min(4*step, longestStep)))
	}
	return fmt.Sprintf(function, fmt.Sprintf("(%s)[%s:%s]", expr, s.window(), seconds(step)))
}

// longestStep is how long a stretch may be to count as one busy moment. A day has
// 360 of them, and a rate of each is asked for once: a rate of four minutes each
// minute would be four times the work of every round.
const longestStep = 4 * time.Minute

// step is four minutes for a day, and less for less: points lie on whole steps, so
// that one of minutes would miss what was seen for a minute only.
func (s series) step() time.Duration {
	return min(max(s.fleet.Window.Duration()/360, time.Second), longestStep).Truncate(time.Second)
}

func (s series) window() string { return seconds(s.fleet.Window.Duration()) }

// recent is the last part of the window, over which a trend is told.
func (s series) recent() string {
	return seconds(min(s.fleet.Window.Duration(), 10*time.Minute))
}

func seconds(d time.Duration) string {
	return fmt.Sprintf("%ds", max(int(d.Seconds()), 1))
}

// gap notes that an engine did not answer. Rules that need the answer are not
// ready; the others go on.
func (s series) gap(err error) {
	g := snapshot.Gap{Job: "advisor", Reason: "a query was not answered: " + err.Error()}
	if slices.Contains(s.fleet.Gaps, g) {
		return
	}
	s.fleet.Gaps = append(s.fleet.Gaps, g)
}

func hours(from, to time.Time) promv1.Range {
	return promv1.Range{Start: from, End: to, Step: time.Hour}
}
