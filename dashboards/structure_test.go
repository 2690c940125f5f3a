package dashboards

import (
	"bytes"
	"encoding/json"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/rules"
)

func TestRenderWritesEveryPageAndNothingElse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out", "dashboards")
	paths, err := Render(dir, Options{UIDPrefix: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	if diff := cmp.Diff(paths, found); diff != "" || len(found) != 7 {
		t.Errorf("files (-returned +found):\n%s", diff)
	}
	for _, path := range found {
		if !strings.HasPrefix(filepath.Base(path), "shop-") {
			t.Errorf("%s has not got the prefix shop", path)
		}
	}
}

func TestUnusablePrefixIsRefused(t *testing.T) {
	if _, err := Files(Options{UIDPrefix: strings.Repeat("x", 25)}); err == nil {
		t.Error("a prefix of 25 characters is accepted, want an error: a uid has at most 40")
	}
}

func TestThresholdsOfTheConfigurationColourThePages(t *testing.T) {
	all := slices.Clone(rules.All())
	for i := range all {
		all[i].Threshold.Value = 123456
	}
	before, err := Files(Options{})
	if err != nil {
		t.Fatal(err)
	}
	after, err := Files(Options{Rules: all})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(after[0].JSON, []byte("123456")) || bytes.Contains(before[0].JSON, []byte("123456")) {
		t.Error("the fleet page does not show the thresholds of the configured rules")
	}
}

func TestIDsAreUnique(t *testing.T) {
	uids := map[string]bool{}
	for _, g := range rendered(t) {
		if uids[g.UID] || len(g.UID) > 40 {
			t.Errorf("uid %s is there twice or longer than 40 characters", g.UID)
		}
		uids[g.UID] = true
		ids := map[int]string{}
		for _, p := range append(g.all(), g.Panels...) {
			if other, taken := ids[p.ID]; taken && other != p.Title || p.ID <= 0 {
				t.Errorf("%s: panels %q and %q have the id %d", g.UID, other, p.Title, p.ID)
			}
			ids[p.ID] = p.Title
		}
	}
}

// TestPanelsFillThePage paints each page's grid: no panel over another, none
// beyond the edge, no hole.
func TestPanelsFillThePage(t *testing.T) {
	for _, g := range rendered(t) {
		paint(t, g.UID, g.Panels)
		for _, row := range g.Panels {
			if len(row.Panels) > 0 {
				paint(t, g.UID+", "+row.Title, row.Panels)
			}
		}
	}
}

func paint(t *testing.T, where string, panels []gPanel) {
	t.Helper()
	type cell struct{ x, y int }
	painted, top, bottom := map[cell]bool{}, panels[0].GridPos.Y, 0
	for _, p := range panels {
		at := p.GridPos
		if at.X < 0 || at.X+at.W > pageWidth || at.W < 1 || at.H < 1 {
			t.Errorf("%s: panel %q at %+v is beyond the page", where, p.Title, at)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if painted[cell{x, y}] {
					t.Fatalf("%s: panel %q at %+v covers another", where, p.Title, at)
				}
				painted[cell{x, y}] = true
				bottom = max(bottom, y+1)
			}
		}
	}
	if want := (bottom - top) * pageWidth; len(painted) != want {
		t.Errorf("%s: %d cells are covered, want all %d", where, len(painted), want)
	}
}

func TestNoPageAsksTooMuchAtOnce(t *testing.T) {
	for _, g := range rendered(t) {
		open := 0
		for _, p := range g.Panels {
			if p.Type != "row" {
				open++
			}
		}
		if open > 20 || open == 0 {
			t.Errorf("%s has %d open panels, want 1 to 20", g.UID, open)
		}
	}
}

var sentence = regexp.MustCompile(`[^.?!]\.(\s|$)`)

func TestEveryPanelExplainsItself(t *testing.T) {
	eachPanel(t, func(t *testing.T, _ grafana, p gPanel) {
		if p.Title == "" {
			t.Error("no title")
		}
		text := regexp.MustCompile(` \([a-z]+/[a-z-]+\)$`).ReplaceAllString(p.Description, "")
		if n := len(sentence.FindAllString(text, -1)); n != 3 {
			t.Errorf("description has %d sentences, want three: %q", n, p.Description)
		}
	})
}

func TestRowsAskQuestions(t *testing.T) {
	for _, g := range rendered(t) {
		if g.Panels[0].Type != "row" {
			t.Errorf("%s does not begin with a row", g.UID)
		}
		for _, p := range g.Panels {
			if p.Type == "row" && !strings.Contains(p.Title, "?") {
				t.Errorf("%s: row %q is not a question", g.UID, p.Title)
			}
		}
	}
}

// TestNothingOfTheSDKsDefaultsIsLeft holds the traps that the SDK sets: each of
// them showed only in a real Grafana.
func TestNothingOfTheSDKsDefaultsIsLeft(t *testing.T) {
	for _, g := range rendered(t) {
		for _, l := range g.Links {
			if l["placement"] != nil {
				t.Errorf("%s: a link is hidden in a menu", g.UID)
			}
		}
		for _, a := range g.Annotations.List {
			if a.Placement != nil {
				t.Errorf("%s: annotation %s is hidden in a menu", g.UID, a.Name)
			}
		}
	}
	eachPanel(t, func(t *testing.T, _ grafana, p gPanel) {
		checkThresholds(t, p.FieldConfig.Defaults.Thresholds)
		switch p.Type {
		case "timeseries":
			if o := p.Options; !o.Legend.ShowLegend || o.Legend.DisplayMode != "table" || len(o.Legend.Calcs) != 2 ||
				o.Tooltip.Mode != "multi" || o.Tooltip.Sort != "desc" {
				t.Errorf("legend and tooltip = %+v, want a table with mean and maximum, and all lines", o)
			}
		case "state-timeline":
			if !p.Options.Legend.ShowLegend || p.Options.Tooltip.Mode != "multi" {
				t.Errorf("legend and tooltip = %+v, want both shown", p.Options)
			}
		case "stat", "bargauge":
			if !slices.Equal(p.Options.ReduceOptions.Calcs, []string{"lastNotNull"}) {
				t.Errorf("calcs = %v, want the last known value", p.Options.ReduceOptions.Calcs)
			}
		case "table":
			if p.Options.Footer["reducer"] == nil {
				t.Error("the footer has no reducer, which a strict reader refuses")
			}
		}
	})
}

