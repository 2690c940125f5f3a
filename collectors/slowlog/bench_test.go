package slowlog

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"
)

// BenchmarkDigest measures how fast logs of each layout are digested by one worker and by two, in MB/s,
// and next to it a plain scan of the same bytes for line ends: x-scan is how many times longer the
// digest takes.
func BenchmarkDigest(b *testing.B) {
	for _, l := range layouts {
		log := generate(l, 32<<20, 2000, 1)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%d", l, workers), func(b *testing.B) {
				b.SetBytes(int64(len(log)))
				b.ReportAllocs()
				var entries uint64
				for b.Loop() {
					a, err := Digest(context.Background(), "log", bytes.NewReader(log), Options{Workers: workers})
					if err != nil || a.Skipped > 0 {
						b.Fatal(err, a.Skips)
					}
					entries = a.Entries
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(scan(log)), "x-scan")
				b.ReportMetric(float64(entries), "entries/op")
			})
		}
	}
}

// scan returns the best time of a plain scan for line ends.
func scan(log []byte) time.Duration {
	best := time.Hour
	for range 5 {
		begin, lines := time.Now(), 0
		for rest := log; ; lines++ {
			i := bytes.IndexByte(rest, '\n')
			if i < 0 {
				break
			}
			rest = rest[i+1:]
		}
		if lines > 0 {
			best = min(best, time.Since(begin))
		}
	}
	return best
}

func BenchmarkSplit(b *testing.B) {
	log := generate(mariadbFull, 32<<20, 2000, 1)
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		s := newSplitter(bytes.NewReader(log), Options{})
		var batch batch
		for {
			if s.next(&batch) != nil {
				break
			}
		}
	}
}
