package dashboards

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"plimsoll/collectors/metric"
)

// The rules of grafana/dashboard-linter, for our pages. Its rules about the
// labels job and instance are about cluster and host here: those are ours on
// every series, and what a Prometheus calls its jobs is not ours to know.

func TestPagesHaveADatasourceVariable(t *testing.T) {
	for _, g := range rendered(t) {
		v := g.Templating.List[0]
		if v.Type != "datasource" || v.Name != "datasource" || v.Label != "Data source" || v.Query != "prometheus" {
			t.Errorf("%s: first variable = %+v, want the data source", g.UID, v)
		}
		if g.Editable {
			t.Errorf("%s can be edited, and would lose the edits with the next rendering", g.UID)
		}
		for _, v := range g.Templating.List[1:] {
			if v.Type == "query" && (v.Datasource.UID != "${datasource}" || v.Refresh != 2 || !v.Multi || v.AllValue != ".*") {
				t.Errorf("%s: variable %+v, want it asked of the data source whenever the range changes", g.UID, v)
			}
		}
	}
}

func TestPanelsUseTheDatasourceVariable(t *testing.T) {
	eachPanel(t, func(t *testing.T, _ grafana, p gPanel) {
		if want := (gDatasource{"prometheus", "${datasource}"}); p.Datasource != want {
			t.Errorf("datasource = %+v, want %+v", p.Datasource, want)
		}
	})
}

func TestPanelsHaveQueriesAndKnownUnits(t *testing.T) {
	known := []string{
		"short", "percentunit", "s", "Bps", "decbytes", "cps", "reqps", "bool_yes_no", "dateTimeFromNow", "dtdurations",
	}
	eachPanel(t, func(t *testing.T, _ grafana, p gPanel) {
		if len(p.Targets) == 0 {
			t.Error("no query")
		}
		if !slices.Contains(known, p.FieldConfig.Defaults.Unit) {
			t.Errorf("unit = %q, want one of %v", p.FieldConfig.Defaults.Unit, known)
		}
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				if unit := strings.Trim(string(property.Value), `"`); property.ID == "unit" && !slices.Contains(known, unit) {
					t.Errorf("unit of %v = %q, want one of %v", o.Matcher.Options, unit, known)
				}
			}
		}
	})
}

func TestQueriesAreOfThePanelsKind(t *testing.T) {
	eachPanel(t, func(t *testing.T, _ grafana, p gPanel) {
		for _, target := range p.Targets {
			overTime := p.Type == "timeseries" || p.Type == "state-timeline"
			if target.Range != overTime || target.Instant == overTime || (target.Format == "table") != (p.Type == "table") {
				t.Errorf("query %s = %+v in a %s", target.RefID, target, p.Type)
			}
			if p.Type != "stat" && target.LegendFormat == "" {
				t.Errorf("query %s has no legend", target.RefID)
			}
		}
	})
}

// use is one selector of a query: the series, its matchers, and the functions
// around it, innermost first.
type use struct {
	name     string
	matchers []string
	around   []string
	window   time.Duration
}

// parse reads a query as the engine will see it.
func parse(t *testing.T, expr string) parser.Expr {
	t.Helper()
	filled := strings.NewReplacer("$__rate_interval", "4m", "$__range", "3h", "$top", "10").Replace(expr)
	e, err := parser.NewParser(parser.Options{}).ParseExpr(filled)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return e
}

func usesOf(t *testing.T, expr string) []use {
	t.Helper()
	var out []use
	parser.Inspect(parse(t, expr), func(node parser.Node, path []parser.Node) error {
		v, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		u := use{name: v.Name}
		for _, m := range v.LabelMatchers {
			if m.Name != model.MetricNameLabel {
				u.matchers = append(u.matchers, m.Name)
			}
		}
		for _, outer := range slices.Backward(path) {
			switch o := outer.(type) {
			case *parser.Call:
				u.around = append(u.around, o.Func.Name)
			case *parser.AggregateExpr:
				u.around = append(u.around, o.Op.String())
			case *parser.MatrixSelector:
				u.window = o.Range
			}
		}
		out = append(out, u)
		return nil
	})
	return out
}

