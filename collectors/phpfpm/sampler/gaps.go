package sampler

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"plimsoll/collectors/snapshot"
)

// Job is the name under which gaps of the probe are reported.
const Job = "phpfpm/probe"

// gapKind is what could not be read of a pool.
type gapKind int

const (
	gapBoard gapKind = iota
	gapProcess
	gapCall
	gapProgram
	gapLayout
	gapMemory
	gapKinds // how many there are
)

// what names what is then unknown.
func (k gapKind) what() string {
	switch k {
	case gapBoard:
		return "which workers are busy is unknown"
	case gapProcess:
		return "how long workers run is unknown"
	case gapCall:
		return "what workers wait for is unknown"
	case gapProgram, gapLayout:
		return "routes, places in the program and statements are unknown"
	case gapMemory:
		return "the memory of workers is unknown"
	case gapKinds:
	}
	return "something is unknown"
}

// note remembers why something could not be read, or that it could. That a worker has just ended is neither.
func (p *pool) note(k gapKind, err error) {
	switch {
	case err == nil:
		delete(p.gaps, k)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESRCH), errors.Is(err, errNoWorker), errors.Is(err, errBoardGone):
	default:
		p.gaps[k] = snapshot.Gap{Job: Job, Subject: p.ledger.subject(), Reason: k.what() + ": " + err.Error(), Remedy: remedy(err)}
	}
}

var errNoWorker = errors.New("no such worker")

// subject names the pool in gaps.
func (l *ledger) subject() string {
	if l.server == "" {
		return l.name
	}
	return fmt.Sprintf("%s (%s)", l.name, l.server)
}

// remedy says what to do about an error.
func remedy(err error) string {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return "run the probe as its unit does, with AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH; " +
			"in a container also share the host's PID namespace and allow process_vm_readv, pidfd_open and pidfd_getfd; " +
			"kernel.yama.ptrace_scope=3 forbids it to everybody until a reboot (docs/privileges.md)"
	case errors.Is(err, unix.ENOSYS):
		return "allow process_vm_readv in the filter of system calls, or run the probe outside of the container"
	case errors.Is(err, errNoSymbols):
		return "use a PHP whose dynamic symbols are not stripped, as all distributions have it"
	case errors.Is(err, errThreads):
		return "use PHP without ZTS for PHP-FPM"
	}
	return ""
}
