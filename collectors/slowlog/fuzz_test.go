package slowlog

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plimsoll/fixtures/slowlogs"
)

// FuzzSplit reads any bytes whole, in small batches and as a log that grows, and wants the same of
// each. The reader must take what comes: it is written by whoever can send a statement.
func FuzzSplit(f *testing.F) {
	for _, log := range recordings(f) {
		f.Add(log[:min(len(log), 3000)], uint16(10))
	}
	for _, l := range slowlogs.Layouts() {
		f.Add(slowlogs.Generate(l, 2000, 5, 1), uint16(100))
	}
	f.Add([]byte(plainHeader+"SELECT 'a;\n"+plainHeader+"SELECT 'b', \"c\";\n'\n"+plainBanner+plainHeader+"SELECT 1;\n"), uint16(3))
	f.Add([]byte("\x00\n"+plainHeader+"SELECT /* ;\n"+plainHeader+"*/ 1;\nx\n# Time: "), uint16(3))
	f.Fuzz(func(t *testing.T, log []byte, size uint16) {
		if len(log) > 1<<14 {
			return
		}
		o := Options{Workers: 1, MaxStatement: 600, RateLimit: uint64(size % 3)}
		want := digestAs(t, log, o, len(log)+1)
		o.Workers = 2
		if diff := cmp.Diff(want, digestAs(t, log, o, int(size)+1)); diff != "" {
			t.Errorf("in batches of %d bytes (-whole +batches):\n%s", size+1, diff)
		}
		whole := listing(NewReader(bytes.NewReader(log), o))
		if diff := cmp.Diff(whole, growing(t, log, o, rand.New(rand.NewPCG(uint64(size), 1)))); diff != "" {
			t.Errorf("as it grows (-whole +grown):\n%s", diff)
		}
	})
}
