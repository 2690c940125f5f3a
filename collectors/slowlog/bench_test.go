package slowlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"plimsoll/fixtures/slowlogs"
)

// benchSize is how large the logs of the benchmarks are, in bytes: more than the processor's caches.
const benchSize = 64 << 20

// BenchmarkDigest measures how fast the log of each kind of server is digested by one processor and by
// two. Beside the speed it reports, from the same run, how many times as much processor time it takes as
// a plain scan of the same file for line ends (x-scan), and on two processors how many times as fast it
// is as on one (x-one), for which the machine must have nothing else to do.
func BenchmarkDigest(b *testing.B) {
	for _, l := range slowlogs.Layouts() {
		path := filepath.Join(b.TempDir(), "slow.log")
		if err := os.WriteFile(path, slowlogs.Generate(l, benchSize, 2000, 1), 0o600); err != nil {
			b.Fatal(err)
		}
		var one time.Duration
		for _, processors := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%d", l, processors), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
				b.SetBytes(benchSize)
				b.ReportAllocs()
				used, best := processorTime(b), time.Hour
				for b.Loop() {
					begin := time.Now()
					withFile(b, path, func(f *os.File) { digestWhole(b, f, processors) })
					best = min(best, time.Since(begin))
				}
				used = (processorTime(b) - used) / time.Duration(b.N)
				b.ReportMetric(benchSize/1e6/used.Seconds(), "MB/cpu-s")
				b.ReportMetric(float64(used)/float64(bestScan(b, path)), "x-scan")
				if processors == 1 {
					one = best
				} else if one > 0 {
					b.ReportMetric(float64(one)/float64(best), "x-one")
				}
			})
		}
	}
}

// processorTime returns how much processor time this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func digestWhole(b *testing.B, f *os.File, workers int) {
	a, err := Digest(context.Background(), "log", f, Options{Workers: workers})
	if err != nil || a.Skipped > 0 {
		b.Fatal(err, a.Skips)
	}
}

func withFile(b *testing.B, path string, do func(*os.File)) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	do(f)
}

// bestScan returns the processor time of a plain scan of a file.
func bestScan(b *testing.B, path string) time.Duration {
	best := time.Hour
	for range 5 {
		used := processorTime(b)
		withFile(b, path, func(f *os.File) { scan(b, f) })
		best = min(best, processorTime(b)-used)
	}
	return best
}

// scan reads a file as the splitter does, and looks for the ends of its lines.
func scan(b *testing.B, f *os.File) (lines int) {
	buf := make([]byte, batchSize)
	for {
		n, err := f.Read(buf)
		lines += lineEnds(buf[:n])
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func lineEnds(text []byte) (lines int) {
	for i := bytes.IndexByte(text, '\n'); i >= 0; i = bytes.IndexByte(text, '\n') {
		text = text[i+1:]
		lines++
	}
	return lines
}

// BenchmarkSplit measures the part of the work that only one goroutine can do, in nanoseconds for an entry
// and in scans of the same bytes for line ends, without reading the file.
func BenchmarkSplit(b *testing.B) {
	for _, l := range slowlogs.Layouts() {
		b.Run(string(l), func(b *testing.B) {
			log := wholeBatch(slowlogs.Generate(l, batchSize, 2000, 1))
			s := newSplitter(nil, Options{})
			measureEntries(b, &log, func() {
				var found batch
				found.spans = log.spans[:0]
				s.buf, s.bounds.knownAt = log.data, -1
				s.split(&found, ended)
			})
		})
	}
}

// BenchmarkDecode measures what is read of entries that were found, in the same way.
func BenchmarkDecode(b *testing.B) {
	for _, l := range slowlogs.Layouts() {
		b.Run(string(l), func(b *testing.B) {
			log := wholeBatch(slowlogs.Generate(l, batchSize, 2000, 1))
			d := newDecoder(Options{})
			var e Entry
			measureEntries(b, &log, func() {
				d.begin(&log)
				for _, s := range log.spans {
					d.decode(&log, s, &e)
				}
			})
		})
	}
}

// wholeBatch returns a log as one batch.
func wholeBatch(log []byte) (b batch) {
	s := newSplitter(nil, Options{})
	s.buf = log
	s.split(&b, ended)
	b.data = log
	return b
}

// measureEntries reports how long it takes to do something with the entries of a batch.
func measureEntries(b *testing.B, log *batch, do func()) {
	best, scanned := time.Hour, time.Hour
	for b.Loop() {
		begin := time.Now()
		do()
		end := time.Now()
		lineEnds(log.data)
		best, scanned = min(best, end.Sub(begin)), min(scanned, time.Since(end))
	}
	b.ReportMetric(float64(best.Nanoseconds())/float64(len(log.spans)), "ns/entry")
	b.ReportMetric(float64(best)/float64(scanned), "x-scan")
}
