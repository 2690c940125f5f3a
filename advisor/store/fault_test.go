package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"golang.org/x/sys/unix"
)

// childDir names the environment variable that turns this test binary into a
// process which appends to the store in that folder until it is killed.
const childDir = "STORE_TEST_CHILD_DIR"

func appendUntilKilled(dir string) {
	s, err := Open(context.Background(), Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	base := time.Now()
	labels := map[string]string{"pid": strconv.Itoa(os.Getpid())}
	for i := 0; ; i++ {
		err := s.Append(context.Background(), []Sample{{Name: "acknowledged", Labels: labels, Time: base.Add(time.Duration(i) * time.Millisecond), Value: float64(i)}})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(i)
	}
}

func TestAcknowledgedSamplesSurviveKill9(t *testing.T) {
	dir := t.TempDir()
	total := 0
	for range 3 {
		total += killAfter(t, dir, 500)
	}
	s, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	v, _, _, err := s.Querier().Query(t.Context(), `sum(count_over_time(acknowledged[1h]))`, time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	// More is fine: the last append of each child may have been stored but not
	// printed any more.
	if got := int(v.(model.Vector)[0].Value); got < total || got > total+3 {
		t.Errorf("%d samples after 3 kill -9, want %d to %d", got, total, total+3)
	}
}

// killAfter runs a child that appends, kills it once n samples are
// acknowledged, and returns how many really were.
func killAfter(t *testing.T, dir string, n int) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for lines := bufio.NewScanner(out); lines.Scan(); seen++ {
		if got, err := strconv.Atoi(lines.Text()); err != nil || got != seen {
			t.Fatalf("child printed %q, want %d", lines.Text(), seen)
		}
		if seen+1 == n {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	if seen < n {
		t.Fatalf("child stopped by itself after %d samples", seen)
	}
	return seen
}

func TestOpenWaitsForTheLockAndNamesTheFolder(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, Options{Dir: s.dir})
	if err == nil || !strings.Contains(err.Error(), s.dir+" is in use by another process; stop it") {
		t.Errorf("second Open = %v, want one that names the folder and the remedy", err)
	}
}

func TestOpenSucceedsWhenTheLockIsGivenBack(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(3*lockRetry, func() { _ = first.Close() })
	second, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

// smallDisk mounts a file system of 64 MiB for a test.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("mount a tmpfs to fill: %v (needs root)", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file into dir until free bytes are left, 0 for none at all.
func fill(t *testing.T, dir string, free uint64) (ballast string) {
	t.Helper()
	ballast = filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, f)
	block := make([]byte, 1<<16)
	for {
		var fs unix.Statfs_t
		if err := unix.Statfs(dir, &fs); err != nil {
			t.Fatal(err)
		}
		if fs.Bavail*uint64(fs.Bsize) <= free {
			return ballast
		}
		if _, err := f.Write(block); err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}

// batch is 1,000 series, each with the value i.
func batch(i int) []Sample {
	var all []Sample
	for k := range 1000 {
		all = append(all, Sample{Name: "batch", Labels: map[string]string{"k": fmt.Sprint(k)}, Time: start.Add(time.Duration(i) * time.Second), Value: float64(i)})
	}
	return all
}

func TestStorePausesBeforeTheDiskIsFullAndResumes(t *testing.T) {
	disk := smallDisk(t)
	var logged lines
	s, err := Open(t.Context(), Options{
		Dir:    filepath.Join(disk, "tsdb"),
		Logger: slog.New(slog.NewTextHandler(&logged, nil)),
		Now:    func() time.Time { return start },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), batch(0)); err != nil || s.Paused() != nil {
		t.Fatalf("Append with room = %v, Paused = %v", err, s.Paused())
	}
	ballast := fill(t, disk, 2<<20+1<<19)
	for range 3 {
		err := s.Append(t.Context(), batch(1))
		if want := "too little free disk space: 2 MiB free on the file system of " + s.dir + "; free at least 4 MiB there"; !errors.Is(err, ErrNoRoom) || !strings.Contains(err.Error(), want) {
			t.Errorf("Append = %v, want %q", err, want)
		}
	}
	if err := s.Paused(); !errors.Is(err, ErrNoRoom) {
		t.Errorf("Paused = %v, want ErrNoRoom", err)
	}
	swallowed := sink{s}.AppenderV2(t.Context())
	if _, ok := swallowed.(discard); !ok {
		t.Errorf("the scraper appends to a %T while the store is paused", swallowed)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), batch(2)); err != nil || s.Paused() != nil {
		t.Errorf("Append with room again = %v, Paused = %v", err, s.Paused())
	}
	if got := stored(t, s); got != 2000 {
		t.Errorf("%d samples are stored, want 2000", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(logged.String(), "\n"); got != 2 || !strings.Contains(logged.String(), `level=WARN msg="store resumed"`) {
		t.Errorf("want one line for the pause and one for its end, got\n%s", &logged)
	}
}

func stored(t *testing.T, s *Store) int {
	t.Helper()
	v, _, _, err := s.Querier().Query(t.Context(), "sum(count_over_time(batch[1h]))", start.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return int(v.(model.Vector)[0].Value)
}

func TestScrapesAreStoredAgainAfterAPause(t *testing.T) {
	disk := smallDisk(t)
	s, _ := scrapedInto(t, filepath.Join(disk, "tsdb"), every(fast, agent(t, "x 1\n")))
	eventually(t, "a scrape is stored", func() bool { return len(ask(t, s, "x")) == 1 })
	ballast := fill(t, disk, 1<<20)
	eventually(t, "the store pauses", func() bool { return s.Paused() != nil })
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	resumed := time.Now()
	eventually(t, "newer samples are stored", func() bool {
		got := ask(t, s, "timestamp(x)")
		return len(got) == 1 && float64(got[0].Value) > float64(resumed.UnixMilli())/1000
	})
}

// The floor cannot help if another program takes the last byte in between.
func TestAcknowledgedSamplesSurviveAFullDisk(t *testing.T) {
	disk := smallDisk(t)
	o := Options{Dir: filepath.Join(disk, "tsdb"), Now: func() time.Time { return start }}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), batch(0)); err != nil {
		t.Fatal(err)
	}
	ballast := fill(t, disk, 0)
	acknowledged := 2000 // the batches before and after
	for i := 1; i < 20; i++ {
		if err := s.append(t.Context(), batch(i)); err == nil {
			acknowledged += 1000
		}
	}
	if acknowledged == 21_000 {
		t.Fatal("no append failed on a full disk")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), batch(30)); err != nil {
		t.Errorf("Append after the disk was full = %v", err)
	}
	if got := stored(t, s); got != acknowledged {
		t.Errorf("%d samples are stored, want %d", got, acknowledged)
	}
	if err := s.Close(); err != nil {
		t.Logf("Close: %v", err)
	}
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	// A refused batch may have reached the log all the same and come back with it.
	if got := stored(t, s); got < acknowledged || got > 21_000 {
		t.Errorf("%d samples are stored after the log is replayed, want %d to 21000", got, acknowledged)
	}
}
