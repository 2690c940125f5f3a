package rules

import (
	"math"
	"testing"

	"plimsoll/collectors/snapshot"
)

func TestPartsOfOneRouteAreOffTogether(t *testing.T) {
	row := func(route string, seconds float64) appRow {
		return appRow{ProfileKey: snapshot.ProfileKey{Method: "GET", Route: route}, seconds: seconds, variance: 0.01, doubt: new(0.04)}
	}
	for name, c := range map[string]struct {
		rows []appRow
		want float64 // variance
	}{
		"one":           {[]appRow{row("/a", 1)}, 0.01 + 0.04},
		"of one route":  {[]appRow{row("/a", 1), row("/a", 2)}, 0.02 + 9*0.04},
		"of two routes": {[]appRow{row("/a", 1), row("/b", 2)}, 0.02 + (1+4)*0.04},
		"none":          {nil, 0},
	} {
		_, margin := sumOf(c.rows...)
		if got := *margin * *margin / (normal95 * normal95); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: variance = %g, want %g", name, got, c.want)
		}
	}
	older := row("/a", 1)
	older.doubt = nil
	if workers, margin := sumOf(row("/b", 2), older); workers != 3 || margin != nil {
		t.Errorf("sumOf = %v, %v, want 3 workers of unknown margin", workers, margin)
	}
}
