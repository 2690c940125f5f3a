// Package dashboards draws what Plimsoll measures as pages for Grafana.
//
// Pages are written in a small model of our own (model.go): rows that ask a
// question, panels that answer it, each with what it shows, when it is bad and
// what to do. One layer (classic.go, panel.go) turns them into the classic JSON
// that every Grafana from 10 on imports, in one style, with the datasource as a
// variable. Limits come from the rules, so that a graph turns red where the
// report finds something; the names of series come from metric.Table, and a
// test holds every query against it.
package dashboards

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"plimsoll/rules"
)

// DefaultPrefix stands before the name of each page to make its uid.
const DefaultPrefix = "plimsoll"

// Options says how pages are rendered. The zero value is good.
type Options struct {
	// UIDPrefix stands before each uid, and is the tag by which pages link to
	// each other. It is DefaultPrefix if empty. A uid must not exceed 40
	// characters, so a prefix has at most 24.
	UIDPrefix string
	// Rules are the rules whose thresholds colour the panels, as configured;
	// rules.All() if nil.
	Rules []rules.Rule
}

// File is one page in Grafana's classic JSON.
type File struct {
	// Name is the page's uid with .json.
	Name string
	JSON []byte
}

// Render writes every page into dir, which it makes if it is missing, and
// returns their paths. A file of the same name is replaced as a whole.
func Render(dir string, o Options) ([]string, error) {
	files, err := Files(o)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("render dashboards: %w", err)
	}
	var paths []string
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if err := replace(path, f.JSON); err != nil {
			return nil, fmt.Errorf("render dashboards: %w", err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// Files returns every page. They are the same bytes each time.
func Files(o Options) ([]File, error) {
	prefix := cmp.Or(o.UIDPrefix, DefaultPrefix)
	if len(prefix) > 24 {
		return nil, fmt.Errorf("prefix %q of the pages' uids has %d characters: use at most 24", prefix, len(prefix))
	}
	var files []File
	for _, p := range pages(limitsOf(o.Rules)) {
		d, err := classic(p, prefix)
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", p.name, err)
		}
		text, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", p.name, err)
		}
		files = append(files, File{Name: prefix + "-" + p.name + ".json", JSON: append(text, '\n')})
	}
	return files, nil
}

// pages lists every page, in the order of Grafana's menu.
func pages(l limits) []page {
	return []page{
		fleetPage(l),
		queriesPage(l),
		replicationPage(l),
		locksPage(l),
		phpPage(l),
		hostPage(l),
		findingsPage(l),
	}
}

// replace writes a file so that no reader sees half of it: Grafana's file
// provider reads the folder while we write.
func replace(path string, text []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, text, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
