package host

import (
	"testing"

	"plimsoll/collectors/snapshot"
)

func BenchmarkCollect(b *testing.B) {
	c := New(Options{})
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Collect(b.Context(), &snapshot.Snapshot{}); err != nil {
			b.Fatal(err)
		}
	}
}
