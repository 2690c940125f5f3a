package dashboards

import (
	"encoding/json"
	"fmt"
	"testing"
)

// grafana is what the tests read of a page, as Grafana reads it: they look at
// the JSON and not at our model, since it is the SDK between the two that has
// surprised before.
type grafana struct {
	UID          string   `json:"uid"`
	Title        string   `json:"title"`
	Description  string   `json:"description"`
	Tags         []string `json:"tags"`
	Editable     bool     `json:"editable"`
	GraphTooltip int      `json:"graphTooltip"`
	Panels       []gPanel `json:"panels"`
	Templating   struct {
		List []gVariable `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []gAnnotation `json:"list"`
	} `json:"annotations"`
	Links []map[string]any `json:"links"`
}

type gPanel struct {
	ID          int         `json:"id"`
	Type        string      `json:"type"`
	Title       string      `json:"title"`
	Description string      `json:"description"`
	Datasource  gDatasource `json:"datasource"`
	Interval    string      `json:"interval"`
	GridPos     gPosition   `json:"gridPos"`
	Collapsed   bool        `json:"collapsed"`
	Panels      []gPanel    `json:"panels"`
	Targets     []gTarget   `json:"targets"`
	FieldConfig struct {
		Defaults  gField      `json:"defaults"`
		Overrides []gOverride `json:"overrides"`
	} `json:"fieldConfig"`
	Options         gOptions          `json:"options"`
	Transformations []gTransformation `json:"transformations"`
}

type gTransformation struct {
	ID      string         `json:"id"`
	Options map[string]any `json:"options"`
}

type gDatasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type gPosition struct {
	X, Y, W, H int
}

type gTarget struct {
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat"`
	RefID        string `json:"refId"`
	Interval     string `json:"interval"`
	Instant      bool   `json:"instant"`
	Range        bool   `json:"range"`
	Format       string `json:"format"`
}

type gField struct {
	Unit       string      `json:"unit"`
	Thresholds gThresholds `json:"thresholds"`
}

type gThresholds struct {
	Mode  string `json:"mode"`
	Steps []struct {
		Value *float64 `json:"value"`
		Color string   `json:"color"`
	} `json:"steps"`
}

type gOverride struct {
	Matcher struct {
		ID      string `json:"id"`
		Options any    `json:"options"`
	} `json:"matcher"`
	Properties []struct {
		ID    string          `json:"id"`
		Value json.RawMessage `json:"value"`
	} `json:"properties"`
}

type gOptions struct {
	Legend struct {
		ShowLegend  bool     `json:"showLegend"`
		DisplayMode string   `json:"displayMode"`
		Calcs       []string `json:"calcs"`
	} `json:"legend"`
	Tooltip struct {
		Mode string `json:"mode"`
		Sort string `json:"sort"`
	} `json:"tooltip"`
	ReduceOptions struct {
		Calcs []string `json:"calcs"`
	} `json:"reduceOptions"`
	Footer map[string]any `json:"footer"`
	SortBy []struct {
		DisplayName string `json:"displayName"`
	} `json:"sortBy"`
}

type gVariable struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Type       string      `json:"type"`
	Query      any         `json:"query"`
	Datasource gDatasource `json:"datasource"`
	Refresh    int         `json:"refresh"`
	AllValue   string      `json:"allValue"`
	Multi      bool        `json:"multi"`
}

type gAnnotation struct {
	Name            string      `json:"name"`
	Datasource      gDatasource `json:"datasource"`
	Enable          bool        `json:"enable"`
	Expr            string      `json:"expr"`
	UseValueForTime bool        `json:"useValueForTime"`
	Placement       *string     `json:"placement"`
}

// rendered returns every page with the default options.
func rendered(t *testing.T) []grafana {
	t.Helper()
	files, err := Files(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all []grafana
	for _, f := range files {
		var g grafana
		if err := json.Unmarshal(f.JSON, &g); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if f.Name != g.UID+".json" {
			t.Errorf("file %s holds page %s", f.Name, g.UID)
		}
		all = append(all, g)
	}
	return all
}

// all returns every panel of a page, those of closed rows included, without the
// rows.
func (g grafana) all() []gPanel {
	var out []gPanel
	for _, p := range g.Panels {
		if p.Type == "row" {
			out = append(out, p.Panels...)
			continue
		}
		out = append(out, p)
	}
	return out
}

// eachPanel runs check on every panel of every page.
func eachPanel(t *testing.T, check func(t *testing.T, g grafana, p gPanel)) {
	t.Helper()
	for _, g := range rendered(t) {
		for _, p := range g.all() {
			t.Run(fmt.Sprintf("%s/%s", g.UID, p.Title), func(t *testing.T) { check(t, g, p) })
		}
	}
}
