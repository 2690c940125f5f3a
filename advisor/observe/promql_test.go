package observe

import (
	"os"
	"regexp"
	"testing"

	"plimsoll/collectors/metric"
)

// TestEveryQueriedSeriesIsInTheTable reads the queries out of the source: a name
// that no agent writes would be a fact that is silently unknown for ever.
func TestEveryQueriedSeriesIsInTheTable(t *testing.T) {
	known := map[string]bool{}
	for _, m := range metric.Table() {
		known[m.Name] = true
		if m.Type == metric.Histogram {
			known[m.Name+"_bucket"] = true
		}
	}
	source, err := os.ReadFile("series.go")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`\b(plimsoll|mysql|node)_[a-z0-9_]+`).FindAllString(string(source), -1)
	if len(names) < 8 {
		t.Fatalf("only %d names of series were found in series.go", len(names))
	}
	for _, name := range names {
		if !known[name] {
			t.Errorf("series.go asks for %s, which is not in the table of metrics", name)
		}
	}
}
