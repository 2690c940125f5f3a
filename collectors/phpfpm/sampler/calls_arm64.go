package sampler

import "golang.org/x/sys/unix"

// kindOfOld knows the calls whose names differ from those of amd64.
func kindOfOld(number int) kind {
	switch number {
	case unix.SYS_FSTATAT:
		return kindPathAt
	case unix.SYS_FSTAT:
		return kindFD
	}
	return kindOther
}
