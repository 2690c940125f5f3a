package metric

import (
	"fmt"
	"testing"

	"plimsoll/collectors/snapshot"
)

// fullServer has everything that the jobs about statements can fill, at their
// bounds.
func fullServer() *snapshot.Server {
	s := &snapshot.Server{
		Identity: &snapshot.Identity{Key: "k"},
		Settings: &snapshot.Settings{Variables: map[string]string{}},
		Status:   &snapshot.Status{Values: map[string]float64{}},
		Digests:  &snapshot.Digests{Rows: []snapshot.Digest{}, Overflow: &snapshot.DigestTotals{}, SlowLog: &snapshot.SlowLog{BehindSeconds: new(1.0)}},
		Coverage: &snapshot.Coverage{Seconds: new(1.0), HiddenSeconds: new(1.0)},
		Latency:  &snapshot.Latency{},
		Use:      &snapshot.Use{},
		Schema:   &snapshot.Schema{},
		Cost:     &snapshot.Cost{},
	}
	for _, name := range StatusVariables() {
		s.Status.Values[name] = 1
	}
	for _, v := range settingVariables() {
		s.Settings.Variables[v.name] = "ON"
	}
	for i := range 102 {
		s.Digests.Series = append(s.Digests.Series, snapshot.DigestSeries{
			Fingerprint: fmt.Sprint(i), DigestTotals: snapshot.DigestTotals{CPUSeconds: new(1.0)},
		})
	}
	for i := range 20 {
		s.Latency.Rows = append(s.Latency.Rows, snapshot.DigestLatency{Fingerprint: fmt.Sprint(i), Histogram: snapshot.Histogram{P50: new(1.0), P95: new(1.0), P99: new(1.0)}})
	}
	for i := range 51 {
		s.Use.Series = append(s.Use.Series, snapshot.TableUse{Table: fmt.Sprint(i), Seconds: new(1.0)})
	}
	for i := range 2000 {
		s.Schema.Tables = append(s.Schema.Tables, snapshot.Table{Name: fmt.Sprint(i), DataBytes: new(uint64(i))})
	}
	return s
}

// A database server may have 2,000 series in all: these leave a fifth to
// replication, locks and the host.
func TestSeriesOfStatementsStayInTheirBudget(t *testing.T) {
	s := &snapshot.Snapshot{Servers: map[string]*snapshot.Server{"db1": fullServer()}}
	seen := map[string]bool{}
	metrics := append(statusMetrics(), digestMetrics()...)
	for _, m := range metrics {
		m.Read(s, func(_ float64, labels ...string) {
			key := fmt.Sprint(m.Name, labels)
			if seen[key] {
				t.Errorf("the series %s comes twice", key)
			}
			seen[key] = true
			if len(labels) != len(m.Labels) {
				t.Errorf("%s has labels %v, want a value for each of %v", m.Name, labels, m.Labels)
			}
		})
	}
	if len(seen) > 1600 {
		t.Errorf("%d series, want at most 1600", len(seen))
	}
	t.Logf("%d series", len(seen))
}

func TestNothingReadMakesNoSeries(t *testing.T) {
	s := &snapshot.Snapshot{Servers: map[string]*snapshot.Server{"db1": {
		Digests: &snapshot.Digests{}, Coverage: &snapshot.Coverage{}, Latency: &snapshot.Latency{}, Use: &snapshot.Use{}, Schema: &snapshot.Schema{},
	}}}
	for _, m := range append(statusMetrics(), digestMetrics()...) {
		m.Read(s, func(value float64, labels ...string) {
			t.Errorf("%s%v = %v, want no series", m.Name, labels, value)
		})
	}
}

func TestTheRestOfTheTablesIsInOther(t *testing.T) {
	s := &snapshot.Snapshot{Servers: map[string]*snapshot.Server{"db1": fullServer()}}
	var sum, other float64
	emitTableSizes(s, func(value float64, labels ...string) {
		sum += value
		if labels[2] == "other" {
			other = value
		}
	})
	if want := 2000.0 * 1999 / 2; sum != want {
		t.Errorf("sizes add up to %v, want %v", sum, want)
	}
	if want := 1950.0 * 1949 / 2; other != want {
		t.Errorf("other = %v, want %v", other, want)
	}
}
