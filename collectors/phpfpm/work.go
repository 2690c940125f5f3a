package phpfpm

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"plimsoll/collectors/snapshot"
)

// work is how long the workers of one pool ran and waited for a processor, in nanoseconds, with where each
// of them stood last; and how often connections waited in front of it.
type work struct {
	Queue    snapshot.QueueLooks     `json:"queue,omitzero"`
	CPU      uint64                  `json:"cpu"`
	RunQueue uint64                  `json:"run_queue"`
	Workers  map[string]workerTotals `json:"workers"`
}

// workerTotals are the first two numbers of /proc/PID/schedstat.
type workerTotals struct {
	CPU      uint64 `json:"cpu"`
	RunQueue uint64 `json:"run_queue"`
}

// look counts a look at the queue, which is nil where that is not known.
func (w *work) look(q *snapshot.ListenQueue) {
	if q == nil {
		return
	}
	w.Queue.Looks++
	if q.Waiting > 0 {
		w.Queue.Waiting++
	}
}

// add adds what workers did since the last look. What a new worker did before it was seen counts too, but not at
// the first look at the pool: that was before the epoch.
func (w *work) add(now map[string]workerTotals) {
	first := w.Workers == nil
	for key, t := range now {
		before, known := w.Workers[key]
		if first && !known {
			continue
		}
		if t.CPU >= before.CPU && t.RunQueue >= before.RunQueue {
			w.CPU += t.CPU - before.CPU
			w.RunQueue += t.RunQueue - before.RunQueue
		}
	}
	w.Workers = now
}

// readWork reads the totals of a pool's workers. One that has ended is left out.
func readWork(proc string, workers []Worker) (map[string]workerTotals, error) {
	out := make(map[string]workerTotals, len(workers))
	var refused error
	for _, w := range workers {
		text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(w.PID), "schedstat"))
		if os.IsPermission(err) {
			refused = err
		}
		if t, ok := parseSchedstat(text); err == nil && ok {
			out[fmt.Sprintf("%d@%d", w.PID, w.StartTicks)] = t
		}
	}
	if len(out) == 0 && refused != nil {
		return nil, refused
	}
	return out, nil
}

// parseSchedstat reads the time on a processor and the time in front of one, both in nanoseconds. A kernel
// without schedstats writes zeros for ever, which is no measurement.
func parseSchedstat(text []byte) (workerTotals, bool) {
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return workerTotals{}, false
	}
	cpu, err := strconv.ParseUint(string(fields[0]), 10, 64)
	queue, queueErr := strconv.ParseUint(string(fields[1]), 10, 64)
	return workerTotals{cpu, queue}, err == nil && queueErr == nil && cpu > 0
}

// residentBytes sums the resident memory of workers; false if it is known of none.
func residentBytes(proc string, workers []Worker) (sum uint64, known bool) {
	for _, w := range workers {
		text, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(w.PID), "statm"))
		fields := bytes.Fields(text)
		if err != nil || len(fields) < 2 {
			continue
		}
		if pages, err := strconv.ParseUint(string(fields[1]), 10, 48); err == nil {
			sum += pages * uint64(os.Getpagesize()) //nolint:gosec // a page has a size
			known = true
		}
	}
	return sum, known
}

// startOf returns when a process started. Its ticks are hundredths of a second on every Linux that Go runs on.
func startOf(boot time.Time, ticks uint64) time.Time {
	return boot.Add(time.Duration(ticks) * 10 * time.Millisecond).UTC() //nolint:gosec // some years
}

// bootTime reads the line btime of /proc/stat.
func bootTime(proc string) (time.Time, error) {
	text, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return time.Time{}, err
	}
	_, rest, found := strings.Cut(string(text), "\nbtime ")
	line, _, _ := strings.Cut(rest, "\n")
	seconds, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if !found || err != nil {
		return time.Time{}, fmt.Errorf("read %s/stat: it has no btime", proc)
	}
	return time.Unix(seconds, 0), nil
}

// versionOf returns the version that the name of a master's program has, as Debian's php-fpm8.2; empty if it
// has none.
func versionOf(proc string, pid int) string {
	comm := start(filepath.Join(proc, strconv.Itoa(pid), "comm"))
	version, ok := strings.CutPrefix(strings.TrimSpace(string(comm)), "php-fpm")
	if !ok || strings.Trim(version, "0123456789.") != "" {
		return ""
	}
	return version
}
