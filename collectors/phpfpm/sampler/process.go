package sampler

import (
	"bytes"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// process is a worker as the sampler sees it.
type process interface {
	reader
	// Sched returns what the scheduler counted. It needs no privilege.
	Sched() (sched, error)
	// Call returns the system call that the process is in.
	Call() (call, error)
	// Link returns what a file descriptor stands for, as readlink of /proc/PID/fd/N: socket:[123], a path.
	Link(fd int) (string, error)
	// Socket returns both ends of a socket.
	Socket(fd int) (ends, error)
	// Sent returns how many bytes a TCP connection has sent; 0 if that is not known.
	Sent(fd int) uint64
}

// sched is /proc/PID/schedstat.
type sched struct {
	// cpu and queue are for how long the process ran, and waited for a processor, in nanoseconds; slices
	// is how often it came to run: while that stays, it has not run.
	cpu, queue, slices uint64
}

// parseSched reads three numbers.
func parseSched(text []byte) (sched, bool) {
	var v [3]uint64
	i, digits := 0, 0
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9' && i < len(v):
			v[i] = v[i]*10 + uint64(c-'0')
			digits++
		case digits == 0:
			return sched{}, false
		default:
			i, digits = i+1, 0
		}
		if i == len(v) {
			break
		}
	}
	return sched{v[0], v[1], v[2]}, i == len(v) || i == len(v)-1 && digits > 0
}

// call is /proc/PID/syscall.
type call struct {
	// running is true for a process that is on a processor or waits for one. faulting is true for one that
	// is blocked outside of a system call: it waits for a page of a file.
	running, faulting bool
	number            int
	args              [6]uint64
}

// parseCall reads "running", "-1 SP PC", or "NUMBER ARG0 … ARG5 SP PC" with hexadecimal arguments.
func parseCall(text []byte) (call, bool) {
	if bytes.HasPrefix(text, []byte("running")) {
		return call{running: true}, true
	}
	var c call
	for i := -1; i < len(c.args); i++ {
		var word []byte
		word, text, _ = bytes.Cut(text, []byte(" "))
		if i < 0 {
			n, err := strconv.Atoi(string(bytes.TrimSpace(word)))
			if err != nil || n < 0 {
				return call{faulting: true}, err == nil
			}
			c.number = n
			continue
		}
		hex, ok := bytes.CutPrefix(word, []byte("0x"))
		v, err := strconv.ParseUint(string(hex), 16, 64)
		if !ok || err != nil {
			return call{}, false
		}
		c.args[i] = v
	}
	return c, true
}

// live is a running process. Its files stay open: to open one costs more than to read it.
type live struct {
	memory
	proc                     string
	schedstat, syscall, self int
	denied                   error // why syscall is not open
	room                     [256]byte
}

// openLive opens what is read of a process at each look. The file syscall needs CAP_DAC_READ_SEARCH, as it is
// root's where a process gave its rights away; without it there is still what the scheduler counts.
func openLive(proc string, pid int) (*live, error) {
	p := &live{memory: memory{pid}, proc: proc, syscall: -1, self: -1}
	var err error
	if p.schedstat, err = p.open("schedstat"); err != nil {
		return nil, err
	}
	if p.syscall, p.denied = p.open("syscall"); p.denied != nil {
		p.syscall = -1
	}
	// Kernels before 5.3 have none; sockets are then looked up in tables.
	if fd, err := unix.PidfdOpen(pid, 0); err == nil {
		p.self = fd
	}
	return p, nil
}

func (p *live) open(name string) (int, error) {
	fd, err := unix.Open(p.path(name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", p.path(name), err)
	}
	return fd, nil
}

func (p *live) path(name string) string { return p.proc + "/" + strconv.Itoa(p.pid) + "/" + name }

func (p *live) close() {
	for _, fd := range []int{p.schedstat, p.syscall, p.self} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

func (p *live) Sched() (sched, error) {
	n, err := unix.Pread(p.schedstat, p.room[:], 0)
	if err != nil {
		return sched{}, fmt.Errorf("read %s: %w", p.path("schedstat"), err)
	}
	s, ok := parseSched(p.room[:n])
	if !ok {
		return sched{}, fmt.Errorf("read %s: %q", p.path("schedstat"), p.room[:n])
	}
	return s, nil
}

func (p *live) Call() (call, error) {
	if p.denied != nil {
		return call{}, p.denied
	}
	n, err := unix.Pread(p.syscall, p.room[:], 0)
	if err != nil {
		return call{}, fmt.Errorf("read %s: %w", p.path("syscall"), err)
	}
	c, ok := parseCall(p.room[:n])
	if !ok {
		return call{}, fmt.Errorf("read %s: %q", p.path("syscall"), p.room[:n])
	}
	return c, nil
}

func (p *live) Link(fd int) (string, error) {
	n, err := unix.Readlink(p.path("fd/"+strconv.Itoa(fd)), p.room[:])
	if err != nil {
		return "", fmt.Errorf("read link %s: %w", p.path("fd/"+strconv.Itoa(fd)), err)
	}
	return string(p.room[:n]), nil
}
