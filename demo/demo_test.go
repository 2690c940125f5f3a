package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"plimsoll/advisor/report"
	"plimsoll/fixtures/shop"
)

func TestEverySinHasAFindingAndEveryFindingASin(t *testing.T) {
	var all []expectation
	if err := json.Unmarshal(expected, &all); err != nil {
		t.Fatal(err)
	}
	for _, sin := range shop.Sins() {
		if !slices.ContainsFunc(all, func(e expectation) bool { return slices.Contains(e.Sins, sin) }) {
			t.Errorf("expected.json has no finding for the sin %s", sin)
		}
	}
	for _, e := range all {
		for _, sin := range e.Sins {
			if !planted().Has(sin) {
				t.Errorf("expected.json names the sin %s, which there is not", sin)
			}
		}
	}
}

func TestASinThatIsLeftOutTakesItsFindingsAlong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	raw, err := (&report.Report{Schema: report.SchemaVersion}).JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := compare(path, nil); err == nil {
		t.Error("an empty report passes for the whole demo")
	}
	if verdict, err := compare(path, shop.Sins()); err != nil {
		t.Errorf("an empty report fails although no sin was planted: %s", verdict)
	}
}

func TestTheEnvironmentIsChecked(t *testing.T) {
	for name, value := range map[string]string{"DEMO_SECONDS": "soon", "DEMO_WITHOUT": "pride"} {
		if _, err := fromEnvironment(func(key string) string { return map[string]string{name: value}[key] }); err == nil {
			t.Errorf("%s=%s was accepted", name, value)
		}
	}
	o, err := fromEnvironment(func(key string) string {
		return map[string]string{"DEMO_SECONDS": "90", "DEMO_WITHOUT": "hot-row, deadlocks"}[key]
	})
	if err != nil || o.length != 90*time.Second || len(o.without) != 2 || o.sins.Has(shop.HotRow) {
		t.Errorf("options = %+v, %v, want 90 s without two sins", o, err)
	}
}

// TestEachSinAloneIsMissing runs the whole demonstration once for each sin that is
// left out, and once with all: an hour's work, for `make test-full`.
func TestEachSinAloneIsMissing(t *testing.T) {
	if os.Getenv("PLIMSOLL_FULL") != "1" {
		t.Skip("takes two minutes a sin; set PLIMSOLL_FULL=1")
	}
	for _, without := range append([]shop.Sin{""}, shop.Sins()...) {
		t.Run("without "+string(without), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "go", "run", "./demo")
			cmd.Dir, cmd.Env = "..", append(os.Environ(), "DEMO_SECONDS=60", "DEMO_WITHOUT="+string(without))
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}
