package sampler

import (
	"bytes"
	"fmt"
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
