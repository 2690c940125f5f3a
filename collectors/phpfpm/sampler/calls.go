package sampler

import "golang.org/x/sys/unix"

// kind is what a system call waits for.
type kind int

const (
	kindOther   kind = iota
	kindFD           // the descriptor in the first argument
	kindPoll         // descriptors in an array of struct pollfd
	kindSelect       // descriptors in sets
	kindEpoll        // descriptors registered with the first argument
	kindLock         // a lock of the file in the first argument
	kindControl      // fcntl: a lock, or nothing that waits
	kindPath         // a file by the name in the first argument
	kindPathAt       // a file by the name in the second argument
	kindSleep        // time
	kindChild        // the end of a process
	kindAccept       // the next request
	kindRestart      // what it waited for before a stop by a tracer, such as FPM's slow log
	kindThread       // a thread of its own
)

// kindOf says what a system call waits for. Numbers differ between processors; what only some have is in
// kindOfOld.
func kindOf(number int) kind {
	switch number {
	case unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64, unix.SYS_PWRITE64,
		unix.SYS_PREADV, unix.SYS_PWRITEV, unix.SYS_RECVFROM, unix.SYS_SENDTO, unix.SYS_RECVMSG, unix.SYS_SENDMSG,
		unix.SYS_RECVMMSG, unix.SYS_SENDMMSG, unix.SYS_CONNECT, unix.SYS_FSYNC, unix.SYS_FDATASYNC,
		unix.SYS_GETDENTS64, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE, unix.SYS_CLOSE, unix.SYS_SENDFILE:
		return kindFD
	case unix.SYS_PPOLL:
		return kindPoll
	case unix.SYS_PSELECT6:
		return kindSelect
	case unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2:
		return kindEpoll
	case unix.SYS_FLOCK:
		return kindLock
	case unix.SYS_FCNTL:
		return kindControl
	case unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_FACCESSAT, unix.SYS_FACCESSAT2, unix.SYS_STATX, unix.SYS_UNLINKAT,
		unix.SYS_RENAMEAT2, unix.SYS_MKDIRAT, unix.SYS_READLINKAT, unix.SYS_FCHMODAT, unix.SYS_FCHOWNAT:
		return kindPathAt
	case unix.SYS_STATFS, unix.SYS_TRUNCATE, unix.SYS_CHDIR:
		return kindPath
	case unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP:
		return kindSleep
	case unix.SYS_WAIT4, unix.SYS_WAITID:
		return kindChild
	case unix.SYS_ACCEPT, unix.SYS_ACCEPT4:
		return kindAccept
	case unix.SYS_RESTART_SYSCALL:
		return kindRestart
	case unix.SYS_FUTEX:
		return kindThread
	}
	return kindOfOld(number)
}
