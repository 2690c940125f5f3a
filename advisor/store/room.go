package store

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ErrNoRoom is what Append and Paused return while the file system has less
// free space than the floor: nothing is stored, nothing is damaged, and it goes
// on by itself when there is space.
var ErrNoRoom = errors.New("store is paused: too little free disk space")

// maxFloor is the free space below which ingestion pauses on a large file
// system: enough for a compaction of one two-hour block and for a write of every
// other program in the meantime. On a small one it is a twentieth.
const maxFloor = 256 << 20

// Paused returns ErrNoRoom with its figures while the store takes no samples for
// want of disk space, else nil. Scrapes go on meanwhile, so that an agent that
// does not answer is still seen; their samples are dropped.
func (s *Store) Paused() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused
}

// checkRoom looks at the file system and remembers and logs a change.
func (s *Store) checkRoom() error {
	err := roomIn(s.dir)
	s.mu.Lock()
	was := s.paused
	s.paused = err
	s.mu.Unlock()
	switch {
	case err != nil && was == nil:
		s.log.Error("store paused", "err", err)
	case err == nil && was != nil:
		s.log.Warn("store resumed")
	}
	return err
}

// roomIn returns ErrNoRoom if the file system of dir is at its floor.
func roomIn(dir string) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("read free space of %s: %w", dir, err)
	}
	block := uint64(fs.Bsize)
	floor := min(fs.Blocks*block/20, maxFloor)
	if free := fs.Bavail * block; free < floor {
		return fmt.Errorf("%w: %d MiB free on the file system of %s; free at least %d MiB there, or lower the store's max_bytes",
			ErrNoRoom, free>>20, dir, floor>>20+1)
	}
	return nil
}
