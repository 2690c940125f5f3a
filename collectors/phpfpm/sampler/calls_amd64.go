package sampler

import "golang.org/x/sys/unix"

// kindOfOld knows the calls that newer processors never had.
func kindOfOld(number int) kind {
	switch number {
	case unix.SYS_POLL:
		return kindPoll
	case unix.SYS_SELECT:
		return kindSelect
	case unix.SYS_EPOLL_WAIT:
		return kindEpoll
	case unix.SYS_OPEN, unix.SYS_STAT, unix.SYS_LSTAT, unix.SYS_ACCESS, unix.SYS_UNLINK, unix.SYS_RENAME,
		unix.SYS_MKDIR, unix.SYS_RMDIR, unix.SYS_READLINK, unix.SYS_CHMOD:
		return kindPath
	case unix.SYS_NEWFSTATAT:
		return kindPathAt
	case unix.SYS_GETDENTS, unix.SYS_FSTAT:
		return kindFD
	case unix.SYS_PAUSE:
		return kindSleep
	}
	return kindOther
}
