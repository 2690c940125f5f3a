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
	for _, sin := range planted() {
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
	if verdict, err := compare(path, planted()); err != nil {
		t.Errorf("an empty report fails although no sin was planted: %s", verdict)
	}
}

func TestFindingsAreHeldAgainstTheSins(t *testing.T) {
	all := []expectation{
		{Sins: []shop.Sin{"pride"}, Rule: "r", Subject: "1"},
		{Sins: []shop.Sin{"pride", "envy"}, Rule: "r", Subject: "2"},
		{Sins: []shop.Sin{"sloth"}, Rule: "r", Subject: "3", Unless: "it is Sunday"},
	}
	tests := map[string]struct {
		got              []string
		without          []shop.Sin
		missing, surplus []string
	}{
		"all":                {[]string{"r about 1", "r about 2", "r about 3"}, nil, nil, nil},
		"on a Sunday":        {[]string{"r about 1", "r about 2"}, nil, nil, nil},
		"one is missing":     {[]string{"r about 2"}, nil, []string{"r about 1"}, nil},
		"one sin of two":     {[]string{"r about 2"}, []shop.Sin{"pride"}, nil, nil},
		"neither of two":     {[]string{"r about 2"}, []shop.Sin{"pride", "envy"}, nil, []string{"r about 2"}},
		"although not there": {[]string{"r about 1", "r about 2", "r about 3"}, []shop.Sin{"sloth"}, nil, []string{"r about 3"}},
		"never heard of":     {[]string{"r about 1", "r about 2", "r about 4"}, nil, nil, []string{"r about 4"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			missing, surplus := differences(all, test.got, test.without)
			if !slices.Equal(missing, test.missing) || !slices.Equal(surplus, test.surplus) {
				t.Errorf("missing %v, surplus %v, want %v and %v", missing, surplus, test.missing, test.surplus)
			}
		})
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
	for _, without := range append([]shop.Sin{""}, planted()...) {
		t.Run("without "+string(without), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "go", "run", "./demo")
			cmd.Dir, cmd.Env = "..", append(os.Environ(), "DEMO_SECONDS=60", "DEMO_WITHOUT="+string(without))
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}