// table returns metric.Table by the names under which series are queried.
func byName() map[string]metric.Metric {
	out := map[string]metric.Metric{}
	for _, m := range metric.Table() {
		out[m.Name] = m
		if m.Type == metric.Histogram {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				part := m
				part.Type, part.Labels = metric.Counter, append(slices.Clone(m.Labels), "le")
				out[m.Name+suffix] = part
			}
		}
	}
	return out
}

// queriesOf returns every expression of a page: panels, annotations and
// variables.
func queriesOf(g grafana) []string {
	var out []string
	for _, p := range g.all() {
		for _, target := range p.Targets {
			out = append(out, target.Expr)
		}
	}
	for _, a := range g.Annotations.List {
		out = append(out, a.Expr)
	}
	for _, v := range g.Templating.List {
		text, _ := v.Query.(string)
		if inside, ok := strings.CutPrefix(text, "label_values("); ok {
			out = append(out, inside[:strings.LastIndex(inside, ",")])
		}
	}
	return out
}

// withoutHost are series of the advisor as a whole, or of a whole cluster.
var withoutHost = regexp.MustCompile(`^plimsoll_(finding|digest_finding|digest_info|php_route_statement|not_ready|agents|round_seconds)`)

// withoutCluster are series of the advisor as a whole.
var withoutCluster = regexp.MustCompile(`^plimsoll_(not_ready|agents|round_seconds)$`)

func TestQueriesUseSeriesThatExist(t *testing.T) {
	known := byName()
	for _, g := range rendered(t) {
		for _, expr := range queriesOf(g) {
			for _, u := range usesOf(t, expr) {
				m, exists := known[u.name]
				if !exists {
					t.Errorf("%s: %s is not in metric.Table: %s", g.UID, u.name, expr)
					continue
				}
				allowed := append([]string{"cluster", "host"}, m.Labels...)
				for _, label := range u.matchers {
					if !slices.Contains(allowed, label) {
						t.Errorf("%s: %s has no label %s: %s", g.UID, u.name, label, expr)
					}
				}
			}
		}
	}
}

func TestQueriesFilterByTheChosenClusterAndHost(t *testing.T) {
	for _, g := range rendered(t) {
		for _, expr := range queriesOf(g) {
			for _, u := range usesOf(t, expr) {
				if !slices.Contains(u.matchers, "cluster") && !withoutCluster.MatchString(u.name) &&
					expr != "plimsoll_agent_info" { // What the variable cluster itself is asked of.
					t.Errorf("%s: %s is not filtered by cluster: %s", g.UID, u.name, expr)
				}
				if !slices.Contains(u.matchers, "host") && !withoutHost.MatchString(u.name) && !strings.HasPrefix(expr, "plimsoll_agent_info") {
					t.Errorf("%s: %s is not filtered by host: %s", g.UID, u.name, expr)
				}
			}
		}
	}
}

// TestCountersAreRated also holds the other way round: the rate of a gauge has
// no meaning.
func TestCountersAreRated(t *testing.T) {
	known := byName()
	for _, g := range rendered(t) {
		for _, p := range g.all() {
			for _, target := range p.Targets {
				for _, u := range usesOf(t, target.Expr) {
					if counter := known[u.name].Type == metric.Counter; counter != u.within("rate", "increase") && !u.presence() {
						t.Errorf("%s: %s (a %s): %s", g.UID, u.name, known[u.name].Type, target.Expr)
					}
				}
			}
		}
	}
}

// within reports whether one of functions is around the selector.
func (u use) within(functions ...string) bool {
	return slices.ContainsFunc(u.around, func(f string) bool { return slices.Contains(functions, f) })
}

// presence reports whether a series is asked for to tell that something is
// there, and not for its value.
func (u use) presence() bool {
	return u.within("count") || u.name == "mysql_global_status_uptime"
}

// TestRatesSpanEnoughSamples wants Grafana's own window in graphs, and the whole
// range only where it does not move with each point.
func TestRatesSpanEnoughSamples(t *testing.T) {
	window := regexp.MustCompile(`\[([^\]]+)\]( @ end\(\))?`)
	eachPanel(t, func(t *testing.T, _ grafana, p gPanel) {
		for _, target := range p.Targets {
			for _, w := range window.FindAllStringSubmatch(target.Expr, -1) {
				switch {
				case w[1] == "$__rate_interval":
				case w[1] == "$__range" && (target.Instant || w[2] != ""):
				default:
					t.Errorf("window [%s] in %s", w[1], target.Expr)
				}
			}
		}
	})
}

