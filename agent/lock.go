package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// folderLock keeps a second agent out of a state folder.
type folderLock struct{ file *os.File }

// lockPatience is how long a new agent waits for the one that it replaces.
const lockPatience = 2 * time.Second

func lockFolder(dir string) (*folderLock, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make state folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock state folder: %w", err)
	}
	for deadline := time.Now().Add(lockPatience); ; time.Sleep(100 * time.Millisecond) {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return &folderLock{file}, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			break
		}
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("state folder %s is in use by another agent; give each agent a state of its own", dir)
	}
	return nil, fmt.Errorf("lock state folder %s: %w", dir, err)
}

func (l *folderLock) release() error { return l.file.Close() }
