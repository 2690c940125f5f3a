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
	"time"
)

// board is the scoreboard of a pool: what FPM's master and workers tell one another in shared memory. To
// read it takes no worker of the pool, and works while all are busy, unlike the status page.
// Source: sapi/fpm/fpm/fpm_scoreboard.h.
type board struct {
	from   reader // the master's memory
	pool   string
	addr   uint64
	layout boardLayout
	raw    []byte
}

// boardLayout is where things stand in a scoreboard. It differs between releases of PHP and is found by
// looking for what is known: the pool's name, and the numbers of its workers.
type boardLayout struct {
	name         int // of the pool's name
	idle, active int // how many workers
	children     int // pm.max_children
	header       int // of the first entry
	stride       int // from one entry to the next
}

// Offsets within an entry, the same from PHP 8.1 to 8.5 on 64 bits.
const (
	slotUsed     = 16
	slotStarted  = 24
	slotPID      = 32
	slotRequests = 40
	slotStage    = 48
	slotAccepted = 56
	slotDuration = 72
	slotChanged  = 96
	slotURI      = 112
	slotQuery    = 240
	slotMethod   = 752
	slotLength   = 768
	slotScript   = 776
	slotUser     = 1032
	usualStride  = 1168
)

// slot is a worker's entry in the scoreboard.
type slot struct {
	// pid is the worker's number in its own namespace.
	pid int
	// started is when FPM started the worker, in seconds since 1970.
	started int64
	// requests is how many requests the worker took.
	requests uint64
	// busy is true from when a request was accepted until the worker waits for the next one, which is
	// after the answer was sent, the session was closed and everything freed.
	busy bool
	// accepted is when the last request was, and duration how long the one before it took if busy, and that
	// one if not. changed is when the worker went from one stage to the next. All but duration are by the
	// monotonic clock.
	accepted, duration, changed time.Duration
}

// The stages of a request, fpm_request.h.
const (
	stageAccepting      = 1
	stageReadingHeaders = 2
	stageInfo           = 3
	stageFinished       = 6
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

// anyActive reads only whether a worker has a request: all that an idle pool costs. FPM's count may drift
// after a worker was killed, but it is above zero while one is busy.
func (b *board) anyActive() (bool, error) {
	var counts [8]byte
	if err := b.from.Read(b.addr+uint64(b.layout.idle), counts[:]); err != nil {
		return false, err
	}
	return int32(native32(counts[4:])) > 0, nil
}

// read reads all entries. After a reload of FPM its memory is another, and the scoreboard is to be found
// anew: the error is errBoardGone.
func (b *board) read() error {
	if err := b.from.Read(b.addr, b.raw); err != nil {
		return fmt.Errorf("%w: %w", errBoardGone, err)
	}
	if nameAt(b.raw, b.pool) != b.layout.name || len(b.raw) != b.layout.header+b.layout.stride*b.layout.nprocs(b.raw) {
		return errBoardGone
	}
	return nil
}

// children is pm.max_children.
func (b *board) children() int { return b.layout.nprocs(b.raw) }

func (b *board) entry(i int) []byte { return b.raw[b.layout.header+i*b.layout.stride:] }

// slot returns the entry of a worker, and false for one that is not used.
func (b *board) slot(i int) (slot, bool) {
	e := b.entry(i)
	s := slot{
		pid:      int(int32(native32(e[slotPID:]))),
		started:  int64(native64(e[slotStarted:])),
		requests: native64(e[slotRequests:]),
		accepted: timeval(e[slotAccepted:]),
		duration: timeval(e[slotDuration:]),
		changed:  timeval(e[slotChanged:]),
	}
	stage := native32(e[slotStage:])
	s.busy = stage >= stageReadingHeaders && stage <= stageFinished
	return s, s.pid > 0 && native32(e[slotUsed:]) != 0
}

// informed reports whether the entry tells which request a busy worker has: not while it is being received.
// lasting is true until FPM calls it finished. Then PHP runs shutdown functions and closes the session, and clears
// the request's parameters at some time; those of the next one come after the entry counts it.
func (b *board) informed(i int) (told, lasting bool) {
	stage := native32(b.entry(i)[slotStage:])
	return stage >= stageInfo, stage >= stageInfo && stage < stageFinished
}

// script returns method and path of the script of the last request, as FPM knows them: by FastCGI's
// REQUEST_METHOD and SCRIPT_NAME, cut at 127 bytes.
func (b *board) script(i int) (method, name string) {
	e := b.entry(i)
	return cstring(e[slotMethod:slotLength]), cstring(e[slotURI:slotQuery])
}

// timeval reads a struct timeval. What makes no sense is 0.
func timeval(b []byte) time.Duration {
	sec, usec := int64(native64(b)), int64(native64(b[8:]))
	if sec < 0 || sec > 1<<32 || usec < 0 || usec >= 1e6 {
		return 0
	}
	return time.Duration(sec)*time.Second + time.Duration(usec)*time.Microsecond
}

// cstring returns the text before the first zero.
func cstring(b []byte) string {
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}

// unchanged reports whether a worker still has the request that it had when the scoreboard was read.
func (b *board) unchanged(i int, s slot) bool {
	var now [slotAccepted - slotRequests]byte
	at := b.addr + uint64(b.layout.header+i*b.layout.stride+slotRequests)
	return b.from.Read(at, now[:]) == nil && native64(now[:]) == s.requests
}
