package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"plimsoll/collectors/snapshot"
)

func TestHungFileSystemIsAGapAndAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		repaired := make(chan struct{})
		c := New(Options{Root: filepath.Join(recordings, "4.9")})
		hung := filepath.Join(c.root, "srv/media")
		c.usage.statfs = func(path string) (space, error) {
			if path == hung {
				asked.Add(1)
				<-repaired
			}
			return space{size: 2, available: 1}, nil
		}
		for range 3 {
			start := time.Now()
			m := mustCollect(t, c)
			if took := time.Since(start); took != mountPatience {
				t.Errorf("a round took %v, want the %v that mounts are given", took, mountPatience)
			}
			if size := find(t, m, "/srv/media").SizeBytes; size != nil {
				t.Errorf("size of the hung mount = %d, want unknown", *size)
			}
			if size := find(t, m, "/").SizeBytes; size == nil || *size != 2 {
				t.Errorf("size of / = %v, want 2, although another mount hangs", size)
			}
			wantGap(t, m, "/srv/media", "hangs")
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("the hung mount was asked %d times, want once", n)
		}
		close(repaired)
		synctest.Wait()
		if size := find(t, mustCollect(t, c), "/srv/media").SizeBytes; size == nil {
			t.Error("size of the repaired mount is unknown, want 2")
		}
	})
}

func TestHungFileSystemsThatComeAndGoAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		unlock := make(chan struct{})
		u := usage{statfs: func(string) (space, error) { calls.Add(1); <-unlock; return space{}, nil }}
		for i := range 10 * maxMounts {
			u.ask(fmt.Sprintf("/mnt/%d", i))
			synctest.Wait()
		}
		if n := calls.Load(); n != maxMounts {
			t.Errorf("%d calls are under way, want at most %d", n, maxMounts)
		}
		if _, err := u.answer(t.Context(), "/mnt/69"); err == nil {
			t.Error("a path that was not asked has an answer, want an error")
		}
		close(unlock)
	})
}

// TestRealFileSystemThatNeverAnswers mounts a FUSE file system behind which
// nobody stands: the kernel waits for it as it waits for a dead NFS server.
func TestRealFileSystemThatNeverAnswers(t *testing.T) {
	fuse, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		t.Skip("needs FUSE: ", err)
	}
	root := machine(t, nil)
	dir := filepath.Join(root, "srv")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fuse.Fd())
	if err := unix.Mount("dead:/export", dir, "fuse", 0, options); err != nil {
		t.Skip("needs the right to mount: ", errors.Join(err, fuse.Close()))
	}
	t.Cleanup(func() {
		// Closing ends the calls that hang.
		if err := errors.Join(fuse.Close(), unix.Unmount(dir, unix.MNT_FORCE|unix.MNT_DETACH)); err != nil {
			t.Error(err)
		}
	})
	info := "1 0 254:0 / / rw - ext4 /dev/vda rw\n2 1 0:99 / /srv rw - nfs4 dead:/export rw\n"
	if err := os.WriteFile(filepath.Join(root, "proc/1/mountinfo"), []byte(info), 0o644); err != nil {
		t.Fatal(err)
	}
	c, before := New(Options{Root: root}), runtime.NumGoroutine()
	for range 2 {
		start := time.Now()
		m := mustCollect(t, c)
		if took := time.Since(start); took > mountPatience+time.Second {
			t.Errorf("a round took %v, want little more than %v", took, mountPatience)
		}
		wantGap(t, m, "/srv", "hangs")
	}
	if more := runtime.NumGoroutine() - before; more > 1 {
		t.Errorf("%d goroutines more after two rounds, want at most the one that hangs", more)
	}
}

func TestSilentRefusalIsNotADeadline(t *testing.T) {
	u := usage{statfs: statfs}
	path := filepath.Join(t.TempDir(), "missing")
	u.ask(path)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := u.answer(ctx, path); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("error = %v, want the kernel's", err)
	}
}

func mustCollect(t *testing.T, c *Collector) *snapshot.Machine {
	t.Helper()
	var s snapshot.Snapshot
	if err := c.Collect(t.Context(), &s); err != nil {
		t.Fatal(err)
	}
	return s.Machine
}

func find(t *testing.T, m *snapshot.Machine, path string) snapshot.Mount {
	t.Helper()
	for _, mount := range m.Mounts {
		if mount.Path == path {
			return mount
		}
	}
	t.Fatalf("mounts = %+v, want %s among them", m.Mounts, path)
	return snapshot.Mount{}
}

func wantGap(t *testing.T, m *snapshot.Machine, subject, reason string) {
	t.Helper()
	for _, g := range m.Gaps {
		if g.Subject == subject && strings.Contains(g.Reason, reason) {
			return
		}
	}
	t.Errorf("gaps = %+v, want one of %s that says %q", m.Gaps, subject, reason)
}
