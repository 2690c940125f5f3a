package scratch

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// folderPrefix is how the private folders' names begin. Socket paths are
// short of space, so the name is too.
const folderPrefix = "plimsoll-"

// newFolder makes a private folder and locks the file owner in it for as long
// as this program lives. The server does not inherit the lock.
func newFolder(parent string) (dir string, owner *os.File, err error) {
	dir, err = os.MkdirTemp(parent, folderPrefix)
	if err != nil {
		return "", nil, err
	}
	owner, err = os.OpenFile(filepath.Join(dir, "owner"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return dir, owner, syscall.Flock(int(owner.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// sweep removes the folders of programs that died before they could. Failing
// is no harm: the next start tries again.
func sweep(parent string) {
	dirs, _ := filepath.Glob(filepath.Join(parent, folderPrefix+"*"))
	for _, dir := range dirs {
		if abandoned(dir) {
			_ = os.RemoveAll(dir)
		}
	}
}

// abandoned reports whether a folder is ours, and nobody holds its lock. A
// folder younger than a minute may not have been locked yet.
func abandoned(dir string) bool {
	f, err := os.OpenFile(filepath.Join(dir, "owner"), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || time.Since(info.ModTime()) < time.Minute {
		return false
	}
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
