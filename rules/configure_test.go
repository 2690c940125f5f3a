package rules

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// configurable are rules of every unit.
func configurable() []Rule {
	rule := func(id ID, value float64, unit Unit) Rule {
		return Rule{ID: id, MinWindow: time.Minute, Window: time.Hour, Threshold: Threshold{Value: value, Unit: unit, Source: "measured"}}
	}
	return []Rule{
		rule("mysql/replica-lag", 1, Seconds), rule("mysql/connections", 0.85, Ratio), rule("mysql/pool", 1e9, Bytes),
		rule("mysql/rows", 10000, Rows), rule("host/steal", 0.1, Ratio),
	}
}

func TestAThresholdIsWrittenInItsUnit(t *testing.T) {
	cases := []struct {
		id   ID
		text string
		want float64
	}{
		{"mysql/replica-lag", "30s", 30},
		{"mysql/replica-lag", "1h30m", 5400},
		{"mysql/replica-lag", "7d", 604800},
		{"mysql/replica-lag", "500ms", 0.5},
		{"mysql/connections", "80%", 0.8},
		{"mysql/connections", "80 %", 0.8},
		{"mysql/connections", "0.8", 0.8},
		{"mysql/connections", "0", 0},
		{"mysql/pool", "20GB", 20e9},
		{"mysql/pool", "1.5 GiB", 1.5 * (1 << 30)},
		{"mysql/pool", "512B", 512},
		{"mysql/rows", "5000", 5000},
		{"mysql/rows", "0", 0},
	}
	for _, c := range cases {
		rules, _, err := Configure(configurable(), map[ID]Setting{c.id: {Threshold: c.text}})
		if err != nil {
			t.Errorf("%s: %q: %v", c.id, c.text, err)
			continue
		}
		for _, r := range rules {
			if r.ID == c.id && (r.Threshold.Value != c.want || r.Threshold.Source != "configuration") {
				t.Errorf("%s: %q gives %+v, want %g from the configuration", c.id, c.text, r.Threshold, c.want)
			}
		}
	}
}

func TestAWrongSettingSaysWhatIsAllowed(t *testing.T) {
	cases := map[string]struct {
		settings map[ID]Setting
		want     string
	}{
		"no such rule": {
			map[ID]Setting{"mysql/replication-lag": {}, "mysql/replica-lags": {}},
			"rules.mysql/replica-lags: there is no such rule; the nearest is mysql/replica-lag (`plimsoll rules list` names all)",
		},
		"no unit": {
			map[ID]Setting{"mysql/replica-lag": {Threshold: "30"}},
			`rules.mysql/replica-lag.threshold: "30" is not a duration; write it like 30s, 12h or 7d`,
		},
		"no time": {
			map[ID]Setting{"mysql/replica-lag": {Threshold: "0s"}},
			`rules.mysql/replica-lag.threshold: "0s" is not a duration; write it like 30s, 12h or 7d`,
		},
		"no days": {
			map[ID]Setting{"mysql/replica-lag": {Threshold: "NaNd"}},
			`rules.mysql/replica-lag.threshold: "NaNd" is not a duration; write it like 30s, 12h or 7d`,
		},
		"more than all": {
			map[ID]Setting{"mysql/connections": {Threshold: "80"}},
			`rules.mysql/connections.threshold: "80" is not a share; write it like 80% or 0.8`,
		},
		"not a number": {
			map[ID]Setting{"mysql/connections": {Threshold: "NaN"}},
			`rules.mysql/connections.threshold: "NaN" is not a share; write it like 80% or 0.8`,
		},
		"a size without its unit": {
			map[ID]Setting{"mysql/pool": {Threshold: "20"}},
			`rules.mysql/pool.threshold: "20" is not a size; write it like 20GB`,
		},
		"a negative number": {
			map[ID]Setting{"mysql/rows": {Threshold: "-1"}},
			`rules.mysql/rows.threshold: "-1" is not a number of at least 0`,
		},
		"no end": {
			map[ID]Setting{"mysql/rows": {Threshold: "Inf"}},
			`rules.mysql/rows.threshold: "Inf" is not a number of at least 0`,
		},
		"windows that cross": {
			map[ID]Setting{"host/steal": {MinWindow: 2 * time.Hour}},
			"rules.host/steal: min_window 2h0m0s is longer than window 1h0m0s; set both",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, err := Configure(configurable(), c.settings)
			if err == nil || err.Error() != c.want {
				t.Errorf("error = %v\n want %s", err, c.want)
			}
		})
	}
}

func TestADisabledRuleDoesNotJudge(t *testing.T) {
	all := configurable()
	got, shortened, err := Configure(all, map[ID]Setting{"host/steal": {Disabled: true, MinWindow: time.Second}})
	if err != nil || shortened {
		t.Fatalf("shortened = %v, error = %v, want neither", shortened, err)
	}
	var left []ID
	for _, r := range got {
		left = append(left, r.ID)
	}
	if diff := cmp.Diff([]ID{"mysql/replica-lag", "mysql/connections", "mysql/pool", "mysql/rows"}, left); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestShorterWindowsAreTold(t *testing.T) {
	cases := []struct {
		setting Setting
		want    bool
	}{
		{Setting{}, false},
		{Setting{MinWindow: time.Minute, Window: time.Hour}, false},
		{Setting{MinWindow: 10 * time.Minute, Window: 2 * time.Hour}, false},
		{Setting{MinWindow: time.Second}, true},
		{Setting{Window: 30 * time.Minute}, true},
	}
	for _, c := range cases {
		rules, shortened, err := Configure(configurable(), map[ID]Setting{"host/steal": c.setting})
		if err != nil || shortened != c.want {
			t.Errorf("%+v: shortened = %v (%v), want %v", c.setting, shortened, err, c.want)
			continue
		}
		last := rules[len(rules)-1]
		if c.setting.Window != 0 && last.Window != c.setting.Window {
			t.Errorf("%+v: window = %s, want it as configured", c.setting, last.Window)
		}
	}
}

func TestConfiguringLeavesTheRulesThemselvesAlone(t *testing.T) {
	all := configurable()
	if _, _, err := Configure(all, map[ID]Setting{"mysql/rows": {Threshold: "5"}}); err != nil {
		t.Fatal(err)
	}
	if all[3].Threshold.Value != 10000 {
		t.Errorf("threshold of the rule itself = %g, want 10000", all[3].Threshold.Value)
	}
}
