package dashboards_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"plimsoll/advisor/verify/scratch"
	"plimsoll/dashboards"
	"plimsoll/fixtures/servers"
)

// quiet are queries that have nothing to show on the test's machine or site,
// by their panel's title and their letter, with the reason.
func quiet(product servers.Product) map[string]string {
	all := map[string]string{
		"Network traffic C": "virtual network cards state no speed",
		"Disk latency A":    "nothing is read from a disk whose files are all in memory",
	}
	if product.Family() == scratch.MariaDB {
		all["Slowest in twenty A"] = "MariaDB has no histograms of statements"
		all["Channels F"] = "MariaDB does not show its appliers"
		all["Channels G"] = "MariaDB does not show its appliers"
		all["Statements that hold others up C"] = "MariaDB keeps no history of statements, where a holder's would be found"
	} else {
		all["Time that digests do not see A"] = "MySQL's digests see prepared statements"
		all["Servers D"] = "semi-synchronous replication is a plugin that is not loaded"
	}
	return all
}

// TestEveryPanelShowsDataOfRealServers asks everything that the pages ask, of an
// embedded store that is fed by agents beside real servers.
func TestEveryPanelShowsDataOfRealServers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	for _, product := range []servers.Product{servers.MariaDB1011, servers.MySQL97} {
		t.Run(string(product), func(t *testing.T) {
			s := startSite(t, product)
			s.Primary.Exec(t, shop()...)
			s.watch(t, 22*time.Second)
			var sheet drawing
			for _, p := range livePages(t) {
				for _, panel := range p.all() {
					t.Run(p.UID+"/"+panel.Title, func(t *testing.T) { s.ask(t, p, panel, quiet(product), &sheet) })
				}
			}
			if dir := os.Getenv("PLIMSOLL_DASHBOARDS_SHEET"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, string(product)+".html"), []byte(sheet.html()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func (s *site) ask(t *testing.T, p livePage, panel livePanel, quiet map[string]string, sheet *drawing) {
	t.Helper()
	now := time.Now()
	for _, target := range panel.Targets {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		value, warnings, _, err := s.store.Querier().QueryRange(ctx, fill(target.Expr),
			promv1.Range{Start: now.Add(-20 * time.Second), End: now, Step: time.Second})
		if target.Instant {
			value, warnings, _, err = s.store.Querier().Query(ctx, fill(target.Expr), now)
		}
		if took := time.Since(now); took > 5*time.Second {
			t.Errorf("query %s took %v", target.RefID, took)
		}
		if err != nil || len(warnings) > 0 {
			t.Errorf("query %s: %v, warnings %v: %s", target.RefID, err, warnings, fill(target.Expr))
			continue
		}
		sheet.add(p.Title, panel.Title, target.RefID, value)
		reason, expected := quiet[panel.Title+" "+target.RefID]
		switch empty := isEmpty(value); {
		case empty && !expected:
			t.Errorf("query %s shows nothing: %s", target.RefID, fill(target.Expr))
		case !empty && expected:
			t.Logf("query %s shows something, although %s", target.RefID, reason)
		}
	}
}

// fill puts what Grafana would for the variables, everything chosen.
func fill(expr string) string {
	return strings.NewReplacer("$__rate_interval", "8s", "$__range", "20s", "$top", "10",
		"$cluster", ".*", "$host", ".*", "$server", ".*", "$schema", ".*", "$digest", ".*", "$pool", ".*", "$route", ".*").Replace(expr)
}

func isEmpty(value model.Value) bool {
	switch v := value.(type) {
	case model.Vector:
		return len(v) == 0
	case model.Matrix:
		return len(v) == 0
	}
	return false
}

// livePage is what the test needs of a page's JSON.
type livePage struct {
	UID         string      `json:"uid"`
	Title       string      `json:"title"`
	Panels      []livePanel `json:"panels"`
	Annotations struct {
		List []struct {
			Name string `json:"name"`
			Expr string `json:"expr"`
		} `json:"list"`
	} `json:"annotations"`
	Templating struct {
		List []struct {
			Name  string `json:"name"`
			Query any    `json:"query"`
		} `json:"list"`
	} `json:"templating"`
}

type livePanel struct {
	Title   string       `json:"title"`
	Panels  []livePanel  `json:"panels"`
	Targets []liveTarget `json:"targets"`
}

type liveTarget struct {
	Expr    string `json:"expr"`
	RefID   string `json:"refId"`
	Instant bool   `json:"instant"`
}

// all returns every panel, and as two more of them what annotations and
// variables ask.
func (p livePage) all() []livePanel {
	marks, choices := livePanel{Title: "annotations"}, livePanel{Title: "variables"}
	for _, a := range p.Annotations.List {
		marks.Targets = append(marks.Targets, liveTarget{Expr: a.Expr, RefID: a.Name})
	}
	for _, v := range p.Templating.List {
		query, _ := v.Query.(string)
		if inside, ok := strings.CutPrefix(query, "label_values("); ok {
			series := inside[:strings.LastIndex(inside, ",")]
			choices.Targets = append(choices.Targets, liveTarget{Expr: series, RefID: v.Name, Instant: true})
		}
	}
	out := []livePanel{marks, choices}
	for _, panel := range p.Panels {
		out = append(append(out, panel.Panels...), panel)
	}
	return out
}

func livePages(t *testing.T) []livePage {
	t.Helper()
	files, err := dashboards.Files(dashboards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pages := make([]livePage, len(files))
	for i, f := range files {
		if err := json.Unmarshal(f.JSON, &pages[i]); err != nil {
			t.Fatal(err)
		}
	}
	return pages
}
