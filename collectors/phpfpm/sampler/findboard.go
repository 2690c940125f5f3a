package sampler

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// findBoard looks for a pool's scoreboard in the shared memory of its master. pids are the workers that the
// pool has, by their own numbers.
func findBoard(proc string, master int, from reader, pool string, pids []int) (*board, error) {
	maps, err := os.ReadFile(fmt.Sprintf("%s/%d/maps", proc, master))
	if err != nil {
		return nil, fmt.Errorf("find the scoreboard of pool %s: %w", pool, err)
	}
	failure := errNoBoard
	for _, m := range sharedMaps(maps) {
		head := make([]byte, maxBoardHeader)
		if m.size > maxBoardBytes || from.Read(m.addr, head) != nil || nameAt(head, pool) < 0 {
			continue
		}
		raw := make([]byte, m.size)
		if err := from.Read(m.addr, raw); err != nil {
			return nil, fmt.Errorf("read the scoreboard of pool %s: %w", pool, err)
		}
		layout, err := calibrate(raw, pool, pids)
		if err != nil {
			failure = err
			continue
		}
		size := layout.header + layout.stride*layout.nprocs(raw)
		return &board{from: from, pool: pool, addr: m.addr, layout: layout, raw: raw[:size]}, nil
	}
	return nil, fmt.Errorf("find the scoreboard of pool %s: %w", pool, failure)
}

// hasBoard reports whether a master has a pool of a name, be it without workers.
func hasBoard(proc string, master int, from reader, pool string) bool {
	maps, err := os.ReadFile(fmt.Sprintf("%s/%d/maps", proc, master))
	return err == nil && slices.ContainsFunc(sharedMaps(maps), func(m mapping) bool {
		head := make([]byte, maxBoardHeader)
		return m.size <= maxBoardBytes && from.Read(m.addr, head) == nil && nameAt(head, pool) >= 0
	})
}

var (
	errNoBoard     = errors.New("no shared memory has the pool's name")
	errOtherLayout = errors.New("its layout is none that is known")
	errBoardGone   = errors.New("the scoreboard has gone")
)

// mapping is a part of a process' memory.
type mapping struct{ addr, size uint64 }

// maxBoardBytes is more than the scoreboard of 25,000 workers. opcache's memory is larger in general, and
// does not have a pool's name at its beginning anyway.
const maxBoardBytes = 32 << 20

// sharedMaps returns the mappings without a file that processes share: FPM allocates a scoreboard as one, and
// opcache its memory.
func sharedMaps(maps []byte) []mapping {
	var found []mapping
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 6 || f[1] != "rw-s" || f[5] != "/dev/zero" {
			continue
		}
		from, to, _ := strings.Cut(f[0], "-")
		start, startErr := strconv.ParseUint(from, 16, 64)
		end, endErr := strconv.ParseUint(to, 16, 64)
		if startErr == nil && endErr == nil && end > start {
			found = append(found, mapping{start, end - start})
		}
	}
	return found
}

const (
	maxBoardHeader = 128
	// poolNameBytes is the room for a pool's name, its final zero included.
	poolNameBytes = 32
)

// largest returns the largest of the mappings that processes share: opcache's, which has 128 MB by default and 8 at
// least.
func largest(maps []mapping) mapping {
	var most mapping
	for _, m := range maps {
		if m.size > most.size {
			most = m
		}
	}
	return most
}

// nameAt returns where a scoreboard has the pool's name: behind its locks, which take 16 bytes before
// PHP 8.4 and 28 since. It is -1 if it is nowhere.
func nameAt(raw []byte, pool string) int {
	name := append([]byte(pool[:min(len(pool), poolNameBytes-1)]), 0)
	for at := 16; at <= 40; at += 4 {
		if len(raw) >= at+poolNameBytes && bytes.HasPrefix(raw[at:], name) {
			return at
		}
	}
	return -1
}

// calibrate finds the layout of a scoreboard. What follows the name is the same in all releases, up to one
// field before the entries; where these begin and how long they are is where the workers' numbers stand.
func calibrate(raw []byte, pool string, pids []int) (boardLayout, error) {
	name := nameAt(raw, pool)
	if name < 0 {
		return boardLayout{}, errNoBoard
	}
	idle := (name+poolNameBytes+4+7)&^7 + 8 // the manager, an int; then when it started, a time_t
	l := boardLayout{name: name, idle: idle, active: idle + 4, children: idle + 40}
	for _, stride := range strides(raw, pids) {
		for header := idle + 64; header <= idle+96; header += 8 {
			l.header, l.stride = header, stride
			if l.fits(raw, pids) {
				return l, nil
			}
		}
	}
	return boardLayout{}, errOtherLayout
}

// strides returns how long an entry may be: as usual, or as the distance of two workers' numbers.
func strides(raw []byte, pids []int) []int {
	candidates := []int{usualStride}
	at := pidsAt(raw, pids)
	for i := 1; i < len(at); i++ {
		if d := at[i] - at[i-1]; d >= slotUser && !slices.Contains(candidates, d) {
			candidates = append(candidates, d)
		}
	}
	return candidates[:min(len(candidates), 16)]
}

// pidsAt returns where workers' numbers stand, behind a word that says that the entry is used.
func pidsAt(raw []byte, pids []int) []int {
	var at []int
	for o := slotPID; o+4 <= len(raw); o += 8 {
		pid := int(int32(native32(raw[o:])))
		if pid > 0 && native32(raw[o-slotPID+slotUsed:]) == 1 && slices.Contains(pids, pid) {
			at = append(at, o)
		}
	}
	return at
}

// fits reports whether a layout explains a scoreboard: its entries fill the memory, and all but a few workers,
// which may have come and gone since they were listed, stand in one.
func (l boardLayout) fits(raw []byte, pids []int) bool {
	n := l.nprocs(raw)
	if n < 1 || n > len(raw)/l.stride || l.header+n*l.stride > len(raw) || len(pids) == 0 {
		return false
	}
	known := 0
	for i := range n {
		entry := raw[l.header+i*l.stride:]
		if pid := int(int32(native32(entry[slotPID:]))); pid > 0 && slices.Contains(pids, pid) {
			known++
		}
	}
	return known > 0 && known*4 >= len(pids)*3
}

func (l boardLayout) nprocs(raw []byte) int {
	if l.children+4 > len(raw) {
		return 0
	}
	return int(int32(native32(raw[l.children:])))
}
