package dashboards

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// classic makes the JSON that Grafana 10 and later import. The SDK calls this
// form deprecated in favour of one that only Grafana 12 reads; files,
// provisioning, Terraform and the operator all take this one.
//
//nolint:staticcheck // The classic form is wanted, see above.
func classic(p page, prefix string) (dashboard.Dashboard, error) {
	b := dashboard.NewDashboardBuilder("Plimsoll: "+p.title).
		Uid(prefix+"-"+p.name).
		Description(p.about).
		Tags([]string{prefix}).
		Readonly().
		Time("now-3h", "now").
		Refresh("1m").
		Timezone("browser").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Link(dashboard.NewDashboardLinkBuilder("Plimsoll").
			Type(dashboard.DashboardLinkTypeDashboards).Tags([]string{prefix}).
			AsDropdown(true).KeepTime(true).IncludeVars(true)).
		Annotation(findingsAnnotation()).
		Variables(p.allVariables())
	d, err := b.Build()
	if err != nil {
		return dashboard.Dashboard{}, err
	}
	if d.Panels, err = classicRows(p, prefix); err != nil {
		return dashboard.Dashboard{}, err
	}
	showInPlace(&d)
	return d, nil
}

// showInPlace undoes the SDK's default of hiding links and annotations in a
// menu.
//
//nolint:staticcheck // See classic.
func showInPlace(d *dashboard.Dashboard) {
	for i := range d.Links {
		d.Links[i].Placement = nil
	}
	for i := range d.Annotations.List {
		d.Annotations.List[i].Placement = nil
	}
}

// classicRows places rows and panels ourselves: the SDK knows widths only, and
// gives every row the id 0.
func classicRows(p page, prefix string) ([]dashboard.PanelOrRowPanel, error) {
	var out []dashboard.PanelOrRowPanel
	var y uint32
	for _, r := range p.rows {
		title := dashboard.RowPanel{
			Type: "row", Title: &r.question, Collapsed: r.closed,
			Id:      panelID(p.name, "row", r.question),
			GridPos: &dashboard.GridPos{H: 1, W: pageWidth, X: 0, Y: y},
			Panels:  []dashboard.Panel{},
		}
		panels, next, err := classicPanels(p, r, prefix, y+1)
		if err != nil {
			return nil, fmt.Errorf("row %q: %w", r.question, err)
		}
		if r.closed {
			title.Panels = panels
			out = append(out, dashboard.PanelOrRowPanel{RowPanel: &title})
			y++ // What is inside takes no room until it is opened.
			continue
		}
		out = append(out, dashboard.PanelOrRowPanel{RowPanel: &title})
		for i := range panels {
			out = append(out, dashboard.PanelOrRowPanel{Panel: &panels[i]})
		}
		y = next
	}
	return out, nil
}

func classicPanels(p page, r row, prefix string, y uint32) ([]dashboard.Panel, uint32, error) {
	panels := make([]dashboard.Panel, len(r.panels))
	every := everyMetric()
	for i, model := range r.panels {
		drawn, err := draw(model, prefix, model.interval(every))
		if err != nil {
			return nil, 0, fmt.Errorf("panel %s: %w", model.name, err)
		}
		id := panelID(p.name, model.name)
		drawn.Id = &id
		panels[i] = drawn
	}
	next, err := lay(panels, r.panels, y)
	return panels, next, err
}

// datasource is the one that the reader chooses. A fixed one, or an input of
// the import wizard, breaks provisioning from files.
func datasource() common.DataSourceRef {
	return common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}
}

// allVariables begin alike on every page, so that links carry the choice along.
func (p page) allVariables() []cog.Builder[dashboard.VariableModel] {
	all := []cog.Builder[dashboard.VariableModel]{
		dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus"),
		queryVariable(variable{"cluster", "Cluster", "label_values(plimsoll_agent_info, cluster)", false}),
		queryVariable(variable{"host", "Host", "label_values(plimsoll_agent_info{CLUSTER}, host)", false}),
	}
	for _, v := range p.variables {
		if v.list {
			all = append(all, listVariable(v))
			continue
		}
		all = append(all, queryVariable(v))
	}
	return all
}

// queryVariable offers what the series have, all of it at first. All is a
// pattern and not a list, which for a thousand hosts would be too long a URL.
func queryVariable(v variable) *dashboard.QueryVariableBuilder {
	query := expand(v.values)
	return dashboard.NewQueryVariableBuilder(v.name).Label(v.label).
		Datasource(datasource()).
		Query(dashboard.StringOrMap{String: &query}).
		Definition(query).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortAlphabeticalAsc).
		Multi(true).IncludeAll(true).AllValue(".*").
		Current(option("All", "$__all"))
}

func listVariable(v variable) *dashboard.CustomVariableBuilder {
	first, _, _ := strings.Cut(v.values, ",")
	return dashboard.NewCustomVariableBuilder(v.name).Label(v.label).
		Values(dashboard.StringOrMap{String: &v.values}).
		Current(option(first, first))
}

func option(text, value string) dashboard.VariableOption {
	return dashboard.VariableOption{
		Selected: new(true),
		Text:     dashboard.StringOrArrayOfString{String: &text},
		Value:    dashboard.StringOrArrayOfString{String: &value},
	}
}

// findingsAnnotation marks on every graph when a finding was first seen. The
// series' value is that moment, so that no token of Grafana's API is needed.
func findingsAnnotation() *dashboard.AnnotationQueryBuilder {
	return dashboard.NewAnnotationQueryBuilder().Name("Findings").
		Datasource(datasource()).Enable(true).IconColor(colourBad).
		Expr(expand(`plimsoll_finding_first_seen_timestamp_seconds{CLUSTER} * 1000`)).
		UseValueForTime(true).Step("60s").
		TitleFormat("{{rule}}").TextFormat("{{subject}}").TagKeys("severity")
}
