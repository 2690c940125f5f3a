package dashboards

import (
	"path/filepath"
	"testing"

	"plimsoll/fixtures/golden"
)

func TestPagesAreAsReviewed(t *testing.T) {
	files, err := Files(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		golden.Hold(t, filepath.Join("testdata", f.Name), f.JSON)
	}
}
