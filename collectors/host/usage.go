package host

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// space is what a file system says of itself. Inodes are nil where it makes
// them as needed, such as btrfs.
type space struct {
	size, available    uint64
	inodes, inodesFree *uint64
}

// usage asks file systems for their space without waiting for one that hangs.
//
// Nothing can cancel statfs on a dead NFS server, so it is the one thing here
// that may outlive a round: in a goroutine of its own, at most one for each path and
// maxMounts in all. A path that did not answer is not asked again before it does.
type usage struct {
	statfs func(path string) (space, error)

	mu    sync.Mutex
	asked map[string]chan reply // Calls under way, by path.
}

type reply struct {
	space space
	err   error
}

// ask starts a call for path, unless one is under way.
func (u *usage) ask(path string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.asked == nil {
		u.asked = map[string]chan reply{}
	}
	if u.asked[path] != nil || len(u.asked) >= maxMounts {
		return
	}
	answered := make(chan reply, 1)
	u.asked[path] = answered
	go func() {
		s, err := u.statfs(path)
		answered <- reply{s, err}
	}()
}

// answer returns the answer to ask. It is ctx's error if none came in time, or
// if path could not be asked because too many others hang.
func (u *usage) answer(ctx context.Context, path string) (space, error) {
	u.mu.Lock()
	answered := u.asked[path]
	u.mu.Unlock()
	if answered == nil {
		return space{}, fmt.Errorf("not asked while %d others do not answer", maxMounts)
	}
	select {
	case r := <-answered:
		u.mu.Lock()
		delete(u.asked, path)
		u.mu.Unlock()
		return r.space, r.err
	case <-ctx.Done():
		return space{}, ctx.Err()
	}
}

// statfs asks the kernel. Available is what users that are not root may fill.
func statfs(path string) (space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return space{}, fmt.Errorf("statfs: %w", err)
	}
	block := uint64(s.Frsize)
	if block == 0 {
		block = uint64(s.Bsize)
	}
	out := space{size: s.Blocks * block, available: s.Bavail * block}
	if s.Files > 0 {
		out.inodes, out.inodesFree = &s.Files, &s.Ffree
	}
	return out, nil
}
