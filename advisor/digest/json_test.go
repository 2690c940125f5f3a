package digest

import (
	"bytes"
	"fmt"
	"testing"

	"plimsoll/advisor/layout"
)

func TestJSONOfManyStatementsIsThatOfOneDocument(t *testing.T) {
	for _, n := range []int{0, 1, 2, partSize - 1, partSize, partSize + 1, 10*partSize + 3} {
		d := &Digest{Queries: []Query{}, Version: `"queries": []`, Files: []File{{Name: `a "queries": [] b`}}}
		for i := range n {
			d.Queries = append(d.Queries, Query{Fingerprint: fmt.Sprint(i), Tables: []string{}, Databases: []Name{{Name: "\u202e"}}})
		}
		want, err := layout.JSON(d)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := d.JSON(&got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got.Bytes()) {
			t.Errorf("%d statements: JSON = %d bytes, want these %d:\n%.300s", n, got.Len(), len(want), want)
		}
	}
}