// TestStepsAreNotShorterThanTheJobs holds that a rate sees at least four
// changes of the figure: Grafana makes $__rate_interval four times the query's
// own interval.
func TestStepsAreNotShorterThanTheJobs(t *testing.T) {
	known := byName()
	eachPanel(t, func(t *testing.T, _ grafana, p gPanel) {
		want := metric.ScrapeInterval
		for _, target := range p.Targets {
			for _, u := range usesOf(t, target.Expr) {
				want = max(want, metric.Every(known[u.name].Job))
			}
		}
		for _, got := range []string{p.Interval, p.Targets[0].Interval} {
			if got != fmt.Sprintf("%ds", int(want.Seconds())) {
				t.Errorf("interval = %s, want %s", got, want)
			}
		}
	})
}

func TestFindingsAreAnnotationsOnEveryPage(t *testing.T) {
	for _, g := range rendered(t) {
		a := g.Annotations.List[0]
		if len(g.Annotations.List) != 1 || !a.Enable || !a.UseValueForTime || a.Datasource.UID != "${datasource}" ||
			!strings.HasSuffix(a.Expr, "* 1000") {
			t.Errorf("%s: annotations = %+v, want one at the time that is its value, in milliseconds", g.UID, g.Annotations.List)
		}
	}
}

// TestLegendsNameLabelsThatTheQueryKeeps finds {{host}} beside a sum by server.
func TestLegendsNameLabelsThatTheQueryKeeps(t *testing.T) {
	placeholder := regexp.MustCompile(`\{\{(\w+)\}\}`)
	eachPanel(t, func(t *testing.T, _ grafana, p gPanel) {
		for _, target := range p.Targets {
			for _, m := range placeholder.FindAllStringSubmatch(target.LegendFormat, -1) {
				if kept := labelsOf(t, parse(t, target.Expr)); !slices.Contains(kept, m[1]) {
					t.Errorf("legend %s: %s leaves only %v", target.LegendFormat, target.Expr, kept)
				}
			}
		}
	})
}

// labelsOf returns the labels that the result of e has.
func labelsOf(t *testing.T, e parser.Expr) []string {
	t.Helper()
	switch e := e.(type) {
	case *parser.ParenExpr:
		return labelsOf(t, e.Expr)
	case *parser.StepInvariantExpr:
		return labelsOf(t, e.Expr)
	case *parser.MatrixSelector:
		return labelsOf(t, e.VectorSelector)
	case *parser.VectorSelector:
		return append([]string{"cluster", "host"}, byName()[e.Name].Labels...)
	case *parser.AggregateExpr:
		if e.Op == parser.TOPK || e.Op == parser.BOTTOMK {
			return labelsOf(t, e.Expr)
		}
		return e.Grouping
	case *parser.Call:
		return labelsOf(t, e.Args[len(e.Args)-1])
	case *parser.BinaryExpr:
		return labelsOfBoth(t, e)
	}
	return nil
}

func labelsOfBoth(t *testing.T, e *parser.BinaryExpr) []string {
	t.Helper()
	if e.LHS.Type() == parser.ValueTypeScalar {
		return labelsOf(t, e.RHS)
	}
	if e.RHS.Type() == parser.ValueTypeScalar || e.Op.IsSetOperator() {
		return labelsOf(t, e.LHS)
	}
	if m := e.VectorMatching; m != nil && m.Card != parser.CardOneToOne {
		return append(labelsOf(t, e.LHS), m.Include...)
	}
	if m := e.VectorMatching; m != nil && m.On && !e.Op.IsComparisonOperator() {
		return m.MatchingLabels
	}
	return labelsOf(t, e.LHS)
}

// TestLimitsAreOfRulesThatExist finds a threshold whose rule was renamed, which
// would leave its panel without a colour.
func TestLimitsAreOfRulesThatExist(t *testing.T) {
	known := limitsOf(nil)
	for _, p := range pages(known) {
		for _, r := range p.rows {
			for _, panel := range r.panels {
				all := []limitSteps{panel.limits}
				for _, q := range panel.queries {
					all = append(all, q.limits)
				}
				for _, l := range all {
					if _, exists := known[l.rule]; l.rule != "" && !exists {
						t.Errorf("%s/%s: there is no rule %s", p.name, panel.name, l.rule)
					}
				}
			}
		}
	}
}
