package rules

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setting is what a configuration changes of one rule. Zero fields change
// nothing.
type Setting struct {
	// Threshold is written as its unit is: 30s, 80%, 20GB, or a plain number.
	Threshold string
	MinWindow time.Duration
	Window    time.Duration
	Disabled  bool
}

// Configure returns all with settings applied, without the disabled ones, and
// whether any window is shorter than the rule's own. Errors name the rule, the
// value and what is allowed.
func Configure(all []Rule, settings map[ID]Setting) (out []Rule, shortened bool, err error) {
	for _, id := range slices.Sorted(maps.Keys(settings)) {
		if !slices.ContainsFunc(all, func(r Rule) bool { return r.ID == id }) {
			return nil, false, fmt.Errorf("rules.%s: there is no such rule; the nearest is %s (`plimsoll rules list` names all)",
				id, nearest(id, all))
		}
	}
	for _, r := range all {
		s := settings[r.ID]
		if s.Disabled {
			continue
		}
		shortened = shortened || s.shortens(r)
		if r, err = s.apply(r); err != nil {
			return nil, false, err
		}
		out = append(out, r)
	}
	return out, shortened, nil
}

func (s Setting) shortens(r Rule) bool {
	return (s.MinWindow > 0 && s.MinWindow < r.MinWindow) || (s.Window > 0 && s.Window < r.Window)
}

func (s Setting) apply(r Rule) (Rule, error) {
	if s.Threshold != "" {
		v, err := parse(s.Threshold, r.Threshold.Unit)
		if err != nil {
			return r, fmt.Errorf("rules.%s.threshold: %w", r.ID, err)
		}
		r.Threshold.Value, r.Threshold.Source = v, "configuration"
	}
	r.MinWindow, r.Window = cmp.Or(s.MinWindow, r.MinWindow), cmp.Or(s.Window, r.Window)
	if r.MinWindow > r.Window {
		return r, fmt.Errorf("rules.%s: min_window %s is longer than window %s; set both", r.ID, r.MinWindow, r.Window)
	}
	return r, nil
}

// parse reads a threshold in its unit.
func parse(text string, unit Unit) (float64, error) {
	switch unit {
	case Seconds:
		return parseSeconds(text)
	case Ratio:
		number, percent := strings.CutSuffix(text, "%")
		v, err := parseNumber(number)
		if percent {
			v /= 100
		}
		if err != nil || v > 1 {
			return 0, fmt.Errorf("%q is not a share; write it like 80%% or 0.8", text)
		}
		return v, nil
	case Bytes:
		return parseBytes(text)
	default:
		v, err := parseNumber(text)
		if err != nil {
			return 0, fmt.Errorf("%q is not a number of at least 0", text)
		}
		return v, nil
	}
}

// parseNumber reads a finite number of at least 0.
func parseNumber(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err == nil && !(v >= 0 && v <= math.MaxFloat64) {
		err = strconv.ErrRange
	}
	return v, err
}

func parseSeconds(text string) (float64, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if v, err := parseNumber(days); err == nil && v > 0 {
			return v * aDay.Seconds(), nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a duration; write it like 30s, 12h or 7d", text)
	}
	return d.Seconds(), nil
}

func parseBytes(text string) (float64, error) {
	factors := []struct {
		suffix string
		factor float64
	}{{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}}
	for _, f := range factors {
		if number, ok := strings.CutSuffix(text, f.suffix); ok {
			if v, err := parseNumber(number); err == nil {
				return v * f.factor, nil
			}
		}
	}
	return 0, fmt.Errorf("%q is not a size; write it like 20GB", text)
}

// nearest returns the rule whose name shares most letters with id at its start
// or end: enough for a slip of the finger.
func nearest(id ID, all []Rule) ID {
	shared := func(r Rule) int {
		n := 0
		for n < min(len(id), len(r.ID)) && id[n] == r.ID[n] {
			n++
		}
		for i := 1; i <= min(len(id), len(r.ID))-n && id[len(id)-i] == r.ID[len(r.ID)-i]; i++ {
			n++
		}
		return n
	}
	return slices.MaxFunc(all, func(a, b Rule) int { return cmp.Compare(shared(a), shared(b)) }).ID
}
