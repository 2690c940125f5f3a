package dashboards

import (
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	gstat "github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	gtable "github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// draw makes one panel. The SDK's defaults hide legends and tooltips and colour
// anything above 80 red, so each of them is set here.
func draw(p panel, prefix string, interval time.Duration) (dashboard.Panel, error) {
	var drawn dashboard.Panel
	var err error
	switch p.kind {
	case stat:
		drawn, err = drawStat(p)
	case graph, area:
		drawn, err = drawGraph(p)
	case bars:
		drawn, err = drawBars(p)
	case timeline:
		drawn, err = drawTimeline(p)
	case table:
		drawn, err = drawTable(p, prefix)
	default:
		return drawn, fmt.Errorf("kind %q is unknown", p.kind)
	}
	if err != nil {
		return drawn, err
	}
	step := seconds(interval)
	about, source := p.description(), datasource()
	drawn.Title, drawn.Description, drawn.Datasource, drawn.Interval = &p.title, &about, &source, &step
	drawn.Links = []dashboard.DashboardLink{}
	return drawn, addQueries(&drawn, p, step)
}

// addQueries sets the step on the queries too: Grafana makes $__rate_interval
// from that one, and the panel's alone does not widen it.
func addQueries(drawn *dashboard.Panel, p panel, step string) error {
	for i, q := range p.queries {
		b := prometheus.NewDataqueryBuilder().RefId(refID(i)).Expr(expand(q.expr)).LegendFormat(q.legend).Interval(step)
		switch p.kind {
		case graph, area, timeline:
			b.Range()
		case table:
			b.Instant().Format(prometheus.PromQueryFormatTable)
		default:
			b.Instant()
		}
		target, err := b.Build()
		if err != nil {
			return err
		}
		drawn.Targets = append(drawn.Targets, target)
	}
	return nil
}

func refID(i int) string { return string(rune('A' + i)) }

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

func drawStat(p panel) (dashboard.Panel, error) {
	return gstat.NewPanelBuilder().
		Unit(p.unit).Thresholds(p.limits.thresholds(colourNeutral)).
		NoValue("unknown").
		GraphMode(common.BigValueGraphModeNone).
		ColorMode(common.BigValueColorModeValue).
		ReduceOptions(lastValue()).
		Build()
}

func drawBars(p panel) (dashboard.Panel, error) {
	b := bargauge.NewPanelBuilder().
		Unit(p.unit).Min(0).Thresholds(p.limits.thresholds(colourNeutral)).
		NoValue("none").
		DisplayMode(common.BarGaugeDisplayModeGradient).
		Orientation(common.VizOrientationHorizontal).
		ShowUnfilled(true).
		ReduceOptions(lastValue())
	if p.full > 0 {
		b.Max(p.full)
	}
	return b.Build()
}

func drawGraph(p panel) (dashboard.Panel, error) {
	b := timeseries.NewPanelBuilder().
		Unit(p.unit).Thresholds(p.limits.thresholds(colourGood)).
		DrawStyle(common.GraphDrawStyleLine).LineWidth(1).FillOpacity(8).
		ShowPoints(common.VisibilityModeNever).
		Legend(legend()).Tooltip(tooltip()).
		Min(0)
	if p.full > 0 {
		b.Max(p.full)
	}
	if len(p.limits.steps) > 0 {
		b.ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
	}
	if p.kind == area {
		b.FillOpacity(50).Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal))
	}
	for i, q := range p.queries {
		if properties := lineStyle(q); properties != nil {
			b.OverrideByQuery(refID(i), properties)
		}
	}
	return b.Build()
}

// lineStyle is what sets one query's lines apart.
func lineStyle(q query) []dashboard.DynamicConfigValue {
	var out []dashboard.DynamicConfigValue
	if q.colour != "" {
		out = append(out, property("color", map[string]string{"mode": "fixed", "fixedColor": q.colour}))
	}
	if q.unit != "" {
		out = append(out, property("unit", q.unit), property("custom.axisPlacement", "right"))
	}
	if q.line {
		out = append(out,
			property("custom.stacking", map[string]string{"mode": "none"}),
			property("custom.fillOpacity", 0),
			property("custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{8, 8}}))
	}
	return out
}

func drawTimeline(p panel) (dashboard.Panel, error) {
	names := map[string]dashboard.ValueMappingResult{}
	for i, s := range p.states {
		names[fmt.Sprint(i)] = dashboard.ValueMappingResult{Text: &s.text, Color: &s.colour, Index: new(int32(i))}
	}
	return statetimeline.NewPanelBuilder().
		Unit(p.unit).Thresholds(p.limits.thresholds(colourNeutral)).
		Mappings([]dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: names}}}).
		NoValue("none").
		ShowValue(common.VisibilityModeNever).MergeValues(true).RowHeight(0.8).
		Legend(legendOfStates()).Tooltip(tooltip()).
		Build()
}

