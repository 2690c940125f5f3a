package agent

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// ownCost returns the processor time in seconds that this process used, and its
// resident memory in bytes; zero where the system does not say.
func ownCost() (cpuSeconds float64, residentBytes uint64) {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err == nil {
		cpuSeconds = (time.Duration(use.Utime.Nano()) + time.Duration(use.Stime.Nano())).Seconds()
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return cpuSeconds, 0
	}
	if fields := bytes.Fields(statm); len(fields) > 1 {
		pages, _ := strconv.ParseUint(string(fields[1]), 10, 64)
		residentBytes = pages * uint64(os.Getpagesize())
	}
	return cpuSeconds, residentBytes
}
