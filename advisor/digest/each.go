package digest

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// each calls do with 0 to n-1, in no order, on all processors, and returns when all have returned: ten
// thousand statements take as long to describe and write as a log of a hundred megabytes to read.
func each(n int, do func(i int)) {
	var next atomic.Int64
	var working sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		working.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	working.Wait()
}