func drawTable(p panel, prefix string) (dashboard.Panel, error) {
	b := gtable.NewPanelBuilder().
		Unit(p.unit).Thresholds(p.limits.thresholds("transparent")).
		NoValue("").
		ShowHeader(true).CellHeight(common.TableCellHeightSm).
		Footer(common.NewTableFooterOptionsBuilder().Show(false).Reducer([]string{"sum"}).EnablePagination(true)).
		Transformations(tableColumns(p))
	if p.sortBy != "" {
		b.SortBy([]cog.Builder[common.TableSortByFieldState]{
			common.NewTableSortByFieldStateBuilder().DisplayName(p.sortBy).Desc(true),
		})
	}
	for _, c := range p.columns {
		if properties := columnStyle(c, prefix); properties != nil {
			b.OverrideByName(c.title, properties)
		}
	}
	for _, q := range p.queries {
		if properties := valueStyle(q); properties != nil {
			b.OverrideByName(q.legend, properties)
		}
	}
	return b.Build()
}

// tableColumns joins the queries' rows by their labels, and names and orders
// what is shown. Grafana calls the value of a lone query Value, and those of
// several Value #A and so on.
func tableColumns(p panel) []dashboard.DataTransformerConfig {
	rename, order, exclude := map[string]string{}, map[string]int{}, map[string]bool{"Time": true, "__name__": true}
	for _, c := range p.columns {
		order[c.label] = len(order)
		rename[c.label] = c.title
	}
	for i, q := range p.queries {
		field := "Value #" + refID(i)
		if len(p.queries) == 1 {
			field = "Value"
		}
		order[field] = len(order)
		rename[field] = q.legend
		if q.hidden {
			exclude[field] = true
		}
	}
	return []dashboard.DataTransformerConfig{
		{Id: "merge", Options: map[string]any{}},
		{Id: "organize", Options: map[string]any{
			"excludeByName": exclude, "indexByName": order, "renameByName": rename,
		}},
	}
}

func columnStyle(c column, prefix string) []dashboard.DynamicConfigValue {
	var out []dashboard.DynamicConfigValue
	if c.width > 0 {
		out = append(out, property("custom.width", c.width))
	}
	if c.link != nil {
		out = append(out, property("links", []map[string]any{{"title": c.link.title, "url": c.link.url(prefix)}}))
	}
	return out
}

func valueStyle(q query) []dashboard.DynamicConfigValue {
	out := []dashboard.DynamicConfigValue{property("custom.align", "right")}
	if q.unit != "" {
		out = append(out, property("unit", q.unit))
	}
	if len(q.limits.steps) > 0 {
		steps, _ := q.limits.thresholds("transparent").Build()
		out = append(out, property("thresholds", steps),
			property("custom.cellOptions", map[string]string{"type": "color-background", "mode": "basic"}))
	}
	return out
}

// url leads to another page with the choice of this one, and one variable set.
func (l link) url(prefix string) string {
	kept := []string{"${__url_time_range}", "${datasource:queryparam}"}
	for _, v := range []string{"cluster", "host"} {
		if v != l.variable {
			kept = append(kept, "${"+v+":queryparam}")
		}
	}
	return fmt.Sprintf("/d/%s-%s?%s&var-%s=${__data.fields.%s:percentencode}",
		prefix, l.page, strings.Join(kept, "&"), l.variable, l.label)
}

func property(id string, value any) dashboard.DynamicConfigValue {
	return dashboard.DynamicConfigValue{Id: id, Value: value}
}

// thresholds are always set: Grafana's own default is red from 80 on. base is
// the colour of what is well.
func (l limitSteps) thresholds(base string) *dashboard.ThresholdsConfigBuilder {
	if len(l.steps) > 0 && base == colourNeutral {
		base = colourGood
	}
	if l.below {
		base = colourBad
	}
	steps := []dashboard.Threshold{{Color: base}}
	for _, s := range l.steps {
		steps = append(steps, dashboard.Threshold{Value: new(s.at), Color: s.colour})
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(steps)
}

func lastValue() *common.ReduceDataOptionsBuilder {
	return common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"}).Values(false)
}

func legend() *common.VizLegendOptionsBuilder {
	return common.NewVizLegendOptionsBuilder().ShowLegend(true).
		DisplayMode(common.LegendDisplayModeTable).Placement(common.LegendPlacementBottom).
		Calcs([]string{"mean", "max"}).SortBy("Max").SortDesc(true)
}

func legendOfStates() *common.VizLegendOptionsBuilder {
	return common.NewVizLegendOptionsBuilder().ShowLegend(true).
		DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom).Calcs([]string{})
}

func tooltip() *common.VizTooltipOptionsBuilder {
	return common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending)
}