func checkThresholds(t *testing.T, th gThresholds) {
	t.Helper()
	if th.Mode != "absolute" || len(th.Steps) == 0 || th.Steps[0].Value != nil {
		t.Errorf("thresholds = %+v, want a base step without a value: Grafana's own default is red from 80 on", th)
	}
}

func TestOnlyPanelsThatGrafanaHasAreUsed(t *testing.T) {
	core := []string{"stat", "timeseries", "table", "bargauge", "state-timeline"}
	eachPanel(t, func(t *testing.T, _ grafana, p gPanel) {
		if !slices.Contains(core, p.Type) {
			t.Errorf("type = %s, want one of %v", p.Type, core)
		}
	})
}

func TestLinksLeadToOurPages(t *testing.T) {
	pages := map[string]grafana{}
	for _, g := range rendered(t) {
		pages[g.UID] = g
	}
	links := 0
	eachPanel(t, func(t *testing.T, _ grafana, p gPanel) {
		for _, href := range linksOf(t, p) {
			links++
			checkLink(t, pages, p, href)
		}
	})
	if links < 2 {
		t.Errorf("%d links were found, want those of the tables", links)
	}
}

func linksOf(t *testing.T, p gPanel) []string {
	t.Helper()
	var out []string
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if property.ID != "links" {
				continue
			}
			var links []struct{ URL string }
			if err := json.Unmarshal(property.Value, &links); err != nil {
				t.Fatal(err)
			}
			for _, l := range links {
				out = append(out, l.URL)
			}
		}
	}
	return out
}

var setVariable = regexp.MustCompile(`&var-(\w+)=\$\{__data\.fields\.(\w+):percentencode\}$`)

func checkLink(t *testing.T, pages map[string]grafana, p gPanel, href string) {
	t.Helper()
	u, err := url.Parse(strings.NewReplacer("$", "", "{", "", "}", "").Replace(href))
	if err != nil {
		t.Fatal(err)
	}
	target, known := pages[strings.TrimPrefix(u.Path, "/d/")]
	set := setVariable.FindStringSubmatch(href)
	if !known || set == nil {
		t.Errorf("link %s leads to no page of ours, or sets no variable", href)
		return
	}
	if !slices.ContainsFunc(target.Templating.List, func(v gVariable) bool { return v.Name == set[1] }) {
		t.Errorf("link %s sets %s, which that page has not got", href, set[1])
	}
	shown, _ := json.Marshal(p.Transformations)
	if !strings.Contains(string(shown), `"`+set[2]+`"`) {
		t.Errorf("link %s reads column %s, which the table has not got", href, set[2])
	}
}

func TestVariablesAreAlikeAndUsed(t *testing.T) {
	for _, g := range rendered(t) {
		var names []string
		for _, v := range g.Templating.List {
			names = append(names, v.Name)
		}
		if want := []string{"datasource", "cluster", "host"}; !slices.Equal(names[:3], want) {
			t.Errorf("%s: variables begin with %v, want %v, so that links carry them", g.UID, names[:3], want)
		}
		queries := allText(g)
		for _, name := range names[3:] {
			if !strings.Contains(queries, "$"+name) {
				t.Errorf("%s: variable %s is not used", g.UID, name)
			}
		}
		for _, used := range regexp.MustCompile(`\$([a-z_]\w*)`).FindAllStringSubmatch(queries, -1) {
			if !strings.HasPrefix(used[1], "__") && !slices.Contains(names, used[1]) {
				t.Errorf("%s: $%s is used and not defined", g.UID, used[1])
			}
		}
	}
}

func allText(g grafana) string {
	var text strings.Builder
	for _, p := range g.all() {
		for _, target := range p.Targets {
			text.WriteString(target.Expr + "\n" + target.LegendFormat + "\n")
		}
	}
	return text.String()
}

func TestTablesAreSortedByAColumnThatTheyHave(t *testing.T) {
	eachPanel(t, func(t *testing.T, _ grafana, p gPanel) {
		for _, s := range p.Options.SortBy {
			shown, _ := json.Marshal(p.Transformations)
			if !strings.Contains(string(shown), `"`+s.DisplayName+`"`) {
				t.Errorf("the table is sorted by %q, which is no column of it", s.DisplayName)
			}
		}
	})
}

func TestPanelsThatDoNotFitAreRefused(t *testing.T) {
	base := panel{kind: graph, width: 12, height: 8, queries: []query{{expr: "up"}}}
	wide, ragged, tall := base, base, base
	wide.width, tall.height, ragged.width = 16, 9, 8
	for what, panels := range map[string][]panel{
		"too wide":   {base, wide},
		"a hole":     {base, base, ragged},
		"not level":  {base, tall},
		"half a row": {base},
	} {
		p := page{name: "x", rows: []row{{question: "x?", panels: panels}}}
		if _, err := classic(p, "x"); err == nil {
			t.Errorf("a row with %s is accepted, want an error", what)
		}
	}
}
