package sampler

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"plimsoll/collectors/snapshot"
)

// memoryUse is what workers of a pool use, as they were looked at one after the other.
type memoryUse struct{ last, round map[int]rollup }

// rollup is /proc/PID/smaps_rollup, in bytes.
type rollup struct {
	uss, pss, shared uint64
}

var errRollup = errors.New("no Pss in smaps_rollup")

// readRollup costs the kernel a walk through all that the process has mapped, a millisecond or so: hence one
// worker a second.
func readRollup(proc string, pid int) (rollup, error) {
	text, err := os.ReadFile(fmt.Sprintf("%s/%d/smaps_rollup", proc, pid))
	if err != nil {
		return rollup{}, err
	}
	return parseRollup(text)
}

// parseRollup reads lines such as "Private_Dirty:     1234 kB".
func parseRollup(text []byte) (rollup, error) {
	var r rollup
	found := false
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) < 3 {
			continue
		}
		kb, err := strconv.ParseUint(string(f[1]), 10, 53)
		if err != nil {
			continue
		}
		switch string(f[0]) {
		case "Pss:":
			r.pss, found = kb<<10, true
		case "Private_Clean:", "Private_Dirty:", "Private_Hugetlb:":
			r.uss += kb << 10
		case "Shared_Clean:", "Shared_Dirty:", "Shared_Hugetlb:":
			r.shared += kb << 10
		}
	}
	if !found {
		return rollup{}, errRollup
	}
	return r, nil
}

// next returns the worker that was not looked at in this round, and begins another one after the last.
func (m *memoryUse) next(pids []int) (int, bool) {
	if len(pids) == 0 {
		return 0, false
	}
	slices.Sort(pids)
	for _, pid := range pids {
		if _, done := m.round[pid]; !done {
			return pid, true
		}
	}
	m.last, m.round = m.round, nil
	return pids[0], true
}

func (m *memoryUse) put(pid int, r rollup) {
	if m.round == nil {
		m.round = map[int]rollup{}
	}
	m.round[pid] = r
}

// summary is over the last whole round, or over the first one as far as it is. What one worker shares is in the
// mean what all share: the largest is taken, as a worker that has just started has not touched all of it.
func (m *memoryUse) summary() *snapshot.WorkerMemory {
	from := m.last
	if len(from) == 0 {
		from = m.round
	}
	if len(from) == 0 {
		return nil
	}
	var uss, pss []uint64
	out := &snapshot.WorkerMemory{Workers: len(from)}
	for _, r := range from {
		uss, pss = append(uss, r.uss), append(pss, r.pss)
		out.SharedBytes = max(out.SharedBytes, r.shared)
	}
	out.MeanUSSBytes, out.P95USSBytes = meanAndP95(uss)
	out.MeanPSSBytes, out.P95PSSBytes = meanAndP95(pss)
	return out
}

func meanAndP95(all []uint64) (mean, p95 uint64) {
	slices.Sort(all)
	var sum uint64
	for _, v := range all {
		sum += v
	}
	return sum / uint64(len(all)), all[(len(all)*95-1)/100]
}
